"""Texts of cells -> values of fields.

Each parser answers None for what it cannot read; its caller then keeps the text as an attribute. A text that
only says that nothing is known (`-1`, `N/A`, `unknown`, `-`) is dropped before any parser sees it.

One rule for units: KB, MB, GB and TB are powers of 1024, like KiB, MiB, GiB and TiB. The tools that write
inventories mean that (RVTools' `Memory` and `Provisioned MB` are MiB; newer versions say so), and one rule
keeps imports of the same machine comparable.
"""

import datetime
import ipaddress
import math
import re
from collections.abc import Mapping
from functools import lru_cache

_UNKNOWN = frozenset(
    ("", "-", "--", "-1", "-1.0", "?", "n/a", "na", "#n/a", "nan", "nil", "none", "null", "unknown",
     "undefined", "not available", "not applicable", "not discovered")
)  # fmt: skip

_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
UNITS_BYTES = {"byte": 1, "bytes": 1} | {
    prefix + suffix: 1024**power for prefix, power in _POWERS.items() for suffix in ("b", "ib", "i")
}
"""Bytes of each unit, by its name in lower case."""

UNITS_CORES = dict.fromkeys(("millicores", "millicore", "millicpus", "millicpu", "mcpus", "mcpu"), 0.001)
"""Cores of each unit that a header can name."""

AMOUNTS: Mapping[str, Mapping[str, float]] = {
    "cpu_cores": UNITS_CORES | {"cores": 1},
    "memory_bytes": UNITS_BYTES,
    "storage_bytes": UNITS_BYTES,
}
"""The fields that are amounts, each with its units."""

_UNITS_CORES_IN_CELLS = (
    UNITS_CORES | {"m": 0.001} | dict.fromkeys(("core", "cores", "cpu", "cpus", "vcpu", "vcpus"), 1)
)

_NUMBER = re.compile(
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:[.](?P<part>[0-9]+))?(?:e(?P<power>[+]?[0-9]{1,2}))?"
    r"|(?P<left>[0-9]+),(?P<right>[0-9]+)",
    re.IGNORECASE,
)
_QUANTITY = re.compile(rf"(?P<number>{_NUMBER.pattern})\s*(?P<unit>[a-z]*)", re.IGNORECASE)
_QUANTITY_MAX = 64
_MAC = re.compile(
    "[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\\1){4}(?:[0-9a-f]{2}\\1[0-9a-f]{2}\\1)?[0-9a-f]{2}"
    "|(?:[0-9a-f]{4}[.]){2,3}[0-9a-f]{4}|[0-9a-f]{12}",
    re.IGNORECASE,
)

_INT64_MAX = 2**63 - 1
_WHOLE_FLOAT_MAX = 2.0**53

_STATUS = {
    "running": ("on", "poweredon", "powered on", "running", "up", "started"),
    "stopped": ("off", "poweredoff", "powered off", "stopped", "down", "deallocated", "shut off"),
}
_STATUS_OF = {text: status for status, texts in _STATUS.items() for text in texts}


def cell_text(value: object) -> str:
    """A typed cell as text: whole floats without `.0`, times as ISO 8601, no NUL, no outer blanks.

    None, and a float that is no number, is empty.
    """
    if isinstance(value, str):
        return value.replace("\0", "").strip()
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE_FLOAT_MAX:
        return str(int(value))
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def is_unknown(text: str) -> bool:
    """Whether a cell says that nothing is known."""
    return text.casefold() in _UNKNOWN


@lru_cache
def cores(text: str, unit: float = 1) -> float | None:
    """A count of cores: `4`, `0.5`, `500m`, `4 vCPU`; a bare number counts in `unit` cores."""
    quantity = _quantity(text, _UNITS_CORES_IN_CELLS, unit)
    return None if quantity is None else round(quantity, 6)


@lru_cache
def size_bytes(text: str, unit: float) -> int | None:
    """An amount of bytes: `16 GB`, `512Mi`, `1,024.5`; a bare number counts in `unit` bytes."""
    quantity = _quantity(text, UNITS_BYTES, unit)
    return None if quantity is None or quantity > _INT64_MAX else min(round(quantity), _INT64_MAX)


def _quantity(text: str, units: Mapping[str, float], default: float) -> float | None:
    match = _QUANTITY.fullmatch(text) if len(text) <= _QUANTITY_MAX else None
    if match is None:
        return None
    named = match["unit"].casefold()
    unit = units.get(named) if named else default
    if unit is None:
        return None
    if match["left"] is not None:
        number = float(f"{match['left']}.{match['right']}")
    else:
        number = float(f"{match['whole'].replace(',', '')}.{match['part'] or 0}e{match['power'] or 0}")
    quantity = number * unit
    return quantity if math.isfinite(quantity) else None


def ip_addresses(text: str) -> tuple[str, ...] | None:
    """The addresses of a cell, as they are written: one, or a list like `a;b`, `a, b` or `[a,b];`."""
    pieces = _pieces(text)
    for piece in pieces:
        address, _, prefix = piece.partition("/")
        try:
            ipaddress.ip_address(address)
        except ValueError:
            return None
        if prefix and not prefix.isdecimal():
            return None
    return tuple(dict.fromkeys(pieces))


def mac_addresses(text: str) -> tuple[str, ...] | None:
    """The hardware addresses of a cell, as they are written, in a list like that of `ip_addresses`."""
    pieces = _pieces(text)
    return tuple(dict.fromkeys(pieces)) if all(map(_MAC.fullmatch, pieces)) else None


def _pieces(text: str) -> list[str]:
    return [piece for piece in re.split(r"[\s;,\[\]\"']+", text) if piece and not is_unknown(piece)]


def texts(text: str) -> tuple[str, ...]:
    """The items of a list like `a;b`, `a, b` or `[a,b];`, which may hold blanks."""
    pieces = (piece.strip(" \t\"'") for piece in re.split(r"[;,\[\]\r\n]+", text))
    return tuple(dict.fromkeys(piece for piece in pieces if not is_unknown(piece)))


def unit_name(unit: str) -> str:
    """A unit as people write it: `MiB` for `mib`."""
    return unit[0].upper() + unit[1:].replace("b", "B") if unit[:1] in _POWERS and len(unit) < 4 else unit


def status(text: str) -> str:
    """A state of power in two words that all tools share (`running`, `stopped`); any other as it is."""
    return _STATUS_OF.get(text.casefold(), text)


def hostname(text: str) -> str | None:
    """A host name; of a URL its host, and without the dot that ends a full domain name."""
    if "://" in text:
        text = re.split(r"[/?#]", text.split("://", 1)[1], maxsplit=1)[0].rpartition("@")[2]
    return text.rstrip(".") or None

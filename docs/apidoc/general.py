"""The pages that are not of one service.

Their prose is in `pages`; what stands as `{{part}}` there is filled in from the code.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path

from mooring_server.core.policy import POLICY
from mooring_server.settings import Settings
from pydantic.fields import FieldInfo

from apidoc import examples, protos
from apidoc.markdown import CODES, cell, code_block, page, table

PAGES = Path(__file__).with_name("pages")

_UNITS = {
    "_bytes": ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "bytes")),
    "_s": ((86_400, "d"), (3_600, "h"), (60, "min"), (0, "s")),
}


def index(services: Sequence[protos.Service], rpcs: Mapping[str, Sequence[protos.Rpc]]) -> str:
    """What there is, what holds everywhere, and every REST path."""
    rows = [
        (
            f"[{service.full_name.rpartition('.')[2]}]({stem}.md)",
            f"`{service.full_name}`",
            ", ".join(f"[{rpc.name}]({stem}.md#{rpc.name.lower()})" for rpc in rpcs[stem]),
        )
        for service, stem in zip(services, rpcs, strict=True)
    ]
    paths = [
        (f"`{binding.verb}`", f"`{binding.template}`", f"[{rpc.name}]({stem}.md#{rpc.name.lower()})")
        for stem, all_of in rpcs.items()
        for rpc in all_of
        for binding in rpc.paths
    ]
    return filled(
        "README.md",
        services=table(("service", "full name", "calls"), rows),
        paths=table(("verb", "path", "call"), paths),
    )


def errors(api: protos.Api, scenario: examples.Scenario) -> str:
    """What a failure carries, and every reason by its status code."""
    (call,) = (call for call in scenario.calls if not call.hidden)
    request = code_block(examples.rest(call, scenario.samples), "http")
    status = examples.as_json(examples.filled(call.response, scenario.samples))
    reasons: dict[str, list[tuple[str, str]]] = {code: [] for code in CODES}
    for name, _, comment in api.enums["mooring.v1.ErrorReason"].values:
        code, colon, when = comment.partition(": ")
        if colon:
            reasons[code].append((f"`{name.removeprefix('ERROR_REASON_')}`", cell(when.rstrip("."))))
    return filled(
        "errors.md",
        example=f"{request}\n\nis refused with\n\n{code_block(status, 'json')}",
        **{code: table(("reason", "when"), rows) if rows else "" for code, rows in reasons.items()},
    )


def limits() -> str:
    """Every setting that bounds something, with its default."""
    fields = Settings.model_fields.items()
    return filled(
        "limits.md",
        rates=_settings((name, field) for name, field in fields if name.endswith("_rate")),
        numbers=_settings(
            (name, field) for name, field in fields if field.annotation in (int, float) and name != "port"
        ),
    )


def authentication(api: protos.Api) -> str:
    """Tokens, scopes, TLS and the open mode."""
    values = api.enums["mooring.v1.TokenScope"].values
    scopes = [
        (f"`{name.removeprefix('TOKEN_SCOPE_')}`", comment) for name, number, comment in values if number
    ]
    reading = sorted(rpc.rpartition("/")[2] for rpc, rule in POLICY.items() if not rule.mutates)
    about = ("auth", "tls_", "token")
    return filled(
        "authentication.md",
        scopes=table(("scope", "allows"), scopes),
        reading=", ".join(f"`{name}`" for name in reading),
        settings=_settings(item for item in Settings.model_fields.items() if item[0].startswith(about)),
    )


def filled(name: str, **parts: str) -> str:
    """The page's prose with its parts. KeyError for a part that is missing, ValueError for one too many."""
    prose = (PAGES / name).read_text("utf-8").rstrip("\n")
    places = re.findall(r"\{\{(\w+)\}\}", prose)
    if surplus := parts.keys() - set(places):
        raise ValueError(f"{name} has no place for {', '.join(sorted(surplus))}")
    text = re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], prose)
    return page(re.sub(r"\n{3,}", "\n\n", text).rstrip("\n"))


def _settings(fields: Iterable[tuple[str, FieldInfo]]) -> str:
    rows = [
        (f"`{name}`", f"`MOORING_{name.upper()}`", _shown(name, field.default), field.description or "")
        for name, field in fields
    ]
    return table(("setting", "variable", "default", "is"), rows)


def _shown(name: str, default: object) -> str:
    """A default, with its unit where the name ends with one."""
    if default is None or default == "":
        return "none"
    if isinstance(default, Enum):
        default = default.value
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    units = next((_UNITS[ending] for ending in _UNITS if name.endswith(ending)), None)
    if units is None or not isinstance(default, int | float):
        return f"`{default}`"
    size, unit = next((size, unit) for size, unit in units if not size or default % size == 0 < default)
    return f"`{default}` ({default / size:g} {unit})" if size > 1 else f"`{default}` {unit}"

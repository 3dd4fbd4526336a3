"""The readers, ours and those of plug-ins, and how a file finds the one that understands it.

A reader is found by an entry point of the group `mooring.readers`: see docs/import-readers.md.
"""

from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import structlog

from mooring_server.errors import InvalidArgument, MooringError
from mooring_server.ingest.asset_types import TYPES
from mooring_server.ingest.formats import open_source
from mooring_server.ingest.inventory import Inventory, Reader
from mooring_server.ingest.limits import Limits, unreadable
from mooring_server.ingest.options import ReadOptions, no_such
from mooring_server.ingest.tables import Source

GROUP = "mooring.readers"
DEFAULT_OPTIONS = ReadOptions()

# In this order: of equally confident readers the first reads.
_OURS = (
    "rvtools",
    "azure_migrate",
    "azure_dependencies",
    "aws_migration_factory",
    "netbox_devices",
    "netbox_virtual_machines",
    "netbox_cables",
    "table",
)
_PACKAGE = "mooring_server."

_log = structlog.stdlib.get_logger(__name__)


@lru_cache(1)
def readers() -> tuple[Reader, ...]:
    """Every reader that can be loaded, ours first; what cannot be is left out, which the log says."""
    found: dict[str, Reader] = {}
    for entry in sorted(entry_points(group=GROUP), key=_rank):
        try:
            reader = entry.load()
        except Exception:
            _log.warning("a reader cannot be loaded", reader=entry.name, value=entry.value, exc_info=True)
            continue
        if not isinstance(reader, Reader) or reader.kind != entry.name:
            _log.warning("what is to be a reader is none of that name", reader=entry.name, value=entry.value)
        elif reader.kind in found or (reader.kind in _OURS and not _is_ours(entry)):
            _log.warning("another reader has that name already", reader=entry.name, value=entry.value)
        else:
            found[reader.kind] = reader
    return tuple(found.values())


def _rank(entry: EntryPoint) -> tuple[bool, int, str, str]:
    is_ours = _is_ours(entry)
    place = _OURS.index(entry.name) if is_ours and entry.name in _OURS else len(_OURS)
    return not is_ours, place, entry.name, entry.value


def _is_ours(entry: EntryPoint) -> bool:
    return entry.value.startswith(_PACKAGE)


def open_inventory(
    path: Path, file_name: str, limits: Limits, options: ReadOptions = DEFAULT_OPTIONS
) -> Inventory:
    """Opens an inventory: what it is, how its columns are mapped, how many rows it has.

    What the file is follows from its bytes; `file_name` only appears in messages. A text file is streamed and
    must stay where it is while its rows are read.

    Raises:
        InvalidArgument: UNREADABLE_INVENTORY for a file that is no inventory; INVALID_FIELD for options that
            name what is not there.
        ResourceExhausted: for a file that passes one of the limits.
    """
    source = chosen_sheet(open_source(path, file_name, limits, options), options)
    return open_with(candidates(source), source, file_name, options)


def chosen_sheet(source: Source, options: ReadOptions) -> Source:
    """The file with the sheet alone that the options name; the whole file where they name none.

    Raises:
        InvalidArgument: INVALID_FIELD.
    """
    if not options.sheet:
        return source
    sheet = next((sheet for sheet in source.sheets if sheet.name == options.sheet), None)
    if sheet is None:
        raise no_such("sheet", "sheet", options.sheet, [sheet.name for sheet in source.sheets if sheet.name])
    return source.narrowed(sheet)


def candidates(source: Source) -> list[tuple[Reader, float]]:
    """The readers that could read a file and how sure each is, the surest first."""
    sure = [(reader, _confidence(reader, source)) for reader in readers()]
    return sorted((each for each in sure if each[1] > 0), key=lambda each: -each[1])


def _confidence(reader: Reader, source: Source) -> float:
    try:
        return min(float(reader.confidence(source)), 1.0)
    except (MooringError, MemoryError):
        raise
    except Exception:  # one reader's fault is no other's
        _log.warning("a reader failed", reader=reader.kind, exc_info=True)
        return 0.0


def open_with(
    likely: list[tuple[Reader, float]], source: Source, file_name: str, options: ReadOptions
) -> Inventory:
    """Opens a file with the surest of these readers, or with the one that the options name.

    Raises:
        InvalidArgument: as `open_inventory` says.
    """
    if options.asset_type and options.asset_type not in TYPES:
        raise no_such("asset_type", "asset type", options.asset_type, TYPES)
    if options.kind:
        wanted = next((reader for reader in readers() if reader.kind == options.kind), None)
        if wanted is None:
            raise no_such("kind", "reader", options.kind, [reader.kind for reader in readers()])
        likely = [each for each in likely if each[0] is wanted]
        if not likely:
            raise unreadable(
                f"{file_name} cannot be read as `{wanted.kind}` ({wanted.title}); "
                "leave `kind` out, or name another"
            )
    if not likely:
        raise unreadable(
            f"{file_name} has no row that names the columns of a table of assets; "
            "give it a header in which a column is called `name`, `hostname` or `id`"
        )
    reader, _ = likely[0]
    inventory = reader.open(source, options)
    _check_obeyed(inventory, reader, options)
    inventory.encoding = source.encoding
    inventory.notes[:0] = source.remarks
    return inventory


def _check_obeyed(inventory: Inventory, reader: Reader, options: ReadOptions) -> None:
    """Refuses wishes for columns that a reader does not heed."""
    fields = {use.column: use.field for use in inventory.columns}
    for name, use in options.columns.items():
        if name not in fields:
            raise no_such("columns", "column", name, fields)
        if fields[name] != use.field:
            raise InvalidArgument.field(
                "options.columns",
                f"{reader.title} tells itself where column `{name}` goes; leave it out, or import the file "
                "as another kind",
            )

"""Bulk reads: what a request asks for, against what its session shows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from mooring_server.core import dependencies, filtering, lists, sessions
from mooring_server.core.lists import List
from mooring_server.core.names import quote
from mooring_server.errors import InvalidArgument
from mooring_server.settings import Settings
from mooring_server.store import Tx
from mooring_server.store.lists.conditions import Condition
from mooring_server.store.reading import (
    ATTRIBUTE,
    ATTRIBUTE_KIND,
    BULK_ASSETS,
    BULK_DEPENDENCIES,
    BulkQuery,
    BulkTable,
    Columns,
    query,
)
from mooring_server.store.records import DataVersion

_FIELDS_MAX = 200


@dataclass(frozen=True)
class Bulk:
    """What can be read in bulk: a table, and the list whose filters it takes.

    `within` is what such a filter means in a session, by the ids of that.
    """

    table: BulkTable
    filtered: List
    within: Callable[[Condition, str, str], Condition] = lambda condition, engagement_id, session_id: (
        condition
    )


ASSETS = Bulk(BULK_ASSETS, lists.ASSETS)
DEPENDENCIES = Bulk(BULK_DEPENDENCIES, lists.DEPENDENCIES, dependencies.within)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a read is answered.

    `columns`, names and kinds, are asked for, in that order. Where `kept`, `query` is of every row and every
    column, and its answer serves every such read of the version; else it is of what is asked for. Without a
    `version` there are no rows, and no query.
    """

    table: BulkTable
    columns: Columns
    version: DataVersion | None
    query: BulkQuery | None
    kept: bool


def plan(
    tx: Tx,
    bulk: Bulk,
    engagement_id: str,
    session_id: str,
    fields: Sequence[str],
    filter_text: str,
    settings: Settings,
) -> Plan:
    """The plan of a read of what a session shows now.

    Raises:
        InvalidArgument: INVALID_FIELD, INVALID_FILTER.
        NotFound: SESSION_NOT_FOUND.
    """
    table = bulk.table
    columns = _columns(table, fields)
    condition = filtering.parse(filter_text, bulk.filtered.schema, settings)
    if condition is not None:
        condition = bulk.within(condition, engagement_id, session_id)
    session = sessions.get(tx, engagement_id, session_id)
    version = None if session.data_version_id is None else tx.versions.get(session.data_version_id)
    if version is None:
        return Plan(table, columns, None, None, False)
    kept = condition is None and settings.read_cache_max_bytes > 0 and set(columns) <= set(table.columns)
    asked = query(
        tx, table, version.id, table.columns if kept else columns, condition, settings.read_batch_rows
    )
    return Plan(table, columns, version, asked, kept)


def _columns(table: BulkTable, fields: Sequence[str]) -> Columns:
    if len(fields) > _FIELDS_MAX:
        raise _refused(f"must be at most {_FIELDS_MAX}, not {len(fields)}")
    kinds = dict(table.columns)
    chosen: dict[str, str] = {}
    for name in fields:
        if name in chosen:
            raise _refused(f"{quote(name)} is there twice")
        if name == ATTRIBUTE:
            raise _refused("an attribute's key must follow the dot, as in `attributes.Rack`")
        if name not in kinds and not name.startswith(ATTRIBUTE):
            raise _refused(_unknown(kinds, name))
        chosen[name] = kinds.get(name, ATTRIBUTE_KIND)
    return tuple(chosen.items()) or table.columns


def _unknown(kinds: Iterable[str], name: str) -> str:
    known = [*kinds, f"{ATTRIBUTE}{{key}}"]
    near = get_close_matches(name.casefold()[:64], known, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"the fields are {', '.join(known)}"
    return f"{quote(name)} is no field here; {hint}"


def _refused(description: str) -> InvalidArgument:
    return InvalidArgument.field("fields", description)

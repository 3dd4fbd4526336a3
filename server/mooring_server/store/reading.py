"""Bulk reads: one statement over a version's rows, for `arrow_process` to turn into Arrow."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peewee import SQL, NodeList, fn

from mooring_server.store import tables
from mooring_server.store.lists.conditions import Condition
from mooring_server.store.lists.definitions import ASSETS, DEPENDENCIES
from mooring_server.store.lists.filters import Of
from mooring_server.store.lists.paging import Listing
from mooring_server.store.migrating import is_sqlite
from mooring_server.store.sqlite import sqlite_path
from mooring_server.store.statements import Statement, param

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_V = tables.DataVersions
_A = tables.Assets

ARROW_PROCESS = Path(__file__).with_name("arrow_process.py")
ATTRIBUTE = "attributes."
"""What stands before the key in the name of one attribute's column."""
ATTRIBUTE_KIND = "text"

# Names, and kinds as `arrow_process` knows them.
Columns = tuple[tuple[str, str], ...]

_MARK = re.compile(r"%[s%]")
# The SQL types of arguments, by those of their values.
_TYPES = {str: "TEXT", int: "BIGINT", float: "DOUBLE PRECISION"}


@dataclass(frozen=True, eq=False)
class BulkTable:
    """A table that is read in bulk: its columns in order.

    `count` is the column of a version's row count; `written` has the columns that are expressions.
    """

    name: str
    columns: Columns
    listing: Listing[Any]
    count: str
    written: Mapping[str, Callable[[Of], Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BulkQuery:
    """A statement over rows of a version, and another one for the version's revision and row count.

    It answers `columns` behind the id, which it is to be ordered by. `steps`, where it walks through the
    table, is a third one with its arguments: for the id that ends the next range after another id, whose
    place among them None holds.
    """

    columns: Columns
    sql: str
    arguments: Sequence[Any]
    state_sql: str
    state_arguments: Sequence[Any]
    steps: tuple[str, Sequence[Any]] | None

    def order(self, url: str) -> dict[str, Any]:
        """What `arrow_process` takes to answer it, but for the file and the size of a batch."""
        sqlite = is_sqlite(url)
        sql, state_sql = self.sql, self.state_sql
        if not sqlite:
            # Rows are streamed by COPY alone, which takes no arguments: they become settings.
            types = [_TYPES[type(value)] for value in self.arguments]
            sql = _marked(sql, lambda n: f"CAST(current_setting('mooring.argument_{n}') AS {types[n]})")
            state_sql = _marked(state_sql, lambda n: f"${n + 1}")
        return {
            "kind": "query",
            "database": "sqlite" if sqlite else "postgresql",
            "uri": f"{sqlite_path(url).absolute().as_uri()}?mode=ro" if sqlite else url,
            "columns": self.columns,
            "sql": sql,
            "arguments": self.arguments,
            "state_sql": state_sql,
            "state_arguments": self.state_arguments,
            "steps": self.steps if sqlite else None,
        }


def query(
    tx: Tx, table: BulkTable, version_id: str, columns: Columns, condition: Condition | None, range_rows: int
) -> BulkQuery:
    """The query for those rows of a version that the condition (None: all) is true of.

    `columns` are of the table, or have names `attributes.{key}`. `range_rows` are read at once.
    """
    own = dict(table.columns)
    keys = {name: f"key_{number}" for number, (name, _) in enumerate(columns) if name not in own}

    def write(of: Of) -> list[Any]:
        return [of("id"), *(written(of, name) for name, _ in columns)]

    def written(of: Of, name: str) -> Any:
        if name in keys:
            return _attribute(of, param(keys[name]), sqlite=tx.is_sqlite)
        return table.written[name](of) if name in table.written else of(name)

    rows, arguments, is_walk = table.listing.whole(tx, write, condition, version_id=version_id)
    arguments |= {key: name.removeprefix(ATTRIBUTE) for name, key in keys.items()}
    state = _V.select(_V.revision, getattr(_V, table.count)).where(
        (_V.id == param("version_id")) & (_V.idle_time.is_null() | (_V.idle_time > 0))
    )
    steps = Statement(table.listing.step())
    return BulkQuery(
        columns,
        *tx.bound(Statement(rows), **arguments),
        *tx.bound(Statement(state), version_id=version_id),
        tx.bound(steps, version_id=version_id, after=None, passed=range_rows - 1) if is_walk else None,
    )


def _attribute(of: Of, key: Any, *, sqlite: bool) -> Any:
    if sqlite:  # not by a path, in which a key would have to be quoted
        return NodeList(
            (SQL("(SELECT value FROM json_each("), of("attributes"), SQL(") WHERE key ="), key, SQL(")"))
        )
    return NodeList((SQL("("), of("attributes"), SQL("::jsonb ->>"), key, SQL(")")))


def _of_end(end: str, column: str) -> Callable[[Of], Any]:
    """A text of the asset at an end of a dependency; empty where the version has no such asset."""
    asset = _A.alias(f"{end}_asset")

    def write(of: Of) -> Any:
        own = asset.select(getattr(asset, column)).where(
            (asset.version_id == of("version_id")) & (asset.id == of(f"{end}_id"))
        )
        return fn.COALESCE(own, SQL("''"))

    return write


def _marked(sql: str, place: Callable[[int], str]) -> str:
    """The SQL with other marks for its arguments than psycopg's."""
    number = -1

    def replaced(mark: re.Match[str]) -> str:
        nonlocal number
        if mark[0] == "%%":
            return "%"
        number += 1
        return place(number)

    return _MARK.sub(replaced, sql)


def _columns(names: str, **kinds: str) -> Columns:
    """Columns in order; texts but for those whose kind is given."""
    return tuple((name, kinds.get(name, "text")) for name in names.split())


_PROVENANCE = "source_file source_sheet source_row create_time update_time"
BULK_ASSETS = BulkTable(
    "assets",
    _columns(
        "id display_name type external_id hostname ip_addresses environment location platform"
        " operating_system status owner application criticality cpu_cores memory_bytes storage_bytes"
        f" attributes {_PROVENANCE} mac_addresses networks technology model serial_number"
        " business_unit migration_status migration_strategy migration_wave implied",
        ip_addresses="list",
        mac_addresses="list",
        networks="list",
        cpu_cores="number",
        memory_bytes="whole",
        storage_bytes="whole",
        source_row="small",
        create_time="time",
        update_time="time",
        implied="flag",
    ),
    ASSETS,
    "asset_count",
)
BULK_DEPENDENCIES = BulkTable(
    "dependencies",
    _columns(
        "id source_id target_id kind port protocol source_process target_process description attributes"
        f" {_PROVENANCE} source_display_name target_display_name",
        port="small",
        source_row="small",
        create_time="time",
        update_time="time",
    ),
    DEPENDENCIES,
    "dependency_count",
    {f"{end}_display_name": _of_end(end, "display_name") for end in ("source", "target")},
)

# What the file of a session has of each (`session_file`): all that is not made of the rest.
EXPORTED_ASSETS = replace(BULK_ASSETS, columns=(*BULK_ASSETS.columns, *_columns("identity source")))
EXPORTED_DEPENDENCIES = replace(
    BULK_DEPENDENCIES,
    columns=(*BULK_DEPENDENCIES.columns[:-2], *_columns("source_identity target_identity")),
    written={f"{end}_identity": _of_end(end, "identity") for end in ("source", "target")},
)

"""Backups: one state of a database in one file, which both kinds of database read again.

A zip: `manifest.json`, and for each table a member of JSON lines, a row each, in the order of the primary
key. Equal rows make equal members on both databases. Not in it: the signing key, stored answers of requests,
and whatever the database derives by itself (indexes, what search looks into).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import IO, Any, cast

from peewee import BooleanField, Database, Tuple, fn

from mooring_server.errors import InvalidArgument
from mooring_server.store.migrating import known_migrations, schema_version, snapshot
from mooring_server.store.statements import Statement, param
from mooring_server.store.tables import (
    TABLES,
    Facts,
    Imports,
    Landscapes,
    Operations,
    Requests,
    Table,
    UploadChunks,
)
from mooring_server.store.values import to_json, utc_now

FORMAT = 1
BACKED_UP = tuple(table for table in TABLES if table not in (Facts, Requests))

OnProgress = Callable[[str, int, int], None]
"""Told what is going on, how many rows of it are done, and of how many."""

_MANIFEST = "manifest.json"
_BATCH_ROWS = 1_000
# Tables of large rows: a batch of theirs has to fit into memory, too.
_BATCH_ROWS_OF: Mapping[type[Table], int] = {UploadChunks: 8, Landscapes: 8, Imports: 8, Operations: 50}
_COMPRESSION = 3
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table's member: the columns of its rows, how many those are, and the SHA-256 of the lines, in hex."""

    columns: tuple[str, ...]
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is of. `schema` is the last migration, `incarnation` the id of the database's life."""

    format: int
    schema: str
    incarnation: str
    create_time: str
    tables: Mapping[str, TableEntry]

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(entry.rows for entry in self.tables.values())


def back_up(
    url: str, target: IO[bytes], on_progress: OnProgress, clock: Callable[[], datetime] = utc_now
) -> Manifest:
    """Writes one state of the database to a file, while others go on writing the database.

    It may be of an older schema than the newest. Raises Unavailable where the database cannot be had, and
    OSError where the file cannot be written.
    """
    with snapshot(url) as database, zipfile.ZipFile(
        target, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION
    ) as archive:  # fmt: skip
        schema = schema_version(database)
        columns = {table: stored_columns(database, table) for table in BACKED_UP}
        present = [table for table in BACKED_UP if columns[table]]
        total = sum(_count(database, table) for table in present)
        entries: dict[str, TableEntry] = {}
        done = 0
        for table in present:
            name, digest, rows = name_of(table), hashlib.sha256(), 0
            with archive.open(_member(name), "w", force_zip64=True) as member:
                for batch in _batches(database, table, columns[table]):
                    lines = "".join(f"{to_json(row)}\n" for row in batch).encode()
                    digest.update(lines)
                    member.write(lines)
                    rows += len(batch)
                    on_progress("backing up", done + rows, total)
            done += rows
            entries[name] = TableEntry(columns[table], rows, digest.hexdigest())
        manifest = Manifest(FORMAT, schema, _incarnation(database), clock().isoformat(), entries)
        archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=1))
    return manifest


def stored_columns(database: Database, table: type[Table]) -> tuple[str, ...]:
    """The names of the table's own columns that the database has; () where it does not have the table."""
    present = {column.name for column in database.get_columns(name_of(table))}
    return tuple(field.column_name for field in _fields(table) if field.column_name in present)


def name_of(table: type[Table]) -> str:
    """What the database calls the table."""
    return str(table._meta.table_name)


class Backup:
    """A backup that is open for reading."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.manifest = _read_manifest(archive)

    def rows(self, table: str) -> Iterator[list[Any]]:
        """The rows of a table, in the order of its manifest entry's columns.

        Raises InvalidArgument, after the last row at the latest, where they are not those that were written.
        """
        entry = self.manifest.tables[table]
        digest, count = hashlib.sha256(), 0
        with _damage(), self._archive.open(_member(table)) as member:
            for line in member:
                digest.update(line)
                count += 1
                row = json.loads(line)
                if not isinstance(row, list) or len(row) != len(entry.columns):
                    raise ValueError("a row has not the columns of its table")
                yield [_unpacked(value) for value in row]
            if count != entry.rows or digest.hexdigest() != entry.sha256:
                raise ValueError("a table has not the rows that were written")

    def verify(self, on_progress: OnProgress) -> None:
        """Reads everything. Raises InvalidArgument where the file is damaged."""
        done, total = 0, self.manifest.rows
        for table in self.manifest.tables:
            for _ in self.rows(table):
                done += 1
                if done % _BATCH_ROWS == 0 or done == total:
                    on_progress("verifying", done, total)


@contextmanager
def reading(source: IO[bytes]) -> Iterator[Backup]:
    """The backup in a file. Raises InvalidArgument where it is none, or one that this program cannot read."""
    with _damage():
        archive = zipfile.ZipFile(source)
    with archive:
        yield Backup(archive)


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        LookupError,
        TypeError,
        ValueError,
        RuntimeError,
    ) as fault:
        # RuntimeError is an encrypted member, and NotImplementedError one of another compression.
        reason = fault.args[0] if type(fault) is ValueError and fault.args else "it cannot be read to its end"
        raise InvalidArgument(f"this is no sound backup: {reason}; take another one") from fault


def _read_manifest(archive: zipfile.ZipFile) -> Manifest:
    with _damage():
        if _MANIFEST not in archive.namelist():
            raise ValueError("it has no manifest")
        found = json.loads(archive.read(_MANIFEST))
        if not isinstance(found, dict) or not isinstance(found.get("tables"), dict):
            raise ValueError("its manifest names no tables")
        if found.get("format") != FORMAT:
            raise ValueError(f"its format is {found.get('format')!r}, and this program reads {FORMAT}")
        entries = {
            name: TableEntry(tuple(entry["columns"]), entry["rows"], entry["sha256"])
            for name, entry in found["tables"].items()
        }
        for name, entry in entries.items():
            # They become SQL.
            if not all(_NAME.fullmatch(text) for text in (name, *entry.columns)):
                raise ValueError("it names what no table of Mooring's is called")
            if not isinstance(entry.rows, int):
                raise ValueError("its manifest counts no rows")
        manifest = Manifest(FORMAT, found["schema"], found["incarnation"], found["create_time"], entries)
        if manifest.schema not in known_migrations():
            raise ValueError(f"a newer Mooring has written it, with the schema {manifest.schema!r}")
        return manifest


def _batches(
    database: Database, table: type[Table], columns: Sequence[str]
) -> Iterator[Sequence[Sequence[Any]]]:
    """All rows in the order of the primary key, never many at once."""
    fields = [field for field in _fields(table) if field.column_name in columns]
    keys = cast("list[Any]", table._meta.get_primary_keys())
    query = table.select(*fields).order_by(*keys).limit(_BATCH_ROWS_OF.get(table, _BATCH_ROWS))
    beyond = Tuple(*keys) > Tuple(*(param(key.name) for key in keys))
    first, after = Statement(query), Statement(query.where(beyond))
    positions = [columns.index(key.column_name) for key in keys]  # fields compare as SQL does
    flags = [index for index, field in enumerate(fields) if isinstance(field, BooleanField)]
    statement, last = first, dict[str, Any]()
    while True:
        sql, arguments = statement.bind(database, last)
        rows = database.execute_sql(sql, arguments).fetchall()
        if not rows:
            return
        yield [_packed(row, flags) for row in rows]
        statement = after
        last = {key.name: rows[-1][position] for key, position in zip(keys, positions, strict=True)}


def _packed(row: Sequence[Any], flags: Sequence[int]) -> list[Any]:
    values = [
        {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes | memoryview) else value
        for value in row
    ]
    for index in flags:
        values[index] = bool(values[index])  # SQLite keeps numbers
    return values


def _unpacked(value: Any) -> Any:
    return base64.b64decode(value["base64"], validate=True) if isinstance(value, dict) else value


def _count(database: Database, table: type[Table]) -> int:
    return int(table.select(fn.COUNT(1)).tuples().execute(database)[0][0])


def _incarnation(database: Database) -> str:
    query = Facts.select(Facts.value).where(Facts.key == "incarnation").tuples()
    return str(query.execute(database)[0][0])


def _fields(table: type[Table]) -> Sequence[Any]:
    return cast("Sequence[Any]", table._meta.sorted_fields)


def _member(table: str) -> str:
    return f"tables/{table}.jsonl"

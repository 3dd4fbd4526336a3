"""Sessions that move between SQLite and PostgreSQL and back are what they were.

Every inventory beside the project, and generated ones of each kind, becomes a session; that is exported,
imported by a server on the other database, exported there, and brought back. All files have the digest of the
first; and since that is our own claim, their rows are compared by pyarrow besides, ids aside.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from mooring_server.settings import Settings
from support_calls import unique
from support_discovery import import_file
from support_server import HeaderAuth, Server, create, new_engagement, serving
from support_tables import KINDS, table
from support_transfers import export, import_session, manifest, rows

Size = Callable[[Any, Any], Any]
Figure = Callable[[str, str], None]

DATA = Path(__file__).parents[3] / "shared" / "data"
IDS = ("id", "source_id", "target_id")
_UNLIMITED = {"read_rate": "", "write_rate": "", "bulk_rate": ""}
_SMALL_BYTES = 2**20


class Place:
    """A server on one of the databases, and an engagement of it."""

    def __init__(self, server: Server) -> None:
        self._caller = server.user("owner")
        self._engagement = new_engagement(self._caller).name

    def take(self, data: bytes, file_name: str) -> str:
        """A session made of an inventory."""
        session = self._caller.sessions.CreateSession(create(self._engagement, unique())).name
        import_file(self._caller, session, data, file_name=file_name)
        return str(session)

    def export(self, session: str) -> bytes:
        return export(self._caller, session)

    def bring(self, content: bytes, **fields: Any) -> bytes:
        """The file of the session that a file becomes here."""
        return self.export(import_session(self._caller, self._engagement, content, **fields).session)


@pytest.fixture(scope="module")
def places(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Place]]:
    """One on SQLite, one on PostgreSQL."""
    import psycopg

    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA exports")
    urls = (
        f"sqlite:///{tmp_path_factory.mktemp('exports')}/m.db",
        f"{postgresql_server}&options=-csearch_path%3Dexports",
    )
    with ExitStack() as stack:
        servers = (
            serving(Settings(database=url, port=0, **_UNLIMITED), authenticator=HeaderAuth()) for url in urls
        )
        sqlite, postgresql = (Place(stack.enter_context(server)) for server in servers)
        yield sqlite, postgresql


def content(file: bytes) -> tuple[Counter[str], Counter[str]]:
    """What a file holds, ids aside, as pyarrow reads it: its assets, and its dependencies with their ends."""
    assets, ends = {}, Counter[str]()
    for row in rows(file, "assets"):
        assets[row["id"]] = _told(row)
    for row in rows(file, "dependencies"):
        ends[_told(row | {"from": assets[row["source_id"]], "to": assets[row["target_id"]]})] += 1
    return Counter(assets.values()), ends


def _told(row: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in row.items() if name not in IDS}, default=str)


def check(here: Place, there: Place, session: str) -> dict[str, Any]:
    """A session there and back; its manifest."""
    first = here.export(session)
    # With its own ids, and a name that is free there, it is the very file.
    assert there.bring(first, keep_ids=True) == first
    second = there.bring(first)
    third = here.bring(second)
    told, *others = (manifest(file) for file in (first, second, third))
    for other in others:
        assert other["content_digest"] == told["content_digest"]
        assert {name: part["rows"] for name, part in other["parts"].items()} == {
            name: part["rows"] for name, part in told["parts"].items()
        }
    plain = content(first)
    assert content(second) == content(third) == plain
    assert not {row["id"] for row in rows(second, "assets")} & {row["id"] for row in rows(first, "assets")}
    return told


def _counted(told: dict[str, Any]) -> Counter[str]:
    return Counter({name.removesuffix(".parquet"): part["rows"] for name, part in told["parts"].items()})


@pytest.mark.postgresql
@pytest.mark.real_inventories
@pytest.mark.skipif(not DATA.is_dir(), reason="The real inventories (../shared/data) are not here.")
def test_real_inventories_move(places: tuple[Place, Place], size: Size, figure: Figure) -> None:
    """Each, from SQLite to PostgreSQL and back or the other way round (full size: both), is what it was."""
    largest = size(_SMALL_BYTES, None)
    files = [
        path
        for path in sorted(DATA.iterdir())
        if path.suffix != ".md" and (largest is None or path.stat().st_size < largest)
    ]
    assert files
    moved = Counter[str]()
    for number, path in enumerate(files):
        ways = [places, places[::-1]]
        for here, there in size([ways[number % 2]], ways):
            moved += _counted(check(here, there, here.take(path.read_bytes(), path.name)))
    figure(
        f"{len(files)} real inventories exported, imported on the other database, exported, brought back",
        f"equal digests, {moved['assets']:,} assets and {moved['dependencies']:,} dependencies the same",
    )


@pytest.mark.postgresql
def test_generated_inventories_move(places: tuple[Place, Place], size: Size, figure: Figure) -> None:
    """So is each table of every kind, with the oddities that their generator knows."""
    count = size(6, 200)
    moved = Counter[str]()
    for seed in range(count):
        made = table(seed)
        here, there = places[:: -1 if seed % 2 else 1]
        try:
            moved += _counted(check(here, there, here.take(made.content, "estate")))
        except Exception as failure:
            failure.add_note(f"seed {seed}: {made.kind} in {made.format!r}")
            raise
    figure(
        f"{count} generated inventories of {len(KINDS)} kinds, moved likewise",
        f"equal digests, {moved['assets']:,} assets and {moved['dependencies']:,} dependencies the same",
    )

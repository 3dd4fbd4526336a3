"""Bulk reads: what they keep, what they share, and what they leave behind."""

import asyncio
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import psutil
import pytest
from mooring_server.background.read_cache import ReadCache
from mooring_server.background.spools import PIECE_BYTES
from mooring_server.core import reading
from mooring_server.errors import Unavailable
from support_reading import Reader, reader
from support_store import Database, asset, begin, publish, session
from support_waiting import until


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A SQLite store: files do not depend on the database."""
    with Database(f"sqlite:///{tmp_path}/store.db") as opened:
        opened.write(begin)
        yield opened


@pytest.fixture
def read(database: Database, tmp_path: Path) -> Iterator[Reader]:
    """The reads of a store with a version of five assets."""
    database.write(lambda tx: publish(tx, *(asset(number) for number in range(5))))
    with reader(database, tmp_path / "files") as made:
        yield made


def large(database: Database) -> None:
    """Another session, `large`, whose assets are several pieces."""
    database.write(session("large"))
    note = {"note": "x" * 10_000}
    assets = [asset(number, attributes=note) for number in range(1_000)]
    database.write(lambda tx: publish(tx, *assets, session_id="large"))


def test_a_version_is_asked_for_once(database: Database, read: Reader):
    """Later reads of it, whatever their columns, do not ask the database."""
    first = read()
    asked = []
    database.store.arrow_order = asked.append
    assert read() == first
    assert read(["type", "id"]).table == first.table.select(["type", "id"])
    assert (read.looked, asked) == ((2, 1), [])
    assert len(read.files()) == 1


def test_assets_and_dependencies_are_kept_apart(read: Reader):
    """Each has a file of its own."""
    assert read(["id"]).table.num_rows == 5
    assert read(["id"], bulk=reading.DEPENDENCIES).table.num_rows == 0
    assert len(read.files()) == 2


def test_what_is_filtered_is_not_kept(read: Reader):
    """Reads with a filter, and of single attributes, leave no file."""
    assert read(filter="asset").table.num_rows == 5
    assert read(["attributes.a"]).table.num_rows == 5
    assert (read.files(), read.looked) == ([], (0, 0))


def test_nothing_is_kept_without_a_cache(database: Database, tmp_path: Path):
    """A cache of no bytes asks the database each time."""
    database.write(lambda tx: publish(tx, asset(0)))
    with reader(database, tmp_path / "files", read_cache_max_bytes=0) as read:
        assert [read(["id"]).table.num_rows for _ in range(2)] == [1, 1]
        assert read.files() == []


def test_who_reads_at_once_shares_one_file(database: Database, read: Reader):
    """Of many first reads one asks the database; all get all, those of some columns too."""
    large(database)

    async def together() -> list[int]:
        chosen = [(), ("id",), (), ("attributes", "id"), ()]
        answers = await asyncio.gather(*(read.whole(fields, session_id="large") for fields in chosen))
        return [answer.table.num_rows for answer in answers]

    assert database.run(together()) == [1_000] * 5
    assert read.looked[1] == 1


def test_a_large_read_comes_in_pieces(database: Database, read: Reader):
    """Each but the last is of the same size, while the file is made and from it."""
    large(database)

    async def sizes() -> list[int]:
        async with read.open(session_id="large") as found:
            return [len(piece) async for piece in found.pieces]

    first = database.run(sizes())
    assert len(first) > 5
    assert set(first[:-1]) == {PIECE_BYTES}
    assert database.run(sizes()) == first


def test_only_the_user_may_look_at_the_files(read: Reader):
    """Folders and files are the user's alone."""
    read()
    (file,) = read.files()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("harm", ["cut", "changed", "emptied", "gone"])
def test_a_damaged_file_is_never_served(database: Database, read: Reader, harm, restarted):
    """It is made again, by the server that made it and by the next one."""
    first = read()
    (file,) = read.files()
    data = bytearray(file.read_bytes())
    if harm == "gone":
        file.unlink()
    else:
        data[len(data) // 2] ^= 1
        file.write_bytes({"cut": data[:-9], "changed": data, "emptied": b""}[harm])
    with reader(database, read.folder) if restarted else nullcontext(read) as again:
        assert again() == first
        assert again.looked[1] == 2
        assert again() == first
        assert again.looked[1] == 2
    assert len(read.files()) == 1


def test_the_next_server_finds_the_files(database: Database, read: Reader):
    """What was read before a restart is not asked for again."""
    first = read()
    with reader(database, read.folder) as again:
        assert again() == first
        assert again.looked == (1, 1)


def test_the_least_used_goes_first(database: Database, tmp_path: Path):
    """Past the limit the file goes that was used longest ago; what is too large is not kept at all."""
    for name in ("a", "b", "c"):
        database.write(session(name))
        database.write(lambda tx, name=name: publish(tx, asset(0), session_id=name))
    large(database)
    with reader(database, tmp_path / "files") as read:
        read(session_id="a")
        (file,) = read.files()
        size = file.stat().st_size
    with reader(database, tmp_path / "files", read_cache_max_bytes=2 * size + size // 2) as read:
        for name in ("b", "a", "c", "a", "large", "a"):
            read(session_id=name)
        hits, misses = read.looked
        assert (hits, misses) == (3, 4)  # with the one above
        read(session_id="b")
        assert read.looked == (hits, misses + 1)
        assert len(read.files()) == 2


def test_an_edited_version_leaves_one_file(database: Database, read: Reader):
    """The file of the revision before goes with the next one's."""
    read()
    database.write(
        lambda tx: tx.edits.change_asset(tx.edits.begin("engagement-1", "baseline"), asset(1, owner="ann"))
    )
    assert read(["owner"]).table["owner"].to_pylist()[1] == "ann"
    assert len(read.files()) == 1


def test_who_leaves_leaves_nothing(database: Database, read: Reader):
    """A read that is left in the middle, or cancelled, leaves no process, thread, descriptor or file."""
    large(database)
    process = psutil.Process()

    def held() -> tuple[set[psutil.Process], int, set[str]]:
        # The store's pools have as many threads and connections as they needed once.
        pools = ("asyncio", "mooring-read")
        threads = {thread.name for thread in threading.enumerate() if not thread.name.startswith(pools)}
        connections = sum("store.db" in file.path for file in process.open_files())
        return set(process.children()), process.num_fds() - connections, threads

    def has_left() -> bool:
        return all(now <= then for now, then in zip(held(), before, strict=True))

    async def leave(fields: tuple[str, ...], filter: str) -> None:
        async with read.open(fields, filter, session_id="large") as found:
            async for _ in found.pieces:
                break

    async def cancel(after_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(after_s):
                await read.whole(session_id="large")

    async def all_of_it() -> None:
        for fields, filter in (((), "asset"), (("attributes",), "asset"), (("attributes.note",), "")):
            await leave(fields, filter)
        for after_s in (0, 0.01, 0.1):
            await cancel(after_s)
        await read.reads.settled()

    read()
    before, files = held(), read.files()
    database.run(all_of_it())
    until(has_left, "all is let go of again")
    assert read.files() == files


def test_what_a_killed_server_left_is_removed(database: Database, tmp_path: Path):
    """Files that nobody fills any more go at the start; those of another server that runs stay."""
    cache = ReadCache(tmp_path / "files" / "reads", 2**20)
    incarnation = database.store.incarnation
    left, living = cache.spool(incarnation), cache.spool(incarnation)
    old = cache.spool("another-database")
    os.close(left[0])
    os.close(old[0])
    with reader(database, tmp_path / "files") as read:
        read.settle()
        assert read.files() == [living[1]]
        assert not old[1].parent.exists()
    os.close(living[0])


def test_databases_do_not_mix(database: Database, read: Reader, tmp_path: Path):
    """Versions of one id in two databases, as after a restore, have files of their own."""
    first = read()
    incarnation = database.store.incarnation
    database.store._incarnation = "restored"
    try:
        assert read() == first
        assert read.looked == (0, 2)
    finally:
        database.store._incarnation = incarnation
    assert {file.parent.name for file in read.files()} == {incarnation, "restored"}


def test_a_full_disk_is_told(database: Database, tmp_path: Path):
    """A folder that cannot be written is a failure that may pass, and says nothing of the folder."""
    (tmp_path / "files").write_text("a file where the folder should be")
    with (
        reader(database, tmp_path / "files") as read,
        pytest.raises(Unavailable, match=r"just now; try again$"),
    ):
        read(filter="asset")

"""Files read in a process of their own: what comes from there, and what becomes of hostile ones."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import zipfile
from contextlib import aclosing

import pytest
from mooring_server.background import parsing, processes
from mooring_server.background.parsing import parse, preview, spilled
from mooring_server.errors import InvalidArgument, NotFound, ResourceExhausted
from mooring_server.ingest import ColumnUse, Limits, ReadOptions, open_inventory
from mooring_server.ingest.limits import damage_reported
from mooring_server.ingest.preview import preview as preview_here
from mooring_server.settings import Settings
from mooring_server.store import new_id
from support_imports import SESSION
from support_inventories import write_new_rvtools
from support_parsing import BY_PLUGIN, act, install, is_alive, parent
from support_store import ENGAGEMENT, START, USER
from support_waiting import until

# What Python, its libraries and ours take before a file is read is well below.
MEMORY_MAX_BYTES = 2**30
ESTATE = b"name,ip,memory\nweb-1,10.0.0.1,4 GiB\nweb-2,10.0.0.2,\nweb-1,,8 GiB\n,,\n,10.0.0.9,\n"


@pytest.fixture
def folder(tmp_path):
    """A folder such as uploads are read from."""
    made = tmp_path / f"{parsing.FOLDER_PREFIX}upload"
    made.mkdir()
    return made


@pytest.fixture
def misbehaving(tmp_path, monkeypatch):
    """The plug-in is there."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    install(plugins, monkeypatch.setenv)


def read(path, options=BY_PLUGIN, **settings):
    """All that comes of a file: its header, its batches, its notes and its addresses."""

    async def main():
        async with parse(path, "estate.csv", options, Settings(**settings), START) as parsed:
            batches = [batch async for batch in parsed.batches()]
        return parsed, batches

    return asyncio.run(main())


def rows(batches, name):
    return [row for batch in batches for row in getattr(batch, name)]


def process_of(parsed):
    """The id of the process that reads, as the plug-in tells it."""
    return int(parsed.header.source.removeprefix("process "))


def test_rows_come_as_they_were_read(folder):
    """Header, assets ready to be stored, rejected rows and notes are those of a reading in this process."""
    path = folder / "inventory"
    path.write_bytes(ESTATE)
    parsed, batches = read(path, ReadOptions())
    here = open_inventory(path, "estate.csv", Limits())
    expected = list(here.rows())
    header = parsed.header
    assert (header.kind, header.source, header.sheet) == (here.kind, here.source, here.sheet)
    assert (header.columns, header.row_total) == (here.columns, here.row_total)
    assert parsed.notes == here.notes
    assert rows(batches, "rejected") == [row for row in expected if not hasattr(row, "identity")]
    staged = rows(batches, "assets")
    assert [each.asset[1] for each in staged] == [
        row.identity for row in expected if hasattr(row, "identity")
    ]
    assert all(isinstance(each.asset, tuple) for each in staged)


def test_options_are_obeyed(folder):
    """What a request says of columns reaches the process, and comes back as it was read."""
    path = folder / "inventory"
    path.write_bytes(b"name,size\nweb-1,4\n")
    options = ReadOptions(columns={"size": ColumnUse("size", "memory_bytes", "GiB")})
    parsed, _ = read(path, options)
    assert [(use.column, use.field) for use in parsed.header.columns] == [
        ("name", "display_name"),
        ("size", "memory_bytes"),
    ]


def test_a_preview_is_that_of_the_file(folder):
    """It is the one that is made in this process; lists in fields may have become lists."""
    path = write_new_rvtools(folder / "inventory")
    expected = preview_here(path, "estate.xlsx", Limits(), ReadOptions(), 3)
    found = asyncio.run(preview(path, "estate.xlsx", ReadOptions(), Settings(), 3))
    for name in ("kind", "candidates", "sheets", "sheet", "columns", "dependencies", "rejected", "notes"):
        assert getattr(found, name) == getattr(expected, name), name
    assert (found.row_total, found.rows_examined) == (expected.row_total, expected.rows_examined)
    assert [row.identity for row in found.assets] == [row.identity for row in expected.assets]


def test_a_preview_is_short_whatever_the_cells_are(folder):
    """Samples are cut, and rows are shown as far as a frame goes."""
    path = folder / "inventory"
    path.write_bytes(b"name,note\n" + b"".join(b"web-%d,%s\n" % (n, b"x" * 100_000) for n in range(40)))
    found = asyncio.run(preview(path, "estate.csv", ReadOptions(), Settings(), 40))
    assert {len(text) for _, texts in found.columns for text in texts} <= {5, 6, 200}
    assert 0 < len(found.assets) < 40
    assert found.rows_examined == 40


@pytest.mark.usefixtures("misbehaving")
def test_an_earlier_row_about_the_same_asset_is_noticed(folder):
    """The second row of an identity is marked; a mention before it is a row like others."""
    _, batches = read(act(folder, "repeats"))
    marks = [(each.repeated, each.implied) for each in rows(batches, "assets")]
    assert marks == [(False, True), (False, False), (True, False)]


@pytest.mark.usefixtures("misbehaving")
def test_dependencies_come_after_all_assets(folder):
    """Wherever they stand in the file; the addresses of their ends are known before the first of them."""

    async def main():
        order = []
        async with parse(act(folder, "links_first"), "estate.csv", BY_PLUGIN, Settings(), START) as parsed:
            async for batch in parsed.batches():
                order += ["asset"] * len(batch.assets)
                order += [len(parsed.addresses)] * len(batch.dependencies)
        return order, parsed.notes

    order, notes = asyncio.run(main())
    assert order[:2] == ["asset", "asset"]
    assert order[2:] == [251] * 599
    assert notes == ["all was read"]


@pytest.mark.usefixtures("misbehaving")
def test_a_row_that_is_too_long_is_rejected(folder):
    """It and those that joined it are accounted for; the others are taken, however their text is escaped."""
    _, batches = read(act(folder, "long_rows"))
    assert [row.row for row in rows(batches, "rejected")] == [1, 1, 2]
    assert "characters together" in rows(batches, "rejected")[0].reason
    assert [each.asset[1] for each in rows(batches, "assets")] == ["name:web-3", "name:web-4"]
    assert rows(batches, "dependencies") == []


@pytest.mark.usefixtures("misbehaving")
@pytest.mark.parametrize("name", ["chatter", "surrogates"])
def test_nothing_comes_between_the_frames(folder, name):
    """Neither what libraries print nor odd texts harm what is told."""
    _, batches = read(act(folder, name))
    assert [each.asset[1] for each in rows(batches, "assets")] == ["name:web-1"]


@pytest.mark.usefixtures("misbehaving")
def test_the_process_gets_no_secrets_and_little_of_the_processor(folder, monkeypatch):
    """Of the environment it has what Python needs; who serves goes first."""
    monkeypatch.setenv("MOORING_DATABASE", "postgresql://user:secret@host/db")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    text = "".join(str(each.asset) for each in rows(read(act(folder, "environment"))[1], "assets"))
    assert "PYTHONPATH" in text
    assert not re.search("MOORING_|SECRET", text)
    text = str(rows(read(act(folder, "priority"))[1], "assets"))
    assert '{"text":"10"}' in text


@pytest.mark.usefixtures("misbehaving")
@pytest.mark.parametrize(
    ("name", "settings", "failure", "said"),
    [
        ("allocate", {}, ResourceExhausted, "parser_memory_max_bytes"),
        ("fail_of_memory", {}, ResourceExhausted, "parser_memory_max_bytes"),
        ("native_without_memory", {}, ResourceExhausted, "parser_memory_max_bytes"),
        ("kill", {}, ResourceExhausted, "parser_memory_max_bytes"),
        ("hang", {"parser_time_max_s": 0.5}, ResourceExhausted, "parser_time_max_s"),
        ("crash", {}, InvalidArgument, "damaged"),
        ("leave", {}, InvalidArgument, "damaged"),
        ("fail", {}, InvalidArgument, "damaged"),
    ],
)
def test_what_a_file_does_to_its_process_is_a_refusal(folder, name, settings, failure, said):
    """Limits are named by their setting, all else is an unreadable file; no word of the inside leaks."""
    with pytest.raises(failure, match=said) as refusal:
        read(act(folder, name), parser_memory_max_bytes=MEMORY_MAX_BYTES, **settings)
    assert refusal.value.reason in ("LIMIT_EXCEEDED", "UNREADABLE_INVENTORY")
    assert "hidden words" not in refusal.value.message
    assert str(folder) not in refusal.value.message


@pytest.mark.usefixtures("misbehaving")
def test_the_processor_is_used_for_a_while_alone(folder, monkeypatch):
    """The system ends a process that works for too long, whatever the clock says."""
    monkeypatch.setattr(parsing, "_WALL_TIMES", 1_000)
    with pytest.raises(ResourceExhausted, match="parser_time_max_s"):
        read(act(folder, "spin"), parser_time_max_s=1)


@pytest.mark.usefixtures("misbehaving")
@pytest.mark.parametrize("name", ["spin", "hang"])
def test_a_preview_has_a_limit_of_its_own(folder, name):
    """However long an import may take."""
    with pytest.raises(ResourceExhausted, match="preview_time_max_s"):
        asyncio.run(preview(act(folder, name), "estate.csv", BY_PLUGIN, Settings(preview_time_max_s=0.5), 20))


def _png(path):
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))


def _cut(path):
    content = write_new_rvtools(path).read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")


def _no_table(path):
    path.write_bytes(b"Dear all,\n\nplease find below, as agreed, nothing at all.\n")


def _wide(path):
    path.write_bytes(b"name" + b"," * 3_000 + b"\n")


@pytest.mark.parametrize("write", [_png, _cut, _archive, _no_table, _wide])
def test_hostile_files_are_refused_as_they_are_here(folder, write):
    """Import and preview refuse with the type, the reason and the words of the reader."""
    path = folder / "inventory"
    write(path)
    with pytest.raises((InvalidArgument, ResourceExhausted)) as here:
        open_inventory(path, "estate.xlsx", Limits())

    async def imported():
        async with parse(path, "estate.xlsx", ReadOptions(), Settings(), START):
            pass

    for reading in (imported(), preview(path, "estate.xlsx", ReadOptions(), Settings(), 20)):
        with pytest.raises(type(here.value)) as refusal:
            asyncio.run(reading)
        assert (refusal.value.reason, refusal.value.message) == (here.value.reason, here.value.message)


def test_damage_is_not_a_lack_of_memory():
    """What a parser could not get is another refusal than what it could not read."""
    with pytest.raises(MemoryError), damage_reported("the file is damaged"):
        raise MemoryError


def test_a_wrong_option_is_named(folder):
    """The field that is wrong comes through both processes."""
    path = folder / "inventory"
    path.write_bytes(ESTATE)
    with pytest.raises(InvalidArgument) as refusal:
        asyncio.run(preview(path, "estate.csv", ReadOptions(kind="tabel"), Settings(), 20))
    assert [violation.field for violation in refusal.value.violations] == ["options.kind"]


@pytest.mark.usefixtures("misbehaving")
@pytest.mark.parametrize("name", ["endless", "hang"])
def test_leaving_early_ends_the_process(folder, name):
    """Whether it waits for its taker or its taker for it."""

    async def main():
        async with parse(act(folder, name), "estate.csv", BY_PLUGIN, Settings(), START) as parsed:
            async with aclosing(parsed.batches()) as batches:
                if name == "endless":
                    await anext(batches)
            return process_of(parsed)

    assert not is_alive(asyncio.run(main()))


@pytest.mark.usefixtures("misbehaving")
def test_a_cancelled_reading_ends_the_process(folder):
    """Also while it is waited for."""

    async def main():
        begun = asyncio.get_running_loop().create_future()

        async def reading():
            async with parse(act(folder, "hang"), "estate.csv", BY_PLUGIN, Settings(), START) as parsed:
                begun.set_result(process_of(parsed))
                async for _ in parsed.batches():
                    pass

        task = asyncio.create_task(reading())
        pid = await begun
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        return pid

    assert not is_alive(asyncio.run(main()))


def started_by(path):
    """The id of the process that a reader starts, and that of its own, once that is left."""

    async def main():
        async with (
            parse(path, "estate.csv", BY_PLUGIN, Settings(), START) as parsed,
            aclosing(parsed.batches()) as batches,
        ):
            return int((await anext(batches)).rejected[0].reason), process_of(parsed)

    return asyncio.run(main())


@pytest.mark.usefixtures("misbehaving")
def test_what_a_reader_started_ends_with_it(folder):
    """A process that its reader made is in its group, and goes with it."""
    pid, _ = started_by(act(folder, "offspring"))
    until(lambda: not is_alive(pid), "the process of the reader ends")


@pytest.mark.usefixtures("misbehaving")
def test_nobody_waits_for_what_ran_away(folder, monkeypatch):
    """A process that left its group and has the pipes still holds up nothing."""
    monkeypatch.setattr(processes, "_END_WAIT_S", 0.5)
    pid, reader = started_by(act(folder, "runaway"))
    os.kill(pid, signal.SIGKILL)
    assert not is_alive(reader)


@pytest.mark.usefixtures("misbehaving")
@pytest.mark.parametrize("name", ["endless", "hang", "repeats"])
def test_a_killed_server_leaves_neither_process_nor_file(folder, name):
    """SIGKILL of the server, while the other one waits for it or for something else, or has told all."""
    process, pid = parent(act(folder, name))
    assert is_alive(pid)
    process.kill()
    process.communicate()
    until(lambda: not is_alive(pid), "the reading process ends")
    assert not folder.exists()


def test_a_server_that_is_killed_before_it_gives_its_order_leaves_no_file(folder):
    """The process was begun, and nothing came: half an order is none either."""
    (folder / "inventory").write_bytes(ESTATE)
    command = "from mooring_server.background.parser_process import main; main()"
    subprocess.run(
        [sys.executable, "-c", command, str(folder / "inventory")],
        input=b'{"file_name": ',
        timeout=60,
        check=False,
    )
    assert not folder.exists()


@pytest.mark.usefixtures("misbehaving")
def test_a_folder_of_another_name_is_left_alone(tmp_path):
    """Only what was made for an upload is removed."""
    process, pid = parent(act(tmp_path, "hang"))
    process.kill()
    process.communicate()
    until(lambda: not is_alive(pid), "the reading process ends")
    assert (tmp_path / "hang").exists()


def test_an_upload_is_a_file_for_a_while(database):
    """Its chunks in their order, and nothing is left of it afterwards."""

    def insert(tx):
        upload = tx.uploads.insert(new_id(), ENGAGEMENT, SESSION, USER, "estate.csv")
        for index, chunk in enumerate((b"name\n", b"web", b"-1\n")):
            tx.uploads.add_chunk(upload.id, index, chunk)
        return tx.uploads.complete(upload.id, "0" * 64, 11, 3)

    upload = database.write(insert)

    async def main(upload_id):
        async with spilled(database.store, upload_id) as (found, path):
            assert (found.file_name, path.read_bytes()) == ("estate.csv", b"name\nweb-1\n")
        return path

    assert not database.run(main(upload.id)).parent.exists()
    with pytest.raises(NotFound) as refusal:
        database.run(main(new_id()))
    assert refusal.value.reason == "UPLOAD_NOT_FOUND"

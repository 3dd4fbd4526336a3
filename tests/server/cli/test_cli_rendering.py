import io
import re
import subprocess

import pytest
from mooring.v1 import assets_pb2, imports_pb2
from mooring_server.cli import progress, tables
from mooring_server.cli.plain import plain
from rich.console import Console
from support_cli import COMMAND, DEADLINE_S, environment

HEADS = ("asset", "type", "cores", "owner")


@pytest.fixture
def terminal(monkeypatch):
    """What is printed on a terminal of so many columns."""

    def open_(width):
        text = io.StringIO()
        console = Console(file=text, width=width, force_terminal=True, no_color=True, highlight=False)
        monkeypatch.setattr(tables, "out", console)
        monkeypatch.setattr(progress, "err", console)
        return text

    return open_


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_table_fits_its_terminal(terminal, width):
    """The widest columns are cut first, numbers never; what would be too narrow to read is left out."""
    text = terminal(width)
    rows = [("a" * 60, "server", "1,024", "b" * 60), ("web", "virtual machine", "2", "")]
    tables.show_rows(HEADS, rows, numbers=("cores",))
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text.getvalue()).splitlines()

    assert max(map(len, lines)) <= width
    assert ("1,024" in text.getvalue()) == (width >= 40)
    assert ("virtual machine" in text.getvalue()) == (width == 80)


def test_a_table_in_a_pipe_is_whole(capsys):
    """Where nobody looks nothing is cut, and no line ends in blanks."""
    tables.show_rows(HEADS, [("a" * 300, "server", None, "b" * 300), ("web", "", None, "")])
    printed = capsys.readouterr().out

    assert "a" * 300 in printed
    assert "b" * 300 in printed
    assert "cores" not in printed
    assert not [line for line in printed.splitlines() if line != line.rstrip()]


def test_no_cell_steers_the_terminal(terminal, capsys):
    """Control characters of an inventory are not printed, and a cell stays on its line."""
    text = terminal(80)
    tables.show_rows(("asset",), [("a\x1b[2Jb\nc\x07",)])
    tables.show_pairs([("na\x1bme", "a\x1b]0;b")])

    assert "\x1b[2J" not in text.getvalue()
    assert "\x1b]" not in text.getvalue()
    assert "a[2Jb c" in text.getvalue()


def test_amounts_are_shown_in_their_unit():
    """Bytes are told in the largest unit that they fill."""
    assert [tables.size(number) for number in (None, 0, 1023, 1024, 64 * 2**30, 1536 * 2**40)] == [
        "",
        "0 B",
        "1,023 B",
        "1 KiB",
        "64 GiB",
        "1.5 PiB",
    ]


def test_ids_are_as_short_as_tells_them_apart():
    """Ids that begin alike are longer than others, and one id alone is short."""
    assert tables.short_ids(["a/01234567-89ab"]) == ["01234567"]
    assert tables.short_ids(["a/01234567-89ab", "a/01234567-8cde"]) == ["01234567-89", "01234567-8c"]


def test_plain_values_are_the_messages_own():
    """Every field is there: int64 as a number, enums in lower case, what is not known as null."""
    asset = assets_pb2.Asset(type=assets_pb2.ASSET_TYPE_VIRTUAL_MACHINE, memory_bytes=2**40)
    asset.attributes["Rack"] = "A1"
    asset.create_time.FromJsonString("2026-01-31T12:00:00Z")
    told = plain(asset)

    assert told.keys() == set(assets_pb2.Asset.DESCRIPTOR.fields_by_name)
    assert (told["type"], told["memory_bytes"], told["cpu_cores"]) == ("virtual_machine", 2**40, None)
    assert (told["attributes"], told["ip_addresses"], told["owner"]) == ({"Rack": "A1"}, [], "")
    assert (told["create_time"], told["update_time"]) == ("2026-01-31T12:00:00Z", None)
    assert plain(imports_pb2.PreviewInventoryResponse())["row_total"] is None


def test_a_bar_counts_in_its_unit(terminal):
    """Uploads are shown in MB and all else in rows, with what is left where the total is known."""
    text = terminal(80)
    with progress.progress(shown=True, prefix="1/2 ") as on_progress:
        on_progress("uploading", 500_000, 2_000_000)
        on_progress("reading", 0, 0)
        on_progress("writing", 1_000, 4_000)
        on_progress("writing", 4_000, 4_000)
    shown = text.getvalue()

    assert "1/2 writing" in shown
    assert "4,000 of 4,000 rows" in shown
    assert "0:00 left" in shown


def test_without_a_terminal_there_is_no_bar(capsys):
    """Off a terminal nothing of the progress is written."""
    with progress.progress(shown=True) as on_progress:
        on_progress("writing", 1, 2)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("arguments", [("assets", "list"), ("landscape",), ("imports", "show")])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_reader_that_leaves_early_ends_it_quietly(shared_server, run, tmp_path, arguments, form):
    """`| head` gets no traceback and no complaint behind what it read."""
    file = tmp_path / "servers.csv"
    file.write_text("Name,Type\n" + "".join(f"server-{number:05},Server\n" for number in range(300)))
    run("import", file, "--session", "Piped")
    process = subprocess.Popen(
        [*COMMAND, *arguments, "Piped", *form],
        env=environment(tmp_path, MOORING_SERVER=shared_server.address),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(DEADLINE_S) == 1

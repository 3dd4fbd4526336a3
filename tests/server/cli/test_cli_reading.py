import json
from uuid import uuid4

import pyarrow as pa
import pytest
from mooring.v1 import assets_pb2
from mooring_server.cli import reading, spreadsheets
from mooring_server.cli.console import ExitCode, Failure
from openpyxl import load_workbook
from pyarrow import csv, ipc, parquet

BATCHES = 7
SERVERS = "Name,Type,Owner,IP,Note\n" + "".join(
    f"{name},Server,{owner},{ip},{note}\n"
    for name, owner, ip, note in (
        ("web-01", "=cmd()|x", "10.0.0.1;10.0.0.2", '"a, ""b"""'),
        ("web-02", "@home", "", "+1"),
        ("web-03", "-", "10.0.0.3", "\ttab"),
        ("-web-04", "plain", "", "="),
    )
)


@pytest.fixture
def session(run, tmp_path):
    file = tmp_path / "servers.csv"
    file.write_text(SERVERS)
    name = f"Session {uuid4()}"
    result = run("import", file, "--session", name)
    assert result.exit_code == 0, result.output
    return name


def read(run, session, file, *arguments, noun="assets"):
    result = run(noun, "read", session, "--to", file, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_all_endings_have_the_same_rows(run, session, tmp_path):
    """Parquet, Arrow and CSV files open with their readers, and hold every asset with these fields."""
    fields = ("--fields", "display_name,ip_addresses,attributes.Note")
    files = [tmp_path / f"all.{ending}" for ending in ("parquet", "arrow", "csv")]
    accounts = [read(run, session, file, *fields) for file in files]
    with ipc.open_file(files[1]) as source:
        arrow = source.read_all()
    plain = csv.read_csv(files[2])

    assert parquet.read_table(files[0]).equals(arrow)
    assert arrow.schema.names == plain.schema.names == ["display_name", "ip_addresses", "attributes.Note"]
    assert sorted(arrow["display_name"].to_pylist()) == ["-web-04", "web-01", "web-02", "web-03"]
    assert sorted(plain["display_name"].to_pylist()) == ["'-web-04", "web-01", "web-02", "web-03"]
    assert "10.0.0.1;10.0.0.2" in plain["ip_addresses"].to_pylist()
    assert [one["rows"] for one in accounts] == [4, 4, 4]
    assert accounts[0]["size_bytes"] == files[0].stat().st_size
    assert files[0].stat().st_mode & 0o777 == 0o600


def test_no_cell_of_a_csv_is_a_formula(run, session, tmp_path):
    """Whatever an inventory holds, no text of the file begins as a spreadsheet's formula does."""
    file = tmp_path / "all.csv"
    read(run, session, file)
    table = csv.read_csv(file, parse_options=csv.ParseOptions(newlines_in_values=True))

    texts = [
        value for column in table.columns if pa.types.is_string(column.type) for value in column.to_pylist()
    ]
    assert "'=cmd()|x" in texts
    assert not [text for text in texts if text and text[0] in "=+-@\t\r"]


def test_a_sheet_has_texts_numbers_and_times(run, session, tmp_path):
    """An XLSX file opens with the same rows: lists in one cell, times as times, and no formula in it."""
    file = tmp_path / "all.xlsx"
    told = read(run, session, file, "--fields", "display_name,owner,ip_addresses,cpu_cores,create_time")
    names, *rows = load_workbook(file).active.iter_rows()

    assert told["rows"] == len(rows) == 4
    assert [cell.value for cell in names][::2] == ["display_name", "ip_addresses", "create_time"]
    assert {cell.data_type for row in rows for cell in row if isinstance(cell.value, str)} == {"s"}
    assert {row[1].value for row in rows} == {"=cmd()|x", "@home", None, "plain"}
    assert "10.0.0.1;10.0.0.2" in {row[2].value for row in rows}
    assert all(row[3].value is None and row[4].is_date for row in rows)


def sheet(file, *batches):
    with file.open("wb") as target, spreadsheets.xlsx(target, batches[0].schema) as write:
        for batch in batches:
            write(batch)


def test_what_no_sheet_holds_is_refused(tmp_path, monkeypatch):
    """More rows or longer texts than the format takes are refused; letters that it lacks are marked."""
    monkeypatch.setattr(spreadsheets, "ROWS_MAX", 2)
    batch = pa.record_batch({"name": ["a", "b\x01"]})
    file = tmp_path / "two.xlsx"
    sheet(file, batch)
    assert [cell.value for (cell,) in load_workbook(file).active.iter_rows()] == ["name", "a", "b\ufffd"]
    long = pa.record_batch({"name": ["x" * (spreadsheets.TEXT_MAX + 1)]})
    for batches, told in (([batch, batch], "2 rows"), ([long], "32,768 characters")):
        with pytest.raises(Failure, match=rf"{told}.*\.csv or \.parquet"):
            sheet(file, *batches)


def test_a_filter_and_fields_with_commas(run, session, tmp_path):
    """A filter narrows what is read, and a quoted field may hold a comma."""
    file = tmp_path / "some.parquet"
    told = read(run, session, file, "--filter", "owner = plain", "--fields", 'owner,"attributes.Note, or so"')

    assert told["rows"] == 1
    assert parquet.read_table(file).to_pylist() == [{"owner": "plain", "attributes.Note, or so": None}]


def test_dependencies_are_read_too(run, session, tmp_path):
    """The same command reads which asset needs which."""
    run("dependencies", "set", session, "web-01", "web-02", "kind=flow", "port=80", "--create")
    told = read(
        run, session, tmp_path / "flows.arrow", "--fields", "source_display_name,port", noun="dependencies"
    )
    with ipc.open_file(tmp_path / "flows.arrow") as source:
        assert source.read_all().to_pylist() == [{"source_display_name": "web-01", "port": 80}]
    assert told["rows"] == 1


def test_a_file_that_is_there_stays(run, session, tmp_path):
    """--force alone overwrites a file, and a read that fails leaves the old one whole."""
    file = tmp_path / "all.csv"
    file.write_text("precious")
    refused = run("assets", "read", session, "--to", file)
    broken = run("assets", "read", session, "--to", file, "--force", "--fields", "nothing")

    assert (refused.exit_code, broken.exit_code) == (ExitCode.FAILED, ExitCode.FAILED)
    assert "--force" in refused.stderr
    assert "'nothing'" in broken.stderr
    assert file.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.csv", "servers.csv"]
    assert read(run, session, file, "--force")["rows"] == 4


@pytest.mark.parametrize(
    ("name", "code", "hint"),
    [
        ("all.xls", ExitCode.USAGE, ".parquet, .arrow, .csv, .xlsx"),
        ("all", ExitCode.USAGE, ".parquet, .arrow, .csv, .xlsx"),
        ("absent/all.csv", ExitCode.FAILED, "cannot be written"),
    ],
)
def test_where_nothing_can_be_written(run, session, tmp_path, name, code, hint):
    """An ending that is none of ours and a folder that is not there are one sentence."""
    result = run("assets", "read", session, "--to", tmp_path / name)

    assert result.exit_code == code
    assert hint in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_stream_may_be_cut_anywhere(tmp_path):
    """However the bytes come, each batch of the server's is written before the next one is asked for."""
    batches = [pa.record_batch({"number": [number]}) for number in range(BATCHES)]
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    data = sink.getvalue().to_pybytes()
    header = assets_pb2.ReadHeader(data_version="v", row_count=BATCHES)
    messages = [assets_pb2.ReadAssetsResponse(header=header)]
    messages += [assets_pb2.ReadAssetsResponse(data=data[at : at + 7]) for at in range(0, len(data), 7)]
    source = reading._Pieces(iter(messages))
    seen = []
    with (tmp_path / "cut.parquet").open("wb") as target:
        assert reading._copy(source, target, reading._parquet, seen.append) == BATCHES

    file = parquet.ParquetFile(tmp_path / "cut.parquet")
    assert seen == list(range(1, BATCHES + 1))
    assert file.num_row_groups == BATCHES
    assert file.read().column("number").to_pylist() == list(range(BATCHES))

"""Imports in a notebook: what can be brought in, what is shown before and after, and how it is undone."""

import asyncio
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mooring_widgets import errors
from mooring_widgets.client import (
    ColumnMapping,
    ImportReport,
    MissingAsset,
    RejectedRow,
    decode_discovery,
)
from mooring_widgets.testing import demo_assets
from mooring_widgets.workspace import Workspace
from mooring_widgets.workspace.preview import InventoryPreview
from mooring_widgets.workspace.sources import source_of
from support_waiting import until
from support_widgets import shows
from support_workspace import BASELINE, WAVE_2

TABLE = "Box,Mem,Owner,Rack\nsrv-1,4,Ada,A1\nsrv-2,8,Grace,A2\n"


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """A table of two machines, whose columns are called otherwise."""
    file = tmp_path / "estate.csv"
    file.write_text(TABLE)
    return file


def written(inventory: Any) -> pa.Table:
    """What a frame travels as."""
    with source_of(inventory).file() as file:
        return pq.ParquetFile(file).read()


def test_columns_go_where_they_are_sent(ws: Workspace, estate: Path) -> None:
    """A column goes to a field, to a field in a unit, or to the attributes."""
    columns = {"Box": "hostname", "Mem": ("memory_bytes", "GiB"), "Owner": None}
    report = ws.import_inventory(estate, session="Wave 2", columns=columns)
    asset = ws.client.service.assets[WAVE_2][0]
    assert (asset.hostname, asset.memory_bytes, asset.owner) == ("srv-1", 4 * 2**30, "")
    assert asset.attributes == {"Owner": "Ada", "Rack": "A1"}
    assert ColumnMapping("Mem", "memory_bytes", "GiB") in report.columns


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"columns": {"Box": "hostnme"}}, "did you mean 'hostname'"),
        ({"columns": {"Box": ("hostname", "GiB")}}, "has no unit"),
        ({"asset_type": "vitual_machine"}, "did you mean 'virtual_machine'"),
    ],
)
def test_what_can_be_known_to_be_wrong_is_not_sent(
    ws: Workspace, estate: Path, arguments: dict[str, Any], said: str
) -> None:
    """A field, a unit or a type that there is not is refused with what is near it, before any upload."""
    with pytest.raises(errors.InvalidArgument, match=said) as caught:
        ws.import_inventory(estate, **arguments)
    assert caught.value.violations
    assert "upload_inventory" not in ws.client.calls


def test_an_unknown_column_of_a_frame_is_not_sent(ws: Workspace) -> None:
    """A frame's columns are known here, so one that it has not is refused with the nearest."""
    with pytest.raises(errors.InvalidArgument, match="did you mean 'Box'"):
        ws.import_inventory(pd.DataFrame({"Box": ["a"]}), columns={"Bix": "hostname"})
    assert "upload_inventory" not in ws.client.calls


@pytest.mark.parametrize(
    "kind", [pd.DataFrame, pl.DataFrame, lambda data: pl.DataFrame(data).lazy(), pa.table]
)
def test_a_frame_is_imported_like_a_file(ws: Workspace, kind: Any) -> None:
    """Frames of each library bring in their rows, with numbers as numbers."""
    frame = kind({"hostname": ["srv-1", "srv-2"], "cpu_cores": [4, None], "Rack": ["A1", None]})
    report = ws.import_inventory(frame, session="Wave 2")
    first, second = ws.client.service.assets[WAVE_2]
    assert (report.created, first.cpu_cores, second.cpu_cores) == (2, 4.0, None)
    assert (first.attributes, second.attributes) == ({"Rack": "A1"}, {})
    assert ws.imports("Wave 2")[0].file_name == "frame.parquet"


def test_a_frame_is_called_what_it_is_named() -> None:
    """A frame's own name, or one that is given, is that of its file, without what no name may have."""
    frame = pd.DataFrame({"hostname": ["a"]})
    assert source_of(frame).name == "frame.parquet"
    assert source_of(frame, "May\n/2026").name == "May--2026.parquet"
    frame.attrs["name"] = "estate"
    assert source_of(frame).name == "estate.parquet"
    assert source_of(frame, "other.parquet").name == "other.parquet"


def test_a_frame_may_hold_anything() -> None:
    """A named index is a column, and lists, dicts, spans and mixtures become texts; nothing is lost."""
    frame = pd.DataFrame(
        {
            "host": ["a", "b"],
            "mixed": [1, "two"],
            "ips": [("10.0.0.1", "10.0.0.2"), ()],
            "more": [{"Rack": "A1"}, {}],
            "age": pd.to_timedelta([1, None], unit="D"),
            7: [1.5, float("nan")],
        }
    ).set_index("host")
    assert written(frame).to_pydict() == {
        "host": ["a", "b"],
        "mixed": ["1", "two"],
        "ips": ["10.0.0.1; 10.0.0.2", ""],
        "more": ['{"Rack": "A1"}', None],
        "age": ["1 day, 0:00:00", None],
        "7": [1.5, None],
    }


def test_columns_of_one_name_are_all_sent() -> None:
    """Two columns may have the same name, and neither takes the other's place."""
    frame = pd.DataFrame([["a", 1, 2]], columns=["Name", "Size", "Size"])
    table = written(frame)
    assert (table.column_names, table.column(2).to_pylist()) == (["Name", "Size", "Size"], [2])


def test_what_is_no_inventory_is_refused_at_once(ws: Workspace) -> None:
    """Neither a path nor a frame: the message says what can be given."""
    with pytest.raises(TypeError, match="a list cannot be imported; give a path, or a data frame"):
        ws.import_inventory([1, 2])


def test_a_preview_changes_nothing_and_imports_the_same_upload(ws: Workspace, estate: Path) -> None:
    """A preview shows columns and rows; importing it sends the file no second time."""
    preview = ws.preview_inventory(estate, session="Wave 2", columns={"Box": "hostname"})
    assert [(c.column, c.field) for c in preview.columns][:3] == [
        ("Box", "hostname"),
        ("Mem", ""),
        ("Owner", "owner"),
    ]
    assert ws.client.service.assets.get(WAVE_2, []) == []
    report = preview.import_(columns={"Mem": ("memory_bytes", "GiB")})
    assert report.created == 2
    assert ws.client.service.assets[WAVE_2][1].memory_bytes == 8 * 2**30
    assert ws.client.service.assets[WAVE_2][1].hostname == "srv-2"
    assert ws.client.calls.count("upload_inventory") == 1


def test_a_preview_can_be_asked_for_by_the_import(ws: Workspace, estate: Path) -> None:
    """`preview=True` answers the preview, and the import takes it as its inventory."""
    preview = ws.import_inventory(estate, session="Wave 2", preview=True)
    assert isinstance(preview, InventoryPreview)
    again = preview.again(columns={"Box": "display_name"})
    assert again.columns[0].field == "display_name"
    assert ws.import_inventory(again, columns={"Box": "display_name"}).created == 2
    assert ws.client.calls.count("upload_inventory") == 1


def test_a_previews_columns_are_known(ws: Workspace, estate: Path) -> None:
    """A column that the preview does not show is refused with the nearest, before anything is asked."""
    preview = ws.preview_inventory(estate)
    asked = list(ws.client.calls)
    with pytest.raises(errors.InvalidArgument, match="did you mean 'Rack'"):
        preview.import_(columns={"Rock": "location"})
    assert ws.client.calls == asked


def test_a_preview_belongs_to_its_session(ws: Workspace, estate: Path) -> None:
    """An upload is for one session: importing its preview into another is refused."""
    preview = ws.preview_inventory(estate, session="Wave 2")
    with pytest.raises(errors.InvalidArgument, match="this preview is of"):
        ws.import_inventory(preview, session="Wave 1")


def test_a_preview_is_readable(ws: Workspace, tmp_path: Path) -> None:
    """It shows what the file is taken for, columns with samples, first rows; and no cell's text is markup."""
    file = tmp_path / "estate.csv"
    file.write_text("Hostname,Rack\nsrv-1,<script>alert(1)</script>\n")
    preview = ws.preview_inventory(file)
    html = preview._repr_html_()
    assert "estate.csv: Read as A table (table), utf-8: 1 row<" in html
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    for label in ("Columns", "First assets"):
        assert f'aria-label="{label}"' in html
    assert "Hostname → hostname" in repr(preview)


def test_a_report_is_readable() -> None:
    """It shows the equation, the dependencies, rejected rows and missing assets; and no text is markup."""
    report = ImportReport(
        BASELINE,
        "rvtools",
        7,
        3,
        1,
        1,
        1,
        2,
        rejected=(RejectedRow("vInfo", 9, "no <b>name</b>"),),
        created_by_type={"virtual_machine": 3},
        implied_by_type={"server": 2},
        dependencies_created=4,
        missing_count=2,
        missing=(MissingAsset("a", "old-1", "may.xlsx", "vInfo", 3), MissingAsset("b", "old-2")),
        notes=("Column `Memory` names no unit",),
    )
    html = report._repr_html_()
    assert "7 rows = 3 created + 1 updated + 1 unchanged + 1 joined + 1 rejected" in html
    assert "no &lt;b&gt;name&lt;/b&gt;" in html
    assert "Dependencies: 4 created, 0 updated, 0 unchanged" in html
    assert "old-1 (last in may.xlsx vInfo row 3)" in html
    assert "2 assets that a row only mentions: 2 server" in repr(report)
    replayed = ImportReport(BASELINE, "table", 7, 0, 0, 7, 0, 0, replayed=True)
    assert "the same content was imported before" in repr(replayed)


def test_an_import_is_undone_and_views_follow(ws: Workspace, estate: Path) -> None:
    """The newest import goes; the session shows again what it showed, and the history says so."""
    table = ws.discovery()
    shows(table, status="ready")
    ws.import_inventory(estate, columns={"Box": "hostname"})
    until(lambda: table._state["page"]["total"] == 7)
    undone = ws.revert_import()
    assert undone.revert_time is not None
    until(lambda: table._state["page"]["total"] == 5)
    assert len(ws.discovery.to_pandas()) == 5
    assert [each.state for each in ws.imports()] == ["undone"]
    assert "estate.csv" in ws.imports()._repr_html_()
    with pytest.raises(errors.FailedPrecondition, match=r"no import of .* can be undone"):
        ws.revert_import()


def test_an_import_is_undone_by_its_name(ws: Workspace, estate: Path) -> None:
    """A snapshot, a full name and an id all name it; edits since are only lost where that is wished."""
    report = ws.import_inventory(estate, columns={"Box": "hostname"})
    ws.wait(ws.client.update_asset(f"{BASELINE}/assets/srv-1", {"owner": "Grace"}))
    with pytest.raises(errors.FailedPrecondition) as caught:
        ws.revert_import(report.import_name)
    assert caught.value.reason == "DATA_EDITED"
    assert ws.revert_import(report.import_name.rpartition("/")[2], force=True).name == report.import_name


def test_an_edit_elsewhere_refreshes_the_views(ws: Workspace) -> None:
    """A changed asset shows in the session's table without anybody asking."""
    table = ws.discovery()
    shows(table, status="ready")
    until(lambda: ws.feed.live)
    ws.wait(ws.client.update_asset(f"{BASELINE}/assets/vm-00000", {"environment": "Lab"}))
    column = table._state["page"]["keys"].index("environment")
    until(lambda: table._state["page"]["items"][0][1 + column] == "Lab")


def test_the_async_doors(ws: Workspace, estate: Path) -> None:
    """Preview, import, history and undoing can be awaited on any loop."""

    async def cell() -> tuple[int, int, str]:
        preview = await ws.aio.preview_inventory(estate, columns={"Box": "hostname"})
        report = await ws.aio.import_inventory(preview)
        assert isinstance(report, ImportReport)
        history = await ws.aio.imports()
        undone = await ws.aio.revert_import(history[0])
        return report.created, len(history), undone.state

    assert asyncio.run(cell()) == (2, 1, "undone")


def test_an_asset_is_sent_as_it_is_set() -> None:
    """Lists, numbers, types and attributes reach the message; None leaves a number unknown."""
    values = {
        "type": "server",
        "ip_addresses": ("10.0.0.1",),
        "cpu_cores": None,
        "memory_bytes": 0,
        "attributes": {"Rack": "7"},
        "migration_wave": "2",
    }
    message = decode_discovery.asset_message("n", "e", values)
    assert not message.HasField("cpu_cores")
    shown = decode_discovery.asset(message)
    assert (shown.type, shown.ip_addresses, shown.cpu_cores, shown.memory_bytes) == (
        "server",
        ("10.0.0.1",),
        None,
        0,
    )
    assert (shown.attributes, shown.migration_wave, shown.etag) == ({"Rack": "7"}, "2", "e")
    with pytest.raises(errors.InvalidArgument, match="no field 'colour'"):
        decode_discovery.asset_message("n", "", {"colour": "red"})


def test_a_table_shows_what_is_asked_for(ws: Workspace) -> None:
    """Columns and a filter narrow the table; an unknown column is refused with the nearest."""
    service = ws.client.service
    service.add_assets(BASELINE, demo_assets(BASELINE, 4))
    table = ws.discovery(columns=["display_name", "migration_wave"], filter="environment = test")
    shows(table, status="ready")
    assert [column["label"] for column in table._state["columns"]] == ["Name", "Wave"]
    assert table._state["page"]["total"] == 2
    nothing = ws.discovery(filter="environment = nowhere")
    shows(nothing, status="empty", filter="environment = nowhere")
    with pytest.raises(ValueError, match="did you mean 'migration_wave'"):
        ws.discovery(columns=["migration_wav"])

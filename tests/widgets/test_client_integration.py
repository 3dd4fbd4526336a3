import asyncio
import socket
import uuid
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mooring_server.settings import Settings
from mooring_widgets import connect, errors, queries
from mooring_widgets.client import MooringClient, Progress, library_loop
from mooring_widgets.query import QueryObserver
from mooring_widgets.workspace import Workspace
from support_inventories import write_rvtools_estate
from support_server import serving
from support_waiting import until

Wait = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server on a real socket, with a real SQLite file."""
    file = tmp_path_factory.mktemp("server") / "mooring.db"
    with serving(Settings(database=f"sqlite:///{file}", port=0, stop_grace_s=1)) as running:
        yield running.address


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the tests out of the user's own data folder."""
    monkeypatch.setenv("MOORING_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("MOORING_CONTEXT", raising=False)


@pytest.fixture
def wait() -> Wait:
    return library_loop().wait


@pytest.fixture
def client(address: str, data_dir: None, wait: Wait) -> Iterator[MooringClient]:
    made = MooringClient(address)
    yield made
    wait(made.close())


@pytest.fixture
def engagement(client: MooringClient, wait: Wait) -> str:
    """An engagement that no other test has."""
    name: str = wait(client.create_engagement(f"Estate {uuid.uuid4().hex[:8]}")).name
    return name


@pytest.fixture
def ws(address: str, data_dir: None, engagement: str) -> Iterator[Workspace]:
    """A workspace at that engagement."""
    opened = connect(address)
    opened.switch_engagement(engagement)
    yield opened
    opened.close()


def inventory(path: Path, count: int) -> Path:
    rows = [f"srv-{index:05},server,{index % 8 + 1},{index % 3}" for index in range(count)]
    path.write_text("\n".join(["Hostname,Type,CPU cores,Rack", *rows]) + "\n")
    return path


def test_failures_are_typed(client: MooringClient, engagement: str, wait: Wait) -> None:
    """Each kind of refusal is its own exception, with the reason for programs and the fields for forms."""
    with pytest.raises(errors.NotFound) as absent:
        wait(client.get_session(f"{engagement}/sessions/nothing"))
    assert absent.value.reason == "SESSION_NOT_FOUND"
    with pytest.raises(errors.PermissionDenied):
        wait(client.get_engagement("engagements/nobodys"))
    with pytest.raises(errors.InvalidArgument) as wrong:
        wait(client.create_session(engagement, ""))
    assert [violation.field for violation in wrong.value.violations] == ["session.display_name"]
    with pytest.raises(errors.InvalidArgument, match="data_import"):
        wait(client.create_session(engagement, "A", type="nonsense"))
    wait(client.create_session(engagement, "Wave 1"))
    with pytest.raises(errors.AlreadyExists) as taken:
        wait(client.create_session(engagement, "Wave 1"))
    assert taken.value.reason == "DISPLAY_NAME_TAKEN"


def test_a_session_through_its_life(client: MooringClient, engagement: str, wait: Wait) -> None:
    """Create, change, refuse a stale etag, make it the default, delete another."""
    made = wait(client.create_session(engagement, "Wave 1", description="first", type="cleanup_operation"))
    assert (made.type, made.description, made.is_default) == ("cleanup_operation", "first", False)
    renamed = wait(client.update_session(made.name, display_name="Wave 1b", etag=made.etag))
    assert (renamed.display_name, renamed.description) == ("Wave 1b", "first")
    with pytest.raises(errors.Conflict) as stale:
        wait(client.update_session(made.name, description="late", etag=made.etag))
    assert stale.value.reason == "ETAG_MISMATCH"
    before = wait(client.get_engagement(engagement)).default_session
    assert wait(client.set_default_session(made.name)).is_default
    assert wait(client.get_engagement(engagement)).default_session == made.name
    with pytest.raises(errors.FailedPrecondition):
        wait(client.delete_session(made.name))
    assert wait(client.delete_session(before)).delete_time is not None


def test_lists_page_by_token_and_by_offset(client: MooringClient, engagement: str, wait: Wait) -> None:
    """A walk by tokens and a jump by offset show the same order, and the total is the whole list's."""
    for index in range(5):
        wait(client.create_session(engagement, f"Wave {index}"))
    first = wait(client.list_sessions(engagement, page_size=4))
    rest = wait(client.list_sessions(engagement, page_size=4, page_token=first.next_token))
    assert (first.total, len(first.items), len(rest.items), rest.next_token) == (6, 4, 2, "")
    assert wait(client.list_sessions(engagement, page_size=2, skip=4)).items == rest.items


def test_an_import_is_reported_and_readable(ws: Workspace, tmp_path: Path) -> None:
    """Every row is accounted for, and the frame holds what the file said, over many pages."""
    steps: list[Progress] = []
    report = ws.import_inventory(inventory(tmp_path / "estate.csv", 2_345), on_progress=steps.append)
    assert (report.source_rows, report.created, len(report.rejected)) == (2_345, 2_345, 0)
    assert {"uploading", "done"} <= {step.phase for step in steps}
    frame = ws.discovery.to_pandas()
    assert len(frame) == ws.session.asset_count == 2_345
    assert frame.cpu_cores.sum() == sum(index % 8 + 1 for index in range(2_345))
    assert frame["attributes"][0]["Rack"] == "0"
    landscape = ws.run(ws.client.get_landscape(ws.session.name)).result(20)
    assert (landscape.totals.asset_count, landscape.groups[0].buckets[0].value) == (2_345, "server")
    again = ws.import_inventory(tmp_path / "estate.csv")
    assert (again.replayed, again.import_name) == (True, report.import_name)


def test_a_workbook_is_previewed_imported_and_undone(ws: Workspace, tmp_path: Path) -> None:
    """What a preview found is imported with a column sent elsewhere; then the session is as it was before."""
    preview = ws.preview_inventory(write_rvtools_estate(tmp_path / "estate.xlsx"))
    assert (preview.kind, preview.found.sheet, len(preview.found.sheets)) == ("rvtools", "vInfo", 8)
    assert {c.column: c.field for c in preview.columns}["VM UUID"] == "external_id"
    assert ws.session.asset_count == 0
    report = preview.import_(columns={"VM ID": "serial_number"})
    parts = report.created + report.updated + report.unchanged + report.joined + len(report.rejected)
    assert report.source_rows == parts == 15
    assert report.dependencies_created == len(ws.dependencies.to_pandas()) > 0
    assert "vm-1" in set(ws.discovery.to_pandas().serial_number)
    assert ws.imports()[0].revertible
    assert ws.revert_import().name == report.import_name
    assert (ws.session.asset_count, len(ws.discovery.to_pandas())) == (0, 0)
    with pytest.raises(errors.NotFound, match="upload the file again"):
        preview.import_()


def test_a_frame_goes_in_and_comes_out(ws: Workspace) -> None:
    """A frame's columns go where they are sent, and each kind of frame brings the same rows back."""
    frame = pd.DataFrame({"Box": ["a", "b"], "Mem": [4, None], "Tags": [("x", "y"), ()]})
    frame.attrs["name"] = "boxes"
    report = ws.import_inventory(
        frame, columns={"Box": "hostname", "Mem": ("memory_bytes", "GiB")}, asset_type="server"
    )
    assert (report.created, report.created_by_type) == (2, {"server": 2})
    rows = [
        {"hostname": "a", "memory_bytes": 4 * 2**30, "attributes.Tags": "x; y"},
        {"hostname": "b", "memory_bytes": None, "attributes.Tags": None},
    ]
    fields = list(rows[0])
    assert sorted(ws.to_arrow(fields=fields).to_pylist(), key=lambda row: row["hostname"]) == rows
    assert ws.to_polars(fields=fields, filter="hostname = b").to_dicts() == rows[1:]
    assert ws.to_pandas(fields=["source_file"]).source_file.unique() == ["boxes.parquet"]
    with pytest.raises(errors.InvalidArgument, match="hostname"):
        ws.to_arrow(fields=["hostnam"])


def test_an_asset_is_edited_and_the_views_know(ws: Workspace, tmp_path: Path) -> None:
    """An edit is typed, refused with a stale etag, and makes what is cached of the session stale."""
    ws.import_inventory(inventory(tmp_path / "estate.csv", 3))
    until(lambda: ws.feed.live)
    name = ws.discovery.to_pandas()["name"][0]
    before = ws.run(ws.client.get_asset(name)).result(20)
    changed = ws.run(ws.client.update_asset(name, {"owner": "Ada", "cpu_cores": None}, etag=before.etag))
    assert (changed.result(20).owner, changed.result(20).cpu_cores) == ("Ada", None)
    until(lambda: "Ada" in set(ws.discovery.to_pandas().owner))
    with pytest.raises(errors.Conflict):
        ws.run(ws.client.update_asset(name, {"owner": "Bob"}, etag=before.etag)).result(20)
    with pytest.raises(errors.FailedPrecondition) as edited:
        ws.revert_import()
    assert edited.value.reason == "DATA_EDITED"
    assert ws.run(ws.client.delete_asset(name)).result(20).name == name
    until(lambda: len(ws.discovery.to_pandas()) == 2)


def test_a_file_that_is_no_inventory_is_refused(ws: Workspace, tmp_path: Path) -> None:
    """The operation's own failure arrives as a typed exception and changes nothing."""
    (tmp_path / "estate.xlsx").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1_000))
    with pytest.raises(errors.InvalidArgument) as caught:
        ws.import_inventory(tmp_path / "estate.xlsx")
    assert caught.value.reason == "UNREADABLE_INVENTORY"
    assert ws.session.asset_count == 0


def test_a_rename_by_another_client_arrives(ws: Workspace, client: MooringClient, wait: Wait) -> None:
    """The watch brings it, and the list that shows it is fetched again."""
    made = ws.create("Wave 1")
    observer = QueryObserver(ws.queries, queries.sessions(ws.client, ws.engagement.name))
    observer.subscribe(lambda _: None)

    def names() -> list[str]:
        data = observer.get_current_result().data
        return [] if data is None else [session.display_name for session in data.items]

    until(lambda: ws.feed.live and "Wave 1" in names())
    wait(client.update_session(made.name, display_name="Wave 1b"))
    until(lambda: "Wave 1b" in names())


def test_a_switch_by_another_client_is_followed(ws: Workspace, client: MooringClient, wait: Wait) -> None:
    """Another browser on the same context moves this one too."""
    made = ws.create("Wave 1")
    until(lambda: ws.feed.live)
    wait(client.switch_session(made.name, context=ws.current.name))
    until(lambda: ws.session.name == made.name)


def test_the_context_is_found_again(
    address: str, engagement: str, data_dir: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restarted kernel stands where it stood; a script starts afresh; a named context is joined."""
    kernel = f"/run/kernel-{uuid.uuid4()}.json"
    monkeypatch.setattr("mooring_widgets.context._connection_file", lambda: kernel)
    ws = connect(address)
    switched = ws.switch_engagement(engagement)
    context = ws.current.name
    ws.close()

    again = connect(address)
    assert (again.session.name, again.current.name) == (switched.name, context)
    again.close()

    monkeypatch.setattr("mooring_widgets.context._connection_file", lambda: "")
    script = connect(address)
    assert script.current.name != context
    script.close()

    monkeypatch.setenv("MOORING_CONTEXT", context)
    joined = connect(address)
    assert joined.session.name == switched.name
    joined.close()
    with pytest.raises(errors.NotFound):
        connect(address, context="no-such-context")


def test_nobody_there_is_said_plainly(data_dir: None) -> None:
    """An address where nothing serves gives one sentence with that address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(errors.Unavailable, match=address):
            connect(address)


def test_a_closed_client_stays_closed(client: MooringClient, wait: Wait) -> None:
    """After close no call opens a connection again."""
    wait(client.close())
    with pytest.raises(errors.Unavailable, match="connect"):
        wait(client.get_current_user())


def test_a_watch_resumes_after_a_restart(tmp_path: Path, data_dir: None, wait: Wait) -> None:
    """What was committed while the watch was away is told after the server is back, once."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = Settings(database=f"sqlite:///{tmp_path / 'mooring.db'}", port=port, stop_grace_s=0)
    client = MooringClient(f"127.0.0.1:{port}")
    told: list[str] = []
    live: list[bool] = []

    async def follow(engagement: str) -> None:
        async for event in client.watch([engagement]):
            live.append(event.live)
            told.extend(change.resource for change in event.changes)

    with serving(settings):
        engagement = wait(client.create_engagement("Contoso"))
        task = library_loop().run(follow(engagement.name))
        until(lambda: live)
        first = wait(client.create_session(engagement.name, "Wave 1"))
        until(lambda: first.name in told)
    until(lambda: not live[-1])
    with serving(settings):
        second = wait(_patiently(lambda: client.create_session(engagement.name, "Wave 2")))
        until(lambda: second.name in told)
    task.cancel()
    wait(client.close())
    assert [told.count(session.name) for session in (first, second)] == [1, 1]


async def _patiently(call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    while True:
        try:
            return await call()
        except errors.Unavailable:
            await asyncio.sleep(0.05)

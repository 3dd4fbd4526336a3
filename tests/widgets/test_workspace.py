import asyncio
import inspect
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest
from mooring_widgets import errors, queries
from mooring_widgets.client import Asset, MooringClient, Progress, Session
from mooring_widgets.query import QueryObserver
from mooring_widgets.testing import FakeClient, ManualClock, demo_service, workspace
from mooring_widgets.workspace import Workspace
from support_waiting import until
from support_workspace import BASELINE, CONTOSO, WAVE_1, WAVE_2


def test_what_is_current_comes_as_snapshots(ws: Workspace) -> None:
    """`ws.session` and `ws.engagement` are what the context points at."""
    assert (ws.session.display_name, ws.engagement.display_name) == ("Baseline", "Contoso")
    assert repr(ws) == "<workspace at Contoso / Baseline>"


def test_switching_by_name_id_or_snapshot(ws: Workspace) -> None:
    """Whatever a person calls a session by finds it."""
    assert ws.switch("Wave 2").name == WAVE_2
    assert ws.switch("wave-1").name == WAVE_1
    assert ws.switch(BASELINE).name == BASELINE
    assert ws.switch(ws.client.service.sessions[WAVE_1]).name == WAVE_1
    assert ws.session.name == WAVE_1


def test_an_unknown_name_comes_with_near_ones(ws: Workspace) -> None:
    """NotFound says which names are like the one asked for, and nothing is switched."""
    with pytest.raises(errors.NotFound, match="Wave 2") as caught:
        ws.switch("wave two")
    assert set(caught.value.near) == {"Wave 1", "Wave 2"}
    with pytest.raises(errors.NotFound, match="Contoso"):
        ws.switch_engagement("Contso")
    assert ws.session.name == BASELINE


def test_switching_engagement_takes_its_default_session(ws: Workspace) -> None:
    """Another engagement becomes current at its own default session."""
    assert ws.switch_engagement("Fabrikam").name == "engagements/fabrikam/sessions/baseline"
    assert ws.engagement.display_name == "Fabrikam"


def test_on_switch_hears_confirmed_switches_in_order(ws: Workspace) -> None:
    """Callbacks get both sessions and may use the workspace; what a failing one raises is kept."""
    heard: list[tuple[str, str]] = []

    @ws.on_switch
    def broken(old: Session | None, new: Session | None) -> None:
        raise ValueError("oh")

    @ws.on_switch
    def listen(old: Session, new: Session) -> None:
        assert ws.engagement.name == CONTOSO
        heard.append((old.display_name, new.display_name))

    ws.switch("Wave 1")
    ws.switch("Wave 2")
    until(lambda: len(heard) == 2)
    assert heard == [("Baseline", "Wave 1"), ("Wave 1", "Wave 2")]
    assert [str(error) for error in ws.callback_errors] == ["oh", "oh"]
    ws.off_switch(listen)
    ws.switch("Wave 1")
    until(lambda: len(ws.callback_errors) == 3)
    assert len(heard) == 2


def test_a_blocking_call_on_the_library_loop_is_refused(ws: Workspace) -> None:
    """A sync method would wait for itself there: it raises, naming the async twin."""

    async def wrong() -> None:
        ws.switch("Wave 1")

    async def wrong_import() -> None:
        ws.import_inventory("estate.csv")

    for work in (wrong, wrong_import):
        with pytest.raises(RuntimeError, match="aio"):
            ws.run(work()).result(20)


def test_sync_methods_work_inside_a_running_loop(ws: Workspace) -> None:
    """A Jupyter cell runs on somebody's loop, where both doors have to work."""

    async def cell() -> tuple[str, str]:
        return ws.switch("Wave 1").name, (await ws.aio.switch("Wave 2")).name

    assert asyncio.run(cell()) == (WAVE_1, WAVE_2)


def test_a_data_frame_has_units_types_and_unknowns(ws: Workspace) -> None:
    """A column a field: numbers are numbers with NA for not known, other columns stay in a dict."""
    ws.client.service.add_assets(
        BASELINE,
        [
            Asset(f"{BASELINE}/assets/a", "a", cpu_cores=1.5, memory_bytes=2**40, attributes={"Rack": "7"}),
            Asset(f"{BASELINE}/assets/b", "b"),
        ],
    )
    frame = ws.discovery.to_pandas()
    assert str(frame.memory_bytes.dtype) == "Int64"
    assert (frame.cpu_cores[0], frame.memory_bytes[0], frame["attributes"][0]) == (1.5, 2**40, {"Rack": "7"})
    assert frame.storage_bytes.isna().all()
    assert pd.isna(frame.memory_bytes[1])


def test_an_empty_session_is_an_empty_frame_with_columns(ws: Workspace) -> None:
    """A function over a data frame must find its columns in an empty session too."""
    frame = ws.at("Wave 2").discovery.to_pandas()
    assert len(frame) == 0
    assert "cpu_cores" in frame.columns
    assert str(frame.cpu_cores.dtype) == "Float64"


def test_a_frame_is_fetched_once_and_is_the_callers_own(ws: Workspace) -> None:
    """The second frame comes from the cache, untouched by what was done to the first."""
    first = ws.discovery.to_pandas()
    first["display_name"] = "spoilt"
    assert ws.discovery.to_pandas().display_name[0] == "vm-00000"
    assert ws.client.calls.count("read_assets") == 1


def test_pinned_views_stay_where_they_are(ws: Workspace) -> None:
    """What is pinned to a session shows it whatever is current."""
    pinned = ws.at("Wave 1")
    ws.switch("Wave 2")
    assert (pinned.session.name, len(pinned.discovery.to_pandas())) == (WAVE_1, 3)


def test_create_leaves_the_current_session(ws: Workspace) -> None:
    """A new session can be found at once, and nobody is moved to it."""
    made = ws.create("What if", description="a try", type="validation_run")
    assert (made.display_name, made.type) == ("What if", "validation_run")
    assert ws.session.name == BASELINE
    assert ws.switch("What if").name == made.name
    with pytest.raises(errors.AlreadyExists):
        ws.create("What if")


def test_a_created_session_is_listed_at_once_and_taken_back_if_refused() -> None:
    """Lists show the new session in its place before the service has answered; a refusal takes it out."""
    client = FakeClient(demo_service())
    ws = workspace(client)

    def listed() -> list[str]:
        page = ws.queries.get_query_data(queries.sessions(client, CONTOSO, 0, 50).query_key)
        return [session.display_name for session in page.items]

    try:
        ws.wait(ws.queries.fetch_query(queries.sessions(client, CONTOSO, 0, 50)))
        with client.hold("create_session"):
            made = ws.run(ws.aio.create("Draft"))
            until(lambda: listed() == ["Baseline", "Draft", "Wave 1", "Wave 2"])
            assert not made.done()
        assert made.result(5).display_name == "Draft"
        client.fail("create_session", errors.PermissionDenied("not yours"))
        with pytest.raises(errors.PermissionDenied):
            ws.create("What if")
        assert listed() == ["Baseline", "Draft", "Wave 1", "Wave 2"]
    finally:
        ws.close()


def test_an_import_tells_its_steps_on_the_calling_thread(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Progress is told where the caller waits, and the next line sees what was imported."""
    (tmp_path / "estate.csv").write_text("a\nb\n")
    steps: list[tuple[Progress, threading.Thread]] = []
    assert len(ws.discovery.to_pandas()) == 5
    report = ws.import_inventory(
        tmp_path / "estate.csv", on_progress=lambda step: steps.append((step, threading.current_thread()))
    )
    assert {thread for _, thread in steps} == {threading.current_thread()}
    assert steps[-1][0].phase == "done"
    assert report.created == 2
    assert "created" in repr(report)
    assert len(ws.discovery.to_pandas()) == 7
    assert ws.session.asset_count == 7
    ws.import_inventory(tmp_path / "estate.csv", session="Wave 2")
    assert "reading: 2 of 2 rows" in capsys.readouterr().out


def test_a_missing_file_is_named(ws: Workspace) -> None:
    """A path that leads nowhere is refused before anything is sent."""
    with pytest.raises(errors.InvalidArgument, match=r"nowhere\.xlsx"):
        ws.import_inventory("nowhere.xlsx")
    assert "upload_inventory" not in ws.client.calls


def test_a_rename_elsewhere_refreshes_exactly_what_it_touches() -> None:
    """Two kernels on one service: what the other renames arrives here, and nothing else is fetched again."""
    service = demo_service()
    here, there = workspace(FakeClient(service)), workspace(FakeClient(service))
    try:
        observers = [
            QueryObserver(here.queries, options)
            for options in (
                queries.sessions(here.client, CONTOSO),
                queries.landscape(here.client, BASELINE),
                queries.sessions(here.client, "engagements/fabrikam"),
            )
        ]
        for observer in observers:
            observer.subscribe(lambda _: None)
        until(lambda: "get_context" in here.client.calls)  # the watch has begun, and said what to read again
        until(lambda: all(o.get_current_result().is_success for o in observers))
        until(lambda: not here.queries.is_fetching())
        before = list(here.client.calls)
        there.run(there.client.update_session(WAVE_1, display_name="Wave 1b")).result(20)

        def names() -> list[str]:
            return [session.display_name for session in observers[0].get_current_result().data.items]

        until(lambda: "Wave 1b" in names())
        assert here.client.calls[len(before) :] == ["list_sessions"]
    finally:
        here.close()
        there.close()


def test_a_switch_elsewhere_is_followed() -> None:
    """Two kernels in one context stand at the same session."""
    service = demo_service()
    here, there = workspace(FakeClient(service)), FakeClient(service)
    try:
        until(lambda: here.feed.live)
        here.run(there.switch_session(WAVE_2, context=here.current.name)).result(20)
        until(lambda: here.current.state.session_id == WAVE_2)
        assert here.session.display_name == "Wave 2"
    finally:
        here.close()


def test_a_lost_connection_is_told(ws: Workspace) -> None:
    """Whoever listens learns that changes no longer arrive, and that they do again."""
    heard: list[bool] = []
    until(lambda: ws.feed.live)
    ws.feed.subscribe(heard.append)
    ws.client.service.outage = True
    until(lambda: heard == [False])
    ws.client.service.outage = False
    until(lambda: heard == [False, True])


def test_a_refused_stream_does_not_cost_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """Where the service refuses to watch all engagements, the current one is watched all the same."""
    client = FakeClient(demo_service())
    client.fail("watch", errors.PermissionDenied("not that one"))
    ws = workspace(client)
    try:
        until(lambda: ws.feed.live)
        ws.run(FakeClient(client.service).switch_session(WAVE_2, context=ws.current.name)).result(20)
        until(lambda: ws.current.state.session_id == WAVE_2)
        assert "not that one" in caplog.text
    finally:
        ws.close()


def test_the_manual_clock_ages_queries() -> None:
    """With a manual clock nothing grows old by itself, and everything does when time is moved."""
    clock = ManualClock()
    ws = workspace(clock=clock)
    try:
        until(lambda: ws.feed.live)
        ws.session  # noqa: B018 - reading it is the fetch
        asked = ws.client.calls.count("get_session")
        clock.advance(59)
        ws.session  # noqa: B018
        assert ws.client.calls.count("get_session") == asked
        clock.advance(2)
        ws.session  # noqa: B018
        assert ws.client.calls.count("get_session") == asked + 1
    finally:
        ws.close()


def test_the_fake_client_is_a_full_twin() -> None:
    """Every public method of the client has a fake of the same signature, so none reaches a network."""
    for name, method in inspect.getmembers(MooringClient, inspect.isfunction):
        if not name.startswith("_"):
            twin = getattr(FakeClient, name)
            assert twin is not method, name
            assert inspect.signature(twin).parameters == inspect.signature(method).parameters, name


def test_a_closed_workspace_can_be_closed_again() -> None:
    """Closing is for a `finally`, wherever it was closed before."""
    ws = workspace()
    ws.close()
    ws.close()
    assert ws.closed


def test_importing_the_widgets_needs_no_server() -> None:
    """The import brings neither the server nor what only a shown widget or a data frame needs."""
    heavy = ["mooring_server", "peewee", "pandas", "anywidget"]
    code = f"import sys, mooring_widgets; print([name for name in {heavy} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


def test_it_shows_as_its_selector(ws: Workspace) -> None:
    """At the end of a cell `ws` is its one selector, readable without a kernel too."""
    data, _ = ws._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "Contoso" in data["text/html"]
    assert ws.selector is ws.selector


def test_its_widgets(ws: Workspace) -> None:
    """Views follow what is current or stay pinned, and forms edit what they are given."""

    @ws.view(stale_time=30)
    def owners(discovery: pd.DataFrame) -> pd.DataFrame:
        return discovery.groupby("owner").size().to_frame()

    @ws.at("Wave 1").view
    def pinned(discovery: pd.DataFrame) -> int:
        return len(discovery)

    assert "Baseline" in repr(ws.discovery())
    assert "Baseline" in repr(ws.landscape())
    assert "owners" in repr(owners)
    assert repr(pinned).endswith(("Wave 1>", "wave-1>"))  # its name has come by now, or not yet
    assert ws.form("Wave 1").session_id == WAVE_1
    assert ws.form().session_id == ""

"""What a person types at: the two surfaces, mistyped names, examples, types, plain scripts."""

import asyncio
import doctest
import gc
import inspect
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mooring import local
from mooring_server.settings import Settings
from mooring_widgets import connect, errors
from mooring_widgets.testing import FakeClient, workspace
from mooring_widgets.workspace import Workspace, asked, pinned, sessions
from mooring_widgets.workspace import workspace as workspace_module
from mooring_widgets.workspace.aio import Aio
from mooring_widgets.workspace.aio_views import AioActivityLog, AioDependencies, AioDiscovery, AioPinned
from mooring_widgets.workspace.pinned import ActivityLog, Dependencies, Discovery, Pinned
from support_server import serving
from support_waiting import until

TWINS = [
    (Workspace, Aio),
    (Pinned, AioPinned),
    (Discovery, AioDiscovery),
    (Dependencies, AioDependencies),
    (ActivityLog, AioActivityLog),
]
# They register a function, or know the answer: there is nothing to await.
NEVER_WAIT = {"view", "on_switch", "off_switch", "context"}
# For widgets, which are written against the library's loop.
MACHINERY = {"run", "wait", "aclose", "on_loop", "refuse_on_loop", "closed", "selector"}
EXAMPLES = [
    test
    for module in (workspace_module, sessions, pinned, asked)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module)
    if test.examples
]


def surface(kind: type) -> dict[str, Any]:
    """The public methods and properties of a class, and its call."""
    return {
        name: member
        for name, member in inspect.getmembers(kind)
        if (name == "__call__" and inspect.isfunction(member))
        or (not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)))
    }


@pytest.mark.parametrize(("sync", "twin"), TWINS)
def test_the_async_twin_has_everything_that_waits(sync: type, twin: type) -> None:
    """Each method and property that waits has one twin of the same parameters and answer, and no other."""
    here, there = surface(sync), surface(twin)
    assert here.keys() - NEVER_WAIT - MACHINERY == there.keys()
    for name, awaited in there.items():
        waits = here[name]
        if isinstance(waits, property):
            waits = waits.fget
        signatures = inspect.signature(waits), inspect.signature(awaited)
        assert signatures[0].parameters == signatures[1].parameters, name
        answers = [
            getattr(signature.return_annotation, "__name__", str(signature.return_annotation))
            for signature in signatures
        ]
        assert answers[0].replace("Iterator[", "AsyncGenerator[") == answers[1], name
        kind = inspect.unwrap(awaited)
        assert inspect.iscoroutinefunction(kind) or inspect.isasyncgenfunction(kind), name


def test_both_surfaces_have_the_same_objects(ws: Workspace) -> None:
    """What is reached through an attribute is reached through the twin's."""
    for here, there in ((ws, ws.aio), (ws.at("Wave 1"), ws.at("Wave 1").aio)):
        for sync, twin in TWINS[2:]:
            assert [type(value) for value in vars(here).values()].count(sync) == 1
            assert [type(value) for value in vars(there).values()].count(twin) == 1


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda test: test.name)
def test_the_examples_run(example: doctest.DocTest) -> None:
    """Every example of a docstring does what it says, in a workspace that nobody has touched."""
    ws = workspace()
    try:
        example.globs.update(ws=ws)
        flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
        told: list[str] = []
        doctest.DocTestRunner(optionflags=flags).run(example, out=told.append)
        assert not told, "".join(told)
    finally:
        ws.close()


def test_what_a_person_calls_has_an_example() -> None:
    """A public method of the workspace shows how it is used."""
    without = [
        name
        for name, member in surface(Workspace).items()
        if name not in MACHINERY | {"close", "off_switch", "unarchive", "undelete", "unpin"}
        and not any(sign in (member.__doc__ or "") for sign in (">>> ", "::\n"))
        and not any(part in (member.__doc__ or "") for part in ("The same as a", "Totals, bars"))
    ]
    assert without == []


@pytest.mark.parametrize(
    ("mistyped", "near"),
    [
        (lambda ws: ws.sesion, "'session'"),
        (lambda ws: ws.switch_session, "'switch'|'session'"),
        (lambda ws: ws.aio.swich, "'switch'"),
        (lambda ws: ws.discovery.to_panda, "'to_pandas'"),
        (lambda ws: ws.at("Wave 1").landscap, "'landscape'"),
        (lambda ws: ws.aio.view, r"ws\.view, without aio"),
        (lambda ws: ws.zzz, "there are .*switch"),
    ],
)
def test_an_unknown_name_is_told_with_near_ones(ws: Workspace, mistyped: Any, near: str) -> None:
    """AttributeError says what is like it; `hasattr` and machines' questions go on working."""
    with pytest.raises(AttributeError, match=near):
        mistyped(ws)
    assert not hasattr(ws, "sesion")
    assert not hasattr(ws, "_ipython_canary_method_should_not_exist_")


@pytest.mark.parametrize(
    ("mistyped", "near"),
    [
        (lambda ws: ws.create(nam="What if"), r"create\(\) has no argument 'nam'; did you mean"),
        (lambda ws: ws.create("What if", source=ws.session), "'source_session'"),
        (lambda ws: ws.aio.create("What if", desc=""), "'description'"),
        (
            lambda ws: ws.discovery(colums=[]),
            r"discovery\(\) has no argument 'colums'; did you mean 'columns'",
        ),
        (lambda ws: ws.to_pandas(field=[]), "'fields'"),
        (lambda ws: ws.view(staletime=3), "'stale_time'"),
        (lambda ws: ws.landscape(zzz=1), "takes no arguments by name"),
        (lambda ws: ws.import_inventory("x.csv", colums={}), "'columns'"),
        (lambda ws: connect(adress="nowhere"), "'address'"),
    ],
)
def test_an_unknown_keyword_is_told_with_near_ones(ws: Workspace, mistyped: Any, near: str) -> None:
    """TypeError says what is like it, and nothing was done."""
    with pytest.raises(TypeError, match=near):
        mistyped(ws)
    assert not {"create_session", "read_assets", "upload_inventory"} & {*ws.client.calls}


def test_a_views_unknown_argument_is_told_with_near_ones(ws: Workspace) -> None:
    """A function that asks for what there is not is refused where it is written."""
    with pytest.raises(TypeError, match="no 'discovry'; did you mean 'discovery'"):

        @ws.view
        def wrong(discovry: object) -> None: ...

    with pytest.raises(TypeError, match="no 'zzz'; give it a default"):

        @ws.view
        def unknown(zzz: object) -> None: ...


def test_what_is_current_is_not_assigned(ws: Workspace) -> None:
    """An assignment, which would change nothing, names the method that does."""
    with pytest.raises(AttributeError, match=r"ws\.switch\("):
        ws.session = "Wave 2"  # type: ignore[misc, assignment]
    assert ws.session.display_name == "Baseline"


def test_something_that_names_no_session_is_refused(ws: Workspace) -> None:
    """A number is neither a name nor a snapshot."""
    with pytest.raises(TypeError, match="by its name, its id or a snapshot, not by 7"):
        ws.switch(7)  # type: ignore[arg-type]


def test_a_property_that_fails_says_why(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """An AttributeError from within is not taken for a mistyped name."""
    monkeypatch.setattr(type(ws), "engagement", property(lambda self: object().inner))  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="inner"):
        ws.engagement  # noqa: B018 - reading it is the test


def test_the_queries_are_listed(ws: Workspace, client: FakeClient) -> None:
    """Key, status, age, observers and last error of each, as a text and as a table."""
    client.fail("get_landscape", errors.PermissionDenied("not <yours>"))
    with pytest.raises(errors.PermissionDenied):
        ws.wait(ws.queries.fetch_query(workspace_module.queries.landscape(client, ws.session.name)))
    told = repr(ws.queries)
    head, *rows = told.splitlines()
    assert head.split() == ["Status", "Age", "Observers", "Key", "Last", "error"]
    assert any("success" in row and " s " in row and "('session', " in row for row in rows)
    assert any("error" in row and "PermissionDenied: not <yours>" in row for row in rows)
    html = ws.queries._repr_html_()
    assert "not &lt;yours&gt;" in html
    assert html.count("<tr>") == len(rows) + 1
    assert {query.key[0] for query in ws.queries} == {"session", "engagement", "discovery"}


def test_a_closed_twin(ws: Workspace) -> None:
    """Closing can be awaited, and once is enough."""

    async def cell() -> None:
        await ws.aio.close()
        await ws.aio.close()

    asyncio.run(cell())
    assert ws.closed


class Runtime:
    """One visitor's program, as marimo has it."""


def test_each_visitor_of_one_process_has_a_workspace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where one process serves several visitors, each has a workspace of their own, which ends with them."""
    settings = Settings(database=f"sqlite:///{tmp_path / 'mooring.db'}", port=0, stop_grace_s=0)
    monkeypatch.setenv("MOORING_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("MOORING_CONTEXT", raising=False)
    visitors: list[Runtime | None] = [Runtime(), Runtime()]
    present = visitors[:1]
    module = SimpleNamespace(safe_get_context=lambda: present[0])
    monkeypatch.setitem(sys.modules, "marimo._runtime.context", module)
    with serving(settings) as running:
        first = connect(running.address)
        assert connect(running.address) is first
        present[0] = visitors[1]
        second = connect(running.address)
        assert second is not first
        assert second.context != first.context
        visitors[0] = None
        gc.collect()
        until(lambda: first.closed)
        assert not second.closed
        assert connect(running.address) is second
        second.close()


TYPED = """
from mooring_widgets import Engagement, ImportReport, Session, Workspace, connect


def report(ws: Workspace) -> list[str]:
    session: Session = ws.switch("Wave 2")
    engagement: Engagement = ws.engagement
    made: Session = ws.create("What if", source_session=session)
    rows: int = ws.discovery.to_arrow().num_rows
    done: ImportReport = ws.import_inventory("estate.csv", session=made)

    @ws.view(stale_time=30)
    def cores(discovery: object) -> str:
        return str(discovery)

    @ws.on_switch
    def follow(old: Session | None, new: Session | None) -> None:
        print(new.display_name if new else rows)

    follow(None, session)
    return [each.display_name for each in ws.sessions("wave")] + [engagement.name, str(done.created)]


async def later(ws: Workspace) -> Session:
    pinned = await ws.aio.at("Baseline")
    print(len(await pinned.aio.discovery.to_pandas()), cores_of(ws))
    async for batch in ws.aio.to_batches(fields=["id"]):
        print(batch.num_rows)
    return await ws.aio.session()


def cores_of(ws: Workspace) -> float:
    return float(ws.discovery.to_pandas().cpu_cores.sum())


WRONG
"""


def checked_by_mypy(folder: Path, last: str) -> str:
    file = folder / "notebook.py"
    file.write_text(TYPED.replace("WRONG", last))
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder / "cache"), str(file)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder).stdout


def test_a_users_program_is_typed(tmp_path: Path) -> None:
    """A program that uses the workspace passes mypy's strict checks, and mistakes in it do not."""
    assert "Success" in checked_by_mypy(tmp_path, "ws = connect()")
    told = checked_by_mypy(tmp_path, "connect().sesion; connect().create(nam='x'); connect().switch(7)")
    assert told.count("error: ") == 3, told


SCRIPT = """
import asyncio
import sys

import pandas as pd
from mooring_widgets import connect

ws = connect()
steps = []
made = ws.create("What if", source_session=ws.session, labels={"team": "blue"})
print(made.parent_session == ws.session.name, made.labels)
ws.switch("What if")
frame = pd.DataFrame({"Name": ["web-1", "web-2"], "CPUs": [2, 4]})
print(ws.import_inventory(frame, on_progress=steps.append).created)
print(ws.discovery.to_pandas().display_name.tolist(), ws.session.asset_count)
print([session.display_name for session in ws.sessions("what", filter="labels.team = blue")])
print(ws.rename("What if", "What now").display_name, asyncio.run(ws.aio.switch(made)).display_name)
print(ws.set_default("What now").is_default, len(ws.engagements()))
spare = ws.create('Spare "racks" *')
ws.archive('Spare "racks" *')
print(len(ws.sessions()), ws.sessions(archived=True).total, ws.unarchive(spare).archive_time)
ws.delete(spare)
print(ws.undelete('Spare "racks" *').name == spare.name)
print(sorted({each.kind for each in ws.at(spare).activity.recent()}))
try:
    ws.switch("What know")
except Exception as error:
    print(type(error).__name__, error.near)
ws.close()
print("IPython" in sys.modules)
"""
SAID = """
True {'team': 'blue'}
2
['web-1', 'web-2'] 2
['What if']
What now What now
True 1
2 3 None
True
['archived', 'created', 'deleted', 'unarchived', 'undeleted']
NotFound ('What now',)
False
"""


def test_a_plain_script_needs_no_notebook(tmp_path: Path) -> None:
    """Everything works without IPython, on the user's own service, which the script starts."""
    folder = tmp_path / "data"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOORING_")}
    command = [sys.executable, "-c", SCRIPT]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment | {"MOORING_DATA_DIR": str(folder)},
        )
    finally:
        if server := local.ServerFile.read(folder):
            os.kill(server.pid, signal.SIGTERM)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == SAID.strip().splitlines()

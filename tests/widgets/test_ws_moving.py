"""Sessions that move as files, in a notebook: the same of a real service and of its twin."""

import asyncio
import doctest
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest
from mooring_widgets import errors
from mooring_widgets.client import Asset, Dependency, Progress, Session
from mooring_widgets.testing import FakeClient
from mooring_widgets.workspace import Workspace, moves
from support_sides import Sides, owners
from support_waiting import until
from support_widgets import ask
from support_workspace import CONTOSO, WAVE_2


def quiet(_: Progress) -> None:
    """Prints nothing."""


def named(ws: Workspace) -> list[str]:
    """The sessions of the current engagement, by name."""
    return [session.display_name for session in ws.sessions()]


def stuck(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets exports begin and never end."""
    export = ws.client.export_session

    async def export_session(name: str) -> AsyncGenerator[bytes, None]:
        async with aclosing(export(name)) as pieces:
            yield (await anext(pieces))[:100]
            await asyncio.Event().wait()

    monkeypatch.setattr(ws.client, "export_session", export_session)


def test_a_session_goes_out_and_comes_back_the_same(
    sides: Sides, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its assets and fields are those of before, its ids are not; exported again it has the same digest."""
    ws, here, _ = sides
    ws.update(here, description="Two racks", labels={"team": "blue"})
    out = tmp_path / "out"
    out.mkdir()
    exported = ws.export_session(out, "Here")
    assert "downloading" in capsys.readouterr().out
    assert exported.path == out / "Here.mooring.zip"
    assert [*out.iterdir()] == [exported.path]
    assert exported.size_bytes == exported.path.stat().st_size
    assert repr(exported).startswith("Here: 3 assets, 0 dependencies, ")

    steps: list[Progress] = []
    made = ws.import_session(exported, on_progress=steps.append)
    assert {"uploading", "queued"} <= {step.phase for step in steps}
    assert isinstance(made, Session)
    assert (made.display_name, made.asset_count, made.is_default) == ("Here (2)", 3, False)
    assert (made.description, made.labels) == ("Two racks", {"team": "blue"})
    assert made.name != here.name
    assert owners(ws, made) == owners(ws, here)
    frames = [ws.at(each).to_pandas() for each in (here, made)]
    assert not {*frames[0].id} & {*frames[1].id}
    kept = ["display_name", "owner", "attributes", "source_file", "create_time"]
    assert frames[0].sort_values("display_name")[kept].to_dict("list") == frames[1].sort_values(
        "display_name"
    )[kept].to_dict("list")
    again = ws.export_session(out / "again.zip", made, on_progress=quiet)
    assert (again.content_digest, again.asset_count) == (exported.content_digest, exported.asset_count)
    assert ws.export_session(out, "There", on_progress=quiet).content_digest != exported.content_digest


def test_dependencies_come_along(ws: Workspace, client: FakeClient, tmp_path: Path) -> None:
    """Their ends are the new session's assets."""
    ends = [Asset(f"{WAVE_2}/assets/{name}", name) for name in ("web", "db")]
    client.service.add_assets(WAVE_2, ends)
    client.service.add_dependencies(
        WAVE_2, [Dependency(f"{WAVE_2}/dependencies/d", ends[0].name, ends[1].name, "flow", port=5432)]
    )
    exported = ws.export_session(tmp_path, "Wave 2")
    assert exported.dependency_count == 1
    made = ws.import_session(exported)
    assert made.dependency_count == 1
    [found] = ws.wait(client.list_dependencies(made.name)).items
    assert (found.source_display_name, found.target_display_name, found.port) == ("web", "db", 5432)
    there = {asset.name: asset.display_name for asset in ws.wait(client.list_assets(made.name)).items}
    assert (there[found.source], there[found.target]) == ("web", "db")


def test_what_is_asked_for_becomes_the_session(sides: Sides, tmp_path: Path) -> None:
    """Its name, its id, its engagement, and whether it is current; lists have it at once."""
    ws, here, _ = sides
    exported = ws.export_session(tmp_path, here, on_progress=quiet)
    made = ws.import_session(str(exported.path), "Copy", session_id="copy", on_progress=quiet)
    assert (made.display_name, made.name) == ("Copy", f"{ws.engagement.name}/sessions/copy")
    assert ws.session.name != made.name
    assert "Copy" in named(ws)
    ws.wait(ws.client.create_engagement("Globex"))
    moved = ws.import_session(exported, engagement="Globex", switch=True, on_progress=quiet)
    assert (ws.session.name, ws.engagement.display_name) == (moved.name, "Globex")
    assert moved.display_name == "Here"
    assert ws.session.asset_count == 3


def test_lists_have_it_at_once(ws: Workspace, tmp_path: Path) -> None:
    """The selector's list, asked again, has the new session, and the engagement counts it."""

    def listed() -> list[str]:
        page = ask(ws.selector, "sessions", engagement=CONTOSO, offset=0, limit=100)
        return [item["label"] for item in page["items"]]

    exported = ws.export_session(tmp_path, "Wave 1", on_progress=quiet)
    assert (listed(), ws.engagement.session_count) == (["Baseline", "Wave 1", "Wave 2"], 3)
    ws.import_session(exported, on_progress=quiet)
    assert (listed(), ws.engagement.session_count) == (["Baseline", "Wave 1", "Wave 1 (2)", "Wave 2"], 4)


def test_a_file_that_is_there_is_not_lost(
    sides: Sides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused before anything is read, and kept where the export fails; `overwrite` replaces it."""
    ws, here, _ = sides
    file = tmp_path / "kept.zip"
    file.write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        ws.export_session(file, here, on_progress=quiet)
    assert file.read_text() == "mine"
    assert ws.export_session(file, here, overwrite=True, on_progress=quiet).asset_count == 3

    async def broken(_: str) -> AsyncGenerator[bytes, None]:
        yield file.read_bytes()[:200]

    whole = file.read_bytes()
    monkeypatch.setattr(ws.client, "export_session", broken)
    with pytest.raises(errors.Internal, match="export the session again"):
        ws.export_session(file, here, overwrite=True, on_progress=quiet)
    assert file.read_bytes() == whole
    assert not [*tmp_path.glob(".*.part")]


def test_a_file_that_comes_meanwhile_is_not_lost(ws: Workspace, tmp_path: Path) -> None:
    """Who else wrote it while the export went on keeps it."""
    file = tmp_path / "late.zip"

    def write(_: Progress) -> None:
        file.write_text("theirs")

    with pytest.raises(FileExistsError):
        asyncio.run(ws.aio.export_session(file, on_progress=write))
    assert file.read_text() == "theirs"
    assert [*tmp_path.iterdir()] == [file]


def test_an_interrupt_leaves_no_half_file(
    sides: Sides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted in the middle: what was begun goes, and what was there stays."""
    ws, here, _ = sides
    out = tmp_path / "out"
    out.mkdir()
    (out / "Here.mooring.zip").write_text("mine")
    stuck(ws, monkeypatch)
    begun: list[int] = []

    def interrupt(_: Progress) -> None:
        begun.append(len([*out.iterdir()]))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ws.export_session(out, here, overwrite=True, on_progress=interrupt)
    assert begun == [2]
    until(lambda: len([*out.iterdir()]) == 1)
    assert (out / "Here.mooring.zip").read_text() == "mine"


def test_an_interrupted_import_makes_no_session(ws: Workspace, client: FakeClient, tmp_path: Path) -> None:
    """Whoever interrupts the wait cancels the import."""
    exported = ws.export_session(tmp_path, "Wave 1", on_progress=quiet)
    before = named(ws)

    def interrupt(step: Progress) -> None:
        if step.phase == "queued":
            raise KeyboardInterrupt

    with client.hold("import_session"), pytest.raises(KeyboardInterrupt):
        ws.import_session(exported, on_progress=interrupt)
    assert named(ws) == before


def test_what_is_no_export_is_refused(sides: Sides, tmp_path: Path) -> None:
    """One that was altered anywhere, and an inventory: each says what to do, and nothing is made."""
    ws, here, _ = sides
    before = named(ws)
    exported = ws.export_session(tmp_path, here, on_progress=quiet)
    content = bytearray(exported.path.read_bytes())
    content[len(content) // 3] ^= 1
    altered = tmp_path / "altered.mooring.zip"
    altered.write_bytes(content)
    with pytest.raises(errors.InvalidArgument, match="altered since it was exported; export") as refusal:
        ws.import_session(altered, on_progress=quiet)
    assert refusal.value.reason == "UNREADABLE_SESSION"
    inventory = tmp_path / "estate.csv"
    inventory.write_text("hostname\nweb-1\n")
    with pytest.raises(errors.InvalidArgument, match="no exported session") as refusal:
        ws.import_session(inventory, on_progress=quiet)
    assert refusal.value.reason == "UNREADABLE_SESSION"
    with pytest.raises(FileNotFoundError):
        ws.import_session(tmp_path / "nowhere.zip", on_progress=quiet)
    assert named(ws) == before


def test_what_is_taken_is_said(sides: Sides, tmp_path: Path) -> None:
    """An id that is kept or given, and a name that is given; with `keep_ids` elsewhere the ids are kept."""
    ws, here, _ = sides
    exported = ws.export_session(tmp_path, here, on_progress=quiet)
    with pytest.raises(errors.AlreadyExists, match="is taken") as refusal:
        ws.import_session(exported, keep_ids=True, on_progress=quiet)
    assert refusal.value.reason == "ID_TAKEN"
    with pytest.raises(errors.AlreadyExists, match="There") as refusal:
        ws.import_session(exported, "There", on_progress=quiet)
    assert refusal.value.reason == "DISPLAY_NAME_TAKEN"
    globex = ws.wait(ws.client.create_engagement("Globex"))
    kept = ws.import_session(exported, keep_ids=True, engagement=globex, on_progress=quiet)
    assert kept.name == f"{globex.name}/sessions/{here.name.rpartition('/')[2]}"
    assert {*ws.at(kept).to_pandas().id} == {*ws.at(here).to_pandas().id}


def test_what_there_is_not_is_told_with_near_names(sides: Sides, tmp_path: Path) -> None:
    """A session, an engagement, a folder; nothing is written or sent."""
    ws, _, _ = sides
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(errors.NotFound, match="did you mean 'There'"):
        ws.export_session(out, "Ther", on_progress=quiet)
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"):
        ws.export_session(out / "nowhere" / "file.zip", on_progress=quiet)
    assert not [*out.iterdir()]
    with pytest.raises(errors.NotFound, match="no engagement of yours"):
        ws.import_session("x.zip", engagement="Nobody's", on_progress=quiet)
    with pytest.raises(TypeError, match="'keep_ids'"):
        ws.import_session("x.zip", keep_id=True)  # type: ignore[call-arg]


def test_who_awaits_has_the_same(sides: Sides, tmp_path: Path) -> None:
    """The async twins export and import, on whatever loop."""
    ws, here, _ = sides
    steps: list[Progress] = []

    async def walk() -> Session:
        exported = await ws.aio.export_session(tmp_path, here, on_progress=steps.append)
        return await ws.aio.import_session(exported, "Copy", switch=True, on_progress=steps.append)

    made = asyncio.run(walk())
    assert (made.display_name, made.asset_count) == ("Copy", 3)
    assert ws.session.name == made.name
    assert {"downloading", "uploading"} <= {step.phase for step in steps}


def test_a_file_is_called_as_its_session(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the current folder, without what no file name may have, and never too long."""
    monkeypatch.chdir(tmp_path)
    ws.rename("Wave 2", '../a:b "c"?')
    exported = ws.export_session(session='../a:b "c"?', on_progress=quiet)
    assert exported.path == tmp_path / "-a-b -c--.mooring.zip"
    assert os.fspath(exported) == str(exported.path)
    assert exported.name_of("...") == "session.mooring.zip"
    assert len(exported.name_of("ü" * 200).encode()) <= 255


@pytest.mark.parametrize(
    "example",
    [each for each in doctest.DocTestFinder().find(moves) if each.examples],
    ids=lambda each: each.name,
)
def test_the_examples_run(
    example: doctest.DocTest, ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every example of a docstring does what it says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mooring_widgets.workspace.progress._Line.__call__", lambda *_: None)
    example.globs.update(ws=ws)
    told: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=told.append)
    assert not told, "".join(told)

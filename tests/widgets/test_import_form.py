"""The form of a preview: columns chosen by hand, the import, what goes wrong and trying again."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from mooring_widgets import errors
from mooring_widgets.client import ImportReport
from mooring_widgets.testing import FakeClient
from mooring_widgets.workspace import Workspace
from mooring_widgets.workspace.import_form import ImportForm
from support_waiting import until
from support_widgets import ask, begin, refusal, shows
from support_workspace import WAVE_2


@pytest.fixture
def form(ws: Workspace, tmp_path: Path) -> ImportForm:
    """The form of a table with a column that is called otherwise."""
    file = tmp_path / "estate.csv"
    file.write_text("Box,Mem,Owner\nsrv-1,4,Ada\n")
    return ws.preview_inventory(file, session="Wave 2", columns={"Mem": ("memory_bytes", "mib")}).edit()


def test_it_shows_what_was_found(form: ImportForm) -> None:
    """Columns come with their fields, units as the list writes them, and samples."""
    columns = {column["name"]: column for column in form._state["columns"]}
    assert (columns["Mem"]["field"], columns["Mem"]["unit"]) == ("memory_bytes", "MiB")
    assert (columns["Owner"]["field"], columns["Owner"]["samples"]) == ("owner", "Ada")
    assert "MiB" in form._state["units"]["memory_bytes"]
    assert form._state["file"] == "estate.csv"
    assert "import estate.csv into Wave 2" in repr(form)


def test_it_imports_what_was_chosen(form: ImportForm, client: FakeClient) -> None:
    """Fields and units that were chosen by hand are those of the import; then its account is shown."""
    ask(
        form,
        "import.run",
        columns={"Box": ["hostname", ""], "Mem": ["memory_bytes", "GiB"], "Owner": ["", ""]},
        type="virtual_machine",
    )
    asset = client.service.assets[WAVE_2][0]
    assert (asset.hostname, asset.type, asset.memory_bytes) == ("srv-1", "virtual_machine", 4 * 2**30)
    assert asset.attributes == {"Owner": "Ada"}
    until(lambda: form._state["outcome"] is not None)
    assert form._state["outcome"]["equation"].startswith("1 row = 1 created")
    assert (form._state["doing"], form._state["progress"]) == ("", None)
    assert form.report is not None
    assert client.calls.count("upload_inventory") == 1


def test_a_failure_is_told_and_can_be_tried_again(form: ImportForm, client: FakeClient) -> None:
    """A refusal reaches the page with its words, and the same upload is imported by another try."""
    client.fail("import_upload", errors.Conflict("the session's data changed; import it again"))
    chosen = {"columns": {"Box": ["hostname", ""]}, "type": ""}
    assert refusal(form, "import.run", **chosen)["message"].startswith("the session's data changed")
    shows(form, doing="", failed="importing")
    assert form._state["error"]["message"].startswith("the session's data changed")
    assert form.report is None
    ask(form, "import.run", **chosen)
    assert client.service.assets[WAVE_2][0].hostname == "srv-1"


def test_another_kind_is_read_from_the_same_upload(form: ImportForm, client: FakeClient) -> None:
    """Choosing another kind or sheet previews the upload anew, without sending it again."""
    ask(form, "import.read", **{"as": "other", "sheet": ""})
    assert form.preview.options.kind == "other"
    assert client.calls.count("preview_inventory") == 2
    assert client.calls.count("upload_inventory") == 1


def test_choices_show_what_the_rows_become(form: ImportForm, client: FakeClient) -> None:
    """The first assets as they would be, with columns where they were put; the form stays as it was."""
    columns = form._state["columns"]
    assert form._state["sample"]["head"] == ["type", "owner", "memory bytes"]
    ask(form, "import.look", columns={"Box": ["hostname", ""]}, type="virtual_machine")
    until(lambda: "hostname" in form._state["sample"]["head"])
    assert form._state["sample"]["rows"][0][:3] == ["srv-1", "virtual_machine", "srv-1"]
    assert form._state["columns"] == columns
    assert client.calls.count("upload_inventory") == 1


def test_an_import_can_be_cancelled_from_any_page(form: ImportForm, client: FakeClient) -> None:
    """Nothing is changed then, which is said; the same upload can be imported after all."""
    chosen = {"columns": {"Box": ["hostname", ""]}, "type": ""}
    with client.hold("import_upload"):
        begin(form, "import.run", **chosen)
        until(lambda: "import_upload" in client.calls)
        shows(form, doing="importing")
        ask(form, "import.run", **chosen)  # of another page: it sees the one that is under way
        ask(form, "import.cancel")
        shows(form, doing="", progress=None, told="Cancelled: nothing was changed.", outcome=None)
    assert client.calls.count("import_upload") == 1
    assert client.service.assets.get(WAVE_2, []) == []
    ask(form, "import.run", **chosen)
    shows(form, doing="", told="")
    assert form._state["outcome"]["undoable"] is True


def test_what_cannot_be_asked_is_told_as_a_failure(form: ImportForm) -> None:
    """A page gets no answer to what it asked for but the form's state, so that says it too."""
    assert "hostnme" in refusal(form, "import.run", columns={"Box": ["hostnme", ""]}, type="")["message"]
    shows(form, doing="", failed="importing")
    assert "hostnme" in form._state["error"]["message"]


def test_a_report_comes_when_the_bar_goes(form: ImportForm) -> None:
    """No state shows both."""
    states: list[dict[str, Any]] = []
    form.observe(lambda change: states.append(change["new"]), "_state")
    ask(form, "import.run", columns={"Box": ["hostname", ""]}, type="")
    until(lambda: form._state["outcome"] is not None)
    assert not [state for state in states if state["outcome"] and (state["doing"] or state["progress"])]


def test_a_cancel_before_the_import_began_changes_nothing(form: ImportForm, client: FakeClient) -> None:
    """Also where it is not known yet what was there before."""
    with client.hold("list_imports"):
        begin(form, "import.run", columns={"Box": ["hostname", ""]}, type="")
        until(lambda: "list_imports" in client.calls)
        ask(form, "import.cancel")
        shows(form, doing="", told="Cancelled: nothing was changed.", outcome=None)
    assert "import_upload" not in client.calls


def test_an_import_that_was_through_before_it_was_cancelled_says_so(
    form: ImportForm, client: FakeClient, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told that nothing was changed where something was."""
    through = type(client).import_upload

    async def late(*args: Any, **kwargs: Any) -> ImportReport:
        await through(client, *args, **kwargs)
        await asyncio.sleep(60)
        raise AssertionError("it was to be cancelled")

    monkeypatch.setattr(client, "import_upload", late)
    begin(form, "import.run", columns={"Box": ["hostname", ""]}, type="")
    until(lambda: bool(client.service.imports.get(WAVE_2)))
    ask(form, "import.cancel")
    shows(form, doing="", told="It was through before it could be cancelled: see ws.imports().")


def test_an_import_can_be_undone(form: ImportForm, client: FakeClient) -> None:
    """The session shows again what it showed before, and the report says so."""
    ask(form, "import.run", columns={"Box": ["hostname", ""]}, type="")
    ask(form, "import.undo")
    until(lambda: (form._state["outcome"] or {}).get("undone"))
    assert client.service.assets[WAVE_2] == []
    assert form._state["outcome"]["undoable"] is False


def test_edits_since_are_lost_only_by_force(form: ImportForm, client: FakeClient) -> None:
    """Undoing over somebody's edits is refused first, with the reason that the page offers more for."""
    ask(form, "import.run", columns={"Box": ["hostname", ""]}, type="")
    client.service.set_assets(WAVE_2, [])
    assert refusal(form, "import.undo")["reason"] == "DATA_EDITED"
    shows(form, failed="undoing", doing="")
    assert form._state["error"]["reason"] == "DATA_EDITED"
    ask(form, "import.undo", force=True)
    until(lambda: (form._state["outcome"] or {}).get("undone"))
    assert form._state["error"] is None

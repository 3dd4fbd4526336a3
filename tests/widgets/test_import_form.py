"""The form of a preview: columns chosen by hand, the import, what goes wrong and trying again."""

from pathlib import Path

import pytest
from mooring_widgets import errors
from mooring_widgets.testing import FakeClient
from mooring_widgets.workspace import Workspace
from mooring_widgets.workspace.import_form import ImportForm
from support_waiting import until
from support_widgets import ask, refusal
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
    assert form._state["progress"] is None
    assert form.report is not None
    assert client.calls.count("upload_inventory") == 1


def test_a_failure_is_told_and_can_be_tried_again(form: ImportForm, client: FakeClient) -> None:
    """A refusal reaches the page with its words, and the same upload is imported by another try."""
    client.fail("import_upload", errors.Conflict("the session's data changed; import it again"))
    chosen = {"columns": {"Box": ["hostname", ""]}, "type": ""}
    assert refusal(form, "import.run", **chosen)["message"].startswith("the session's data changed")
    assert form.report is None
    ask(form, "import.run", **chosen)
    assert client.service.assets[WAVE_2][0].hostname == "srv-1"


def test_another_kind_is_read_from_the_same_upload(form: ImportForm, client: FakeClient) -> None:
    """Choosing another kind or sheet previews the upload anew, without sending it again."""
    ask(form, "import.read", **{"as": "other", "sheet": ""})
    assert form.preview.options.kind == "other"
    assert client.calls.count("preview_inventory") == 2
    assert client.calls.count("upload_inventory") == 1

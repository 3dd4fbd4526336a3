"""The written reference: whole, and its links lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from apidoc import general, markdown
from mooring.v1 import errors_pb2
from mooring_server.core.policy import POLICY
from mooring_server.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {file.name: file.read_text("utf-8") for file in (DOCS / "api").glob("*.md")}


def anchors(text):
    """The anchors of a page's headings, as code hosts make them."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def links(text):
    """Where a page's links lead to, outside its code."""
    prose = re.sub(r"^```.*?^```|`[^`]*`", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"\]\(([^)\s]+)\)", prose)


@pytest.mark.parametrize(
    "file", [*(DOCS / "api").glob("*.md"), DOCS / "stubs.md"], ids=lambda file: file.name
)
def test_links_lead_to_headings(file):
    """Each link to a file has a file there, each to a heading a heading."""
    for link in links(file.read_text("utf-8")):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (file.parent / name).resolve() if name else file
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), link


@pytest.mark.parametrize("name", PAGES)
def test_anchors_are_stable(name):
    """No heading is there twice, so that none gets a number that moves."""
    found = anchors(PAGES[name])
    assert len(found) == len(set(found))


@pytest.mark.parametrize("rpc", POLICY)
def test_every_rpc_is_explained(rpc):
    """An RPC has a section with its paths, its role, its request, an answer and an example."""
    name = rpc.rpartition("/")[2]
    (section,) = (
        found
        for text in PAGES.values()
        for found in re.findall(rf"^## {name}\n(.*?)(?=^## |\Z)", text, re.S | re.M)
    )
    for part in (
        "| REST |",
        "| who may |",
        "| token |",
        "| changes |",
        "**Request:",
        "**Answer:",
        "**Example",
    ):
        assert part in section, part
    assert section.count("```python") == section.count("is answered with") >= 1


def test_every_reason_is_explained():
    """The page of errors has each reason of the API once."""
    reasons = [
        name.removeprefix("ERROR_REASON_") for name, number in errors_pb2.ErrorReason.items() if number
    ]
    rows = re.findall(r"^\| `(\w+)` \|", PAGES["errors.md"], re.MULTILINE)
    assert sorted(rows) == sorted(reasons)


def test_every_limit_is_listed():
    """The page of limits has each setting that is a number or a rate, with the unit of its name."""
    rows = dict(re.findall(r"^\| `(\w+)` \| `MOORING_\w+` \| (.*?) \|", PAGES["limits.md"], re.MULTILINE))
    numbers = {
        name
        for name, field in Settings.model_fields.items()
        if (field.annotation in (int, float) and name != "port") or name.endswith("_rate")
    }
    assert rows.keys() == numbers
    assert rows["message_size_max_bytes"] == "`8388608` (8 MiB)"
    assert rows["heartbeat_s"] == "`5.0` s"
    assert rows["request_id_keep_s"] == "`86400` (1 d)"


def test_commands_are_what_they_are_said_to_be(tmp_path):
    """The commands on the pages can be typed as they stand."""
    commands = [line[2:] for text in PAGES.values() for line in text.splitlines() if line.startswith("$ ")]
    shown = ""
    for command in commands:
        program, *arguments = shlex.split(command, comments=True)
        assert program == "mooring"
        plain = {name: value for name, value in os.environ.items() if not name.startswith("MOORING_")}
        result = subprocess.run(
            [sys.executable, "-m", "mooring_server", *arguments],
            env=plain | {"MOORING_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert result.returncode == 0, result.stderr
        shown += result.stdout
    assert re.search(r"\bmrg_\w{49}\b", shown)


def test_a_part_without_a_place_is_noticed():
    """A page's prose must have a place for all that is filled in, and nothing that is not."""
    with pytest.raises(ValueError, match="no place for surplus"):
        general.filled("limits.md", rates="", numbers="", surplus="")
    with pytest.raises(KeyError):
        general.filled("limits.md", rates="")


def test_refusals_become_a_list():
    """A comment's sentence about status codes is parted where the next code begins, and nowhere else."""
    text = "ABORTED for a stale etag (read it; then try again); NOT_FOUND for an absent one."
    assert markdown.refusals(text).splitlines() == [
        "- [ABORTED](errors.md#aborted) for a stale etag (read it; then try again)",
        "- [NOT_FOUND](errors.md#not_found) for an absent one",
    ]

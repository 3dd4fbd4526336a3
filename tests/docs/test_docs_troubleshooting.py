"""`docs/troubleshooting.md` has whatever somebody may have to look up."""

import re
from pathlib import Path

import mooring_widgets.errors
import pytest
from mooring.v1 import errors_pb2
from mooring_widgets.bridge import HINTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
SOURCES = ROOT / "widgets" / "js" / "src"
REASONS = [
    name.removeprefix("ERROR_REASON_")
    for name, number in errors_pb2.ErrorReason.items()
    if number != errors_pb2.ERROR_REASON_UNSPECIFIED
]


def sentences(text: str) -> list[str]:
    """The texts of a piece of TypeScript that are said to people: sentences, not names."""
    return [found for found in re.findall(r'"([^"\n]+)"', text) if found.endswith(".") and " " in found]


def notices() -> list[str]:
    """What the front end says when something is wrong, and its hints."""
    texts = (SOURCES / "notice.ts").read_text("utf-8")
    for path in SOURCES.glob("*.ts"):
        source = path.read_text("utf-8")
        # A hint of one notice alone, given where it is shown.
        texts += "".join(re.findall(r"notice\.show\((?:[^;]*?);", source, re.DOTALL))
        texts += "".join(re.findall(r"const (?:UPLOAD_GONE|NO_RIGHT)[^;]*;", source))
    return sorted({*sentences(texts), *filter(None, HINTS.values())})


@pytest.mark.parametrize("reason", [*REASONS, "SUPERSEDED"])
def test_every_reason_has_its_row(reason: str) -> None:
    """With the class that it is raised as, why, and what to do."""
    [row] = re.findall(rf"^\| `{reason}` \| `(\w+)` \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert issubclass(getattr(mooring_widgets.errors, row[0]), mooring_widgets.errors.MooringError)


def test_no_row_is_of_a_reason_that_there_is_not() -> None:
    """A reason that went is not looked up any more."""
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE)) == {*REASONS, "SUPERSEDED"}


def test_the_server_gives_no_other_reason() -> None:
    """What the code raises is in the API, and so on the page."""
    sources = (ROOT / "server" / "mooring_server").rglob("*.py")
    raised = {each for path in sources for each in re.findall(r'reason="([A-Z_]+)"', path.read_text("utf-8"))}
    assert len(raised) > 20
    assert raised <= set(REASONS)


@pytest.mark.parametrize("words", notices())
def test_every_notice_is_told(words: str) -> None:
    """The very words of each banner and hint stand on the page, so that they are found."""
    assert words in PAGE


def test_the_page_looks_at_all_notices() -> None:
    """The banner's, the hints', and the one of a session that is gone."""
    assert len(notices()) > 15


@pytest.mark.parametrize("link", re.findall(r"\]\(([\w/.-]+\.md)\)", PAGE))
def test_links_lead_somewhere(link: str) -> None:
    """The pages that it sends to are there."""
    assert (ROOT / "docs" / link).exists()

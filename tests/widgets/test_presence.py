"""Whether anybody looks."""

from collections.abc import Callable

import pytest
from mooring_widgets.selector import Selector
from mooring_widgets.workspace import Workspace
from mooring_widgets.workspace.presence import Presence
from support_widgets import ask


class Pages:
    """A presence, its clock, and what its listeners heard."""

    def __init__(self) -> None:
        self.now = 100.0
        self.presence = Presence(lambda: self.now)
        self.told: list[bool] = []
        self.presence.subscribe(self.told.append)

    def heard(self, page: str, visible: bool, after_s: float = 1.0) -> None:
        self.now += after_s
        self.presence.heard(page, visible=visible)


@pytest.fixture
def pages() -> Pages:
    return Pages()


def test_pages_that_are_seen_all_along_tell_nothing(pages: Pages) -> None:
    """The usual heartbeat of a visible page is no news."""
    assert pages.presence.looking
    for _ in range(30):
        pages.heard("a", visible=True)
    assert pages.told == []


def test_the_last_hidden_page_and_the_first_seen_one_are_told(pages: Pages) -> None:
    """Nobody looks when every page is hidden; one that is seen is enough."""
    pages.heard("a", visible=True)
    pages.heard("b", visible=True)
    pages.heard("a", visible=False)
    assert pages.presence.looking
    pages.heard("b", visible=False)
    pages.heard("a", visible=False)
    pages.heard("b", visible=True)
    assert pages.told == [False, True]


def test_a_page_that_slept_is_told_when_it_wakes(pages: Pages) -> None:
    """After a long silence of all pages the next heartbeat is somebody looking again."""
    pages.heard("a", visible=True)
    pages.heard("a", visible=True, after_s=3_600)
    assert pages.told == [True]


def test_a_page_that_crashed_does_not_look_for_ever(pages: Pages) -> None:
    """A page that was never said to be hidden counts for ten seconds."""
    pages.heard("crashed", visible=True)
    pages.heard("b", visible=True, after_s=6)
    pages.heard("b", visible=False, after_s=6)
    assert pages.told == [False]


def test_a_broken_listener_hides_nothing(pages: Pages, caplog: pytest.LogCaptureFixture) -> None:
    """One that raises is logged, and the others hear."""
    heard: list[bool] = []
    fails: Callable[[bool], None] = lambda _: 1 / 0  # type: ignore[assignment,return-value]  # noqa: E731
    pages.presence.subscribe(fails)
    pages.presence.subscribe(heard.append)
    pages.heard("a", visible=False)
    assert heard == [False]
    assert "a listener of the pages failed" in caplog.text


def test_every_widget_passes_its_heartbeat_on(ws: Workspace) -> None:
    """A ping is answered by every widget, and tells whether its page can be seen."""
    selector = Selector(ws)
    assert ask(selector, "ping", page="p", visible=True) == {}
    ask(selector, "ping", page="p", visible=False)
    assert not ws.presence.looking
    ask(selector, "ping", page="p", visible=True)
    assert ws.presence.looking

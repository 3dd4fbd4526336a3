"""A twin of the service for one scene, and what a scene is."""

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mooring_widgets.client import Asset, Dependency
from mooring_widgets.errors import MooringError, PermissionDenied
from mooring_widgets.testing import FakeClient, FakeService, demo_assets, settled, workspace
from playwright.sync_api import Locator, expect

BASELINE = "engagements/contoso/sessions/baseline"
WAVE = "engagements/contoso/sessions/wave-1"
LONG = "a-new-machine-with-a-name-that-is-much-longer-than-anybody-would-expect-it-to-be"
REFUSED = PermissionDenied("you have no access to engagements/contoso")


def gallery_service() -> FakeService:
    """An engagement with long names, many sessions, one of each kind."""
    service = FakeService()
    contoso = service.add_engagement("contoso", "Contoso")
    service.add_session(contoso.name, "Wave 1", description="What moves first")
    service.add_session(contoso.name, "Wave 2")
    service.add_session(contoso.name, "A name that is much longer than the place that there is for it " * 2)
    for number in range(3, 203):
        service.add_session(contoso.name, f"Wave {number}")
    service.add_engagement("fabrikam", "Fabrikam")
    service.add_assets(BASELINE, assets(BASELINE, 60))
    service.add_assets(WAVE, assets(WAVE, 3))
    ends = [asset.name for asset in service.assets[BASELINE]]
    service.add_dependencies(
        BASELINE,
        [
            Dependency(f"{BASELINE}/dependencies/d{index}", source, target, "flow", protocol="tcp", port=443)
            for index, (source, target) in enumerate(itertools.pairwise(ends))
        ],
    )
    return service


def assets(session: str, count: int) -> list[Asset]:
    """Assets of which not everything is known."""
    return demo_assets(session, count)


class Stage:
    """A twin and its workspace, for one scene."""

    def __init__(self) -> None:
        self.client = FakeClient(gallery_service())
        self.service = self.client.service
        self.ws = workspace(self.client)
        self._held = contextlib.ExitStack()

    def hold(self, method: str) -> None:
        """Calls of a method wait until the scene ends."""
        self._held.enter_context(self.client.hold(method))

    def fail(self, method: str, error: MooringError = REFUSED) -> None:
        """Calls of a method are refused until the scene ends."""
        self.client.fail(method, error, times=1000)

    def refresh(self, view: Any) -> Any:
        """Has everything fetched anew, after it was shown."""
        settled(view)
        self.ws.queries.invalidate_queries(())
        return view

    def close(self) -> None:
        """Lets go of everything."""
        self._held.close()
        self.ws.close()


def nothing(root: Locator) -> None:
    """What a person does who only looks."""


@dataclass(frozen=True)
class Scene:
    """One state of one widget.

    Attributes:
        show: What stands at the end of the cell.
        act: What a person does to the widget, `.mooring`; it waits until that can be seen.
    """

    show: Callable[[Stage], Any]
    act: Callable[[Locator], None] = nothing


def says(text: str, role: str | None = None) -> Callable[[Locator], None]:
    """Waits for a text, in an element of a role."""

    def wait(root: Locator) -> None:
        where = root if role is None else root.get_by_role(role).filter(has_text=text).first
        expect(where).to_contain_text(text)

    return wait


class FakeClientCalls:
    """What somebody else does meanwhile."""

    def __init__(self, stage: Stage) -> None:
        self._other = FakeClient(stage.service)
        self._ws = stage.ws

    def delete(self, session: str) -> None:
        """Deletes a session."""
        self._ws.wait(self._other.delete_session(session))

    def rename(self, session: str, display_name: str) -> None:
        """Renames a session."""
        self._ws.wait(self._other.update_session(session, display_name=display_name))


def stale_error(view: Callable[[Stage], Any], method: str) -> Callable[[Stage], Any]:
    def show(stage: Stage) -> Any:
        shown = view(stage)
        settled(shown)
        stage.fail(method)
        return stage.refresh(shown)

    return show


def held(view: Callable[[Stage], Any], method: str, *, after: bool = False) -> Callable[[Stage], Any]:
    """Loading, or refreshing where it was shown before."""

    def show(stage: Stage) -> Any:
        if not after:
            stage.hold(method)
            return view(stage)
        shown = view(stage)
        settled(shown)
        stage.hold(method)
        stage.ws.queries.invalidate_queries(("discovery",))
        return shown

    return show


def failing(view: Callable[[Stage], Any], method: str) -> Callable[[Stage], Any]:
    def show(stage: Stage) -> Any:
        stage.fail(method)
        return view(stage)

    return show

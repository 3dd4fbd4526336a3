"""Views of a session: of the current one, or pinned to another for comparison side by side."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

from mooring_widgets.client import Session

if TYPE_CHECKING:
    import pandas as pd

    from mooring_widgets.views import DiscoveryTable, LandscapeView, UserView
    from mooring_widgets.workspace.workspace import Workspace


class Discovery:
    """A session's assets: call it for a table, or take the data frame."""

    def __init__(self, ws: "Workspace", pinned: str | None = None) -> None:
        self._ws = ws
        self._pinned = pinned

    def __call__(self) -> "DiscoveryTable":
        """A table of any length, which follows the session."""
        from mooring_widgets.views import DiscoveryTable

        return DiscoveryTable(self._ws, pinned=self._pinned)

    def to_pandas(self) -> "pd.DataFrame":
        """All assets as a data frame of your own: a row an asset, a column a field.

        Texts are strings (empty: not known), `cpu_cores` is Float64, `memory_bytes` and `storage_bytes` are
        Int64 (NA: not known), `attributes` holds a dict of the source's other columns. It is of one data
        version, and fetched once while that is the session's.
        """
        return self._ws.wait(self._ws.work.discovery(self._pinned))


class Views:
    """What can be shown of a session."""

    def __init__(self, ws: "Workspace", pinned: str | None = None) -> None:
        self._ws = ws
        self._pinned = pinned
        self.discovery = Discovery(ws, pinned)

    def landscape(self) -> "LandscapeView":
        """Totals by type, environment, operating system, location and status."""
        from mooring_widgets.views import LandscapeView

        return LandscapeView(self._ws, pinned=self._pinned)

    @overload
    def view(self, fn: Callable[..., Any], /) -> "UserView": ...

    @overload
    def view(self, /, *, stale_time: float = 0) -> Callable[[Callable[..., Any]], "UserView"]: ...

    def view(self, fn: Callable[..., Any] | None = None, /, *, stale_time: float = 0) -> Any:
        """Makes a function a view that follows the session; its arguments name the queries that it needs.

        Args:
            fn: For use without parentheses.
            stale_time: How many seconds an output stays good while its queries do.
        """
        from mooring_widgets.views import UserView

        def decorate(function: Callable[..., Any]) -> "UserView":
            return UserView(self._ws, function, stale_time=stale_time, pinned=self._pinned)

        return decorate if fn is None else decorate(fn)


class Pinned(Views):
    """The views of one session, whatever is current."""

    def __init__(self, ws: "Workspace", session: Session) -> None:
        super().__init__(ws, session.name)
        self._found = session

    @property
    def session(self) -> Session:
        """The session, as it is now."""
        return self._ws.wait(self._ws.work.session(self._found.name))

    def __repr__(self) -> str:
        return f"<pinned to {self._found.display_name!r}>"

"""What every dependent view does: observe the session's queries, and show nothing of another session."""

from collections.abc import Mapping
from typing import Any

from mooring_widgets import queries
from mooring_widgets.bridge import Handler, failure
from mooring_widgets.client import Session, id_of
from mooring_widgets.context import ContextState
from mooring_widgets.query import QueryObserver, QueryOptions
from mooring_widgets.surface import Host, Surface

Options = QueryOptions[Any, Any]


class DependentView(Surface):
    """A view of the current session, or of a pinned one.

    Whatever is sent to the front end carries the session and the epoch of the switch that it belongs to.
    Only results of the present epoch are sent, and the front end drops what an older one had on its way.
    """

    def __init__(
        self,
        host: Host,
        view: str,
        title: str,
        pinned: str | None,
        *,
        handlers: Mapping[str, Handler] | None = None,
        **state: Any,
    ) -> None:
        self._pinned = pinned
        self._title = title
        self._epoch, self._session = self._place(host.current.state)
        self._observers = {
            name: QueryObserver(host.queries, options)
            for name, options in self._all_needs(host, self._session).items()
        }
        shown = {
            "epoch": self._epoch,
            "session": self._session,
            "session_label": "",
            "title": title,
            "refreshing": False,
        }
        handlers = {"retry": self._answer_retry, **(handlers or {})}
        super().__init__(host, handlers, shown | self._blank() | state, _view=view)
        self._start(self._begin)

    # What each view says for itself

    def _needs(self, host: Host, session: str) -> dict[str, Options]:
        """The queries that the view is made from, by name."""
        raise NotImplementedError

    def _picture(self, data: dict[str, Any]) -> dict[str, Any]:
        """What to show when every query has data, which is given by the queries' names."""
        raise NotImplementedError

    def _blank(self) -> dict[str, Any]:
        """What to show while there is nothing of this session."""
        raise NotImplementedError

    # All of this on the loop

    def _begin(self) -> None:
        for observer in self._observers.values():
            self._ended.append(observer.subscribe(lambda result: self._paint()))
        if self._pinned is None:
            self._ended.append(self._host.current.subscribe(self._on_context))
        self._on_context(self._host.current.state)

    def _on_context(self, state: ContextState) -> None:
        before = self._session
        self._epoch, self._session = self._place(state)
        if self._session != before:
            for name, options in self._all_needs(self._host, self._session).items():
                self._observers[name].set_options(options)
        self._paint()

    def _paint(self) -> None:
        if (self._epoch, self._session) != self._place(self._host.current.state):
            return  # a switch is about to be told; what is here belongs to the session before
        results = {name: observer.get_current_result() for name, observer in self._observers.items()}
        session: Session | None = results.pop("of").data
        error = next((result.error for result in results.values() if result.error is not None), None)
        here = all(result.data is not None for result in results.values())
        shown: dict[str, Any] = {"status": "ready", "error": None}
        shown["refreshing"] = here and any(result.is_fetching for result in results.values())
        shown |= (
            self._picture({name: result.data for name, result in results.items()})
            if here
            else self._blank() | {"status": "loading"}
        )
        if error is not None:
            shown |= {"status": "error", "error": failure(error)}
        label = session.display_name if session else id_of(self._session) if error else ""
        self._show(epoch=self._epoch, session=self._session, session_label=label, **shown)

    def _place(self, state: ContextState) -> tuple[int, str]:
        return (0, self._pinned) if self._pinned is not None else (state.epoch, state.session_id)

    def _all_needs(self, host: Host, session: str) -> dict[str, Options]:
        return {"of": queries.session(host.client, session), **self._needs(host, session)}

    async def _answer_retry(self, _: Mapping[str, Any]) -> dict[str, Any]:
        for observer in self._observers.values():
            if observer.get_current_result().is_error:
                observer.refetch()
        return {}

    def _plain(self) -> str:
        session = self._observers["of"].get_current_result().data
        return f"{self._title} of session {session.display_name if session else id_of(self._session)}"


def label_of(name: str) -> str:
    """`virtual_machine` as people read it."""
    return name.replace("_", " ").capitalize()

"""What every dependent view does: observe the session's queries, and show nothing of another session."""

import logging
from collections.abc import Mapping
from typing import Any

from mooring_widgets import queries
from mooring_widgets.bridge import Handler, failure
from mooring_widgets.client import id_of
from mooring_widgets.context import ContextState
from mooring_widgets.errors import Unavailable
from mooring_widgets.query import QueryObserver, QueryOptions, QueryResult
from mooring_widgets.surface import Host, Surface

_log = logging.getLogger(__name__)

Options = QueryOptions[Any, Any]


class DependentView(Surface):
    """A view of the current session, or of a pinned one.

    Whatever is sent to the front end carries the session and the epoch of the switch that it belongs to.
    Only results of the present epoch are sent, and the front end drops what an older one had on its way.
    Loading, empty, stale and failed are told here, for every view the same: one only says what it needs and
    how it looks.
    """

    def __init__(
        self,
        host: Host,
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
            "workspace": "" if pinned else host.id,
            "session": self._session,
            "session_label": "",
            "title": title,
            "refreshing": False,
        }
        handlers = {"retry": self._answer_retry, **(handlers or {})}
        super().__init__(host, handlers, shown | self._blank() | state)
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

    def _whose(self, host: Host, session: str) -> Options:
        """The query of what all of it is about, whose key begins with its kind and ends with its name."""
        return queries.session(host.client, session)

    # All of this on the loop

    def _begin(self) -> None:
        for observer in self._observers.values():
            self._ended.append(observer.subscribe(lambda result: self._paint()))
        self._ended.append(self._host.feed.subscribe(lambda live: self._paint()))
        if self._pinned is None:
            self._ended.append(self._host.current.subscribe(self._on_context))
        self._on_context(self._host.current.state)

    def _on_context(self, state: ContextState) -> None:
        before = self._session
        self._epoch, self._session = self._place(state)
        if self._session != before:
            self._observe()
        self._paint()

    def _observe(self) -> None:
        """Follows what it needs now, and lets go of what it needed before."""
        for name, options in self._all_needs(self._host, self._session).items():
            self._observers[name].set_options(options)

    def _paint(self) -> None:
        if (self._epoch, self._session) != self._place(self._host.current.state):
            return  # a switch is about to be told; what is here belongs to the session before
        try:
            shown = self._painted()
        except Exception as error:  # who calls this tells nobody
            _log.exception("the view %r could not be painted", self._title)
            shown = self._blank() | {"status": "error", "error": failure(error), "refreshing": False}
        self._show(epoch=self._epoch, session=self._session, **shown)

    def _painted(self) -> dict[str, Any]:
        results = {name: observer.get_current_result() for name, observer in self._observers.items()}
        owner = results.pop("of")
        errors = (result.error or away(result) for result in results.values())
        error = next((error for error in errors if error is not None), None)
        here = all(result.data is not None for result in results.values())
        shown: dict[str, Any] = {"status": "ready", "error": None}
        needs = self._all_needs(self._host, self._session).values()
        shown["as_of"] = self._host.feed.as_of(*(options.query_key for options in needs))
        shown["refreshing"] = here and any(result.is_fetching for result in results.values())
        shown |= (
            self._picture({name: result.data for name, result in results.items()})
            if here
            else self._blank() | {"status": "loading"}
        )
        if error is not None:
            shown |= {"status": "error", "error": failure(error)}
        label = owner.data.display_name if owner.data else self._named()[1] if error else ""
        return shown | {"session_label": label}

    def _place(self, state: ContextState) -> tuple[int, str]:
        return (0, self._pinned) if self._pinned is not None else (state.epoch, state.session_id)

    def _all_needs(self, host: Host, session: str) -> dict[str, Options]:
        return {"of": self._whose(host, session), **self._needs(host, session)}

    async def _answer_retry(self, _: Mapping[str, Any]) -> dict[str, Any]:
        for observer in self._observers.values():
            result = observer.get_current_result()
            # Also where the next try is only waited for: whoever asks wants it now.
            if result.is_error or away(result):
                observer.refetch()
        self._paint()
        return {}

    def _plain(self) -> str:
        kind, id_ = self._named()
        owner = self._observers["of"].get_current_result().data
        return f"{self._title} of {kind} {owner.display_name if owner else id_}"

    def _named(self) -> tuple[str, str]:
        kind, *_, name = self._whose(self._host, self._session).query_key
        return str(kind), id_of(str(name))


def away(result: QueryResult[Any]) -> Exception | None:
    """Why there is nothing to show yet, where trying again goes on: nobody should wait for that to end."""
    reason = result.failure_reason
    return reason if result.data is None and isinstance(reason, Unavailable) else None


def label_of(name: str) -> str:
    """`virtual_machine` as people read it."""
    return name.replace("_", " ").capitalize()

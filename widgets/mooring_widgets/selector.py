"""The selector: which engagement and session are current, choosing others, and how things stand."""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import traitlets

from mooring_widgets import queries, session_lists
from mooring_widgets.bridge import failure
from mooring_widgets.client import Session, id_of
from mooring_widgets.context import ContextState
from mooring_widgets.errors import NotFound, Superseded, Unavailable
from mooring_widgets.form import form_handlers
from mooring_widgets.query import QueryObserver
from mooring_widgets.staleness import stream_keys
from mooring_widgets.surface import Host, Surface

_log = logging.getLogger(__name__)

PAGE_SIZE = 100


class Selector(Surface, view="selector"):
    """Engagement and session, side by side. A DOMWidget: it works in a VBox, with link and observe.

    Writing a trait switches, from Python and from the front end alike; a refused switch puts the old names
    back and says why. Observers run on a thread of their own and may use the workspace.

    Attributes:
        engagement_id: The current engagement's full name, `engagements/{engagement}`. Synced.
        session_id: The current session's full name, `engagements/{engagement}/sessions/{session}`. Synced.
        compared_ids: The full names of the sessions that are marked for comparison, for `ws.at`. Synced.
    """

    engagement_id = traitlets.Unicode().tag(sync=True)
    session_id = traitlets.Unicode().tag(sync=True)
    compared_ids: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, host: Host) -> None:
        """Show what is current in a workspace."""
        state = host.current.state
        ask = host.queries
        self._epoch = state.epoch
        self._switch_error: Exception | None = None
        self._was_live = host.feed.live
        self._observer_error: Exception | None = None
        self._writing: ContextState | None = None
        self._follow_lock = threading.Lock()
        self._following = self._follow_again = False
        self._engagement = QueryObserver(ask, queries.engagement(host.client, state.engagement_id))
        self._session = QueryObserver(ask, queries.session(host.client, state.session_id))
        self._engagements = QueryObserver(ask, queries.engagements(host.client, 0, PAGE_SIZE))
        self._sessions = QueryObserver(ask, queries.sessions(host.client, state.engagement_id, 0, PAGE_SIZE))
        # Only fetched anew once a list that shows them was opened.
        self._shortcuts = QueryObserver(
            ask, replace(queries.shortcuts(host.client, state.engagement_id), enabled=False)
        )
        self._compared: dict[str, tuple[QueryObserver[Session, Session], Callable[[], None]]] = {}
        handlers = {
            "engagements": self._answer_engagements,
            "sessions": self._answer_sessions,
            "select": self._answer_select,
            "select_engagement": self._answer_select_engagement,
            "refresh": self._answer_refresh,
            "shortcuts": self._answer_shortcuts,
            "pin": self._answer_pin,
            "place": self._answer_place,
            "compare": self._answer_compare,
            "undelete": self._answer_undelete,
            "unarchive": self._answer_unarchive,
        }
        super().__init__(
            host,
            handlers | form_handlers(host),
            {
                "workspace": host.id,
                "connection": "connecting",
                "engagement": None,
                "session": None,
                "compared": [],
                "lists": 0,
                "shortcuts": 0,
            },
            engagement_id=state.engagement_id,
            session_id=state.session_id,
        )
        self.observe(self._on_trait, ["engagement_id", "session_id"])
        self.observe(lambda _: self._host.run(self._follow_compared()), "compared_ids")
        self._start(self._begin)

    # What is shown; all of it on the loop

    def _begin(self) -> None:
        self._ended += [
            self._host.current.subscribe(self._on_context),
            self._host.feed.subscribe(lambda live: self._paint()),
            *(
                observer.subscribe(lambda result: self._paint())
                for observer in (
                    self._engagement,
                    self._session,
                    self._engagements,
                    self._sessions,
                    self._shortcuts,
                )
            ),
            self._let_go_of_compared,
        ]
        self._on_context(self._host.current.state)

    def _on_context(self, state: ContextState) -> None:
        client = self._host.client
        self._epoch = state.epoch
        self._switch_error = state.error
        self._engagement.set_options(queries.engagement(client, state.engagement_id))
        self._session.set_options(queries.session(client, state.session_id))
        self._sessions.set_options(queries.sessions(client, state.engagement_id, 0, PAGE_SIZE))
        self._observe_shortcuts(self._shortcuts.enabled)
        self._paint()
        self._follow()

    def _observe_shortcuts(self, enabled: bool) -> None:
        options = queries.shortcuts(self._host.client, self._host.current.state.engagement_id)
        self._shortcuts.set_options(replace(options, enabled=enabled))

    def _paint(self) -> None:
        state = self._host.current.state
        if state.epoch != self._epoch:
            return  # the context's own news is about to come, and what is here is of another session
        engagement = self._engagement.get_current_result()
        session = self._session.get_current_result()
        lists = [
            observer.get_current_result().data_updated_at for observer in (self._engagements, self._sessions)
        ]
        error = session.error or engagement.error or self._switch_error or self._observer_error
        gone = isinstance(session.error, NotFound)
        if state.pending:
            status = "pending"
        elif gone:
            status = "gone"
        elif session.data is None and error is None:
            status = "loading"
        else:
            status = "ready" if error is None else "error"
        self._show(
            epoch=state.epoch,
            status=status,
            error=self._told(error) if status == "error" and error else None,
            connection=self._connection(session.failure_reason),
            engagement=None if engagement.data is None else session_lists.engagement_row(engagement.data),
            session=self._shown_session(state.session_id, session.data),
            compared=[
                {
                    "name": name,
                    "label": getattr(observer.get_current_result().data, "display_name", id_of(name)),
                }
                for name, (observer, _) in self._compared.items()
            ],
            # Apart: a switch is a visit, which leaves the lists as they are.
            lists=sum(lists),
            shortcuts=self._shortcuts.get_current_result().data_updated_at,
        )

    def _told(self, error: Exception) -> dict[str, Any]:
        return failure(error, "ObserverError" if error is self._observer_error else "")

    def _shown_session(self, name: str, session: Session | None) -> dict[str, Any] | None:
        """The session, if need be as the list has it: so it has a label before it was asked for."""
        if session is None:
            page = self._sessions.get_current_result().data
            session = next((listed for listed in page.items if listed.name == name), None) if page else None
        known = session or Session(name, id_of(name))
        return session_lists.session_row(known, session_lists.user_of(self._host)) if name else None

    def _connection(self, failure_reason: Exception | None) -> str:
        if self._host.feed.live:
            self._was_live = True
            return "live"
        return "disconnected" if self._was_live or isinstance(failure_reason, Unavailable) else "connecting"

    # The traits

    @traitlets.validate("engagement_id", "session_id")
    def _full_name(self, proposal: dict[str, Any]) -> str:
        kind = "session" if proposal["trait"].name == "session_id" else "engagement"
        parts = proposal["value"].split("/")
        if parts[::2] != (["engagements", "sessions"] if kind == "session" else ["engagements"]):
            raise traitlets.TraitError(f"{proposal['value']!r} is no full {kind} name; ws.switch() takes any")
        return str(proposal["value"])

    def _on_trait(self, change: dict[str, Any]) -> None:
        if self._writing is not None and change["new"] == getattr(self._writing, change["name"]):
            return  # our own write, of what the server has confirmed
        state = self._host.current.state
        if change["name"] == "session_id" and change["new"] != state.session_id:
            self._host.current.switch(change["new"])
        elif change["name"] == "engagement_id" and change["new"] != state.engagement_id:
            self._host.run(self._switch_engagement_by_trait(change["new"]))

    @traitlets.validate("compared_ids")
    def _session_names(self, proposal: dict[str, Any]) -> list[str]:
        names = list(dict.fromkeys(proposal["value"]))
        for name in names:
            if name.split("/")[::2] != ["engagements", "sessions"]:
                raise traitlets.TraitError(f"{name!r} is no full session name; ws.at() takes any")
        return names

    def _write_compared(self, names: Sequence[str]) -> None:
        try:
            self.compared_ids = list(names)
        except traitlets.TraitError:
            raise
        except Exception as error:  # of a user's observer
            self._observer_error = error
            _log.exception("an observer of compared_ids failed")
            self._host.run(self._repaint())

    async def _follow_compared(self) -> None:
        """Keeps the names of what is compared true."""
        before, self._compared = self._compared, {}
        for name in self.compared_ids:
            if name in before:
                self._compared[name] = before.pop(name)
                continue
            observer = QueryObserver(self._host.queries, queries.session(self._host.client, name))
            self._compared[name] = (observer, observer.subscribe(lambda _: self._paint()))
        for _, unsubscribe in before.values():
            unsubscribe()
        self._paint()

    def _let_go_of_compared(self) -> None:
        before, self._compared = self._compared, {}
        for _, unsubscribe in before.values():
            unsubscribe()

    async def _switch_engagement_by_trait(self, name: str) -> None:
        try:
            await self._switch_engagement(name)
        except Superseded:
            return
        except Exception as error:
            self._switch_error = error
            self._paint()
            self._follow()

    def _follow(self) -> None:
        """Writes what is current into the traits; on the users' executor, as their observers run there."""
        with self._follow_lock:
            self._follow_again = True
            if self._following:
                return
            self._following = True
        self._host.user_executor.submit(self._follow_now)

    def _follow_now(self) -> None:
        while True:
            with self._follow_lock:
                if not self._follow_again:
                    self._following = False
                    return
                self._follow_again = False
            self._writing = state = self._host.current.state
            if (state.engagement_id, state.session_id) != (self.engagement_id, self.session_id):
                self._observer_error = None
            for name in ("engagement_id", "session_id"):
                try:
                    setattr(self, name, getattr(state, name))
                except Exception as error:  # of a user's observer, which traitlets lets through to who writes
                    self._observer_error = error
                    _log.exception("an observer of %s failed", name)
            self._writing = None
            self._host.run(self._repaint())

    async def _repaint(self) -> None:
        self._paint()

    # Requests of the front end

    async def _answer_engagements(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        return await session_lists.engagements_page(
            self._host, payload.get("search", ""), payload["offset"], payload["limit"]
        )

    async def _answer_sessions(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        return await session_lists.sessions_page(
            self._host, self._listed(payload), payload["offset"], payload["limit"]
        )

    async def _answer_shortcuts(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self._observe_shortcuts(True)
        return await session_lists.shortcuts(self._host, payload["engagement"])

    async def _answer_pin(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        return {"pinned": await session_lists.toggle_pin(self._host, payload["session"])}

    async def _answer_place(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        return {"index": await session_lists.place_of(self._host, self._listed(payload), payload["session"])}

    async def _answer_compare(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        # As all traits, on the users' executor: their observers run there.
        written = self._host.user_executor.submit(self._write_compared, payload["sessions"])
        await asyncio.wrap_future(written)
        return {}

    async def _answer_undelete(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        await self._host.work.undelete(payload["session"])
        return {}

    async def _answer_unarchive(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        await self._host.work.unarchive(payload["session"])
        return {}

    def _listed(self, payload: Mapping[str, Any]) -> session_lists.Listed:
        return session_lists.Listed.of(payload, session_lists.user_of(self._host))

    async def _answer_select(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        await self._switch(payload["session"])
        return {}

    async def _answer_select_engagement(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        await self._switch_engagement(payload["engagement"])
        return {}

    async def _answer_refresh(self, _: Mapping[str, Any]) -> dict[str, Any]:
        state = self._host.current.state
        self._switch_error = self._observer_error = None
        for key in stream_keys(state.engagement_id):
            self._host.queries.invalidate_queries(key)
        self._paint()
        return {}

    async def _switch_engagement(self, name: str) -> None:
        engagement = await self._host.client.get_engagement(name)
        await self._switch(engagement.default_session)

    async def _switch(self, session: str) -> None:
        call = self._host.current.switch(session)
        # Whoever stops waiting here has chosen again, and that choice cancels this call itself.
        waiting = asyncio.shield(asyncio.wrap_future(call))
        try:
            await waiting
        except asyncio.CancelledError:
            if call.cancelled():
                raise Superseded("a later choice took this one's place") from None
            raise

    def _plain(self) -> str:
        engagement, session = (
            self._engagement.get_current_result().data,
            self._session.get_current_result().data,
        )
        state = self._host.current.state
        return (
            f"engagement {engagement.display_name if engagement else id_of(state.engagement_id)}, "
            f"session {session.display_name if session else id_of(state.session_id)}"
        )

"""The `ws` of a notebook: what is current, switching it, and everything that follows."""

import asyncio
import concurrent.futures
import uuid
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from mooring_widgets import queries
from mooring_widgets.client import (
    Context,
    Engagement,
    Loop,
    MooringClient,
    Session,
    id_of,
)
from mooring_widgets.context import CurrentContext
from mooring_widgets.query import AsyncioRuntime, QueryDefaults, Runtime
from mooring_widgets.workspace.aio import Aio
from mooring_widgets.workspace.asked import Queries
from mooring_widgets.workspace.feed import Feed
from mooring_widgets.workspace.inventories import Inventories
from mooring_widgets.workspace.keeping import Keeper, Origin
from mooring_widgets.workspace.merges import MergeMethods
from mooring_widgets.workspace.moves import MoveMethods
from mooring_widgets.workspace.old import telling
from mooring_widgets.workspace.pinned import Pinned
from mooring_widgets.workspace.presence import Presence
from mooring_widgets.workspace.sessions import SessionMethods
from mooring_widgets.workspace.switching import SwitchCallback, SwitchCallbacks
from mooring_widgets.workspace.work import Work

if TYPE_CHECKING:
    from mooring_widgets.form import SessionForm
    from mooring_widgets.selector import Selector
    from mooring_widgets.views import ComparisonView, MergeWizard

T = TypeVar("T")
OnSwitch = TypeVar("OnSwitch", bound=SwitchCallback)

_USER_THREADS = 4


class Workspace(SessionMethods, MergeMethods, MoveMethods, Inventories):
    """One notebook's place in one service. Usable from any thread but the library's own loop.

    Methods wait for the service's answer and raise the exceptions of `mooring_widgets.errors`; `aio` has
    their twins for `await`. Shown at the end of a cell it is the selector.

    Attributes:
        id: Tells it from the others whose widgets are on the same page.
        client: The typed client; its coroutines belong to the library's loop (see `run`).
        queries: Every query that something asked, with its age, observers and last error.
        current: The current engagement and session, observable.
        feed: Whether changes arrive just now (`feed.live`), observable.
        presence: Whether a page that shows widgets of it can be seen.
        user_executor: Where the users' own functions run.
        callback_errors: The last exceptions that `on_switch` callbacks raised.
    """

    def __init__(
        self,
        client: MooringClient,
        loop: Loop,
        context: Context,
        *,
        runtime: Runtime | None = None,
        origin: Origin | None = None,
    ) -> None:
        # On the loop, which is where the watch starts: `open_workspace` is the way in.
        super().__init__(self)
        self.id = uuid.uuid4().hex
        self.client = client
        self.queries = Queries(
            runtime=runtime or AsyncioRuntime(loop.asyncio),
            # The first attempt finds out whether the service is back, which the watch may not know yet.
            default_options=QueryDefaults(retry=queries.worth_retrying, network_mode="offline_first"),
        )
        origin = origin or Origin()
        self.current = CurrentContext(client, loop, context, reopen=origin.reopen)
        self.feed = Feed(
            client,
            self.queries,
            self.current,
            away=origin.away,
            incarnation=origin.kept.incarnation if origin.kept else "",
        )
        self._keeper = (
            Keeper(origin.file, self.queries, self.current, self.feed, origin.kept) if origin.file else None
        )
        self.presence = Presence()
        self.presence.subscribe(self._on_looking)
        self.feed.subscribe(self.queries.online.set_online)
        self.work = Work(client, self.queries, self.current)
        self.aio = Aio(self)
        self.user_executor = ThreadPoolExecutor(_USER_THREADS, thread_name_prefix="mooring-user")
        self._loop = loop
        self._callbacks = SwitchCallbacks(client, self.queries, loop, self.current)
        self.callback_errors = self._callbacks.errors
        self._selector: Selector | None = None
        self._closed = False

    # What is current

    @property
    def session(self) -> Session:
        """The current session, as a snapshot; NotFound where it is gone.

        >>> ws.session.display_name, ws.session.asset_count, ws.session.is_default
        ('Baseline', 5, True)
        """
        return self.wait(self.work.session())

    @property
    def engagement(self) -> Engagement:
        """The current engagement, as a snapshot.

        >>> ws.engagement.display_name, ws.engagement.session_count
        ('Contoso', 3)
        """
        return self.wait(self.work.engagement())

    @property
    def context(self) -> str:
        """The full name of this notebook's context, which another one can join: `connect(context=…)`.

        >>> ws.context
        'users/demo/contexts/...'
        """
        return self.current.name

    def switch(self, session: str | Session) -> Session:
        """Makes a session current; every view follows.

        >>> ws.switch("Wave 2").name
        'engagements/contoso/sessions/wave-2'
        >>> ws.switch("Wave two")
        Traceback (most recent call last):
        mooring_widgets.errors.NotFound: there is no session ...; did you mean 'Wave 2' or 'Wave 1'?

        Args:
            session: A display name or id in the current engagement, a full name, or a snapshot.

        Raises:
            NotFound: Where there is none such; `near` has names like it.
            Superseded: Where another switch came while this one waited.
        """
        return self.wait(self.work.switch(session))

    def switch_engagement(self, engagement: str | Engagement) -> Session:
        """Makes another engagement current, at its default session.

        >>> ws.switch_engagement("Fabrikam").display_name
        'Baseline'

        Args:
            engagement: A display name, an id, a full name, or a snapshot.

        Raises:
            NotFound: Where you have none such; `near` has names like it.
        """
        return self.wait(self.work.switch_engagement(engagement))

    def on_switch(self, callback: OnSwitch) -> OnSwitch:
        """Calls `callback(old, new)` after each confirmed switch, wherever it was made.

        >>> @ws.on_switch
        ... def follow(old, new):
        ...     print(new.display_name if new else "a session that is gone")

        Callbacks run on a thread of their own, one switch after the other, and may use this workspace. What
        they raise is logged and kept in `callback_errors`. A session that is gone meanwhile is passed as
        None.
        """
        self._callbacks.add(callback)
        return callback

    def off_switch(self, callback: SwitchCallback) -> None:
        """Stops calling `callback`, given to `on_switch`."""
        self._callbacks.remove(callback)

    # What is shown

    @property
    def selector(self) -> "Selector":
        """The one selector of this workspace; a cell that shows it shows another view of the same."""
        if self._selector is None or self._selector.comm is None:  # none yet, or closed by its user
            from mooring_widgets.selector import Selector

            self._selector = Selector(self)
        return self._selector

    def form(self, session: str | Session | None = None) -> "SessionForm":
        """A form for a new session, or for editing one; `session` as in `switch`.

        >>> ws.form("Wave 1")
        <SessionForm: edit session wave-1>
        """
        from mooring_widgets.form import SessionForm

        name = None if session is None else self.wait(self.work.find(session)).name
        return SessionForm(self, session=name)

    def at(self, session: str | Session) -> Pinned:
        """The views of another session, whatever is current; `session` as in `switch`.

        >>> wave = ws.at("Wave 1")
        >>> len(wave.discovery.to_pandas()), len(ws.discovery.to_pandas())
        (3, 5)
        """
        return Pinned(self, self.wait(self.work.find(session)))

    def comparison(self, session: str | Session, other: str | Session | None = None) -> "ComparisonView":
        """What differs between two sessions of an engagement, counted and page by page; it follows both.

        >>> ws.comparison("Baseline", "Wave 1")
        <ComparisonView: Comparison of Baseline and ...>

        `compare` has the same as data.

        Args:
            session: The one, as in `switch`. Given alone, whichever session is current is held against it.
            other: The other one, which what was added is in.

        Raises:
            NotFound: For a session that is not there.
        """
        from mooring_widgets.views import ComparisonView

        own, against = self.wait(self.work.sides(session, other))
        return ComparisonView(self, against, pinned=own)

    def merge_wizard(
        self, source: str | Session | None = None, into: str | Session | None = None
    ) -> "MergeWizard":
        """Merges one session into another, step by step: how, what that would do, where each conflict goes.

        >>> ws.merge_wizard("Wave 1", into="Baseline")
        <MergeWizard: merge “...” into “Baseline”>

        Args:
            source: The session to take from, as in `switch`; it can be chosen in the wizard too.
            into: The session to merge into; by default the current one.

        Raises:
            NotFound: For a session that is not there.
        """
        from mooring_widgets.views import MergeWizard

        names = [self.wait(self.work.find(each)).name if each else "" for each in (source, into)]
        return MergeWizard(self, *names)

    # For widgets

    def run(self, coroutine: Coroutine[Any, Any, T]) -> "concurrent.futures.Future[T]":
        """Starts a coroutine on the library's loop."""
        return self._loop.run(coroutine)

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine on the library's loop and waits for it.

        Raises:
            RuntimeError: On the library's loop itself.
        """
        with telling():
            return self._loop.wait(coroutine)

    def _on_looking(self, looking: bool) -> None:
        if looking:
            self.feed.hurry()
        self.queries.focus.set_focused(looking)

    def close(self) -> None:
        """Lets go of the service; widgets keep what they show, and say that they are disconnected."""
        if not self._closed:
            self.wait(self.aclose())

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    async def aclose(self) -> None:
        """Does what `close` does; of the library's loop."""
        if self._closed:
            return
        self._closed = True
        self._callbacks.close()
        if self._keeper is not None:
            await self._keeper.close()
        await self.feed.close()
        self.queries.cancel_queries()
        await self.client.close()

    @property
    def on_loop(self) -> bool:
        """Whether this is the library's own loop, where nothing may wait."""
        return self._loop.is_current()

    def refuse_on_loop(self) -> None:
        """RuntimeError on the library's loop, where waiting would be for ever."""
        if self.on_loop:
            raise RuntimeError(
                "this call would block the library's own event loop; use its twin in ws.aio here"
            )

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("session", "engagement"):
            switch = "switch" if name == "session" else "switch_engagement"
            raise AttributeError(f"ws.{name} tells what is current; ws.{switch}(…) changes it")
        super().__setattr__(name, value)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.selector._repr_mimebundle_(**kwargs)

    def __repr__(self) -> str:
        state = self.current.state
        names = [
            getattr(self.queries.get_query_data(options.query_key), "display_name", id_of(name))
            for name, options in (
                (state.engagement_id, queries.engagement(self.client, state.engagement_id)),
                (state.session_id, queries.session(self.client, state.session_id)),
            )
        ]
        return f"<workspace at {' / '.join(names)}>"


async def open_workspace(
    client: MooringClient,
    loop: Loop,
    context: Context,
    *,
    runtime: Runtime | None = None,
    origin: Origin | None = None,
) -> Workspace:
    """A workspace over a client, which it closes in the end. Await it on the loop."""
    ws = Workspace(client, loop, context, runtime=runtime, origin=origin)
    if ws.feed.away:
        return ws
    # What everything shows; where one of them is gone, that is for the selector to show.
    await asyncio.gather(ws.work.session(), ws.work.engagement(), return_exceptions=True)
    return ws

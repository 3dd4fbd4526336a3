"""One asset with all that is known of it, what it needs and what needs it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mooring_widgets import queries
from mooring_widgets.bridge import Handler, failure
from mooring_widgets.client import Asset, Dependency, PageOf, id_of
from mooring_widgets.context import ContextState
from mooring_widgets.errors import Superseded
from mooring_widgets.query import QueryObserver, keep_previous_data
from mooring_widgets.surface import Host
from mooring_widgets.views.dependent import DependentView, Options, label_of
from mooring_widgets.views.fields import ASSET_FIELDS, attribute

STEP = 50
# What one page of the service holds; whoever wants more wants the table of dependencies.
_ROWS_MAX = 1_000


class OpenAsset:
    """The asset that is looked at, and those that led to it. Kept true while it is open; for the loop alone.

    `changed` is called whenever there is something else to show.
    """

    def __init__(self, host: Host, changed: Callable[[], None]) -> None:
        self._host = host
        self._changed = changed
        self._path: list[str] = []
        self._limit = STEP
        self._observers: dict[str, QueryObserver[Any, Any]] = {}
        self._ended: list[Callable[[], None]] = []

    @property
    def depth(self) -> int:
        """How many assets led to this one."""
        return max(0, len(self._path) - 1)

    def start_at(self, name: str) -> None:
        """Opens an asset that nothing led to, unless it is the one that the way here began with."""
        if self._path[:1] != [name]:
            self._path = []
            self.follow(name)

    def follow(self, name: str) -> None:
        """Goes on to an asset."""
        if self._path[-1:] != [name]:
            self._path.append(name)
            self._observe()

    def back(self) -> None:
        """Goes back to the asset before; closes the first one."""
        if len(self._path) > 1:
            self._path.pop()
            self._observe()
        else:
            self.close()

    def close(self) -> None:
        """Shows none, and lets go of what it followed."""
        self._path = []
        self._observers = {}
        ended, self._ended = self._ended, []
        for end in ended:
            end()

    def more(self) -> None:
        """Lists more dependencies."""
        if not self._path:
            return
        self._limit = min(_ROWS_MAX, self._limit * 2)
        for name, options in self._needs().items():
            # Of the same asset: what is here stays until there is more of it.
            self._observers[name].set_options(replace(options, placeholder_data=keep_previous_data))

    def retry(self) -> None:
        """Asks again for what could not be had."""
        for observer in self._observers.values():
            if observer.get_current_result().is_error:
                observer.refetch()

    def shown(self) -> dict[str, Any] | None:
        """For the front end; None where no asset is open."""
        if not self._path:
            return None
        results = {name: observer.get_current_result() for name, observer in self._observers.items()}
        error = next((result.error for result in results.values() if result.error is not None), None)
        asset = results["asset"].data
        name = self._path[-1]
        return {
            "name": name,
            "depth": self.depth,
            "error": None if error is None else failure(error),
            "refreshing": asset is not None and any(result.is_fetching for result in results.values()),
            "asset": None if asset is None else _detail(asset),
            "needs": self._ends(results["needs"].data, "target"),
            "needed_by": self._ends(results["needed_by"].data, "source"),
        }

    def _observe(self) -> None:
        self._limit = STEP
        for name, options in self._needs().items():
            if name in self._observers:
                self._observers[name].set_options(options)
            else:
                self._observers[name] = QueryObserver(self._host.queries, options)
                self._ended.append(self._observers[name].subscribe(lambda result: self._changed()))

    def _needs(self) -> dict[str, Options]:
        client, name = self._host.client, self._path[-1]
        session = name.partition("/assets/")[0]

        def ends(which: str) -> Options:
            return queries.dependencies(
                client, session, limit=self._limit, filter=f"{which} = {queries.quoted(name)}"
            )

        return {"asset": queries.asset(client, name), "needs": ends("source"), "needed_by": ends("target")}

    def _ends(self, page: PageOf[Dependency] | None, other: str) -> dict[str, Any] | None:
        if page is None:
            return None
        return {
            "items": [_end(each, other) for each in page.items],
            "total": page.total,
            "at_least": page.total_at_least,
            "more": bool(page.next_token) and self._limit < _ROWS_MAX,
        }


class OpensAssets(DependentView):
    """A view in which an asset can be opened: its `detail` is that asset, None while none is open."""

    def __init__(
        self,
        host: Host,
        title: str,
        pinned: str | None,
        *,
        handlers: Mapping[str, Handler] | None = None,
        **state: Any,
    ) -> None:
        self._open = OpenAsset(host, self._paint)
        opening = {
            "asset.open": self._answer_open,
            "asset.back": self._answer_back,
            "asset.close": self._answer_close,
            "asset.more": self._answer_more,
        }
        super().__init__(host, title, pinned, handlers=opening | dict(handlers or {}), detail=None, **state)

    def _begin(self) -> None:
        self._ended.append(self._open.close)
        super()._begin()

    def _on_context(self, state: ContextState) -> None:
        if self._place(state)[1] != self._session:
            self._open.close()
        super()._on_context(state)

    def _painted(self) -> dict[str, Any]:
        return super()._painted() | {"detail": self._open.shown()}

    def _check(self, payload: Mapping[str, Any]) -> None:
        """Refuses what was asked for when another session was shown, or another switch away."""
        if (payload["epoch"], payload["session"]) != (self._epoch, self._session):
            raise Superseded("this belongs to a session that is no longer shown")

    async def _answer_open(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self._check(payload)
        self._open.follow(f"{self._session}/assets/{payload['id']}")
        self._paint()
        return {}

    async def _answer_back(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self._check(payload)
        self._open.back()
        self._paint()
        return {}

    async def _answer_close(self, _: Mapping[str, Any]) -> dict[str, Any]:
        self._open.close()
        self._paint()
        return {}

    async def _answer_more(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self._check(payload)
        self._open.more()
        self._paint()
        return {}

    async def _answer_retry(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self._open.retry()
        return await super()._answer_retry(payload)


class AssetView(OpensAssets, view="asset"):
    """One asset of the session, looked for by its name in each session that it is shown for."""

    def __init__(self, host: Host, wanted: str, *, pinned: str | None = None) -> None:
        """Show an asset.

        Args:
            host: The workspace.
            wanted: Its display name, host name or external id, to the letter.
            pinned: A session's full name, to show whatever is current.
        """
        self._wanted = wanted
        super().__init__(host, "Asset", pinned, wanted=wanted)

    def _needs(self, host: Host, session: str) -> dict[str, Options]:
        value = queries.quoted(self._wanted)
        same = " OR ".join(f"{field} = {value}" for field in ("display_name", "hostname", "external_id"))
        return {"found": queries.assets(host.client, session, limit=2, filter=same)}

    def _picture(self, data: dict[str, Any]) -> dict[str, Any]:
        found: PageOf[Asset] = data["found"]
        if not found.items:
            self._open.close()
            return {"same": 0, "status": "empty"}
        self._open.start_at(found.items[0].name)
        return {"same": found.total, "status": "ready"}

    def _blank(self) -> dict[str, Any]:
        return {"same": 0}

    async def _answer_back(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        if self._open.depth:  # what was asked for stays
            return await super()._answer_back(payload)
        return {}


def _detail(asset: Asset) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for field in (*ASSET_FIELDS, *map(attribute, sorted(asset.attributes))):
        value = field.of(asset)
        if value in (None, ""):
            continue
        told = {"key": field.key, "label": field.label, "kind": field.kind, "value": value}
        groups.setdefault(field.group, []).append(told | {"filter": field.filter_for(asset)})
    return {
        "title": asset.display_name,
        "groups": [{"title": title, "fields": fields} for title, fields in groups.items()],
    }


def _end(dependency: Dependency, other: str) -> dict[str, Any]:
    """One dependency, as the asset at one end sees the asset at the other."""
    through = "/".join(part for part in (str(dependency.port or ""), dependency.protocol) if part)
    process = dependency.target_process
    return {
        "id": id_of(getattr(dependency, other)),
        "label": getattr(dependency, f"{other}_display_name") or id_of(getattr(dependency, other)),
        "kind": label_of(dependency.kind),
        "through": " ".join(part for part in (through, process) if part),
        "description": dependency.description,
    }

"""Who did what, and when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mooring_widgets import queries
from mooring_widgets.client import Activity, PageOf, Session, engagement_of, id_of
from mooring_widgets.errors import InvalidArgument, did_you_mean, near_names
from mooring_widgets.query import keep_previous_data
from mooring_widgets.surface import Host
from mooring_widgets.views.dependent import DependentView, Options

STEP = 50
# What one page of the service holds; whoever wants more wants it as data.
ROWS_MAX = 1_000

KINDS = {
    "created": "Created",
    "updated": "Changed",
    "deleted": "Deleted",
    "undeleted": "Brought back",
    "archived": "Archived",
    "unarchived": "Unarchived",
    "imported": "Imported",
    "merged": "Merged",
    "reverted": "Undone",
    "switched": "Switched to",
}
# Of a kind, and of what: how people say it. Whatever is not here is said by the kind itself.
_DONE = {
    "updated": "changed",
    "undeleted": "brought back",
    "imported": "imported data into",
    "merged": "merged another session into",
    "reverted": "undid a change of the data of",
    "switched": "switched to",
    "created members": "added",
    "deleted members": "removed",
    "updated members": "changed the role of",
}
_THINGS = {"assets": ("asset", "assets"), "dependencies": ("dependency", "dependencies")}


class ActivityView(DependentView, view="activity"):
    """What happened in the current engagement, or to one session, the newest first; it follows what happens.

    Much of the same that one user did in one go, such as changes of assets, is one line.
    """

    def __init__(self, host: Host, *, pinned: str | None = None, kind: str = "", filter: str = "") -> None:
        """Show what happened.

        Args:
            host: The workspace.
            pinned: A session's full name: what happened to that one only, whatever is current.
            kind: Only such, one of `KINDS`; people can choose another.
            filter: AIP-160, over `actor`, `kind`, `session`, `resource` and `time`.

        Raises:
            InvalidArgument: For a kind that there is not, with names like it.
        """
        self._kind = _known(kind)
        self._filter = filter
        self._of_session = pinned is not None
        self._rows_max = STEP
        kinds = [{"value": value, "label": label} for value, label in KINDS.items()]
        handlers = {"activity.choose": self._answer_choose, "activity.older": self._answer_older}
        super().__init__(
            host,
            "Activity",
            pinned,
            handlers=handlers,
            kinds=[{"value": "", "label": "Everything"}, *kinds],
            fixed=pinned is not None,
        )

    def _needs(self, host: Host, session: str) -> dict[str, Options]:
        engagement = engagement_of(session)
        wanted = queries.all_of(self._filter, f"kind = {self._kind.upper()}" if self._kind else "")
        parent = session if self._of_session else engagement
        return {
            "activity": queries.activity(host.client, parent, limit=self._rows_max, filter=wanted),
            # What happened last happened to those of the latest activity: one call names them all.
            "sessions": queries.sessions(
                host.client,
                engagement,
                limit=self._rows_max,
                order_by="last_activity_time desc",
                show_archived=True,
                show_deleted=True,
            ),
        }

    def _whose(self, host: Host, session: str) -> Options:
        if self._of_session:
            return super()._whose(host, session)
        return queries.engagement(host.client, engagement_of(session))

    def _picture(self, data: dict[str, Any]) -> dict[str, Any]:
        page: PageOf[Activity] = data["activity"]
        sessions: PageOf[Session] = data["sessions"]
        names = {session.name: session.display_name for session in sessions.items}
        lines = [line.shown(names) for line in _lines(page.items)]
        full = len(page.items) == self._rows_max < ROWS_MAX
        return {
            **self._chosen(),
            "lines": lines,
            "count": len(page.items),
            "more": full and bool(page.next_token),
            "cut": not full and bool(page.next_token),
            "status": "ready" if lines else "empty",
        }

    def _blank(self) -> dict[str, Any]:
        return {**self._chosen(), "lines": None, "count": 0, "more": False, "cut": False}

    def _chosen(self) -> dict[str, Any]:
        return {"kind": self._kind, "of_session": self._of_session}

    async def _answer_choose(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self._kind = _known(payload["only"])
        self._of_session = self._pinned is not None or bool(payload["of_session"])
        self._rows_max = STEP
        self._observe()
        self._paint()
        return {}

    async def _answer_older(self, _: Mapping[str, Any]) -> dict[str, Any]:
        self._rows_max = min(ROWS_MAX, self._rows_max * 2)
        for name, options in self._needs(self._host, self._session).items():
            # Of the same parent and filter: what is here stays until there is more of it.
            self._observers[name].set_options(replace(options, placeholder_data=keep_previous_data))
        self._paint()
        return {}


@dataclass(slots=True)
class _Line:
    """Some of the same in a row; `first` is the newest of them."""

    first: Activity
    within: str
    thing: str
    count: int = 1

    def takes(self, other: "_Line") -> bool:
        """Whether another, older one is more of this."""
        mine, others = self.first, other.first
        if self.thing not in _THINGS or mine.time is None or others.time is None:
            return False
        return (mine.actor, mine.kind, self.within, self.thing, mine.time.date()) == (
            others.actor,
            others.kind,
            other.within,
            other.thing,
            others.time.date(),
        )

    def shown(self, names: Mapping[str, str]) -> dict[str, Any]:
        """For the front end: `{actor} {done} {what}`, and in which session where that is not it."""
        one = self.first
        return {
            "time": one.time.isoformat() if one.time else "",
            "actor": id_of(one.actor),
            "done": _DONE.get(f"{one.kind} {self.thing}") or _DONE.get(one.kind, one.kind),
            "what": self._what(names),
            "session": names.get(self.within, id_of(self.within)) if self.thing in _THINGS else "",
            "resource": one.resource,
        }

    def _what(self, names: Mapping[str, str]) -> str:
        if self.thing in _THINGS:
            one, many = _THINGS[self.thing]
            return f"{self.count:,} {many}" if self.count > 1 else f"1 {one}"
        if self.within and not self.thing:
            return names.get(self.within, id_of(self.within))
        return id_of(self.first.resource) if self.thing else "the engagement"


def _lines(items: tuple[Activity, ...]) -> Iterator[_Line]:
    last: _Line | None = None
    for item in items:
        within = item.session
        rest = item.resource.removeprefix(within or item.engagement).strip("/")
        line = _Line(item, within, rest.partition("/")[0] if item.kind != "switched" else "")
        if last is not None and last.takes(line):
            last.count += 1
            continue
        if last is not None:
            yield last
        last = line
    if last is not None:
        yield last


def _known(kind: str) -> str:
    if kind and kind not in KINDS:
        hint = did_you_mean(near_names(kind, KINDS)) or f"take one of {', '.join(KINDS)}"
        raise InvalidArgument(f"there is no activity of the kind {kind!r}; {hint}")
    return kind

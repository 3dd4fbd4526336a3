"""Activity: the change log by what it concerns, instead of by stream.

Besides an engagement's own stream it holds the switches to its sessions, which are on their users' streams.
It reaches as far back as the log is kept, which each stream is by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from peewee import SQL, Value, fn

from mooring_server.store import tables
from mooring_server.store.lists.conditions import Condition
from mooring_server.store.lists.filters import Column, Filterable
from mooring_server.store.lists.paging import Listing, Window
from mooring_server.store.records import Activity, ChangeKind, Order, Page, UsageDay
from mooring_server.store.statements import Statement, param
from mooring_server.store.values import from_us, to_us

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_C = tables.Changes
_DAY_US = timedelta(days=1) // timedelta(microseconds=1)
SYSTEM = "users/system"

_ORDERS = dict.fromkeys((Order.TIME_DESC, Order.TIME), ("commit_time", "stream", "revision", "position"))
_FILTERABLE = Filterable(
    {
        "actor": Column(("actor",)),
        "session": Column(("engagement_id", "session_id"), null=True),
        "time": Column(("commit_time",)),
        # An index of their own would cost every write, and they leave much of a page: it is walked.
        "kind": Column(("kind",), indexed=False),
        "resource": Column(("resource",), text=True, indexed=False),
    }
)
_OF_ENGAGEMENT: Listing[Activity] = Listing(
    _C, scope=("engagement_id",), orders=_ORDERS, filterable=_FILTERABLE
)
_OF_SESSION: Listing[Activity] = Listing(
    _C, scope=("engagement_id", "session_id"), orders=_ORDERS, filterable=_FILTERABLE
)

_WITHIN = (
    (_C.engagement_id == param("engagement_id"))
    & (_C.commit_time >= param("start"))
    & (_C.commit_time < param("end"))
)
# A session's own name, and not that of something in it.
_SESSION_NAME = Value("engagements/").concat(_C.engagement_id).concat("/sessions/").concat(_C.session_id)
_USERS = fn.COUNT(_C.actor.distinct()).filter(_C.actor != SYSTEM)


def _count(kind: ChangeKind, *more: Any) -> Any:
    wanted = _C.kind == kind.value
    for condition in more:
        wanted &= condition
    return fn.COUNT(SQL("*")).filter(wanted)


_DAYS = Statement(
    _C.select(
        # Whole numbers: both databases cut them off the same way.
        (_C.commit_time / _DAY_US).alias("day"),
        _count(ChangeKind.CREATED, _C.resource == _SESSION_NAME),
        _count(ChangeKind.SWITCHED),
        _count(ChangeKind.IMPORTED),
        _USERS,
    )
    .where(_WITHIN)
    .group_by(SQL("day"))
    .order_by(SQL("day"))
)
_ACTIVE = Statement(_C.select(_USERS).where(_WITHIN))
_FIRST = Statement(
    _C.select(_C.revision, _C.commit_time)
    .where(_C.stream == param("stream"))
    .order_by(_C.revision, _C.position)
    .limit(1)
)


class ActivityLog:
    """What happened in engagements, read from the change log."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def page(
        self,
        engagement_id: str,
        session_id: str | None,
        order: Order,
        window: Window,
        condition: Condition | None = None,
    ) -> Page[Activity]:
        """What happened in an engagement, or to one session of it, as far as the condition is true of it."""
        if session_id is None:
            return _OF_ENGAGEMENT.page(
                self._tx, _record, condition, order, window, engagement_id=engagement_id
            )
        return _OF_SESSION.page(
            self._tx, _record, condition, order, window, engagement_id=engagement_id, session_id=session_id
        )

    def days(self, engagement_id: str, start: datetime, end: datetime) -> list[UsageDay]:
        """The days in UTC, from `start` to before `end`, on which something happened, in order."""
        rows = self._tx.rows(_DAYS, engagement_id=engagement_id, start=to_us(start), end=to_us(end))
        return [UsageDay(from_us(day * _DAY_US).date(), *counts) for day, *counts in rows]

    def active_users(self, engagement_id: str, start: datetime, end: datetime) -> int:
        """How many users did something in that time."""
        row = self._tx.row(_ACTIVE, engagement_id=engagement_id, start=to_us(start), end=to_us(end))
        return int(row[0])

    def start(self, engagement_id: str) -> datetime | None:
        """Since when the engagement's history is kept whole; None where all of it is."""
        row = self._tx.row(_FIRST, stream=f"engagements/{engagement_id}")
        if row is None:
            return self._tx.now
        revision, time = row
        return None if revision == 1 else from_us(time)


def _record(row: Any) -> Activity:
    _, _, _, kind, resource, actor, time, _, engagement_id, session_id = row
    return Activity(actor, ChangeKind(kind), resource, engagement_id, session_id, from_us(time))

"""Activity and usage: what happened in an engagement, read from the change log."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from mooring_server.core import names
from mooring_server.core.lists import List
from mooring_server.core.paging import Query, Window
from mooring_server.core.schemas import Field, FieldKind, Schema, enum_choices
from mooring_server.errors import InvalidArgument, NotFound
from mooring_server.store import Tx
from mooring_server.store.records import Activity, ChangeKind, Order, Page, UsageDay

DAYS_MAX = 366
_DAYS_BEFORE = 30
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EARLIEST, _LATEST = date(1970, 1, 1), date(9999, 12, 30)

ACTIVITY = List(
    Schema(
        {
            "actor": Field(FieldKind.NAME, name=names.Kind.USER, stored=lambda ids: names.Kind.USER.of(*ids)),
            "kind": Field(FieldKind.ENUM, choices=enum_choices(ChangeKind, "CHANGE_KIND")),
            "session": Field(
                FieldKind.NAME,
                name=names.Kind.SESSION,
                stored=lambda ids: (None if ids[0] == names.ANY else ids[0], ids[1]),
            ),
            "resource": Field(FieldKind.TEXT),
            "time": Field(FieldKind.TIME),
        }
    ),
    (Order.TIME_DESC, Order.TIME),
)


@dataclass(frozen=True, slots=True)
class Period:
    """Days in UTC, the first and the last included."""

    first: date
    last: date

    @property
    def start(self) -> datetime:
        """The moment at which it begins."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def end(self) -> datetime:
        """The moment before which it ends."""
        return datetime.combine(self.last, time(), UTC) + timedelta(days=1)

    @property
    def days(self) -> list[date]:
        """Its days."""
        return [self.first + timedelta(days=day) for day in range((self.last - self.first).days + 1)]


@dataclass(frozen=True, slots=True)
class Usage:
    """What happened, day by day. `history_start` is None where all of the engagement's history is kept."""

    days: list[UsageDay]
    active_users: int
    history_start: datetime | None


def page(tx: Tx, engagement_id: str, session_id: str | None, query: Query, window: Window) -> Page[Activity]:
    """What happened in an engagement, or to one session of it, which may be deleted.

    Raises:
        NotFound: SESSION_NOT_FOUND.
    """
    if session_id is not None and tx.sessions.get(engagement_id, session_id, include_deleted=True) is None:
        name = names.Kind.SESSION.of(engagement_id, session_id)
        raise NotFound(f"{name} does not exist", reason="SESSION_NOT_FOUND")
    return tx.activity.page(engagement_id, session_id, query.order, window, query.condition)


def period(start_date: str, end_date: str, today: date) -> Period:
    """The days asked for: up to today where no end is given, from 30 days before the end where no start is.

    Raises:
        InvalidArgument: for what is no date, a start after the end, and more than 366 days.
    """
    last = _date("end_date", end_date) or today
    before = timedelta(days=min(_DAYS_BEFORE, (last - _EARLIEST).days))
    first = _date("start_date", start_date) or last - before
    if first > last:
        raise InvalidArgument.field("start_date", f"must not be after the last day, {last}")
    if (last - first).days >= DAYS_MAX:
        raise InvalidArgument.field(
            "start_date", f"must be {last - timedelta(days=DAYS_MAX - 1)} or later: {DAYS_MAX} days at most"
        )
    return Period(first, last)


def usage(tx: Tx, engagement_id: str, asked: Period) -> Usage:
    """What happened in an engagement on each of the days."""
    found = {day.date: day for day in tx.activity.days(engagement_id, asked.start, asked.end)}
    return Usage(
        days=[found.get(day) or UsageDay(day) for day in asked.days],
        active_users=tx.activity.active_users(engagement_id, asked.start, asked.end),
        history_start=tx.activity.start(engagement_id),
    )


def _date(field: str, text: str) -> date | None:
    if not text:
        return None
    try:
        if not _DATE.fullmatch(text):
            raise ValueError(text)
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidArgument.field(field, "must be a day: 2026-01-31") from None
    if not _EARLIEST <= day <= _LATEST:
        raise InvalidArgument.field(field, f"must be from {_EARLIEST} to {_LATEST}")
    return day

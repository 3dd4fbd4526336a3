"""ListActivity and GetUsage over a real socket."""

from datetime import UTC, datetime, timedelta

import grpc
import pytest
from mooring.v1 import activity_pb2, sessions_pb2, watch_pb2
from support_discovery import import_file
from support_engagements import ANALYST, add, me, switch_engagement
from support_server import create, new_engagement, refused

Code = grpc.StatusCode


@pytest.fixture
def engagement(ann, bob):
    """An engagement that ann manages and bob works in."""
    name = new_engagement(ann).name
    add(ann, name, bob, ANALYST)
    return name


def listing(caller, parent, **fields):
    return caller.sessions.ListActivity(activity_pb2.ListActivityRequest(parent=parent, **fields))


def usage(caller, engagement, start="", end=""):
    request = activity_pb2.GetUsageRequest(name=f"{engagement}/usage", start_date=start, end_date=end)
    return caller.engagements.GetUsage(request)


def make(caller, engagement, display_name):
    return caller.sessions.CreateSession(create(engagement, display_name)).name


def switch(caller, session):
    caller.sessions.SwitchSession(sessions_pb2.SwitchSessionRequest(name=session))


def test_activity_tells_who_did_what_to_which_session_when(ann, bob, engagement):
    """The newest first, by the ids of those who did it, for every member."""
    session = make(ann, engagement, "Wave 1")
    switch(bob, session)
    import_file(bob, session, b"hostname\nweb\n")
    for parent in (session, f"sessions/{session.rpartition('/')[2]}"):
        done = [(one.actor, one.kind) for one in listing(ann, parent).activity]
        assert done == [
            (me(bob).name, watch_pb2.CHANGE_KIND_IMPORTED),
            (me(bob).name, watch_pb2.CHANGE_KIND_SWITCHED),
            (me(ann).name, watch_pb2.CHANGE_KIND_CREATED),
        ]
    first = listing(bob, engagement, order_by="time", filter="kind = CREATED").activity[0]
    assert (first.actor, first.resource, first.engagement, first.session) == (
        me(ann).name,
        engagement,
        engagement,
        "",
    )
    assert first.HasField("time")


def test_activity_is_paged_and_filtered(ann, bob, engagement):
    """Tokens lead through all of it, and are good for that list alone."""
    for number in range(5):
        make(bob if number % 2 else ann, engagement, f"Wave {number}")
    wanted = f'actor = "{me(bob).name}" AND kind = CREATED'
    found, token = [], ""
    while True:
        page = listing(ann, engagement, filter=wanted, page_size=1, page_token=token)
        found += page.activity
        token = page.next_page_token
        if not token:
            break
    assert len(found) == 2
    assert found == list(listing(ann, engagement, filter=wanted).activity)
    token = listing(ann, engagement, page_size=1).next_page_token
    assert len(listing(ann, engagement, page_token=token, skip=1).activity) > 0
    for other in ({"filter": wanted}, {"order_by": "time"}, {"parent": f"{engagement}/sessions/x"}):
        parent = other.pop("parent", engagement)
        with refused(Code.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"):
            listing(ann, parent, page_token=token, **other)


def test_wrong_questions_are_refused(ann, bob, engagement):
    """What is no filter, order, session or engagement of theirs."""
    with refused(Code.INVALID_ARGUMENT, "INVALID_FILTER"):
        listing(ann, engagement, filter="who = ann")
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD"):
        listing(ann, engagement, order_by="actor")
    with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):
        listing(ann, f"{engagement}/sessions/absent")
    foreign = new_engagement(bob).name
    for ask in (listing, usage):
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
            ask(ann, foreign)


def test_a_deleted_session_keeps_its_activity(ann, engagement):
    """What happened to it can still be read, its end included."""
    session = make(ann, engagement, "Wave 1")
    ann.sessions.DeleteSession(sessions_pb2.DeleteSessionRequest(name=session))
    kinds = [one.kind for one in listing(ann, session, order_by="time").activity]
    assert kinds == [watch_pb2.CHANGE_KIND_CREATED, watch_pb2.CHANGE_KIND_DELETED]


def test_usage_counts_what_was_done(ann, bob, engagement):
    """31 days up to today where none are named, those included on which nothing happened."""
    session = make(bob, engagement, "Wave 1")
    switch(ann, session)
    switch_engagement(bob, engagement)
    import_file(ann, session, b"hostname\nweb\n")
    told = usage(ann, engagement)
    assert (told.name, len(told.days), told.active_user_count) == (f"{engagement}/usage", 31, 2)
    assert not told.HasField("history_start_time")
    # Around midnight it is two days.
    last = told.days[-2:]
    assert sum(day.sessions_created for day in last) == 2
    assert sum(day.switches for day in last) == 2
    assert sum(day.imports for day in last) == 1
    assert not any(day.active_user_count for day in told.days[:-2])
    assert [day.date for day in told.days] == sorted({day.date for day in told.days})


def test_the_days_of_usage_are_checked(ann, engagement):
    """Days as in ISO 8601, from the first to the last, at most 366 of them."""
    today = datetime.now(UTC).date()
    assert len(usage(ann, engagement, "2024-01-01", "2024-12-31").days) == 366
    assert [day.date for day in usage(ann, engagement, "1970-01-01", "1970-01-02").days] == [
        "1970-01-01",
        "1970-01-02",
    ]
    assert len(usage(ann, engagement, end="1970-01-02").days) == 2
    for start, end, field in (
        ("20260131", "", "start_date"),
        ("", "2026-02-30", "end_date"),
        ("2026-01-01T00:00:00Z", "", "start_date"),
        ("1969-12-31", "1970-01-01", "start_date"),
        ("", "9999-12-31", "end_date"),
        ("2026-01-02", "2026-01-01", "start_date"),
        ("2023-12-31", "2024-12-31", "start_date"),
        (str(today + timedelta(days=2)), "", "start_date"),
    ):
        with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as refusal:
            usage(ann, engagement, start, end)
        assert refusal.fields == [field]

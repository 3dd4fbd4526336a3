from itertools import chain

import grpc
import pytest
from mooring.v1 import engagements_pb2, sessions_pb2
from support_server import create, new_engagement, refused

Code = grpc.StatusCode


def sessions(caller, parent, **fields):
    return caller.sessions.ListSessions(sessions_pb2.ListSessionsRequest(parent=parent, **fields))


def walk(caller, parent, **fields):
    """The display names of each page."""
    pages, token = [], ""
    while True:
        page = sessions(caller, parent, page_token=token, **fields)
        pages.append([session.display_name for session in page.sessions])
        token = page.next_page_token
        if not token:
            return pages


@pytest.fixture
def engagement(ann):
    """Its sessions are A to F beside Baseline, made in another order than their names'."""
    engagement = new_engagement(ann)
    for name in "DAFBEC":
        ann.sessions.CreateSession(create(engagement.name, name))
    return engagement


def test_a_walk_shows_everything_once(ann, engagement):
    """Pages follow each other by display name, without a gap or a repetition, whatever their size."""
    wanted = ["A", "B", "Baseline", "C", "D", "E", "F"]
    assert walk(ann, engagement.name, page_size=3) == [wanted[:3], wanted[3:6], wanted[6:]]
    for size in (1, 2, 6, 7, 8, 0):
        assert list(chain(*walk(ann, engagement.name, page_size=size))) == wanted


def test_the_newest_come_first_where_asked(ann, engagement):
    """`create_time desc` is the other order."""
    wanted = ["C", "E", "B", "F", "A", "D", "Baseline"]
    pages = walk(ann, engagement.name, page_size=2, order_by="create_time desc")
    assert list(chain(*pages)) == wanted


def test_skip_passes_over(ann, engagement):
    """A jump counts from the start or from a token; beyond the end there is nothing."""
    page = sessions(ann, engagement.name, skip=2, page_size=2)
    assert [session.display_name for session in page.sessions] == ["Baseline", "C"]
    page = sessions(ann, engagement.name, skip=1, page_size=2, page_token=page.next_page_token)
    assert [session.display_name for session in page.sessions] == ["E", "F"]
    assert page.next_page_token == ""
    assert not sessions(ann, engagement.name, skip=100).sessions


def test_a_walk_survives_inserts(ann, engagement):
    """What is there all along is shown exactly once, however the list grows before and behind the place."""
    seen, token, n = [], "", 0
    while True:
        page = sessions(ann, engagement.name, page_size=2, page_token=token)
        seen += [session.display_name for session in page.sessions]
        for name in (f"A{n}", f"Z{n}") if n < 3 else ():
            ann.sessions.CreateSession(create(engagement.name, name))
        n += 1
        token = page.next_page_token
        if not token:
            break
    assert seen == sorted(set(seen))
    assert set(seen) >= {"A", "B", "Baseline", "C", "D", "E", "F"}


def test_the_total_is_of_all(ann, engagement):
    """total_size counts the list, not the page, and follows deletes."""
    page = sessions(ann, engagement.name, page_size=1)
    assert page.total_size == 7
    ann.sessions.DeleteSession(
        sessions_pb2.DeleteSessionRequest(name=sessions(ann, engagement.name).sessions[0].name)
    )
    assert sessions(ann, engagement.name).total_size == 6


def test_a_token_is_good_for_its_own_list(ann, engagement):
    """Altered, or brought to another order, parent or RPC, it is INVALID_PAGE_TOKEN."""
    token = sessions(ann, engagement.name, page_size=1).next_page_token
    other = new_engagement(ann, "Other")
    half = len(token) // 2
    altered = [
        token[:-1],
        token + "x",
        token[:half] + ("A" if token[half] != "A" else "B") + token[half + 1 :],
        "x",
    ]
    for wrong in altered:
        with refused(Code.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"):
            sessions(ann, engagement.name, page_token=wrong)
    with refused(Code.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"):
        sessions(ann, other.name, page_token=token)
    with refused(Code.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"):
        sessions(ann, engagement.name, page_token=token, order_by="create_time desc")
    with refused(Code.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"):
        ann.engagements.ListEngagements(engagements_pb2.ListEngagementsRequest(page_token=token))


def test_engagements_are_listed_for_their_members(ann, bob):
    """Each user sees and counts their own; a token of one is not good for another."""
    for name in "CAB":
        new_engagement(ann, name)
    new_engagement(bob, "D")
    page = ann.engagements.ListEngagements(engagements_pb2.ListEngagementsRequest(page_size=2))
    assert ([e.display_name for e in page.engagements], page.total_size) == (["A", "B"], 3)
    with refused(Code.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"):
        bob.engagements.ListEngagements(
            engagements_pb2.ListEngagementsRequest(page_token=page.next_page_token)
        )
    rest = ann.engagements.ListEngagements(
        engagements_pb2.ListEngagementsRequest(page_token=page.next_page_token)
    )
    assert [e.display_name for e in rest.engagements] == ["C"]
    newest = ann.engagements.ListEngagements(
        engagements_pb2.ListEngagementsRequest(order_by="create_time desc")
    )
    assert [e.display_name for e in newest.engagements] == ["B", "A", "C"]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [({"page_size": -1}, "page_size"), ({"skip": -1}, "skip"), ({"order_by": "x"}, "order_by")],
)
def test_what_makes_no_page_is_refused(ann, engagement, fields, wrong):
    """Negative sizes and unknown orders are named."""
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        sessions(ann, engagement.name, **fields)
    assert failure.fields == [wrong]

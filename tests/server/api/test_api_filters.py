"""Lists that are filtered, ordered and counted through the API."""

from itertools import pairwise

import grpc
import pytest
from mooring.v1 import assets_pb2, engagements_pb2, sessions_pb2
from mooring_server.settings import Settings
from support_discovery import import_file
from support_server import HeaderAuth, new_engagement, refused, serving
from support_sessions import archive, delete, make

Code = grpc.StatusCode


def sessions(caller, parent, **fields):
    return caller.sessions.ListSessions(sessions_pb2.ListSessionsRequest(parent=parent, **fields))


def names(answer):
    return [session.display_name for session in answer.sessions]


@pytest.fixture
def parent(ann):
    """An engagement with the sessions `alpha`, `Beta`, `gamma` (archived), `Delta` (deleted) and Baseline."""
    parent = new_engagement(ann).name
    made = {name: make(ann, parent, name) for name in ("gamma", "Beta", "alpha", "Delta")}
    archive(ann, made["gamma"].name)
    delete(ann, made["Delta"].name)
    return parent


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ({}, ["alpha", "Baseline", "Beta"]),
        ({"show_archived": True}, ["alpha", "Baseline", "Beta", "gamma"]),
        ({"show_deleted": True}, ["alpha", "Baseline", "Beta", "Delta"]),
        ({"show_archived": True, "show_deleted": True}, ["alpha", "Baseline", "Beta", "Delta", "gamma"]),
    ],
)
def test_what_is_put_away_is_listed_where_asked_for(ann, parent, shown, found):
    """Archived and deleted sessions are each in the list and in its total only on request."""
    answer = sessions(ann, parent, **shown)
    assert (names(answer), answer.total_size, answer.total_size_at_least) == (found, len(found), False)
    filtered = sessions(ann, parent, filter="a OR b OR g OR d", **shown)
    assert (names(filtered), filtered.total_size) == (found, len(found))


def test_archived_engagements_are_listed_where_asked_for(ann):
    """Neither the list nor its total has them otherwise."""
    kept, away = new_engagement(ann, "Kept"), new_engagement(ann, "Away")
    ann.engagements.ArchiveEngagement(engagements_pb2.ArchiveEngagementRequest(name=away.name))
    for shown, found in ((False, [kept.name]), (True, [away.name, kept.name])):
        request = engagements_pb2.ListEngagementsRequest(show_archived=shown)
        answer = ann.engagements.ListEngagements(request)
        assert [each.name for each in answer.engagements] == found
        assert answer.total_size == len(found)


@pytest.mark.parametrize(
    ("order_by", "found"),
    [
        ("", ["alpha", "Baseline", "Beta"]),
        ("display_name", ["alpha", "Baseline", "Beta"]),
        (" display_name  desc ", ["Beta", "Baseline", "alpha"]),
        ("create_time", ["Baseline", "Beta", "alpha"]),
        ("create_time desc", ["alpha", "Beta", "Baseline"]),
        ("last_activity_time", ["Baseline", "Beta", "alpha"]),
        ("last_activity_time desc", ["alpha", "Beta", "Baseline"]),
    ],
)
def test_orders(ann, parent, order_by, found):
    """Names sort as people read them; each order also goes the other way, whole and page by page."""
    assert names(sessions(ann, parent, order_by=order_by)) == found
    walked, token = [], ""
    while len(walked) < 3:
        answer = sessions(ann, parent, order_by=order_by, page_size=1, page_token=token)
        walked += names(answer)
        token = answer.next_page_token
    assert (walked, token) == (found, "")


def test_a_token_is_bound_to_all_that_was_asked(ann, parent):
    """Another filter, order or choice of what is shown is INVALID_PAGE_TOKEN; another page size is not."""
    asked = {"filter": "NOT zzz", "order_by": "create_time", "show_archived": True, "page_size": 1}
    token = sessions(ann, parent, **asked).next_page_token
    assert len(sessions(ann, parent, **{**asked, "page_size": 2}, page_token=token).sessions) == 2
    for other in (
        {"filter": "NOT zz"},
        {"filter": ""},
        {"order_by": "create_time desc"},
        {"show_archived": False},
        {"show_deleted": True},
    ):
        with refused(Code.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"):
            sessions(ann, parent, **{**asked, **other}, page_token=token)


@pytest.mark.parametrize("text", ["a AND", "size > 1", "type = BIG", "x" * 2_001, "(" * 21 + "a" + ")" * 21])
def test_a_filter_that_cannot_be_read_is_refused(ann, parent, text):
    """With the field, the reason, and a sentence for people; the same on every list."""
    session = sessions(ann, parent).sessions[0].name
    for call in (
        lambda: sessions(ann, parent, filter=text),
        lambda: ann.engagements.ListEngagements(engagements_pb2.ListEngagementsRequest(filter=text)),
        lambda: ann.discovery.ListAssets(assets_pb2.ListAssetsRequest(parent=session, filter=text)),
    ):
        with refused(Code.INVALID_ARGUMENT, "INVALID_FILTER") as failure:
            call()
        assert failure.fields == ["filter"]
        assert failure.message.startswith("filter: ")


def test_pages_of_assets_are_filtered_within_their_version(ann):
    """A walk that began before an import goes on in the data that it began with."""
    session = new_engagement(ann).default_session
    import_file(ann, session, b"name,type\n" + b"".join(b"web-%d,server\n" % n for n in range(6)))

    def page(**fields):
        request = assets_pb2.ListAssetsRequest(parent=session, filter="web", page_size=2, **fields)
        return ann.discovery.ListAssets(request)

    first = page()
    import_file(ann, session, b"name,type\nweb-7,server\ndb-1,server\n")
    second = page(page_token=first.next_page_token, skip=1)
    assert [each.display_name for each in second.assets] == ["web-3", "web-4"]
    assert (second.data_version, second.total_size) == (first.data_version, 6)
    again = page(order_by="display_name desc")
    assert ([each.display_name for each in again.assets], again.total_size) == (["web-7", "web-5"], 7)


def test_skips_come_short_by_the_setting(tmp_path):
    """`passed_rows_max` bounds what one call passes over; the tokens lead on to the same page."""
    settings = Settings(
        database=f"sqlite:///{tmp_path}/mooring.db", port=0, passed_rows_max=3, stop_grace_s=1
    )
    with serving(settings, authenticator=HeaderAuth()) as server:
        ann = server.user("ann")
        engagement = new_engagement(ann).name
        for number in range(9):
            make(ann, engagement, f"S {number}")
        assert names(sessions(ann, engagement, skip=3, page_size=2)) == ["S 2", "S 3"]
        pages = [sessions(ann, engagement, skip=7, page_size=2)]
        while len(pages) < 3:
            pages.append(sessions(ann, engagement, page_size=2, page_token=pages[-1].next_page_token))
        assert [names(page) for page in pages] == [[], [], ["S 6", "S 7"]]
        assert [page.total_size for page in pages] == [10] * 3
        page = sessions(ann, engagement, skip=300)
        while page.next_page_token:
            page = sessions(ann, engagement, page_token=page.next_page_token)
            assert not page.sessions


def test_pages_come_short_by_the_setting(tmp_path):
    """`examined_rows_max` bounds a page and its total; the walk by tokens is whole all the same."""
    settings = Settings(
        database=f"sqlite:///{tmp_path}/mooring.db", port=0, examined_rows_max=1_001, stop_grace_s=1
    )
    with serving(settings, authenticator=HeaderAuth()) as server:
        ann = server.user("ann")
        session = new_engagement(ann).default_session
        rows = b"".join(
            b"web-%04d,server,%s\n" % (n, b"prod" if n == 2_000 else b"test") for n in range(2_500)
        )
        import_file(ann, session, b"name,type,environment\n" + rows)
        pages, token = [], ""
        while token or not pages:
            request = assets_pb2.ListAssetsRequest(
                parent=session, filter="NOT environment = test", page_token=token
            )
            pages.append(ann.discovery.ListAssets(request))
            token = pages[-1].next_page_token
        assert len(pages) == 3
        assert [each.display_name for page in pages for each in page.assets] == ["web-2000"]
        assert all(page.total_size_at_least for page in pages)
        assert all(before.next_page_token != after.next_page_token for before, after in pairwise(pages))
        # What an index of its own answers comes at once.
        request = assets_pb2.ListAssetsRequest(parent=session, filter="environment = prod")
        led = ann.discovery.ListAssets(request)
        assert (len(led.assets), led.total_size, led.next_page_token) == (1, 1, "")
        assert not led.total_size_at_least

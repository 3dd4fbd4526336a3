"""Walks through lists while others write: nothing that is there throughout is skipped or repeated."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Any

import grpc
import pytest
from google.longrunning import operations_pb2
from mooring.v1 import activity_pb2, assets_pb2, engagements_pb2, imports_pb2, sessions_pb2, users_pb2
from mooring_server.settings import Settings
from mooring_server.store import migrate
from support_calls import unique, upload
from support_evidence import kind
from support_server import Caller, HeaderAuth, Server, new_engagement, refused, serving

STABLE = 120
ASSETS = 300
WRITERS = 3
_UNLIMITED = {"read_rate": "", "write_rate": "", "bulk_rate": "", "watch_rate": ""}


@dataclass(frozen=True, slots=True)
class List:
    """A list to walk: a request for its first page, its RPC, its items' names and those that never change."""

    rpc: Callable[[Caller], Callable[[Any], Any]]
    request: Any
    items: str
    stable: frozenset[str]


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    migrate(database_url, Settings())
    with serving(
        Settings(database=database_url, port=0, **_UNLIMITED), authenticator=HeaderAuth()
    ) as running:
        yield running


def furnish(owner: Caller) -> str:
    """An engagement with sessions that stay as they are."""
    engagement = new_engagement(owner, "Walked").name
    for number in range(STABLE):
        session = sessions_pb2.Session(
            display_name=f"Stable {number:04}{' é' * (number % 3)}",
            labels={"keep": "yes", "parity": str(number % 2)},
        )
        owner.sessions.CreateSession(sessions_pb2.CreateSessionRequest(parent=engagement, session=session))
    return engagement


def scribble(caller: Caller, engagement: str, stop: Event, chance: random.Random) -> int:
    """Makes, renames, switches to, archives and deletes sessions of its own until told to stop."""
    done = 0
    while not stop.is_set():
        session = sessions_pb2.Session(display_name=f"{chance.choice('AsSz')}table {unique()}")
        made = caller.sessions.CreateSession(
            sessions_pb2.CreateSessionRequest(parent=engagement, session=session)
        )
        for _ in range(chance.randrange(4)):
            renamed = sessions_pb2.Session(name=made.name, display_name=f"{chance.choice('AsSz')} {unique()}")
            caller.sessions.UpdateSession(sessions_pb2.UpdateSessionRequest(session=renamed))
        caller.sessions.SwitchSession(sessions_pb2.SwitchSessionRequest(name=made.name))
        caller.sessions.DeleteSession(sessions_pb2.DeleteSessionRequest(name=made.name))
        done += 5
    return done


def lists_of(owner: Caller, engagement: str) -> list[List]:
    """Every list of one engagement, in its orders and with filters."""
    ask = sessions_pb2.ListSessionsRequest
    everything = owner.sessions.ListSessions(ask(parent=engagement, page_size=1_000)).sessions
    stable = frozenset(session.name for session in everything)
    even = frozenset(session.name for session in everything if session.labels.get("parity") == "0")
    rpc = lambda caller: caller.sessions.ListSessions  # noqa: E731 - one of several in a table
    orders = [
        f"{key}{turn}"
        for key in ("display_name", "create_time", "last_activity_time")
        for turn in ("", " desc")
    ]
    found = [List(rpc, ask(parent=engagement, order_by=order), "sessions", stable) for order in orders]
    for text, members in (
        ('labels.parity = "0"', even),
        ("stable", stable - {s.name for s in everything if s.is_default}),
        ('labels.keep = "yes" AND NOT labels.parity = "1"', even),
    ):
        found.append(List(rpc, ask(parent=engagement, filter=text), "sessions", members))
    shown = ask(parent=engagement, show_deleted=True, show_archived=True)
    found.append(List(rpc, shown, "sessions", stable))

    session = everything[0].name
    rows = b"name,type\n" + b"".join(b"asset %d,server\n" % number for number in range(ASSETS))
    received = owner.discovery.UploadInventory(upload(session, rows))
    begun = owner.discovery.ImportInventory(
        imports_pb2.ImportInventoryRequest(parent=session, upload_id=received.upload_id)
    )
    owner.operations.WaitOperation(operations_pb2.WaitOperationRequest(name=begun.name), timeout=60)
    assets = assets_pb2.ListAssetsRequest(parent=session)
    names = owner.discovery.ListAssets(assets_pb2.ListAssetsRequest(parent=session, page_size=1_000))
    everywhere = frozenset(asset.name for asset in names.assets)
    assert len(everywhere) == ASSETS
    found.append(List(lambda caller: caller.discovery.ListAssets, assets, "assets", everywhere))
    engagements = engagements_pb2.ListEngagementsRequest()
    own = frozenset({engagement})
    found.append(List(lambda caller: caller.engagements.ListEngagements, engagements, "engagements", own))
    return found


def walk(caller: Caller, listed: List, chance: random.Random) -> int:
    """Walks a list to its end; how many pages that took."""
    request = type(listed.request)()
    request.CopyFrom(listed.request)
    request.page_size = chance.choice((7, 20, 50))
    seen: list[str] = []
    pages = 0
    while True:
        page = listed.rpc(caller)(request)
        pages += 1
        seen += [item.name for item in getattr(page, listed.items)]
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break
    stable = [name for name in seen if name in listed.stable]
    assert len(stable) == len(set(stable)), f"repeated in {listed.request}"
    assert set(stable) == listed.stable, (
        f"{len(listed.stable) - len(set(stable))} skipped in {listed.request}"
    )
    return pages


def test_walks_skip_and_repeat_nothing(
    server: Server, database_url: str, size: Callable[[int, int], int], figure: Any
) -> None:
    """Whatever others write meanwhile, a walk meets each thing that stays exactly once."""
    wanted = size(24, 1_000)
    owner = server.user("owner")
    engagement = furnish(owner)
    lists = lists_of(owner, engagement)
    stop = Event()
    with ThreadPoolExecutor(WRITERS + 4) as threads:
        writers = [
            threads.submit(scribble, owner, engagement, stop, random.Random(n)) for n in range(WRITERS)
        ]
        try:
            pages = sum(
                threads.map(
                    lambda n: walk(owner, lists[n % len(lists)], random.Random(n)),
                    range(wanted),
                    timeout=3_000,
                )
            )
        finally:
            stop.set()
        writes = sum(writer.result(30) for writer in writers)
    figure(
        f"{wanted:,} walks of {len(lists)} lists, {pages:,} pages, {writes:,} writes, {kind(database_url)}",
        "0 skipped, 0 repeated",
    )


def test_altered_tokens_are_refused(server: Server, size: Callable[[int, int], int], figure: Any) -> None:
    """A page token is good for the list, the filter, the order and the caller that it was given to."""
    owner = server.user("owner")
    engagement = furnish(owner)
    member = engagements_pb2.Member(role=engagements_pb2.ROLE_VIEWER)
    other = server.user("other")
    other_id = other.users.GetCurrentUser(users_pb2.GetCurrentUserRequest()).name.partition("/")[2]
    owner.engagements.CreateMember(
        engagements_pb2.CreateMemberRequest(parent=engagement, member=member, member_id=other_id)
    )
    ask = sessions_pb2.ListSessionsRequest
    first = ask(parent=engagement, page_size=10)
    token = owner.sessions.ListSessions(first).next_page_token
    activity = owner.sessions.ListActivity(activity_pb2.ListActivityRequest(parent=engagement, page_size=10))
    elsewhere = new_engagement(owner, "Elsewhere").name
    wrong = [
        (owner, ask(parent=engagement, page_token=token, order_by="create_time")),
        (owner, ask(parent=engagement, page_token=token, filter="stable")),
        (owner, ask(parent=engagement, page_token=token, show_deleted=True)),
        (owner, ask(parent=elsewhere, page_token=token)),
        (owner, ask(parent=engagement, page_token=activity.next_page_token)),
        (other, ask(parent=engagement, page_token=token)),
    ]
    chance = random.Random(7)
    for _ in range(size(100, 2_000)):
        at = chance.randrange(len(token))
        letter = chance.choice("ABCDEFxyz0189-_.")
        altered = token[:at] + letter + token[at + 1 :]
        if altered != token:
            wrong.append((owner, ask(parent=engagement, page_token=altered)))
    for caller, request in wrong:
        with refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"):
            caller.sessions.ListSessions(request)
    figure(f"{len(wrong):,} altered, moved or borrowed page tokens", "0 taken")

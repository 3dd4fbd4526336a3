"""Calls that are made again: one effect, and the same bytes for whoever may ask."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier
from typing import Any

import grpc
import pytest
from mooring_server.core.policy import POLICY
from mooring_server.settings import Settings
from mooring_server.store import Tx, migrate, tables
from mooring_server.store.statements import Statement
from peewee import fn
from support_api import rpcs
from support_calls import RECIPES, Scene, settle
from support_evidence import kind
from support_process import Process
from support_server import Caller, HeaderAuth, new_engagement, serving
from support_store import Database

# With a request id each: not the upload, which is a stream, nor Google's own CancelOperation.
MUTATING = [
    rpc
    for rpc, rule in POLICY.items()
    if rule.mutates and rpc in rpcs() and "request_id" in rpcs()[rpc].input_type.fields_by_name
]
_EFFECTS = [Statement(table.select(fn.COUNT(1))) for table in (tables.Changes, tables.Operations)]
_UNLIMITED = {"read_rate": "", "write_rate": "", "bulk_rate": "", "watch_rate": ""}


def effects(tx: Tx) -> list[int]:
    """How much was ever changed, and how many operations were begun."""
    return [tx.row(statement)[0] for statement in _EFFECTS]


def request_of(scene: Scene, rpc: str) -> Any:
    request: Any = RECIPES[rpc].build(scene)
    request.request_id = str(uuid.uuid4())
    return request


def refusal(caller: Caller, rpc: str, data: bytes) -> str:
    """The status code of a call that must not be answered."""
    try:
        caller.raw(rpc, data)
    except grpc.RpcError as error:
        return str(error.code().name)
    return "OK"


def altered(request: Any) -> bytes:
    """The same request id with another payload."""
    other = type(request)()
    other.CopyFrom(request)
    fields = request.DESCRIPTOR.fields_by_name
    ids = ("token_id", "session_id", "engagement_id", "upload_id", "kernel_key", "member_id")
    texts = ("etag", *ids, "digest")
    if text := next((name for name in texts if name in fields), ""):
        setattr(other, text, "7")
    elif "context" in fields:
        other.context = "users/me/contexts/default"
    elif "force" in fields:
        other.force = True
    elif carrier := next((f for f in fields.values() if f.message_type and f.name != "update_mask"), None):
        getattr(other, carrier.name).etag = "7"
    else:  # the same thing in other words is another payload too
        collection, _, rest = request.name.split("/", 2)
        other.name = f"users/me/{rest}" if collection == "users" else rest
    assert other != request
    return bytes(other.SerializeToString())


def test_retries_have_one_effect(database_url: str, figure: Any) -> None:
    """A retry after or during the call does nothing more and gets the same bytes; another payload or another
    user is refused."""
    migrate(database_url, Settings())
    settings = Settings(database=database_url, port=0, **_UNLIMITED)
    with serving(settings, authenticator=HeaderAuth()) as server, ThreadPoolExecutor(2) as threads:
        owner, thief = server.user("owner"), server.user("thief")
        new_engagement(thief, "Elsewhere")  # their first call makes them, and that is a change
        engagement = new_engagement(owner, "Own").name
        scene = Scene(owner, engagement, lambda: server.user(uuid.uuid4().hex))
        for rpc in MUTATING:
            request = request_of(scene, rpc)
            data = request.SerializeToString()
            answer = owner.raw(rpc, data)
            settle(owner, rpc, answer)
            after = server.read(effects)
            assert owner.raw(rpc, data) == answer, f"{rpc}: a retry got another answer"
            assert refusal(owner, rpc, altered(request)) == "INVALID_ARGUMENT", rpc
            assert refusal(thief, rpc, data) in ("PERMISSION_DENIED", "ALREADY_EXISTS"), rpc
            assert server.read(effects) == after, f"{rpc}: asking again changed something"
            RECIPES[rpc].after(scene)

            data = request_of(scene, rpc).SerializeToString()
            before = server.read(effects)
            barrier = Barrier(2)

            def call(data: bytes = data, rpc: str = rpc, barrier: Barrier = barrier) -> bytes:
                barrier.wait()
                return owner.raw(rpc, data)

            first, second = threads.map(lambda _: call(), range(2))
            settle(owner, rpc, first)
            assert first == second, f"{rpc}: two at once got two answers"
            once = [now - then for now, then in zip(server.read(effects), before, strict=True)]
            assert owner.raw(rpc, data) == first
            alone = request_of(scene, rpc) if RECIPES[rpc].after is not Scene.restore else None
            if alone is not None:
                before = server.read(effects)
                settle(owner, rpc, owner.raw(rpc, alone.SerializeToString()))
                again = [now - then for now, then in zip(server.read(effects), before, strict=True)]
                assert once == again, f"{rpc}: two at once had {once} effects, one alone {again}"
            RECIPES[rpc].after(scene)
    figure(
        f"{len(MUTATING)} mutating RPCs retried after and during the call on {kind(database_url)}",
        "one effect, the same bytes; other payloads and users refused",
    )


@pytest.fixture
def process(database_url: str, tmp_path: Path) -> Iterator[Process]:
    server = Process(database_url, f"unix:{tmp_path}/s", **_UNLIMITED)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def test_retries_after_a_crash_have_one_effect(process: Process, database_url: str, figure: Any) -> None:
    """What was answered before a SIGKILL is answered with the same bytes after it, and done once."""
    calls: list[tuple[str, bytes, bytes]] = []
    with process.user("owner") as owner:
        engagement = new_engagement(owner, "Own").name

        def stranger() -> Caller:
            return users.enter_context(process.user(uuid.uuid4().hex))

        with ExitStack() as users:
            scene = Scene(owner, engagement, stranger)
            for rpc in MUTATING:
                data = request_of(scene, rpc).SerializeToString()
                answer = owner.raw(rpc, data)
                settle(owner, rpc, answer)
                calls.append((rpc, data, answer))
                RECIPES[rpc].after(scene)
    process.kill()
    before = _effects(database_url)
    process.start()
    with process.user("owner") as owner:
        for rpc, data, answer in calls:
            assert owner.raw(rpc, data) == answer, f"{rpc}: another answer after the crash"
    process.kill()
    assert _effects(database_url) == before
    figure(
        f"{len(calls)} mutating RPCs retried after a SIGKILL on {kind(database_url)}",
        "one effect, the same bytes",
    )


def _effects(database_url: str) -> list[int]:
    with Database(database_url) as database:
        return database.read(effects)

"""Uploads, operations and stored answers, on every database."""

import threading
from datetime import timedelta

import pytest
from mooring_server.errors import NotFound
from mooring_server.store import OperationState, StoredAnswer, Tx, new_id
from support_store import ENGAGEMENT, USER, Database, begin


@pytest.fixture
def begun(database: Database) -> Database:
    database.write(begin)
    return database


def _operation(tx: Tx, id: str):
    arguments = {"upload": "u", "größe": [1, 2.5, None]}
    return tx.operations.insert(id, ENGAGEMENT, "baseline", USER, "import", arguments)


def test_an_upload_comes_back_in_its_pieces(begun: Database):
    """Bytes are kept as they arrived until the upload is deleted."""
    pieces = [bytes(range(256)), b"", b"\x00" * 1_000]
    begun.write(lambda tx: tx.uploads.insert("up-1", ENGAGEMENT, "baseline", USER, "estate.xlsx"))
    for index, data in enumerate(pieces):
        begun.write(lambda tx, i=index, d=data: tx.uploads.add_chunk("up-1", i, d))
    assert not begun.read(lambda tx: tx.uploads.get("up-1")).complete
    done = begun.write(lambda tx: tx.uploads.complete("up-1", "ab", 1_256, 3))
    assert (done.complete, done.sha256, done.size_bytes, done.chunk_count) == (True, "ab", 1_256, 3)
    assert done == begun.read(lambda tx: tx.uploads.get("up-1"))
    assert [begun.read(lambda tx, i=i: tx.uploads.chunk("up-1", i)) for i in range(3)] == pieces
    assert begun.write(lambda tx: tx.uploads.delete("up-1"))
    assert begun.read(lambda tx: tx.uploads.get("up-1")) is None
    for gone in (
        lambda tx: tx.uploads.chunk("up-1", 0),
        lambda tx: tx.uploads.complete("up-1", "", 0, 0),
    ):
        with pytest.raises(NotFound) as absent:
            begun.write(gone)
        assert absent.value.reason == "UPLOAD_NOT_FOUND"


def test_a_large_upload_goes_in_parts(begun: Database):
    """It is gone at the first call, and expired until its last piece has gone."""
    begun.write(lambda tx: tx.uploads.insert("up-1", ENGAGEMENT, "baseline", USER, "estate.xlsx"))
    for index in range(40):
        begun.write(lambda tx, i=index: tx.uploads.add_chunk("up-1", i, b"x"))

    def left():
        return begun.read(lambda tx: tx.uploads.expired(begun.clock.now, 10))

    assert left() == []
    for _ in range(2):
        assert not begun.write(lambda tx: tx.uploads.delete("up-1"))
        assert begun.read(lambda tx: tx.uploads.get("up-1")) is None
        assert left() == ["up-1"]
    assert begun.write(lambda tx: tx.uploads.delete("up-1"))
    assert left() == []


def test_uploads_expire_oldest_first(begun: Database):
    """Cleaning finds a few at a time, none too early."""
    for number in range(3):
        begun.write(
            lambda tx, n=number: tx.uploads.insert(f"up-{n}", ENGAGEMENT, "baseline", USER, "estate.csv")
        )
        begun.clock.advance(10)
    late = begun.clock.now - timedelta(seconds=10)
    assert begun.read(lambda tx: tx.uploads.expired(late, 10)) == ["up-0", "up-1"]
    assert begun.read(lambda tx: tx.uploads.expired(late, 1)) == ["up-0"]


def test_an_operation_lives_from_its_order_to_its_outcome(begun: Database):
    """Its fields are kept as plain JSON values, and an unknown one is refused."""
    queued = begun.write(lambda tx: _operation(tx, "op-1"))
    assert (queued.state, queued.arguments["größe"]) == (OperationState.QUEUED, [1, 2.5, None])
    begun.clock.advance(5)
    running = begun.write(lambda tx: tx.operations.claim("op-1", "host-2"))
    assert (running.state, running.host) == (OperationState.RUNNING, "host-2")
    assert running.update_time - running.create_time == timedelta(seconds=5)
    ended = begun.write(
        lambda tx: tx.operations.update(
            "op-1", state=OperationState.SUCCEEDED, result={"created": 3}, progress={"rows": 3}
        )
    )
    assert (ended.result, ended.progress, ended.error) == ({"created": 3}, {"rows": 3}, None)
    assert begun.read(lambda tx: tx.operations.get(ENGAGEMENT, "baseline", "op-1")) == ended
    assert begun.read(lambda tx: tx.operations.get(ENGAGEMENT, "other", "op-1")) is None
    with pytest.raises(TypeError):
        begun.write(lambda tx: tx.operations.update("op-1", kind="export"))
    with pytest.raises(NotFound):
        begun.write(lambda tx: tx.operations.update("op-2", cancel_requested=True))


def test_racing_claims_give_an_operation_to_one(begun: Database):
    """An operation runs in one process, however many ask for it."""
    begun.write(lambda tx: _operation(tx, "op-1"))
    outcomes = begun.together(*(lambda tx, i=i: tx.operations.claim("op-1", f"host-{i}") for i in range(6)))
    assert sum(each is not None for each in outcomes) == 1


def test_what_waits_and_what_nobody_attends_is_found(begun: Database):
    """After a restart the queue and the interrupted are known; what was refreshed since is not among them."""

    def make(tx: Tx):
        for number in range(4):
            _operation(tx, f"op-{number}")
        tx.operations.claim("op-1", "old")
        tx.operations.update("op-3", state=OperationState.FAILED, error={"reason": "X"})

    begun.write(make)
    begun.clock.advance(5)
    now = begun.clock.now

    def ids(operations):
        return [each.id for each in operations]

    def unattended(since):
        return ids(begun.read(lambda tx: tx.operations.unattended(since)))

    assert unattended(now - timedelta(seconds=5)) == []
    assert unattended(now) == ["op-1"]
    begun.write(lambda tx: tx.operations.update("op-1"))
    assert unattended(now) == []
    assert ids(begun.read(lambda tx: tx.operations.queued(10))) == ["op-0", "op-2"]
    assert ids(begun.read(lambda tx: tx.operations.queued(1))) == ["op-0"]
    first = begun.read(lambda tx: tx.operations.page(ENGAGEMENT, "baseline", None, 0, 3))
    rest = begun.read(lambda tx: tx.operations.page(ENGAGEMENT, "baseline", first.next_key, 0, 3))
    assert (ids(first.items + rest.items), rest.next_key) == (["op-3", "op-2", "op-1", "op-0"], None)


def test_ended_operations_are_forgotten_a_few_at_a_time(begun: Database):
    """Those that were ordered before then, at most so many at a time; none that still waits or runs."""
    ids = []
    for number in range(6):
        id = new_id(begun.clock.now)
        ids.append(id)
        begun.write(lambda tx, id=id: _operation(tx, id))
        if number not in (0, 1):
            begun.write(lambda tx, id=id: tx.operations.update(id, state=OperationState.SUCCEEDED, result={}))
        begun.clock.advance(10)
    begun.write(lambda tx: tx.operations.claim(ids[1], "host"))
    late = begun.clock.now - timedelta(seconds=10)
    assert [begun.write(lambda tx: tx.operations.delete_ended(late, 2)) for _ in range(3)] == [2, 1, 0]
    kept = begun.read(lambda tx: tx.operations.page(ENGAGEMENT, "baseline", None, 0, 10)).items
    assert [each.id for each in kept] == [ids[5], ids[1], ids[0]]


def test_an_answer_is_kept_per_caller_and_call(begun: Database):
    """The same request gets the same bytes; another caller's or RPC's request is another."""
    answer = b"\x00\xff answer"
    begun.write(lambda tx: tx.requests.put(USER, "rpc", "id-1", "hash", answer))
    assert begun.read(lambda tx: tx.requests.get(USER, "rpc", "id-1")) == StoredAnswer("hash", answer)
    for other in (("user-2", "rpc", "id-1"), (USER, "other", "id-1"), (USER, "rpc", "id-2")):
        assert begun.read(lambda tx, o=other: tx.requests.get(*o)) is None


def test_the_same_request_twice_at_once_works_once(begun: Database):
    """A retry that overtakes its first attempt waits for it, and finds its answer."""
    works = []
    lock = threading.Lock()

    def call(tx: Tx):
        stored = tx.requests.get(USER, "rpc", "id-1")
        if stored is None:
            with lock:
                works.append(1)
            tx.sessions.update(ENGAGEMENT, "baseline", None, description="worked")
            tx.requests.put(USER, "rpc", "id-1", "hash", b"answer")
            return b"answer"
        return stored.answer

    assert begun.together(*(call for _ in range(6))) == [b"answer"] * 6
    assert begun.read(lambda tx: tx.sessions.get(ENGAGEMENT, "baseline")).etag == 2
    assert len(works) == 1


def test_old_answers_are_forgotten_a_few_at_a_time(begun: Database):
    """Cleaning takes the oldest, at most so many, none too early."""
    for number in range(5):
        begun.write(lambda tx, n=number: tx.requests.put(USER, "rpc", f"id-{n}", "hash", b""))
        begun.clock.advance(10)
    late = begun.clock.now - timedelta(seconds=20)
    deleted = [begun.write(lambda tx: tx.requests.delete_before(late, 2)) for _ in range(3)]
    assert deleted == [2, 1, 0]
    assert begun.read(lambda tx: tx.requests.get(USER, "rpc", "id-2")) is None
    assert begun.read(lambda tx: tx.requests.get(USER, "rpc", "id-3")) is not None

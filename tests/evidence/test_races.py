"""Writers that race for an engagement's sessions, and readers that count its defaults all the while."""

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from mooring.v1 import engagements_pb2
from mooring_server.store import Tx
from support_engagements import MANAGER, me
from support_evidence import kind
from support_process import Process
from support_server import Caller, create, new_engagement
from support_sessions import archive, delete, set_default, switch, unarchive, undelete
from support_store import Database

WRITERS = 32
CALL_TIME_MAX_S = 30
# Writers want the processor too.
LOOK_INTERVAL_S = 0.003
# Sessions that writers still think of: few enough to meet.
POOL = 24
STEPS: dict[str, tuple[Callable[[Caller, str], object], int]] = {
    "delete": (delete, 5),
    "undelete": (undelete, 4),
    "archive": (archive, 2),
    "unarchive": (unarchive, 3),
    "switch": (switch, 4),
    "set default": (set_default, 5),
}
REFUSED = {
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.NOT_FOUND,
}


@pytest.fixture
def process(database_url: str, tmp_path: Path) -> Iterator[Process]:
    server = Process(database_url, f"unix:{tmp_path}/s", read_rate="", write_rate="")
    server.start()
    try:
        yield server
    finally:
        server.kill()


class Race:
    """What the writers do, and how it went."""

    def __init__(self, engagement: str) -> None:
        self.engagement = engagement
        self.names: deque[str] = deque(maxlen=POOL)
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.over = threading.Event()

    def write(self, caller: Caller, seed: int) -> None:
        """One writer, until the race is over."""
        chance = random.Random(seed)
        while not self.over.is_set():
            if len(self.names) < POOL // 2 or chance.random() < 0.3:
                step, call = "create", self._create(caller, f"{seed} {chance.random()}")
            else:
                (step,) = chance.choices([*STEPS], [weight for _, weight in STEPS.values()])
                call = self._step(caller, step, chance.choice(self.names))
            try:
                call()
            except grpc.RpcError as error:
                if error.code() not in REFUSED:
                    raise
                self.refused[step] += 1
            else:
                self.done[step] += 1

    def read(self, caller: Caller) -> int:
        """A reader of the API, until the race is over; how often it looked."""
        request = engagements_pb2.GetEngagementRequest(
            name=self.engagement, view=engagements_pb2.ENGAGEMENT_VIEW_WITH_SESSION
        )
        looks = 0
        while not self.over.is_set():
            seen = caller.engagements.GetEngagement(request, timeout=CALL_TIME_MAX_S)
            assert seen.session.is_default
            assert seen.session.name == seen.default_session
            looks += 1
            self.over.wait(LOOK_INTERVAL_S)
        return looks

    def _create(self, caller: Caller, display_name: str) -> Callable[[], object]:
        def call() -> None:
            made = caller.sessions.CreateSession(
                create(self.engagement, display_name), timeout=CALL_TIME_MAX_S
            )
            self.names.append(made.name)

        return call

    def _step(self, caller: Caller, step: str, name: str) -> Callable[[], object]:
        return lambda: STEPS[step][0](caller, name)


def defaults(tx: Tx) -> list[tuple[str, int]]:
    """How many living default sessions each engagement has."""
    sql = (
        "SELECT e.id, (SELECT COUNT(*) FROM sessions s WHERE s.engagement_id = e.id AND s.is_default"
        " AND s.delete_time IS NULL AND s.archive_time IS NULL) FROM engagements e"
    )
    return list(tx._database.execute_sql(sql).fetchall())


def test_there_is_always_one_default(
    process: Process, database_url: str, size: Callable[[Any, Any], Any], figure: Callable[[str, str], None]
) -> None:
    """Whatever 32 writers do at once, every state that anybody can read has exactly one default session."""
    with ExitStack() as stack:
        owner = stack.enter_context(process.user("owner"))
        race = Race(new_engagement(owner).name)
        writers = [stack.enter_context(process.user(f"writer-{number}")) for number in range(WRITERS)]
        for writer in writers:
            owner.engagements.CreateMember(
                engagements_pb2.CreateMemberRequest(
                    parent=race.engagement,
                    member=engagements_pb2.Member(role=MANAGER),
                    member_id=me(writer).name.partition("/")[2],
                )
            )
        database = stack.enter_context(Database(database_url))
        threads = stack.enter_context(ThreadPoolExecutor(WRITERS + 1))
        running = [threads.submit(race.write, writer, seed) for seed, writer in enumerate(writers)]
        reading = threads.submit(race.read, owner)
        looks, wrong = 0, []
        started_s = time.monotonic()
        try:
            while (spent_s := time.monotonic() - started_s) < size(2, 60):
                wrong += [(id, count) for id, count in database.read(defaults) if count != 1]
                looks += 1
                race.over.wait(LOOK_INTERVAL_S)
        finally:
            race.over.set()
        for each in running:
            each.result()
        looks += reading.result()
        assert wrong == []
        assert race.done.keys() >= {"create", "delete", "switch", "set default"}
        assert database.store.check() == []
    figure(
        f"{WRITERS} writers for {spent_s:.0f} s on {kind(database_url)}: {race.done.total():,} changes"
        f" ({', '.join(f'{count:,} {step}' for step, count in sorted(race.done.items()))}),"
        f" {race.refused.total():,} refusals, {looks:,} looks",
        "0 moments without or with a second default; the doctor finds nothing",
    )

"""A server that is killed at random moments of a merge, and what is there after its next start.

The kill comes at a moment drawn from the time that a merge takes. After the next start both sessions are as
they were, or the merge is whole; then it is undone, and they are as they were again.
"""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import grpc
from google.longrunning import operations_pb2
from support_discovery import done, import_file
from support_evidence import kind, staged
from support_merges import SOURCE, merge, plan, revert, start
from support_process import Process
from support_server import Caller, create, new_engagement
from support_sessions import get
from support_store import Database
from support_waiting import until

Size = Callable[[Any, Any], Any]
Figure = Callable[[str, str], None]


def _servers(rows: int, first: int, owner: str) -> bytes:
    lines = ["name,owner,rack"]
    lines += [f"srv-{number:06},{owner},{number % 7}" for number in range(first, first + rows)]
    return "\n".join(lines).encode()


class Ground:
    """A server to kill, and two of its sessions, half of whose servers are the same."""

    def __init__(self, process: Process, rows: int) -> None:
        self.process = process
        self.finished = self.undone = 0
        process.start()
        with process.user("estate") as caller:
            engagement = new_engagement(caller).name
            self._target, self._source = (
                caller.sessions.CreateSession(create(engagement, name)).name for name in ("Target", "Source")
            )
            import_file(caller, self._target, _servers(rows, 0, "Ann"))
            import_file(caller, self._source, _servers(rows, rows // 2, "Bob"))
            self._before = self._states(caller)
            begun_s = time.perf_counter()
            revert(caller, merge(caller, self._target, self._plan).name)
            self._merge_s = time.perf_counter() - begun_s

    @property
    def _plan(self) -> Any:
        return plan(self._source, conflicts=SOURCE)

    def round(self, chance: random.Random, database_url: str) -> None:
        """One merge that a kill meets, the next start, and the look at what is there."""
        with self.process.user("estate") as caller:
            struck = threading.Timer(chance.uniform(0, 1.1) * self._merge_s, self.process.kill)
            struck.start()
            with suppress(grpc.RpcError):  # that was the kill
                done(caller, start(caller, self._target, self._plan))
            struck.join()
        self.process.start()
        with self.process.user("estate") as caller:
            request = operations_pb2.ListOperationsRequest(name=self._target, page_size=1)
            (newest,) = caller.operations.ListOperations(request).operations
            newest = done(caller, newest)
            until(lambda: staged(database_url) == 0, "nothing of an unfinished merge is left")
            after = self._states(caller)
            if newest.HasField("response") and after != self._before:
                self.finished += 1
                assert after[0][1] == self._before[0][1] * 3 // 2
                engagement = self._target.partition("/sessions/")[0]
                revert(caller, f"{engagement}/merges/{newest.name.rpartition('/')[2]}")
            else:
                self.undone += 1
            assert self._states(caller) == self._before

    def _states(self, caller: Caller) -> list[tuple[str, int, str, bool]]:
        found = [get(caller, session) for session in (self._target, self._source)]
        return [
            (each.data_version, each.asset_count, each.parent_session, each.HasField("archive_time"))
            for each in found
        ]


def test_a_killed_merge_is_all_or_none(
    started: Callable[[str], Process], database_url: str, size: Size, figure: Figure
) -> None:
    """SIGKILL at random moments of a merge: all or nothing, no orphan, and what is whole can be undone."""
    kills, rows = size(3, 100), size(1_000, 3_000)
    ground, chance = Ground(started(database_url), rows), random.Random(6)
    for _ in range(kills):
        ground.round(chance, database_url)
    ground.process.kill()
    with Database(database_url) as database:
        assert database.store.check() == []
    figure(
        f"SIGKILL during a merge of {rows:,} into {rows:,} on {kind(database_url)}, {kills} times",
        f"{ground.finished} had ended, {ground.undone} left nothing, 0 by halves, 0 rows left",
    )

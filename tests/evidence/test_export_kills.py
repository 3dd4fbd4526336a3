"""A server that is killed while it exports or imports a session, and what is there after its next start.

The kill comes at a moment drawn from the time that the work takes. An import has made the whole session or
none, and can be made again; an export that broke off is never taken for a whole one.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import grpc
from google.longrunning import operations_pb2
from mooring.v1 import sessions_pb2
from support_discovery import done, import_file
from support_evidence import kind, staged
from support_process import Process
from support_server import Caller, create, new_engagement
from support_store import Database
from support_transfers import export, import_session, made, manifest, start
from support_waiting import until

Size = Callable[[Any, Any], Any]
Figure = Callable[[str, str], None]


class Ground:
    """A server to kill, and a session of it to move."""

    def __init__(self, process: Process, rows: int) -> None:
        self.process = process
        self.finished = self.undone = self.whole = self.broken = 0
        process.start()
        with process.user("estate") as caller:
            engagement = new_engagement(caller)
            self._engagement, self._home = engagement.name, engagement.default_session
            self._session = caller.sessions.CreateSession(create(self._engagement, "Wave 1")).name
            lines = ["name,owner,rack", *(f"srv-{number:06},Ann,{number % 7}" for number in range(rows))]
            import_file(caller, self._session, "\n".join(lines).encode())
            begun_s = time.perf_counter()
            self._file = export(caller, self._session)
            self._export_s = time.perf_counter() - begun_s
            begun_s = time.perf_counter()
            import_session(caller, self._engagement, self._file)
            self._import_s = time.perf_counter() - begun_s
            self._count = self._total(caller)

    def importing(self, chance: random.Random, database_url: str) -> None:
        """One import that a kill meets, the next start, and the look at what is there."""
        with self._struck(chance, self._import_s) as caller, suppress(grpc.RpcError):  # that was the kill
            made(done(caller, start(caller, self._engagement, self._file)))
        with self.process.user("estate") as caller:
            request = operations_pb2.ListOperationsRequest(name=self._home, page_size=1)
            (newest,) = caller.operations.ListOperations(request).operations
            newest = done(caller, newest)
            until(lambda: staged(database_url) == 0, "nothing of an unfinished import is left")
            if self._total(caller) > self._count:
                self.finished += 1
                self._count += 1
                assert self._total(caller) == self._count
                answer = made(newest)
                assert self._digest(export(caller, answer.session)) == self._digest(self._file)
            else:
                self.undone += 1

    def exporting(self, chance: random.Random) -> None:
        """One export that a kill meets: it ends in a failure, or the file is the whole one."""
        with self._struck(chance, self._export_s) as caller:
            try:
                assert export(caller, self._session) == self._file
                self.whole += 1
            except grpc.RpcError:
                self.broken += 1
        with self.process.user("estate") as caller:
            assert export(caller, self._session) == self._file

    @contextmanager
    def _struck(self, chance: random.Random, work_s: float) -> Iterator[Caller]:
        """A caller whose server is killed at some moment of its work, and started again after it."""
        with self.process.user("estate") as caller:
            strike = threading.Timer(chance.uniform(0, 1.1) * work_s, self.process.kill)
            strike.start()
            yield caller
            strike.join()
        self.process.start()

    def _total(self, caller: Caller) -> int:
        request = sessions_pb2.ListSessionsRequest(parent=self._engagement, page_size=1)
        return int(caller.sessions.ListSessions(request).total_size)

    @staticmethod
    def _digest(file: bytes) -> str:
        return str(manifest(file)["content_digest"])


def test_a_killed_import_is_all_or_none(
    started: Callable[[str], Process], database_url: str, size: Size, figure: Figure
) -> None:
    """SIGKILL at random moments of an import: the whole session or none, and no orphan."""
    kills, rows = size(3, 100), size(1_000, 3_000)
    ground, chance = Ground(started(database_url), rows), random.Random(7)
    for _ in range(kills):
        ground.importing(chance, database_url)
    ground.process.kill()
    with Database(database_url) as database:
        assert database.store.check() == []
    figure(
        f"SIGKILL during the import of a session of {rows:,} on {kind(database_url)}, {kills} times",
        f"{ground.finished} had ended and are whole, {ground.undone} left nothing, 0 by halves, 0 rows left",
    )


def test_a_killed_export_is_no_file(
    started: Callable[[str], Process], database_url: str, size: Size, figure: Figure
) -> None:
    """SIGKILL at random moments of an export: whoever reads it hears of a failure, or has the whole file."""
    kills, rows = size(3, 100), size(1_000, 3_000)
    ground, chance = Ground(started(database_url), rows), random.Random(8)
    for _ in range(kills):
        ground.exporting(chance)
    figure(
        f"SIGKILL during the export of a session of {rows:,} on {kind(database_url)}, {kills} times",
        f"{ground.whole} were whole, {ground.broken} failed, 0 were short without a failure",
    )

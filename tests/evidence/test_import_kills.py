"""A server that is killed at random moments of an import, and what is there after its next start.

Inventories of servers and of the flows between them go into one session in turn, each a new generation of the
same estate. A kill comes at a moment drawn from the time that an import takes. After the next start the
session shows what it showed before, to the row, or all of what the import was to leave.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
from google.longrunning import operations_pb2
from mooring.v1 import assets_pb2, imports_pb2, sessions_pb2
from support_discovery import parts
from support_evidence import kind, staged
from support_process import Process
from support_server import Caller, create, new_engagement
from support_store import Database
from support_waiting import until

CALL_TIME_MAX_S = 60

Size = Callable[[Any, Any], Any]
Figure = Callable[[str, str], None]
# What the session shows: its data version, its counts, and the owners of its assets.
State = tuple[str, int, int, frozenset[str]]


def _servers(rows: int, generation: int) -> bytes:
    lines = ["name,ip,os,owner,rack"]
    for number in range(rows):
        address = f"10.{number // 62_500}.{number // 250 % 250}.{number % 250}"
        lines.append(f"srv-{number:06},{address},Linux,team-{generation},{number % 40}")
    return "\n".join(lines).encode()


def _flows(rows: int, generation: int) -> bytes:
    lines = [
        "Timeslot,Source server name,Source application,Source process,Destination server name,"
        "Destination IP,Destination application,Destination process,Destination port"
    ]
    for number in range(rows):
        target = (number * 7 + generation) % rows
        lines.append(
            f"2026-01-0{generation % 9 + 1} 00:00,srv-{number:06},App,nginx,srv-{target:06},,Db,pg,5432"
        )
    return "\n".join(lines).encode()


class Ground:
    """A server to kill, one session of it, and what that session shows."""

    def __init__(self, process: Process, database_url: str, rows: int) -> None:
        self.process = process
        self.finished = self.undone = 0
        self._database_url = database_url
        self._rows = rows
        self._generation = 0
        process.start()
        with process.user("estate") as caller:
            engagement = new_engagement(caller).name
            self._session = caller.sessions.CreateSession(create(engagement, "Estate")).name
            begun_s = time.perf_counter()
            for _ in range(2):
                operation = self._wait(caller, self._order(caller))
                assert not operation.HasField("error"), operation.error
                self._generation += 1
            self._import_s = (time.perf_counter() - begun_s) / 2
            self._before = self._state(caller)

    def round(self, chance: random.Random) -> None:
        """One import that a kill meets, the next start, and the look at what is there."""
        ordered: list[operations_pb2.Operation] = []
        with self.process.user("estate") as caller:
            struck = threading.Timer(chance.uniform(0, 1.1) * self._import_s, self.process.kill)
            struck.start()
            try:
                ordered.append(self._order(caller))
                ordered[0] = self._wait(caller, ordered[0])
            except grpc.RpcError:
                pass  # that was the kill
            struck.join()
        self.process.start()
        with self.process.user("estate") as caller:
            operation = self._settled(caller)
            until(lambda: staged(self._database_url) == 0, "no row of an unfinished version is left")
            after = self._state(caller)
            if operation is not None and operation.HasField("response"):
                report = imports_pb2.ImportInventoryResponse()
                operation.response.Unpack(report)
                assert after[0] == report.report.data_version, "published, and not shown"
                assert after[1] == self._before[1], (
                    "an import of the same estate left another number of assets"
                )
                self._generation += 1
                self.finished += 1
            else:
                assert after == self._before, "an import that did not end left something"
                self.undone += 1
            self._before = after

    def check(self) -> None:
        """Nothing is broken in the database."""
        self.process.kill()
        with Database(self._database_url) as database:
            assert database.store.check() == []

    def _order(self, caller: Caller) -> operations_pb2.Operation:
        make = _flows if self._generation % 2 else _servers
        data = make(self._rows, self._generation)
        arrived = caller.discovery.UploadInventory(parts(self._session, data), timeout=CALL_TIME_MAX_S)
        request = imports_pb2.ImportInventoryRequest(parent=self._session, upload_id=arrived.upload_id)
        return caller.discovery.ImportInventory(request, timeout=CALL_TIME_MAX_S)

    def _wait(self, caller: Caller, operation: operations_pb2.Operation) -> operations_pb2.Operation:
        while not operation.done:
            request = operations_pb2.WaitOperationRequest(name=operation.name)
            operation = caller.operations.WaitOperation(request, timeout=CALL_TIME_MAX_S)
        return operation

    def _settled(self, caller: Caller) -> operations_pb2.Operation | None:
        """The newest operation once it has ended; None where the kill came before its order."""
        request = operations_pb2.ListOperationsRequest(name=self._session, page_size=1)
        (newest,) = caller.operations.ListOperations(request).operations
        before = getattr(self, "_newest", None)
        self._newest = newest.name
        return None if newest.name == before else self._wait(caller, newest)

    def _state(self, caller: Caller) -> State:
        found = caller.sessions.GetSession(sessions_pb2.GetSessionRequest(name=self._session))
        owners: set[str] = set()
        count, token = 0, ""
        while True:
            page = caller.discovery.ListAssets(
                assets_pb2.ListAssetsRequest(parent=self._session, page_size=1_000, page_token=token)
            )
            owners |= {asset.owner for asset in page.assets}
            count += len(page.assets)
            token = page.next_page_token
            if not token:
                break
        assert count == found.asset_count
        return page.data_version, count, found.dependency_count, frozenset(owners)


def test_a_killed_import_is_all_or_none(
    started: Callable[[str], Process], database_url: str, size: Size, figure: Figure
) -> None:
    """SIGKILL at random moments of an import: all or nothing, and no staged row after the next start."""
    kills, rows = size(3, 100), size(1_000, 3_000)
    ground, chance = Ground(started(database_url), database_url, rows), random.Random(4)
    for _ in range(kills):
        ground.round(chance)
    ground.check()
    figure(
        f"SIGKILL during an import of {rows:,} rows on {kind(database_url)}, {kills} times",
        f"{ground.finished} had ended, {ground.undone} left nothing, 0 by halves, 0 staged rows left",
    )

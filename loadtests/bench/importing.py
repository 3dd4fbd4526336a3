"""How fast an inventory comes in, and what else the server does meanwhile.

A server of its own imports a CSV file. `baseline` writes the same rows, with the same indexes, by bare
`executemany` in the same run. Beside the import, one client calls SessionService at an even pace, as it did
before it began.
"""

import random
import statistics
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from mooring.v1 import (
    discovery_pb2_grpc,
    engagements_pb2,
    engagements_pb2_grpc,
    imports_pb2,
    sessions_pb2,
    sessions_pb2_grpc,
)
from mooring_server.core.staging import stage
from mooring_server.ingest import AssetRow, Limits, open_inventory
from mooring_server.settings import Settings
from mooring_server.store import migrate, new_id
from mooring_server.store.assets import StoredAsset
from mooring_server.store.lists.search import AssetWords
from mooring_server.store.sqlite import connect_sqlite, sqlite_path
from mooring_server.store.tables import Assets
from mooring_server.store.transaction import Tx

_PACE_S = 0.02
_IDLE_S = 15.0
_COMMIT_ROWS = 10_000
_SYSTEMS = [
    f"{name} {release}" for name in ("Windows Server", "Ubuntu", "RHEL", "AIX") for release in range(6)
]


def write_inventory(path: Path, rows: int) -> None:
    """A table of servers as teams have them: 13 columns, some cells empty."""
    chance = random.Random(7)  # noqa: S311 - numbers that are the same in each run
    with path.open("w") as file:
        file.write(
            "Name,FQDN,IP address,Operating system,vCPUs,Memory (MB),Storage (GB),Environment,Owner,"
            "Application,Site,Rack,Note\n"
        )
        for number in range(rows):
            name = f"srv-{number:07}"
            file.write(
                f"{name},{name}.corp.example,10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255},"
                f"{chance.choice(_SYSTEMS)},{chance.choice((2, 4, 8))},{chance.choice((4096, 8192, 16384))},"
                f"{chance.randrange(20, 900)},{chance.choice(('prod', 'test', 'dev', ''))},"
                f"team-{number % 41},app-{number % 997},dc-{number % 23},R{number % 500},row {number}\n"
            )


class Pulse:
    """One client of SessionService at an even pace; how long its calls took."""

    def __init__(self, address: str, engagement: str, session: str) -> None:
        self._channel = grpc.insecure_channel(address)
        self._stub = sessions_pb2_grpc.SessionServiceStub(self._channel)
        self._engagement = engagement
        self._session = session
        self._turn = 0

    @contextmanager
    def beating(self) -> Iterator[list[float]]:
        """Calls as long as the context lives; the seconds of each call."""
        taken_s: list[float] = []
        over = threading.Event()
        thread = threading.Thread(target=self._beat, args=(taken_s, over))
        thread.start()
        try:
            yield taken_s
        finally:
            over.set()
            thread.join()

    def idle_p99_s(self) -> float:
        """The p99 of its calls while nothing else is asked of the server."""
        with self.beating() as idle:
            threading.Event().wait(_IDLE_S)
        return p99(idle)

    def close(self) -> None:
        """Lets go of the server."""
        self._channel.close()

    def _beat(self, taken_s: list[float], over: threading.Event) -> None:
        due_s = time.perf_counter()
        while not over.is_set():
            begun_s = time.perf_counter()
            self._call()
            taken_s.append(time.perf_counter() - begun_s)
            due_s = max(due_s + _PACE_S, time.perf_counter() - 1)
            over.wait(max(0.0, due_s - time.perf_counter()))

    def _call(self) -> None:
        self._turn = (self._turn + 1) % 10
        request_id = str(uuid.uuid4())
        if self._turn == 0:
            self._stub.CreateSession(
                sessions_pb2.CreateSessionRequest(
                    parent=self._engagement,
                    session=sessions_pb2.Session(display_name=f"Pulse {request_id}"),
                    request_id=request_id,
                )
            )
        elif self._turn in (1, 2):
            self._stub.SwitchSession(
                sessions_pb2.SwitchSessionRequest(name=self._session, request_id=request_id)
            )
        elif self._turn in (3, 4, 5):
            self._stub.ListSessions(sessions_pb2.ListSessionsRequest(parent=self._engagement, page_size=50))
        else:
            self._stub.GetSession(sessions_pb2.GetSessionRequest(name=self._session))


@dataclass(frozen=True)
class Imported:
    """An import: `import_s` from the first byte to the publication; the p99 of SessionService around it."""

    session: str
    rows: int
    import_s: float
    idle_p99_s: float
    busy_p99_s: float
    busy_calls: int


def measure(address: str, inventory: Path) -> Imported:
    """Imports the inventory into a new session of the default engagement."""
    with grpc.insecure_channel(address) as channel:
        engagements = engagements_pb2_grpc.EngagementServiceStub(channel)
        engagement = engagements.GetDefaultEngagement(engagements_pb2.GetDefaultEngagementRequest()).name
        sessions = sessions_pb2_grpc.SessionServiceStub(channel)
        name = f"Benchmark {uuid.uuid4()}"
        session = sessions.CreateSession(
            sessions_pb2.CreateSessionRequest(
                parent=engagement, session=sessions_pb2.Session(display_name=name)
            )
        ).name
        pulse = Pulse(address, engagement, session)
        idle_p99_s = pulse.idle_p99_s()
        with pulse.beating() as busy:
            begun_s = time.perf_counter()
            report = import_inventory(channel, session, inventory)
            import_s = time.perf_counter() - begun_s
        pulse.close()
    return Imported(session, report.source_rows, import_s, idle_p99_s, p99(busy), len(busy))


def import_inventory(channel: grpc.Channel, session: str, inventory: Path) -> imports_pb2.ImportReport:
    """Imports a file into a session, and waits for it."""
    discovery = discovery_pb2_grpc.DiscoveryServiceStub(channel)
    operations = operations_pb2_grpc.OperationsStub(channel)

    def parts() -> Iterator[imports_pb2.UploadInventoryRequest]:
        header = imports_pb2.UploadHeader(parent=session, file_name=inventory.name)
        yield imports_pb2.UploadInventoryRequest(header=header)
        with inventory.open("rb") as file:
            while chunk := file.read(2**20):
                yield imports_pb2.UploadInventoryRequest(chunk=chunk)

    arrived = discovery.UploadInventory(parts())
    operation = discovery.ImportInventory(
        imports_pb2.ImportInventoryRequest(parent=session, upload_id=arrived.upload_id)
    )
    while not operation.done:
        operation = operations.WaitOperation(operations_pb2.WaitOperationRequest(name=operation.name))
    response = imports_pb2.ImportInventoryResponse()
    if not operation.response.Unpack(response):
        raise SystemExit(f"the import failed: {operation.error.message}")
    return response.report


def baseline_sqlite(folder: Path, inventory: Path) -> float:
    """The seconds of bare `executemany` for the same rows, indexes and words, on a fresh SQLite file."""
    url = f"sqlite:///{folder / 'baseline.db'}"
    migrate(url, Settings(database=url))
    database = connect_sqlite(sqlite_path(url), foreign_keys=False)
    version = new_id()
    columns = [field.name for field in Assets._meta.sorted_fields]
    places = ", ".join("?" * len(columns))
    sql = f"INSERT INTO assets ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - names of our own
    words = AssetWords(Tx(database, now=datetime.now(UTC), actor="users/system"))
    taken_s = 0.0
    with database.connection_context():
        for rows in _staged(inventory):
            begun_s = time.perf_counter()
            with database.atomic("IMMEDIATE"):
                database.cursor().executemany(sql, [(version, *row) for row in rows])
                words.add(version, [row[0] for row in rows])
            taken_s += time.perf_counter() - begun_s
    return taken_s


def _staged(inventory: Path) -> Iterator[list[StoredAsset]]:
    rows: list[StoredAsset] = []
    now = datetime.now(UTC)
    for row in open_inventory(inventory, inventory.name, Limits.of(Settings())).rows():
        if isinstance(row, AssetRow):
            rows.append(stage(row, inventory.name, "table", now, repeated=False).asset)
        if len(rows) == _COMMIT_ROWS:
            yield rows
            rows = []
    yield rows


def p99(taken_s: list[float]) -> float:
    """What 99 of 100 of these were not above."""
    return statistics.quantiles(taken_s, n=100)[98]

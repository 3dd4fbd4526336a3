"""How long it takes to merge a session into another of the same size, to undo that, and to clone one.

Both sides have the same machines, and every second one of them is in conflict. `bare_sqlite` has the same
effect in plain SQL on the same file: the rows, their indexes, their words and what was left out.
"""

import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from importing import Pulse, import_inventory, p99
from mooring.v1 import merges_pb2, sessions_pb2, sessions_pb2_grpc
from mooring_server.core.staging import VALUES
from mooring_server.store import new_id
from mooring_server.store.lists.search import AssetWords
from mooring_server.store.sqlite import connect_sqlite, sqlite_path
from mooring_server.store.tables import Assets, MergeDrops
from mooring_server.store.transaction import Tx

_COMMIT_ROWS = 10_000
_CREATED = 20
_PREVIEW_TIMEOUT_S = 600


def write_other_inventory(inventory: Path, other: Path) -> None:
    """The same machines, every second one of another owner and with another size of memory."""
    with inventory.open() as lines, other.open("w") as file:
        header = next(lines)
        owner, memory = (header.split(",").index(name) for name in ("Owner", "Memory (MB)"))
        file.write(header)
        for number, line in enumerate(lines):
            cells = line.split(",")
            if number % 2:
                cells[owner], cells[memory] = f"other {cells[owner]}", "1024"
            file.write(",".join(cells))


@dataclass(frozen=True)
class Merged:
    """A merge of one session's assets into another's, in seconds, alone and beside others; their p99."""

    target_id: str
    source_id: str
    conflicts: int
    preview_s: float
    merge_s: float
    beside_s: float
    revert_s: float
    idle_p99_s: float
    busy_p99_s: float
    busy_calls: int
    create_s: float
    clone_s: float


def measure(address: str, target: str, inventory: Path) -> Merged:
    """Merges a session made of the inventory into the target, undoes it, and clones the target.

    Creating and cloning are medians of a few, one after the other by turns.
    """
    with grpc.insecure_channel(address) as channel:
        sessions = sessions_pb2_grpc.SessionServiceStub(channel)
        engagement = target.rpartition("/sessions/")[0]

        def create(source: str = "") -> str:
            session = sessions_pb2.Session(display_name=f"Benchmark {uuid.uuid4()}")
            return sessions.CreateSession(
                sessions_pb2.CreateSessionRequest(parent=engagement, session=session, source_session=source)
            ).name

        source = create()
        import_inventory(channel, source, inventory)
        plan = merges_pb2.MergePlan(
            source=source, strategy=merges_pb2.MERGE_STRATEGY_OVERWRITE, keep_source=True
        )
        begun_s = time.perf_counter()
        preview = sessions.PreviewMerge(
            merges_pb2.PreviewMergeRequest(name=target, plan=plan), timeout=_PREVIEW_TIMEOUT_S
        )
        preview_s = time.perf_counter() - begun_s

        def merge() -> float:
            """The seconds of the merge, which is then undone."""
            begun_s = time.perf_counter()
            operation = sessions.MergeSessions(
                merges_pb2.MergeSessionsRequest(name=target, plan=plan, digest=preview.digest)
            )
            merged = _ended(channel, operation)
            merge_s = time.perf_counter() - begun_s
            request = merges_pb2.RevertMergeRequest(name=merged.name)
            reverts_s.append(_taken_s(lambda: sessions.RevertMerge(request)))
            return merge_s

        reverts_s: list[float] = []
        merge_s = merge()
        pulse = Pulse(address, engagement, target)
        idle_p99_s = pulse.idle_p99_s()
        with pulse.beating() as busy:
            beside_s = merge()
        pulse.close()
        pairs = [(_taken_s(create), _taken_s(lambda: create(target))) for _ in range(_CREATED)]
    create_s, clone_s = (statistics.median(each) for each in zip(*pairs, strict=True))
    return Merged(
        target.rpartition("/")[2],
        source.rpartition("/")[2],
        sum(preview.counts.conflicts.values()),
        preview_s,
        merge_s,
        beside_s,
        min(reverts_s),
        idle_p99_s,
        p99(busy),
        len(busy),
        create_s,
        clone_s,
    )


def _ended(channel: grpc.Channel, operation: operations_pb2.Operation) -> merges_pb2.Merge:
    operations = operations_pb2_grpc.OperationsStub(channel)
    while not operation.done:
        operation = operations.WaitOperation(operations_pb2.WaitOperationRequest(name=operation.name))
    response = merges_pb2.MergeSessionsResponse()
    if not operation.response.Unpack(response):
        raise SystemExit(f"the merge failed: {operation.error.message}")
    return response.merge


def _taken_s(call: Callable[[], object]) -> float:
    begun_s = time.perf_counter()
    call()
    return time.perf_counter() - begun_s


def bare_sqlite(url: str, merged: Merged) -> float:
    """The seconds of the same merge in plain SQL, on the file of a server that has ended."""
    database = connect_sqlite(sqlite_path(url), foreign_keys=False)
    words = AssetWords(Tx(database, now=datetime.now(UTC), actor="users/system"))
    version, merge = new_id(), new_id()
    rows, drops = _statements()
    with database.connection_context():
        versions = [
            database.execute_sql("SELECT data_version_id FROM sessions WHERE id = ?", [id]).fetchone()[0]
            for id in (merged.target_id, merged.source_id)
        ]
        begun_s = time.perf_counter()
        for after, last in _ranges(database, versions[0]):
            sides = {"target": versions[0], "source": versions[1], "after": after, "last": last}
            with database.atomic("IMMEDIATE"):
                cursor = database.cursor()
                added = cursor.execute(rows, {**sides, "version": version}).fetchall()
                words.add(version, [id for (id,) in added])
                cursor.execute(drops, {**sides, "merge": merge})
        return time.perf_counter() - begun_s


def _ranges(database: object, version: str) -> Iterator[tuple[str, str]]:
    after = ""
    sql = "SELECT max(id) FROM (SELECT id FROM assets WHERE version_id = ? AND id > ? ORDER BY id LIMIT ?)"
    while last := database.execute_sql(sql, [version, after, _COMMIT_ROWS]).fetchone()[0]:  # type: ignore[attr-defined]
        yield after, last
        after = last


def _statements() -> tuple[str, str]:
    """Those that add the rows of a range of ids, and what they leave out; the source wins."""
    fields = [field.name for field in Assets._meta.sorted_fields]
    known = {name: f"coalesce(source.{name}, '') NOT IN ('', '[]', 'other')" for name in ("type", *VALUES)}
    taken = {
        name: f"CASE WHEN {is_known} THEN source.{name} ELSE target.{name} END"
        for name, is_known in known.items()
    }
    taken |= {"version_id": ":version", "digest": "coalesce(source.digest, target.digest)"}
    columns = ", ".join(taken.get(name, f"target.{name}") for name in fields)
    pairs = (
        "FROM assets AS target {join} JOIN assets AS source"
        " ON source.version_id = :source AND source.identity = target.identity{differing}"
        " WHERE target.version_id = :target AND target.id > :after AND target.id <= :last"
    )
    rows = f"INSERT INTO assets ({', '.join(fields)}) SELECT {columns} "
    rows += pairs.format(join="LEFT", differing="") + " RETURNING id"
    dropped = " || ".join(
        f"CASE WHEN {is_known} AND source.{name} IS NOT target.{name}"
        f" THEN ',' || json_array('{name}', target.{name}, source.{name}, 'source') ELSE '' END"
        for name, is_known in known.items()
    )
    names = ", ".join(field.name for field in MergeDrops._meta.sorted_fields)
    drops = f"INSERT INTO merge_drops ({names})"
    drops += f" SELECT :merge, 'assets', target.id, target.display_name, '[' || substr({dropped}, 2) || ']' "
    drops += pairs.format(join="INNER", differing=" AND source.digest <> target.digest")
    return rows, drops

"""How long it takes to export a session as a file, and to import that file as another session."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from mooring.v1 import discovery_pb2_grpc, imports_pb2, sessions_pb2_grpc, transfers_pb2

_TIMEOUT_S = 1_800


@dataclass(frozen=True)
class Moved:
    """A session of so many rows, moved; the import is from the first byte to the publication."""

    rows: int
    size_bytes: int
    export_s: float
    import_s: float


def measure(address: str, session: str, folder: Path) -> Moved:
    """Exports a session, and imports the file into the same engagement."""
    with grpc.insecure_channel(address) as channel:
        sessions = sessions_pb2_grpc.SessionServiceStub(channel)
        path = folder / "moved.mooring.zip"
        begun_s = time.perf_counter()
        with path.open("wb") as file:
            request = transfers_pb2.ExportSessionRequest(name=session)
            for part in sessions.ExportSession(request, timeout=_TIMEOUT_S):
                file.write(part.data)
        export_s = time.perf_counter() - begun_s
        begun_s = time.perf_counter()
        rows = _import(channel, session.rpartition("/sessions/")[0], path)
        import_s = time.perf_counter() - begun_s
    return Moved(rows, path.stat().st_size, export_s, import_s)


def _import(channel: grpc.Channel, engagement: str, path: Path) -> int:
    def parts() -> Iterator[imports_pb2.UploadInventoryRequest]:
        header = imports_pb2.UploadHeader(parent=engagement, file_name=path.name)
        yield imports_pb2.UploadInventoryRequest(header=header)
        with path.open("rb") as file:
            while chunk := file.read(2**20):
                yield imports_pb2.UploadInventoryRequest(chunk=chunk)

    arrived = discovery_pb2_grpc.DiscoveryServiceStub(channel).UploadInventory(parts())
    operation = sessions_pb2_grpc.SessionServiceStub(channel).ImportSession(
        transfers_pb2.ImportSessionRequest(parent=engagement, upload_id=arrived.upload_id)
    )
    operations = operations_pb2_grpc.OperationsStub(channel)
    while not operation.done:
        operation = operations.WaitOperation(operations_pb2.WaitOperationRequest(name=operation.name))
    response = transfers_pb2.ImportSessionResponse()
    if not operation.response.Unpack(response):
        raise SystemExit(f"the import of the session failed: {operation.error.message}")
    return int(response.asset_count + response.dependency_count)

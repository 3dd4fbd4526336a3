"""Uploads and imports through the API, as any client makes them."""

from collections.abc import Iterator
from typing import Any

from google.longrunning import operations_pb2
from mooring.v1 import imports_pb2


def parts(
    session: str, data: bytes, *, file_name: str = "estate.csv", sha256: str = "", piece: int = 2**20
) -> Iterator[imports_pb2.UploadInventoryRequest]:
    """The messages of an upload."""
    header = imports_pb2.UploadHeader(parent=session, file_name=file_name, sha256=sha256)
    yield imports_pb2.UploadInventoryRequest(header=header)
    for start in range(0, len(data), piece):
        yield imports_pb2.UploadInventoryRequest(chunk=data[start : start + piece])


def upload(caller: Any, session: str, data: bytes, **options: Any) -> imports_pb2.UploadInventoryResponse:
    """Uploads a file."""
    return caller.discovery.UploadInventory(parts(session, data, **options), timeout=30)


def start(caller: Any, session: str, data: bytes, **options: Any) -> operations_pb2.Operation:
    """Uploads a file and begins its import."""
    arrived = upload(caller, session, data, **options)
    return caller.discovery.ImportInventory(
        imports_pb2.ImportInventoryRequest(parent=session, upload_id=arrived.upload_id)
    )


def done(caller: Any, operation: operations_pb2.Operation) -> operations_pb2.Operation:
    """The operation once it has ended."""
    while not operation.done:
        request = operations_pb2.WaitOperationRequest(name=operation.name)
        operation = caller.operations.WaitOperation(request, timeout=60)
    return operation


def report(operation: operations_pb2.Operation) -> imports_pb2.ImportReport:
    """What an import that succeeded answers."""
    assert operation.WhichOneof("result") == "response", operation.error
    response = imports_pb2.ImportInventoryResponse()
    assert operation.response.Unpack(response)
    return response.report


def import_file(caller: Any, session: str, data: bytes, **options: Any) -> imports_pb2.ImportReport:
    """Uploads and imports a file; the account of it."""
    return report(done(caller, start(caller, session, data, **options)))

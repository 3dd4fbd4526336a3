"""Calls about imports: upload, preview, import, history."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from google.longrunning import operations_pb2
from mooring.v1 import discovery_pb2_grpc, imports_pb2

from mooring_server.cli.connection import Connection, Listed, refused, request_id

CHUNK_BYTES = 512 * 2**10


class Imports:
    """What can be asked about the imports of sessions, which are `engagements/{e}/sessions/{s}` here."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._call = connection.call
        self._discovery = discovery_pb2_grpc.DiscoveryServiceStub(connection.channel)

    def upload(self, parent: str, file: Path, on_sent: Callable[[int], None]) -> str:
        """Send a file to a session, or to `engagements/{e}` where it is one; the upload's id.

        `on_sent` is told the bytes so far, from another thread.
        """

        def parts() -> Iterator[imports_pb2.UploadInventoryRequest]:
            header = imports_pb2.UploadHeader(parent=parent, file_name=file.name, sha256=_sha256(file))
            yield imports_pb2.UploadInventoryRequest(header=header)
            sent = 0
            with file.open("rb") as source:
                while chunk := source.read(CHUNK_BYTES):
                    yield imports_pb2.UploadInventoryRequest(chunk=chunk)
                    sent += len(chunk)
                    on_sent(sent)

        return self._call(self._discovery.UploadInventory, parts(), timeout_s=None).upload_id

    def preview(
        self, session: str, upload_id: str, options: imports_pb2.ImportOptions
    ) -> imports_pb2.PreviewInventoryResponse:
        """What an import would make of an upload."""
        request = imports_pb2.PreviewInventoryRequest(parent=session, upload_id=upload_id, options=options)
        return self._call(self._discovery.PreviewInventory, request, timeout_s=None)

    def start(
        self, session: str, upload_id: str, options: imports_pb2.ImportOptions
    ) -> operations_pb2.Operation:
        """Begin to import an upload."""
        request = imports_pb2.ImportInventoryRequest(
            parent=session, upload_id=upload_id, options=options, request_id=request_id()
        )
        return self._call(self._discovery.ImportInventory, request)

    def history(self, session: str, limit: int) -> Listed[imports_pb2.Import]:
        """The first imports of a session, newest first; 0 for all."""
        request = imports_pb2.ListImportsRequest(parent=session)
        return self._connection.first(self._discovery.ListImports, request, "imports", limit)

    def get(self, name: str) -> imports_pb2.Import:
        """The import `engagements/{e}/sessions/{s}/imports/{i}` with its whole report."""
        return self._call(self._discovery.GetImport, imports_pb2.GetImportRequest(name=name))

    def revert(self, name: str, *, force: bool, validate_only: bool = False) -> imports_pb2.Import:
        """Undo an import; with `force` also where the data was edited since."""
        request = imports_pb2.RevertImportRequest(
            name=name, force=force, validate_only=validate_only, request_id=request_id()
        )
        return self._call(self._discovery.RevertImport, request, timeout_s=None, changes=not validate_only)


def report_of(operation: operations_pb2.Operation) -> imports_pb2.ImportReport:
    """The report of an import that is over.

    Raises:
        Refused: it failed.
    """
    if operation.HasField("error"):
        raise refused(operation.error)
    response = imports_pb2.ImportInventoryResponse()
    operation.response.Unpack(response)
    return response.report


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()

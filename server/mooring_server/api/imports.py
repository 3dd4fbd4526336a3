"""Imports: asked for, looked up in the session's history, undone."""

from typing import Any

from google.longrunning import operations_pb2
from google.protobuf.json_format import ParseDict
from mooring.v1 import imports_pb2

from mooring_server.api.calls import Call
from mooring_server.api.driver import Handler
from mooring_server.api.operations import pack_operation
from mooring_server.api.previews import unpack_options
from mooring_server.api.times import timestamp
from mooring_server.background import Operations
from mooring_server.core import imports
from mooring_server.core.names import Kind
from mooring_server.store import Tx
from mooring_server.store.records import version_label


def import_inventory(running: Operations) -> Handler:
    """The handler that queues an import."""

    def handle(tx: Tx, call: Call, request: imports_pb2.ImportInventoryRequest) -> operations_pb2.Operation:
        engagement_id, session_id = Kind.SESSION.ids(request.parent, "parent")
        operation = imports.request_import(
            tx, call.caller, engagement_id, session_id, request.upload_id, unpack_options(request.options)
        )
        call.after_commit(running.wake)
        return pack_operation(operation)

    return handle


def list_imports(
    tx: Tx, call: Call, request: imports_pb2.ListImportsRequest
) -> imports_pb2.ListImportsResponse:
    """A page of a session's imports, newest first."""
    window = call.window(request, request.parent)
    engagement_id, session_id = Kind.SESSION.ids(request.parent, "parent")
    history, next_key = imports.page(tx, engagement_id, session_id, window)
    return imports_pb2.ListImportsResponse(
        imports=[_pack(each) for each in history],
        next_page_token=call.next_page_token(next_key, request.parent),
    )


def get_import(tx: Tx, call: Call, request: imports_pb2.GetImportRequest) -> imports_pb2.Import:
    """One import."""
    engagement_id, session_id, import_id = Kind.IMPORT.ids(request.name)
    return _pack(imports.get(tx, engagement_id, session_id, import_id))


def revert_import(tx: Tx, call: Call, request: imports_pb2.RevertImportRequest) -> imports_pb2.Import:
    """Undoes an import."""
    engagement_id, session_id, import_id = Kind.IMPORT.ids(request.name)
    return _pack(imports.revert(tx, call.caller, engagement_id, session_id, import_id, force=request.force))


def _pack(history: imports.History) -> imports_pb2.Import:
    record = history.record
    optional: dict[str, Any] = {}
    if record.revert_time is not None:
        optional["revert_time"] = timestamp(record.revert_time)
    if record.reverter_id is not None:
        optional["reverter"] = Kind.USER.of(record.reverter_id)
    options = dict(record.options)
    if "asset_type" in options:
        options["asset_type"] = f"ASSET_TYPE_{options['asset_type'].upper()}"
    return imports_pb2.Import(
        name=imports.name_of(record),
        file_name=record.file_name,
        sha256=record.sha256,
        size_bytes=record.size_bytes,
        user=Kind.USER.of(record.user_id),
        options=ParseDict(options, imports_pb2.ImportOptions()),
        report=ParseDict(record.report, imports_pb2.ImportReport()),
        base_data_version=version_label(record.base_id, record.base_revision),
        data_version=version_label(record.version_id, record.revision),
        create_time=timestamp(record.create_time),
        revertible=history.revertible,
        **optional,
    )

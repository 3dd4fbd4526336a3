"""`mooring operations`: imports and merges while they run."""

import json
from typing import Any

from google.longrunning import operations_pb2
from mooring.v1 import imports_pb2, merges_pb2, sessions_pb2, transfers_pb2

from mooring_server.cli import reports
from mooring_server.cli.client import Client
from mooring_server.cli.connection import Absent, by_id, refused
from mooring_server.cli.console import ExitCode, Failure, say
from mooring_server.cli.import_client import report_of
from mooring_server.cli.inventory import print_outcome
from mooring_server.cli.merge_client import merge_of
from mooring_server.cli.operation_client import state_of
from mooring_server.cli.places import Place, opened
from mooring_server.cli.plain import enum_name, plain
from mooring_server.cli.progress import progress
from mooring_server.cli.tables import short_ids, show_rows
from mooring_server.cli.transfer_client import imported_of
from mooring_server.cli.transfers import print_imported


def list_operations(place: Place, *, limit: int, as_json: bool) -> None:
    """Print a session's operations, newest first."""
    with opened(place) as (client, session):
        found = client.operations.list(session.name, limit)
        if as_json:
            say(json.dumps({"operations": [_account(one) for one in found.items], "more": found.more}))
            return
        if not found.items:
            say(f"There are no operations in {session.display_name}.")
            return
        ids = short_ids(one.name for one in found.items)
        rows = [(short_id, *_row(one)) for short_id, one in zip(ids, found.items, strict=True)]
        show_rows(("operation", "file", "state", "rows"), rows, numbers=("rows",))
        if found.more:
            say(f"the newest {len(found.items):,}; --limit 0 shows all")


def wait_operation(place: Place, wanted: str | None, *, as_json: bool) -> None:
    """Wait for an operation, and print the report of its import.

    Raises:
        Refused: the import failed.
        Failure: its report does not add up, or the waiting was interrupted.
    """
    with opened(place) as (client, session):
        operation = _find(client, session, wanted)
        try:
            with progress(shown=not as_json) as on_progress:
                operation = client.operations.finished(operation, on_progress)
        except KeyboardInterrupt:
            raise Failure(
                f"interrupted; the {state_of(operation).noun} goes on (`mooring operations cancel` ends it)",
                ExitCode.INTERRUPTED,
            ) from None
        if operation.HasField("error"):
            raise refused(operation.error)
        state = state_of(operation)
        if isinstance(state.metadata, imports_pb2.ImportInventoryMetadata):
            report = report_of(operation)
            if as_json:
                say(json.dumps(reports.account(report, session.name, state.of)))
            else:
                print_outcome(client, report, state.of, session)
            reports.check(report)
        elif as_json:
            say(json.dumps(_account(operation)))
        elif isinstance(state.metadata, transfers_pb2.ImportSessionMetadata):
            print_imported(imported_of(operation))
        else:
            say(f"{state.what}: done")


def cancel_operation(place: Place, wanted: str | None, *, as_json: bool) -> None:
    """Cancel an operation, wait until it has ended, and print how."""
    with opened(place) as (client, session):
        operation = _find(client, session, wanted)
        was_over = operation.done
        if not was_over:
            client.operations.cancel(operation)
            operation = client.operations.finished(operation)
            if operation.HasField("error"):
                ended = refused(operation.error)
                if ended.reason != "OPERATION_CANCELLED":
                    raise ended
        if as_json:
            say(json.dumps(_account(operation)))
            return
        over = "was over already" if was_over else "is over"
        say(f"The {state_of(operation).what} {over}: {_state(operation)}")


def _find(client: Client, session: sessions_pb2.Session, wanted: str | None) -> operations_pb2.Operation:
    found = client.operations.list(session.name, 0 if wanted else 1).items
    if wanted is not None:
        return by_id(found, wanted, "operation")
    if not found:
        raise Absent(f"there are no operations in {session.display_name!r}")
    return found[0]


def _row(operation: operations_pb2.Operation) -> tuple[Any, ...]:
    state = state_of(operation)
    done, total = state.rows_done, state.rows_total
    rows = f"{done:,} of {total:,}" if total and done != total else f"{done:,}"
    return state.of if state.noun == "import" else state.what, _state(operation), rows


def _state(operation: operations_pb2.Operation) -> str:
    if not operation.done:
        return state_of(operation).phase
    if operation.HasField("error"):
        return refused(operation.error).said.partition(";")[0]
    return "done"


def _account(operation: operations_pb2.Operation) -> dict[str, Any]:
    """An operation as plain JSON values; what came of it and `error` are null until it has ended so."""
    state = state_of(operation)
    succeeded = operation.done and not operation.HasField("error")
    account = {"name": operation.name, "done": operation.done}
    error = _error(operation)
    match state.metadata:
        case imports_pb2.ImportInventoryMetadata(session=session, file_name=file, phase=phase):
            return account | {
                "session": session,
                "file": file,
                "phase": enum_name(imports_pb2.ImportPhase.DESCRIPTOR, phase),
                "rows_done": state.rows_done,
                "rows_total": state.rows_total,
                "error": error,
                "report": reports.account(report_of(operation), session, file) if succeeded else None,
            }
        case merges_pb2.MergeSessionsMetadata():
            made = plain(merge_of(operation)) if succeeded else None
            return account | plain(state.metadata) | {"error": error, "merge": made}
        case transfers_pb2.ImportSessionMetadata():
            made = plain(imported_of(operation)) if succeeded else None
            return account | plain(state.metadata) | {"error": error, "imported": made}
    return account | {"error": error}


def _error(operation: operations_pb2.Operation) -> dict[str, str] | None:
    if not operation.HasField("error"):
        return None
    failed = refused(operation.error)
    return {"reason": failed.reason, "message": failed.said}

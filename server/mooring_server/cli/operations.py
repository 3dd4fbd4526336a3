"""`mooring operations`: imports while they run."""

import json
from typing import Any

from google.longrunning import operations_pb2
from mooring.v1 import imports_pb2, sessions_pb2

from mooring_server.cli import reports
from mooring_server.cli.client import Client
from mooring_server.cli.connection import Absent, Refused, by_id, refused
from mooring_server.cli.console import ExitCode, Failure, say
from mooring_server.cli.import_client import progress_of, report_of
from mooring_server.cli.inventory import phase, print_outcome, wait
from mooring_server.cli.places import Place, opened
from mooring_server.cli.progress import progress
from mooring_server.cli.tables import short_ids, show_rows


def list_operations(place: Place, *, limit: int, as_json: bool) -> None:
    """Print a session's operations, newest first."""
    with opened(place) as (client, session):
        found = client.imports.operations(session.name, limit)
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
                report = wait(client, operation, on_progress)
        except KeyboardInterrupt:
            raise Failure(
                "interrupted; the import goes on (`mooring operations cancel` ends it)", ExitCode.INTERRUPTED
            ) from None
        file = progress_of(operation).file_name
        if as_json:
            say(json.dumps(reports.account(report, session.name, file)))
        else:
            print_outcome(client, report, file, session)
        reports.check(report)


def cancel_operation(place: Place, wanted: str | None, *, as_json: bool) -> None:
    """Cancel an operation, wait until it has ended, and print how."""
    with opened(place) as (client, session):
        operation = _find(client, session, wanted)
        was_over = operation.done
        if not was_over:
            client.imports.cancel(operation)
            try:
                client.imports.finish(operation, lambda _: None)
            except Refused as ended:
                if ended.reason != "OPERATION_CANCELLED":
                    raise
        operation = client.imports.operation(operation.name)
        if as_json:
            say(json.dumps(_account(operation)))
            return
        over = "was over already" if was_over else "is over"
        say(f"The import of {progress_of(operation).file_name} {over}: {_state(operation)}")


def _find(client: Client, session: sessions_pb2.Session, wanted: str | None) -> operations_pb2.Operation:
    found = client.imports.operations(session.name, 0 if wanted else 1).items
    if wanted is not None:
        return by_id(found, wanted, "operation")
    if not found:
        raise Absent(f"there are no operations in {session.display_name!r}")
    return found[0]


def _row(operation: operations_pb2.Operation) -> tuple[Any, ...]:
    state = progress_of(operation)
    done, total = state.rows_done, state.rows_total
    rows = f"{done:,} of {total:,}" if total and done != total else f"{done:,}"
    return state.file_name, _state(operation), rows


def _state(operation: operations_pb2.Operation) -> str:
    if not operation.done:
        return phase(progress_of(operation))
    if operation.HasField("error"):
        return refused(operation.error).said.partition(";")[0]
    return "done"


def _account(operation: operations_pb2.Operation) -> dict[str, Any]:
    """An operation as plain JSON values; `report` and `error` are null until it has ended so."""
    state = progress_of(operation)
    failed = refused(operation.error) if operation.HasField("error") else None
    done = operation.done and failed is None
    return {
        "name": operation.name,
        "done": operation.done,
        "session": state.session,
        "file": state.file_name,
        "phase": imports_pb2.ImportPhase.Name(state.phase).removeprefix("IMPORT_PHASE_").lower(),
        "rows_done": state.rows_done,
        "rows_total": state.rows_total,
        "error": failed and {"reason": failed.reason, "message": failed.said},
        "report": reports.account(report_of(operation), state.session, state.file_name) if done else None,
    }

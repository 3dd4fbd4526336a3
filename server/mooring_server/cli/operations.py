"""`mooring operations`: imports and merges while they run."""

import json
from typing import Any

from google.longrunning import operations_pb2
from mooring.v1 import imports_pb2, merges_pb2, sessions_pb2

from mooring_server.cli import merge_client, merging, reports
from mooring_server.cli.client import Client
from mooring_server.cli.connection import Absent, by_id, refused
from mooring_server.cli.console import ExitCode, Failure, say
from mooring_server.cli.import_client import progress_of, report_of
from mooring_server.cli.inventory import phase, print_outcome, wait
from mooring_server.cli.places import Place, opened
from mooring_server.cli.plain import enum_name, plain
from mooring_server.cli.progress import progress
from mooring_server.cli.tables import short_ids, show_rows


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
                if merge_client.progress_of(operation) is not None:
                    operation = merging.wait(client, operation, on_progress)
                    merge_client.merge_of(operation)  # raises how it failed
                    say(json.dumps(_account(operation)) if as_json else f"{_what(operation)}: done")
                    return
                report = wait(client, operation, on_progress)
        except KeyboardInterrupt:
            raise Failure(
                f"interrupted; the {_kind(operation)} goes on (`mooring operations cancel` ends it)",
                ExitCode.INTERRUPTED,
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
            client.operations.cancel(operation)
            operation = client.operations.finished(operation, lambda _: None)
            if operation.HasField("error"):
                ended = refused(operation.error)
                if ended.reason != "OPERATION_CANCELLED":
                    raise ended
        if as_json:
            say(json.dumps(_account(operation)))
            return
        over = "was over already" if was_over else "is over"
        say(f"The {_what(operation)} {over}: {_state(operation)}")


def _find(client: Client, session: sessions_pb2.Session, wanted: str | None) -> operations_pb2.Operation:
    found = client.operations.list(session.name, 0 if wanted else 1).items
    if wanted is not None:
        return by_id(found, wanted, "operation")
    if not found:
        raise Absent(f"there are no operations in {session.display_name!r}")
    return found[0]


def _kind(operation: operations_pb2.Operation) -> str:
    return "import" if merge_client.progress_of(operation) is None else "merge"


def _what(operation: operations_pb2.Operation) -> str:
    """`import of estate.csv`, `merge of wave-1`."""
    merge = merge_client.progress_of(operation)
    if merge is None:
        return f"import of {progress_of(operation).file_name}"
    return f"merge of {merge.source_session.rpartition('/')[2]}"


def _row(operation: operations_pb2.Operation) -> tuple[Any, ...]:
    merge = merge_client.progress_of(operation)
    state = progress_of(operation) if merge is None else merge
    done, total = state.rows_done, state.rows_total
    rows = f"{done:,} of {total:,}" if total and done != total else f"{done:,}"
    what = progress_of(operation).file_name if merge is None else _what(operation)
    return what, _state(operation), rows


def _state(operation: operations_pb2.Operation) -> str:
    merge = merge_client.progress_of(operation)
    if not operation.done and merge is not None:
        return enum_name(merges_pb2.MergePhase.DESCRIPTOR, merge.phase)
    if not operation.done:
        return phase(progress_of(operation))
    if operation.HasField("error"):
        return refused(operation.error).said.partition(";")[0]
    return "done"


def _account(operation: operations_pb2.Operation) -> dict[str, Any]:
    """An operation as plain JSON values; `report`, or `merge`, and `error` are null until it has ended so."""
    merge = merge_client.progress_of(operation)
    if merge is not None:
        over = operation.done and not operation.HasField("error")
        return {
            "name": operation.name,
            "done": operation.done,
            **plain(merge),
            "error": _error(operation),
            "merge": plain(merge_client.merge_of(operation)) if over else None,
        }
    state = progress_of(operation)
    done = operation.done and not operation.HasField("error")
    return {
        "name": operation.name,
        "done": operation.done,
        "session": state.session,
        "file": state.file_name,
        "phase": imports_pb2.ImportPhase.Name(state.phase).removeprefix("IMPORT_PHASE_").lower(),
        "rows_done": state.rows_done,
        "rows_total": state.rows_total,
        "error": _error(operation),
        "report": reports.account(report_of(operation), state.session, state.file_name) if done else None,
    }


def _error(operation: operations_pb2.Operation) -> dict[str, str] | None:
    if not operation.HasField("error"):
        return None
    failed = refused(operation.error)
    return {"reason": failed.reason, "message": failed.said}

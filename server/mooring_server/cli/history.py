"""`mooring imports`: a session's imports, listed, shown and undone."""

import json
from collections.abc import Callable
from typing import Any

from mooring.v1 import imports_pb2, sessions_pb2

from mooring_server.cli import reports
from mooring_server.cli.client import Client
from mooring_server.cli.connection import Absent, Refused, by_id
from mooring_server.cli.console import Failure, confirm, remark, say
from mooring_server.cli.places import Place, opened
from mooring_server.cli.plain import plain
from mooring_server.cli.tables import cell, moment, short_ids, show_pairs, show_rows, size

_HEADS = ("import", "file", "when", "rows", "state")
_SOUGHT_MAX = 100


def list_imports(place: Place, *, limit: int, as_json: bool) -> None:
    """Print a session's imports, newest first."""
    with opened(place) as (client, session):
        found = client.imports.history(session.name, limit)
        if as_json:
            say(json.dumps({"imports": [_short(one) for one in found.items], "more": found.more}))
            return
        if not found.items:
            say(f"Nothing was imported into {session.display_name}.")
            return
        show_rows(_HEADS, map(_row, short_ids(one.name for one in found.items), found.items))
        if found.more:
            say(f"the newest {len(found.items):,}; --limit 0 shows all")


def show_import(place: Place, wanted: str | None, *, as_json: bool) -> None:
    """Print an import with its whole report."""
    with opened(place) as (client, session):
        found = _find(client, session, wanted)
        if as_json:
            say(json.dumps(_account(found)))
            return
        state = f"undone {moment(found.revert_time)} by {found.reverter}" if _is_undone(found) else ""
        show_pairs(
            [
                ("import", found.name),
                ("file", f"{found.file_name} ({size(found.size_bytes)})"),
                ("SHA-256", found.sha256),
                ("imported", f"{moment(found.create_time)} by {found.user}"),
                ("", state or ("can be undone" if found.revertible else "")),
                ("read as", _read_as(found)),
            ]
        )
        say("")
        reports.print_report(found.report)
        used = [one for one in found.report.columns if one.field]
        if used:
            say("")
            show_rows(("column", "went to", "unit"), [(one.column, one.field, one.unit) for one in used])


def revert_import(place: Place, wanted: str | None, *, force: bool, yes: bool, as_json: bool) -> None:
    """Undo an import, once it is clear what will be lost.

    Raises:
        Failure: it cannot be undone, or edits would be lost without `force`, or the answer was no.
    """
    with opened(place) as (client, session):
        found = _find(client, session, wanted, revertible=True)
        edits = lost_edits(client.imports.revert, found.name, force=force)
        what = f"{found.file_name}, imported {moment(found.create_time)} by {found.user}"
        remark(f"This takes back {what}: {reports.summary(found.report)}.")
        if edits:
            remark(f"{edits}.")
        confirm(f"Undo it in {cell(session.display_name)}?", yes=yes)
        reverted = client.imports.revert(found.name, force=force)
        if as_json:
            say(json.dumps(_account(reverted)))
        else:
            say(f"{session.display_name} is as it was before {found.file_name}.")


def lost_edits(revert: Callable[..., object], name: str, *, force: bool) -> str:
    """What undoing would lose of edits, in a sentence; empty for nothing.

    Raises:
        Failure: some would be lost, without `force`.
    """
    try:
        revert(name, force=False, validate_only=True)
    except Refused as refused:
        if refused.reason != "DATA_EDITED":
            raise
        what = refused.said.partition(";")[0]
        if force:
            return what
        raise Failure(f"{what}; --force undoes it all the same [{refused.reason}]") from None
    return ""


def _find(
    client: Client, session: sessions_pb2.Session, wanted: str | None, *, revertible: bool = False
) -> imports_pb2.Import:
    """The import that is named; else the newest, or the newest that can be undone."""
    if wanted is not None:
        return client.imports.get(by_id(client.imports.history(session.name, 0).items, wanted, "import").name)
    if not revertible:
        newest = client.imports.history(session.name, 1).items
        if not newest:
            raise Absent(f"nothing was imported into {session.display_name!r}")
        return client.imports.get(newest[0].name)
    history = client.imports.history(session.name, _SOUGHT_MAX).items
    found = next((one for one in history if one.revertible), None)
    if found is None:
        why = "no import of it can be undone (any more)" if history else "nothing was imported into it"
        raise Absent(f"there is nothing to undo in {session.display_name!r}: {why}")
    return found


def _row(short_id: str, one: imports_pb2.Import) -> tuple[Any, ...]:
    state = "undone" if _is_undone(one) else "can be undone" if one.revertible else None
    return (
        short_id,
        one.file_name,
        moment(one.create_time),
        reports.summary(one.report),
        state,
    )


def _is_undone(one: imports_pb2.Import) -> bool:
    return one.HasField("revert_time")


def _read_as(one: imports_pb2.Import) -> str:
    options = one.options
    given = {
        "--kind": options.kind,
        "--sheet": options.sheet,
        "--encoding": options.encoding,
        "--type": options.asset_type,
        "--map": options.columns,
    }
    said = ", ".join(name for name, value in given.items() if value)
    return one.report.kind + (f", as said by {said}" if said else "")


def _account(one: imports_pb2.Import) -> dict[str, Any]:
    """An import as plain JSON values; its report has the keys of `mooring import --json`."""
    session = one.name.rpartition("/imports/")[0]
    return {**plain(one), "report": reports.account(one.report, session, one.file_name)}


def _short(one: imports_pb2.Import) -> dict[str, Any]:
    """The same for a list, which has the numbers of rejected rows and missing assets alone."""
    account = _account(one)
    named: dict[str, Any] = account["report"]
    named["rejected_count"] = reports.rejected_count(one.report)
    del named["rejected"], named["missing"]
    return account

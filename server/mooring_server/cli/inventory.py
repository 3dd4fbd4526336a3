"""`mooring import`: a file into a session, with an account of every row."""

import json
import re
import stat
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mooring import local
from mooring.v1 import imports_pb2, sessions_pb2
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mooring_server.cli.client import Client, Refused, connected
from mooring_server.cli.config import data_folder
from mooring_server.cli.console import ExitCode, Failure, complain, err, out, say

OnProgress = Callable[[str, int, int], None]
"""Told what is going on, how much of it is done, and of how much; 0 where that is not known yet."""

REJECTED_SHOWN_MAX = 20

_FULL_NAME = re.compile(r"(engagements/[^/]+)/sessions/[^/]+")

_PHASES = {
    imports_pb2.IMPORT_PHASE_QUEUED: "waiting for its turn",
    imports_pb2.IMPORT_PHASE_READING: "reading",
    imports_pb2.IMPORT_PHASE_WRITING: "writing",
    imports_pb2.IMPORT_PHASE_PUBLISHING: "publishing",
    imports_pb2.IMPORT_PHASE_DONE: "done",
}


def import_inventory(
    file: Path,
    *,
    session: str,
    engagement: str | None,
    server: str | None,
    ca: Path | None = None,
    as_json: bool,
) -> None:
    """Import a file and print the report.

    Raises:
        Failure: nothing was imported, or the report does not add up.
    """
    for name in (session, engagement or ""):
        if any(unicodedata.category(char) == "Cs" for char in name):  # bytes that the locale cannot decode
            raise Failure(f"the name {name!r} is no text in this terminal's encoding", ExitCode.USAGE)
    size_bytes = readable_size(file)
    with connected(server or local.find_or_start(data_folder()), ca=ca) as client:
        target, is_new = _session(client, engagement, session)
        try:
            with _progress(shown=not as_json) as on_progress:
                report = import_file(client, target.name, file, size_bytes, on_progress)
        except (Failure, KeyboardInterrupt):
            if is_new:  # a failed import leaves nothing behind, and no session either
                with suppress(Failure):
                    client.delete_session(target)
            raise
    if as_json:
        say(json.dumps(account(report, target)))
    else:
        _print_report(report, target)
    check(report)


def import_file(
    client: Client, session: str, file: Path, size_bytes: int, on_progress: OnProgress
) -> imports_pb2.ImportReport:
    """Upload a file and import it into `engagements/{e}/sessions/{s}`.

    An interrupt cancels the import on the server before it goes on.
    """
    upload_id = client.upload(session, file, lambda sent: on_progress("uploading", sent, size_bytes))
    operation = client.start_import(session, upload_id)

    def show(progress: imports_pb2.ImportInventoryMetadata) -> None:
        on_progress(_PHASES.get(progress.phase, "working"), progress.rows_done, progress.rows_total)

    try:
        return client.finish_import(operation, show)
    except KeyboardInterrupt:
        client.cancel(operation)
        try:
            report = client.finish_import(operation, lambda _: None)
        except Refused as refused:
            raise Failure(
                f"interrupted: the import was cancelled and changed nothing [{refused.reason}]",
                ExitCode.INTERRUPTED,
            ) from None
        complain("interrupted too late: the import had finished already")
        return report


def readable_size(file: Path) -> int:
    """The file's size in bytes.

    Raises:
        Failure: it is not a file that can be read.
    """
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe can be read once, and an upload reads twice
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise Failure(f"{file} is {what}, and an inventory is a file", ExitCode.USAGE)
        with file.open("rb"):
            return status.st_size
    except OSError as error:
        raise Failure(f"the file {file} cannot be read: {error.strerror}", ExitCode.USAGE) from None


def account(report: imports_pb2.ImportReport, session: sessions_pb2.Session) -> dict[str, Any]:
    """The report as plain JSON values."""
    return {
        "session": session.name,
        "kind": report.kind,
        "source_rows": report.source_rows,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "joined": report.joined,
        "implied": report.implied,
        "rejected": [{"sheet": one.sheet, "row": one.row, "reason": one.reason} for one in report.rejected],
        "created_by_type": dict(sorted(report.created_by_type.items())),
        "mapping": dict(sorted(report.mapping.items())),
        "notes": list(report.notes),
        "data_version": report.data_version,
    }


def check(report: imports_pb2.ImportReport) -> None:
    """Hold the report to its promise.

    Raises:
        Failure: some rows are not accounted for.
    """
    named = report.created + report.updated + report.unchanged + report.joined + len(report.rejected)
    if named != report.source_rows:
        raise Failure(
            f"the report accounts for {named} of {report.source_rows} rows: the import is in the session, "
            "but please report this as a fault of Mooring"
        )


def _session(client: Client, engagement: str | None, session: str) -> tuple[sessions_pb2.Session, bool]:
    """The session to import into, and whether it was made for that."""
    full = _FULL_NAME.fullmatch(session)
    home = client.engagement(engagement or (full and full[1]))
    found = client.session(home.name, session)
    if found is not None:
        return found, False
    if full:
        raise Failure(f"there is no session {session} in the engagement {home.display_name!r}")
    try:
        return client.create_session(home.name, session), True
    except Refused as refused:
        if refused.reason != "DISPLAY_NAME_TAKEN":
            raise
        found = client.session(home.name, session)  # made by somebody else in between
        if found is None:
            raise
        return found, False


@contextmanager
def _progress(*, shown: bool) -> Iterator[OnProgress]:
    """A bar on stderr, if that is a terminal."""
    if not shown or not err.is_terminal:
        yield lambda _what, _done, _total: None
        return
    columns = (TextColumn("{task.description:<20}"), BarColumn(), TextColumn("{task.fields[count]}"))
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as progress:
        task = progress.add_task("uploading", total=None, count="")

        def show(what: str, done: int, total: int) -> None:
            if what == "uploading":
                count = f"{done / 1e6:,.1f} of {total / 1e6:,.1f} MB"
            else:
                count = f"{done:,} rows" if not total else f"{done:,} of {total:,} rows"
            progress.update(task, description=what, completed=done, total=total or None, count=count)

        yield show


def _print_report(report: imports_pb2.ImportReport, session: sessions_pb2.Session) -> None:
    say(f"Imported into {session.display_name}")
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("rows in the file", f"{report.source_rows:,}", style="bold", end_section=True)
    table.add_row("made an asset", f"{report.created:,}")
    table.add_row("changed one", f"{report.updated:,}")
    table.add_row("said the same already", f"{report.unchanged:,}")
    table.add_row("added to another row's", f"{report.joined:,}")
    table.add_row("rejected", f"{len(report.rejected):,}", end_section=True)
    if report.implied:
        table.add_row("assets only mentioned", f"{report.implied:,}")
    for kind, count in sorted(report.created_by_type.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(f"new: {kind.replace('_', ' ')}", f"{count:,}")
    out.print(table)
    for one in report.rejected[:REJECTED_SHOWN_MAX]:
        place = f"{one.sheet} row {one.row}" if one.sheet else f"row {one.row}"
        say(f"rejected: {place}: {one.reason}")
    if len(report.rejected) > REJECTED_SHOWN_MAX:
        say(f"… and {len(report.rejected) - REJECTED_SHOWN_MAX:,} more; --json names them all")
    for note in report.notes:
        say(f"note: {note}")

"""`mooring import`: files into a session, with an account of every row."""

import json
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mooring.v1 import assets_pb2, imports_pb2, sessions_pb2

from mooring_server.cli import reports
from mooring_server.cli.client import Client
from mooring_server.cli.connection import Refused
from mooring_server.cli.console import ExitCode, Failure, harmless, say
from mooring_server.cli.import_client import report_of
from mooring_server.cli.places import Place, called, found_or_made, look
from mooring_server.cli.plain import enum_names, enum_number
from mooring_server.cli.previews import preview_account, print_preview
from mooring_server.cli.progress import OnProgress, progress
from mooring_server.cli.tables import moment


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are to be read, as it is typed; `maps` are like `Column=field:unit`."""

    kind: str = ""
    sheet: str = ""
    encoding: str = ""
    type: str = ""
    maps: Sequence[str] = ()

    def options(self) -> imports_pb2.ImportOptions:
        """The same as a message.

        Raises:
            Failure: with status 2, where something is written wrongly.
        """
        return imports_pb2.ImportOptions(
            kind=self.kind,
            sheet=self.sheet,
            encoding=self.encoding,
            asset_type=asset_type(self.type) if self.type else assets_pb2.ASSET_TYPE_UNSPECIFIED,
            columns=[_column(text) for text in self.maps],
        )


def import_inventories(files: Sequence[Path], place: Place, reading: Reading, *, as_json: bool) -> None:
    """Import files, one after the other, and print the report on each as soon as it is in.

    Raises:
        Failure: a file was not imported, or its report does not add up. The files before it are in.
    """
    options, sizes = reading.options(), [readable_size(file) for file in files]
    with called(place) as client:
        target, is_new = found_or_made(client, place)
        for number, (file, size_bytes) in enumerate(zip(files, sizes, strict=True)):
            prefix = f"{number + 1}/{len(files)} " if len(files) > 1 else ""
            with _named(files, number, target):
                try:
                    with progress(shown=not as_json, prefix=prefix) as on_progress:
                        report = import_file(client, target.name, file, size_bytes, on_progress, options)
                except (Failure, KeyboardInterrupt):
                    if is_new and not number:  # a failed import leaves nothing behind, and no session either
                        with suppress(Failure):
                            client.delete_session(target)
                    raise
                if as_json:
                    say(json.dumps(reports.account(report, target.name, file.name)))
                else:
                    print_outcome(client, report, file.name, target)
                reports.check(report)


def preview_inventories(files: Sequence[Path], place: Place, reading: Reading, *, as_json: bool) -> None:
    """Print what an import would make of files. Nothing is changed, and no session is made.

    Raises:
        Failure: a file is no inventory, or the options do not fit it.
    """
    options, sizes = reading.options(), [readable_size(file) for file in files]
    with called(place) as client:
        session, engagement = look(client, place) if place.session else (None, "")
        parent = (
            session.name if session else client.engagement(engagement or place.engagement).default_session
        )
        for number, (file, size_bytes) in enumerate(zip(files, sizes, strict=True)):
            with _named(files, number, None):
                with progress(shown=not as_json) as on_progress:
                    upload_id = _upload(client, parent, file, size_bytes, on_progress)
                    on_progress("reading", 0, 0)
                    preview = client.imports.preview(parent, upload_id, options)
                if as_json:
                    say(json.dumps(preview_account(preview, file.name)))
                else:
                    print_preview(preview, file.name)


def import_file(
    client: Client,
    session: str,
    file: Path,
    size_bytes: int,
    on_progress: OnProgress,
    options: imports_pb2.ImportOptions | None = None,
) -> imports_pb2.ImportReport:
    """Upload a file and import it into `engagements/{e}/sessions/{s}`.

    An interrupt cancels the import on the server before it goes on.
    """
    upload_id = _upload(client, session, file, size_bytes, on_progress)
    operation = client.imports.start(session, upload_id, options or imports_pb2.ImportOptions())
    return report_of(client.operations.finished_or_cancelled(operation, on_progress))


def print_outcome(
    client: Client, report: imports_pb2.ImportReport, file: str, session: sessions_pb2.Session
) -> None:
    """Print a report; one of an earlier import with the day of that."""
    if not report.replayed:
        say(f"Imported {file} into {session.display_name}")
    else:
        on = ""
        with suppress(Refused):  # its day may be in the history no longer
            on = f" on {moment(client.imports.get(getattr(report, 'import')).create_time)}"
        say(f"Nothing to do for {file} in {session.display_name}:")
        say(f"this content was imported{on} and nothing has changed since; its report:")
    reports.print_report(report)


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


def asset_type(text: str) -> assets_pb2.AssetType.ValueType:
    """The type that people write: `virtual machine`, `SERVER`.

    Raises:
        Failure: with status 2, where there is no such type.
    """
    enum = assets_pb2.AssetType.DESCRIPTOR
    number = enum_number(enum, text)
    if number is None:
        names = enum_names(enum)
        near = get_close_matches(text.lower(), names, n=1) or names
        raise Failure(
            f"{text!r} is no type of an asset; {'did you mean' if len(near) == 1 else 'there is'} "
            f"{', '.join(near)}{'?' if len(near) == 1 else ''}",
            ExitCode.USAGE,
        )
    return assets_pb2.AssetType.ValueType(number)


def _column(text: str) -> imports_pb2.ColumnMapping:
    column, sign, goal = text.rpartition("=")
    if not sign or not column:
        raise Failure(
            f"--map {text!r} must be like 'RAM=memory_bytes:GiB', or 'Site=' to keep a column as it is",
            ExitCode.USAGE,
        )
    field, _, unit = goal.partition(":")
    return imports_pb2.ColumnMapping(column=column, field=field.strip(), unit=unit.strip())


def _upload(client: Client, session: str, file: Path, size_bytes: int, on_progress: OnProgress) -> str:
    return client.imports.upload(session, file, lambda sent: on_progress("uploading", sent, size_bytes))


@contextmanager
def _named(files: Sequence[Path], number: int, target: sessions_pb2.Session | None) -> Iterator[None]:
    """Says of several files which one it was that failed, and what became of those before it."""
    try:
        yield
    except Failure as failure:
        if len(files) > 1:
            failure.message = _blame(files, number, target, failure.message)
        raise
    except KeyboardInterrupt:
        if not number or target is None:
            raise
        raise Failure(_blame(files, number, target, "interrupted"), ExitCode.INTERRUPTED) from None


def _blame(files: Sequence[Path], number: int, target: sessions_pb2.Session | None, what: str) -> str:
    name = harmless(files[number].name)
    said = what if what.startswith(name) else f"{name}: {what}"
    if target is None or not number:
        return said
    before = "the file before it is" if number == 1 else f"the {number} files before it are"
    return f"{said}; {before} in the session"

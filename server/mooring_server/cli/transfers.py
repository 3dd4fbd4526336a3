"""`mooring sessions export` and `import`: sessions that move, each as one file."""

import json
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import IO

from mooring.session_files import BrokenOff, file_name, summary
from mooring.v1 import transfers_pb2

from mooring_server.cli.console import Failure, say
from mooring_server.cli.files import new_file
from mooring_server.cli.inventory import readable_size
from mooring_server.cli.places import Place, called, opened
from mooring_server.cli.plain import plain
from mooring_server.cli.progress import OnProgress, progress
from mooring_server.cli.tables import cell, counted, size
from mooring_server.cli.transfer_client import imported_of


def export(place: Place, to: Path | None, *, force: bool, as_json: bool) -> None:
    """Write a session to a file, `<display name>.mooring.zip` here or in the folder `to`.

    Raises:
        Failure: the file cannot be written, or is there already.
        Refused: the server refused, or broke off; there is no file then.
    """
    with opened(place) as (client, session):
        file = to or Path()
        if file.is_dir():
            file /= file_name(session.display_name)
        with new_file(file, "file", force=force) as target:
            pieces = client.transfers.export(session.name)
            with closing(pieces), progress(shown=not as_json) as on_progress:
                _write(pieces, target, on_progress)
            try:
                said = summary(target)
            except BrokenOff as broken:
                raise Failure(str(broken)) from None
    size_bytes = file.stat().st_size
    if as_json:
        account = {
            "file": str(file),
            "session": session.name,
            "asset_count": said.asset_count,
            "dependency_count": said.dependency_count,
            "content_digest": said.content_digest,
            "size_bytes": size_bytes,
        }
        say(json.dumps(account))
    else:
        held = _held(said.asset_count, said.dependency_count)
        say(f"{file}: {cell(session.display_name)} with {held}, {size(size_bytes)}")


def import_session(
    place: Place, file: Path, *, display_name: str, session_id: str, keep_ids: bool, as_json: bool
) -> None:
    """Make a session of a file in the place's engagement, all or nothing. An interrupt cancels it.

    Raises:
        Failure: the file cannot be read, or it was interrupted.
        Refused: it is no exported session, was altered, or a name or id is taken.
    """
    size_bytes = readable_size(file)
    with called(place) as client:
        engagement = client.engagement(place.engagement)
        with progress(shown=not as_json) as on_progress:
            upload_id = client.imports.upload(
                engagement.name, file, lambda sent: on_progress("uploading", sent, size_bytes)
            )
            operation = client.transfers.start(
                engagement.name,
                upload_id,
                display_name=display_name,
                session_id=session_id,
                keep_ids=keep_ids,
            )
            made = imported_of(client.operations.finished_or_cancelled(operation, on_progress))
    if as_json:
        say(json.dumps(plain(made)))
    else:
        print_imported(made)


def print_imported(made: transfers_pb2.ImportSessionResponse) -> None:
    """Print what an import made."""
    say(f"{made.display_name}: imported with {_held(made.asset_count, made.dependency_count)}")
    say(f"  {made.session}")


def _write(
    pieces: Iterable[transfers_pb2.ExportSessionResponse], target: IO[bytes], on_progress: OnProgress
) -> None:
    done = 0
    for piece in pieces:
        target.write(piece.data)
        done += len(piece.data)
        on_progress("downloading", done, 0)


def _held(assets: int, dependencies: int) -> str:
    return f"{counted(assets, 'asset')} and {counted(dependencies, 'dependency', 'dependencies')}"

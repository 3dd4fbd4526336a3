"""`mooring backup` and `mooring restore`: a whole database to a file and back, while its server runs."""

import json
from pathlib import Path

from mooring_server.cli import logs
from mooring_server.cli.config import database_url, public_url, reaching, read_settings, sqlite_path
from mooring_server.cli.console import ExitCode, Failure, say
from mooring_server.cli.files import new_file, writing
from mooring_server.cli.progress import progress
from mooring_server.store import Manifest, back_up
from mooring_server.store import restore as restore_store


def backup(file: Path, *, database: str | None, force: bool, as_json: bool) -> None:
    """Write a backup and say what is in it.

    Raises:
        Failure: nothing was written; the file is there already, or it or the database cannot be had.
    """
    settings = read_settings(database=database)
    logs.configure(settings, quiet=True)
    url = database_url(settings)
    if (source := sqlite_path(url)) is not None and not source.exists():
        raise Failure(f"there is no database at {source}; --database names another")
    with (
        new_file(file, "backup", force=force) as target,
        progress(shown=not as_json) as on_progress,
        reaching(url),
        writing(file, "backup"),
    ):
        manifest = back_up(url, target, on_progress)
    size_bytes = file.stat().st_size
    if as_json:
        account = {"file": str(file), "database": public_url(url), "size_bytes": size_bytes}
        say(json.dumps(account | _account(manifest)))
    else:
        say(f"{file}: {manifest.rows:,} rows in {size_bytes / 1e6:,.1f} MB, from {public_url(url)}")


def restore(file: Path, *, database: str | None, replace: bool, as_json: bool) -> None:
    """Put a backup in the place of what the database holds.

    Raises:
        Failure: nothing was changed; the file cannot be read, or the database does not answer.
        MooringError: nothing was changed; the file is no sound backup, or the database is not empty.
    """
    settings = read_settings(database=database)
    logs.configure(settings, quiet=True)
    url = database_url(settings)
    try:
        source = file.open("rb")
    except OSError as error:
        raise Failure(f"the backup {file} cannot be read: {error.strerror}", ExitCode.USAGE) from None
    with source, reaching(url), progress(shown=not as_json) as on_progress:
        restored = restore_store(url, source, settings, on_progress, replace=replace)
    if as_json:
        account = {"file": str(file), "database": public_url(url), "new_incarnation": restored.incarnation}
        say(json.dumps(account | _account(restored.manifest)))
    else:
        say(f"{public_url(url)} is as it was on {restored.manifest.create_time}.")
        say(f"{restored.manifest.rows:,} rows; running servers take it up, and their watches begin anew.")


def _account(manifest: Manifest) -> dict[str, object]:
    return {
        "schema": manifest.schema,
        "incarnation": manifest.incarnation,
        "create_time": manifest.create_time,
        "rows": manifest.rows,
        "tables": {
            name: {"rows": entry.rows, "sha256": entry.sha256} for name, entry in manifest.tables.items()
        },
    }

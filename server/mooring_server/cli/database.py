"""`mooring migrate` and `mooring doctor`: looking after a database."""

import json
from dataclasses import asdict, dataclass

from mooring_server.cli import logs
from mooring_server.cli.config import data_folder, database_url, public_url, read_settings, sqlite_path
from mooring_server.cli.console import ExitCode, Failure, out
from mooring_server.cli.embedded import ensure_private
from mooring_server.settings import Settings
from mooring_server.store import migrate as migrate_store
from mooring_server.store import open_store, pending_migrations

import typer


@dataclass(frozen=True, slots=True)
class Findings:
    """What the doctor saw. `faults` are sentences; none means a sound database."""

    database: str
    pending_migrations: list[str]
    faults: list[str]

    @property
    def sound(self) -> bool:
        """Whether there is nothing to do."""
        return not self.pending_migrations and not self.faults


def migrate(database: str | None) -> None:
    """Apply what is pending and say what that was."""
    settings = read_settings(database=database)
    logs.configure(settings)
    url = database_url(settings)
    if not settings.database:
        ensure_private(data_folder(settings))
    applied = migrate_store(url, settings)
    for name in applied:
        out.print(f"applied {name}", markup=False)
    out.print(f"{public_url(url)} has the newest schema.", markup=False)


def doctor(database: str | None, *, as_json: bool) -> None:
    """Print the findings; exit with status 1 where there are faults."""
    settings = read_settings(database=database)
    logs.configure(settings)
    findings = examine(settings)
    if as_json:
        out.print(json.dumps({**asdict(findings), "sound": findings.sound}), markup=False)
    else:
        out.print(f"Database: {findings.database}", markup=False)
        for name in findings.pending_migrations:
            out.print(f"- the migration {name} is pending: run `mooring migrate`", markup=False)
        for fault in findings.faults:
            out.print(f"- {fault}", markup=False)
        out.print("Sound." if findings.sound else "Not sound.", markup=False)
    if not findings.sound:
        raise typer.Exit(ExitCode.FAILED)


def examine(settings: Settings) -> Findings:
    """Look at a database without changing it.

    Raises:
        Failure: there is no such SQLite file.
        mooring_server.errors.Unavailable: the database does not answer.
    """
    url = database_url(settings)
    file = sqlite_path(url)
    if file is not None and not file.exists():
        raise Failure(f"there is no database at {file}; `mooring serve` makes it, --database names another")
    pending = pending_migrations(url, settings)
    if pending:
        return Findings(public_url(url), pending, [])
    return Findings(public_url(url), [], _faults(url, settings))

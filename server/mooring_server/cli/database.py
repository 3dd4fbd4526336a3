"""`mooring migrate` and `mooring doctor`: looking after a database."""

import asyncio
import json
from dataclasses import asdict, dataclass

import typer

from mooring_server.cli import logs
from mooring_server.cli.config import database_url, public_url, reaching, read_settings, sqlite_path
from mooring_server.cli.console import ExitCode, Failure, say
from mooring_server.settings import Settings
from mooring_server.store import migrate as migrate_store
from mooring_server.store import open_store, pending_migrations


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
    logs.configure(settings, quiet=True)
    url = database_url(settings)
    with reaching(url):
        applied = migrate_store(url, settings)
    for name in applied:
        say(f"applied {name}")
    say(f"{public_url(url)} has the newest schema.")


def doctor(database: str | None, *, as_json: bool) -> None:
    """Print the findings; exit with status 1 where there are faults."""
    settings = read_settings(database=database)
    logs.configure(settings, quiet=True)
    findings = examine(settings)
    if as_json:
        say(json.dumps({**asdict(findings), "sound": findings.sound}))
    else:
        say(f"Database: {findings.database}")
        for name in findings.pending_migrations:
            say(f"- the migration {name} is pending: run `mooring migrate`")
        for fault in findings.faults:
            say(f"- {fault}")
        say("Sound." if findings.sound else "Not sound.")
    if not findings.sound:
        raise typer.Exit(ExitCode.FAILED)


def examine(settings: Settings) -> Findings:
    """Look at a database without changing it.

    Raises:
        Failure: there is no such SQLite file, or the database does not answer.
    """
    url = database_url(settings)
    file = sqlite_path(url)
    if file is not None and not file.exists():
        raise Failure(f"there is no database at {file}; `mooring serve` makes it, --database names another")
    with reaching(url):
        if pending := pending_migrations(url, settings):
            return Findings(public_url(url), pending, [])
        store = open_store(url, settings=settings)
        try:
            return Findings(public_url(url), [], store.check())
        finally:
            asyncio.run(store.close())

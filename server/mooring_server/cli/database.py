"""`mooring migrate` and `mooring doctor`: looking after a database."""

import asyncio
import json
from dataclasses import asdict, dataclass, field
from datetime import timedelta

import typer

from mooring_server.cli import logs
from mooring_server.cli.config import database_url, public_url, reaching, read_settings, sqlite_path
from mooring_server.cli.console import ExitCode, Failure, say
from mooring_server.settings import Settings
from mooring_server.store import (
    ADOPTION,
    Adoption,
    adoption_report,
    drop_old_tables,
    open_store,
    pending_migrations,
)
from mooring_server.store import migrate as migrate_store
from mooring_server.store.records import SpareVersions

LINES_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Findings:
    """What the doctor saw, and did. `faults` are sentences; none means a sound database.

    `repairable` says how many of the faults `--repair` would repair. `spare` is what no session shows: no
    fault, but it takes space; None where migrations are pending.
    """

    database: str
    pending_migrations: list[str]
    faults: list[str]
    repairable: int = 0
    repairs: list[str] = field(default_factory=list)
    spare: SpareVersions | None = None

    @property
    def sound(self) -> bool:
        """Whether there is nothing to do."""
        return not self.pending_migrations and not self.faults


def migrate(database: str | None, *, drop_old: bool = False, as_json: bool = False) -> None:
    """Apply what is pending and say what that was; drop what an adoption put aside, if asked to."""
    settings = read_settings(database=database)
    logs.configure(settings, quiet=True)
    url = database_url(settings)
    with reaching(url):
        applied = migrate_store(url, settings)
        adoption = adoption_report(url)
        dropped = drop_old_tables(url) if drop_old else []
    if as_json:
        report = None if adoption is None else asdict(adoption)
        account = {"database": public_url(url), "applied": applied, "adoption": report, "dropped": dropped}
        say(json.dumps(account))
        return
    for name in applied:
        say(f"applied {name}")
    if adoption is not None and ADOPTION in applied:
        _print_adoption(adoption)
    for name in dropped:
        say(f"dropped {name}")
    say(f"{public_url(url)} has the newest schema.")
    if adoption is not None and not dropped:
        say("It keeps the tables of its old shape as old_…: --drop-old drops them, --json has the report.")


def doctor(database: str | None, *, repair: bool = False, as_json: bool = False) -> None:
    """Print the findings; exit with status 1 where there are faults left."""
    settings = read_settings(database=database)
    logs.configure(settings, quiet=True)
    findings = examine(settings, repair=repair)
    if as_json:
        say(json.dumps({**asdict(findings), "sound": findings.sound}))
    else:
        say(f"Database: {findings.database}")
        for done in findings.repairs:
            say(f"- repaired: {done}")
        for name in findings.pending_migrations:
            say(f"- the migration {name} is pending: run `mooring migrate`")
        for fault in findings.faults:
            say(f"- {fault}")
        if findings.spare is not None and findings.spare.data_versions:
            say(_space(findings.spare, settings))
        say("Sound." if findings.sound else "Not sound.")
        if findings.repairable:
            say(f"`mooring doctor --repair` repairs {findings.repairable} of these.")
    if not findings.sound:
        raise typer.Exit(ExitCode.FAILED)


def examine(settings: Settings, *, repair: bool = False) -> Findings:
    """Look at a database, after repairing what is safe if asked to; it is not changed otherwise.

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
        return asyncio.run(_examine(url, settings, repair=repair))


async def _examine(url: str, settings: Settings, *, repair: bool) -> Findings:
    store = open_store(url, settings=settings)
    try:
        repairs = await store.repair() if repair else []
        found = await asyncio.to_thread(store.check)
        keep = timedelta(seconds=settings.version_keep_s)
        spare = await store.read(lambda tx: tx.versions.spare(tx.now - keep), long=True)
    finally:
        await store.close()
    return Findings(
        public_url(url),
        [],
        [one.sentence for one in found],
        sum(one.is_repairable for one in found),
        repairs,
        spare,
    )


def _space(spare: SpareVersions, settings: Settings) -> str:
    is_one = spare.data_versions == 1
    held = f"{spare.assets:,} assets and {spare.dependencies:,} dependencies"
    kept = f"{settings.version_keep_s / 86_400:,.3g} days (MOORING_VERSION_KEEP_S)"
    return (
        f"Space: no session shows {spare.data_versions:,} data version{'' if is_one else 's'}, with {held}. "
        f"A server removes what nobody has shown for {kept}: {spare.due:,} of them now. "
        "Until then what replaced it can be undone."
    )


def _print_adoption(adoption: Adoption) -> None:
    for table, count in adoption.old_rows.items():
        say(f"old: {count:,} {table.replace('_', ' ')}")
    for table, count in adoption.new_rows.items():
        say(f"new: {count:,} {table}")
    for line in adoption.decisions[:LINES_SHOWN_MAX]:
        say(f"- {line}")
    if (more := len(adoption.decisions) - LINES_SHOWN_MAX) > 0:
        say(f"… and {more:,} more decisions; `mooring migrate --json` prints all of them")

"""The doctor: every check, what repairs it where that is safe, and what else to do where it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from peewee import Database

from mooring_server.errors import MooringError
from mooring_server.store.care import checks, repairs, scans
from mooring_server.store.care.checks import Fault
from mooring_server.store.migrating import snapshot
from mooring_server.store.transaction import Tx

_FAULTS_MAX = 100
_ROUND_MAX = 10_000
_TOGETHER_MAX = 64


Repair = Callable[..., None]
"""Takes a transaction and the key of a fault, and changes what is still wrong with that row."""


@dataclass(frozen=True, slots=True)
class Check:
    """An invariant: how it is looked at, and what repairs it or what somebody has to do.

    `outcome` says in a sentence what the repair did, or what to do.
    """

    find: Callable[[Database], Iterator[Fault]]
    repair: Repair | None
    outcome: str


# In this order: a repair may be what a later one needs.
CHECKS = (
    Check(checks.file, None, "Restore a backup: `mooring restore`."),
    Check(
        checks.known_values, None, "Has a newer Mooring written it? Else restore a backup: `mooring restore`."
    ),
    Check(checks.archived_defaults, repairs.unarchive_default, "It was taken up again."),
    Check(checks.defaults, repairs.choose_default, "Its oldest session is the default, or a new one."),
    Check(checks.session_counts, repairs.count_sessions, "They were counted."),
    Check(checks.managers, None, "Give it one, with an API token of the scope admin."),
    Check(checks.default_engagements, repairs.forget_default_engagement, "They have none now."),
    Check(checks.parents, repairs.forget_parent, "It has none now."),
    Check(
        checks.missing_versions, None, "Import its inventory again, or restore a backup: `mooring restore`."
    ),
    Check(checks.shown_versions, repairs.mark_version, "It is marked as it is."),
    Check(
        checks.version_counts,
        repairs.count_version,
        "They were counted; if some are missing, import the inventory again or restore a backup.",
    ),
    Check(checks.shown_counts, repairs.count_shown, "It says what it shows."),
    Check(checks.ends, None, "Delete it, or restore a backup: `mooring restore`."),
    Check(checks.landscapes, repairs.drop_landscape, "It is computed anew when somebody asks for it."),
    Check(checks.uploads, None, "Upload the file again: this one goes by itself within a day."),
    Check(checks.operations, repairs.end_operation, "It counts as failed."),
    Check(checks.heads, repairs.catch_up, "It is at the end of its log."),
    Check(
        checks.revisions,
        None,
        "Watches of it may have missed a change: restore a backup, which makes all of them begin anew.",
    ),
    Check(scans.derived_texts, repairs.derive_texts, "It is."),
    Check(scans.labels, repairs.align_labels, "The labels are the same."),
    Check(scans.concerned, repairs.file_change, "It is filed rightly."),
    Check(scans.word_indexes, repairs.rebuild_words, "It was made anew."),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken invariant in a sentence, and whether `Store.repair` repairs it."""

    sentence: str
    is_repairable: bool


def findings(database: Database) -> list[Finding]:
    """What does not hold; at most 100 of each kind."""
    return [
        Finding(fault.sentence if check.repair else f"{fault.sentence} {check.outcome}", bool(check.repair))
        for check in CHECKS
        for fault in islice(check.find(database), _FAULTS_MAX)
    ]


async def repair(url: str, write: Callable[[Callable[[Tx], None]], Awaitable[None]]) -> list[str]:
    """Repairs what is safe; a sentence for each repair. Others may go on writing the database."""
    said: list[str] = []
    for check in CHECKS:
        while check.repair is not None:
            faults = await asyncio.to_thread(_some, url, check)
            repaired = 0
            for start in range(0, len(faults), _TOGETHER_MAX):
                part = faults[start : start + _TOGETHER_MAX]
                writes = (write(_bound(check.repair, fault)) for fault in part)
                for fault, outcome in zip(
                    part, await asyncio.gather(*writes, return_exceptions=True), strict=True
                ):
                    if outcome is None:
                        repaired += 1
                        said.append(f"{fault.sentence} {check.outcome}")
                    elif not isinstance(outcome, MooringError):  # refused: the next look tells
                        raise outcome
            if not repaired or len(faults) < _ROUND_MAX:
                break
    return said


def _some(url: str, check: Check) -> list[Fault]:
    with snapshot(url) as database:
        return list(islice(check.find(database), _ROUND_MAX))


def _bound(repair: Repair, fault: Fault) -> Callable[[Tx], None]:
    return lambda tx: repair(tx, *fault.key)

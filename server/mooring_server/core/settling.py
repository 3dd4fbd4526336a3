"""What both sides of a merge have and say differently, settled some pairs at a time, ready to be written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mooring_server.core.merges import Plan, Tally
from mooring_server.core.merging import merged, settle
from mooring_server.store import Tx
from mooring_server.store.assets import stored as stored_asset
from mooring_server.store.dependencies import stored as stored_dependency
from mooring_server.store.merges import StoredDrop, stored_drop
from mooring_server.store.records import Asset, Dependency


@dataclass(frozen=True, slots=True)
class Portion:
    """A range of the target's ids: those after `after`, up to `until`; None: from the first, to the last.

    `rows` are those of it that change, as they are stored, `drops` what is left out. All else in the range
    stays as it is in the target.
    """

    after: str | None
    until: str | None
    rows: list[tuple[Any, ...]]
    drops: list[StoredDrop]
    tally: Tally


def portion(
    tx: Tx,
    kind: str,
    target_id: str,
    source_id: str,
    after: str | None,
    limit: int,
    plan: Plan,
    now: datetime,
) -> Portion:
    """Settles the next `limit` pairs of two data versions, after an id of the target's."""
    is_assets = kind == "assets"
    changed = tx.comparing.changed_assets if is_assets else tx.comparing.changed_dependencies
    stored: Callable[[Any], tuple[Any, ...]] = stored_asset if is_assets else stored_dependency
    pairs: Sequence[tuple[Any, Any]] = changed(target_id, source_id, after, limit)
    rows: list[tuple[Any, ...]] = []
    drops: list[StoredDrop] = []
    tally = Tally()
    for mine, theirs in pairs:
        settled = settle(mine, theirs, plan.rules)
        tally.enter(mine, settled)
        result = merged(mine, theirs, settled, now)
        if result is not mine:
            rows.append(stored(result))
        if settled.dropped:
            dropped = [[each.field, each.target, each.source, each.taken] for each in settled.dropped]
            drops.append(stored_drop(kind, mine.id, _label(mine), dropped))
    until = pairs[-1][0].id if len(pairs) == limit else None
    return Portion(after, until, rows, drops, tally)


def _label(row: Asset | Dependency) -> str:
    if isinstance(row, Asset):
        return row.display_name
    return f"{row.source_display_name} → {row.target_display_name}"

"""Merges: what is asked of one, what it would do, its place in the engagement's history, how it is undone."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mooring_server.core import sessions
from mooring_server.core.merging import (
    ASSET_FIELDS,
    ATTRIBUTE,
    DEPENDENCY_FIELDS,
    Rules,
    Settled,
    Side,
    Strategy,
    settle,
)
from mooring_server.core.names import quote
from mooring_server.core.paging import Query, Window
from mooring_server.core.policy import Caller
from mooring_server.errors import Aborted, FailedPrecondition, InvalidArgument, NotFound
from mooring_server.store import Tx, new_id
from mooring_server.store.lists.conditions import Beside, Standing, both
from mooring_server.store.records import (
    Asset,
    DataVersion,
    Dependency,
    Merge,
    MergeDrop,
    Operation,
    Page,
    Session,
)

# The kind of operation that a merge is.
MERGE = "merge"
CHOICES_MAX = 10_000
_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be merged into a session, and how; it has been checked. `source_id` is a session's."""

    source_id: str
    rules: Rules = field(default_factory=Rules)
    keep_source: bool = False

    def __post_init__(self) -> None:
        rules = self.rules
        if len(rules.by_field) + len(rules.by_asset) > CHOICES_MAX:
            raise InvalidArgument.field("plan", f"must have at most {CHOICES_MAX:,} choices")
        names = dict.fromkeys((*rules.by_field, *(name for _, name in rules.by_asset)))
        for name in names:
            if name not in (*ASSET_FIELDS, *DEPENDENCY_FIELDS) and not name.startswith(ATTRIBUTE):
                raise InvalidArgument.field("plan", f"{quote(name)} is no field that can be chosen")

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values; the same for the same plan."""
        rules = self.rules
        return {
            "source_id": self.source_id,
            "strategy": rules.strategy,
            "conflicts": rules.conflicts,
            "by_field": sorted(rules.by_field.items()),
            "by_asset": sorted([*key, side] for key, side in rules.by_asset.items()),
            "keep_source": self.keep_source,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Plan":
        """The plan of `to_json`."""
        rules = Rules(
            Strategy(plain["strategy"]),
            Side(plain["conflicts"]),
            {name: Side(side) for name, side in plain["by_field"]},
            {(id, name): Side(side) for id, name, side in plain["by_asset"]},
        )
        return cls(plain["source_id"], rules, plain["keep_source"])


@dataclass(slots=True)
class Tally:
    """What a merge does, in numbers; of the assets and dependencies of the source."""

    new: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    fills: Counter[str] = field(default_factory=Counter)
    conflicts: Counter[str] = field(default_factory=Counter)
    to_source: int = 0

    def enter(self, row: Asset | Dependency, settled: Settled) -> None:
        """Enters a thing that both sides have. Fields are counted of assets alone."""
        is_asset = isinstance(row, Asset)
        kind = "assets" if is_asset else "dependencies"
        (self.changed if settled.fills or settled.taken else self.kept)[kind] += 1
        if is_asset:
            self.fills.update(settled.fills)
            self.conflicts.update(name for name, _ in settled.conflicts)
            self.to_source += sum(side is Side.SOURCE for _, side in settled.conflicts)

    def add(self, other: "Tally") -> None:
        """Takes in what another one has entered."""
        for name in COUNTERS:
            getattr(self, name).update(getattr(other, name))
        self.to_source += other.to_source

    def to_json(self) -> dict[str, Any]:
        """`mooring.v1.MergeCounts` as JSON values under the same names."""
        counts = {
            f"{outcome}_{noun}_count": getattr(self, outcome)[kind]
            for kind, noun in (("assets", "asset"), ("dependencies", "dependency"))
            for outcome in ("new", "changed", "kept")
        }
        return {
            **counts,
            "fills": dict(sorted(self.fills.items())),
            "conflicts": dict(sorted(self.conflicts.items())),
            "conflicts_to_source_count": self.to_source,
        }


COUNTERS = ("new", "changed", "kept", "fills", "conflicts")


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sessions of a merge and what they show; None where that is nothing."""

    target: Session
    source: Session
    target_version: DataVersion | None
    source_version: DataVersion | None

    def digest(self, plan: Plan) -> str:
        """Stands for the plan and the data of both sides."""
        content = [self.target.id, plan.to_json(), self.target.data_label, self.source.data_label]
        text = json.dumps(content, sort_keys=True)
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def sides(tx: Tx, engagement_id: str, target_id: str, plan: Plan) -> Sides:
    """The sessions that a plan is about.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        InvalidArgument: a session is to be merged into itself.
    """
    if target_id == plan.source_id:
        raise InvalidArgument.field("plan.source", "must be another session than the target")
    target, source = (sessions.get(tx, engagement_id, id) for id in (target_id, plan.source_id))
    versions = [
        None if each.data_version_id is None else tx.versions.get(each.data_version_id)
        for each in (target, source)
    ]
    return Sides(target, source, *versions)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge would do. `counts` are `Tally.to_json`."""

    sides: Sides
    counts: dict[str, Any]
    digest: str


def preview(tx: Tx, engagement_id: str, target_id: str, plan: Plan) -> Preview:
    """Counts what a merge would do. Reads all of both sides: long.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        InvalidArgument: a session is to be merged into itself.
    """
    found = sides(tx, engagement_id, target_id, plan)
    target, source, tally = found.target_version, found.source_version, Tally()
    if source is not None:
        tally.new.update(assets=source.asset_count, dependencies=source.dependency_count)
    if target is not None and source is not None:
        for kind, paired, changed in (
            ("assets", tx.comparing.assets, tx.comparing.changed_assets),
            ("dependencies", tx.comparing.dependencies, tx.comparing.changed_dependencies),
        ):
            pairs = paired(target.id, source.id)
            tally.new[kind] -= pairs.rows
            tally.kept[kind] += pairs.rows - pairs.changed
            after: str | None = None
            while pairs.changed:
                rows: Sequence[tuple[Any, Any]] = changed(target.id, source.id, after, _ROWS)
                for mine, theirs in rows:
                    tally.enter(mine, settle(mine, theirs, plan.rules))
                if len(rows) < _ROWS:
                    break
                after = rows[-1][0].id
    return Preview(found, tally.to_json(), found.digest(plan))


@dataclass(frozen=True, slots=True)
class Conflict:
    """An asset of both sides, and its fields in conflict with the sides that they go to."""

    target: Asset
    source: Asset
    fields: tuple[tuple[str, Side], ...]


@dataclass(frozen=True, slots=True)
class Conflicts:
    """A page of conflicts, and the labels of the data that they are between."""

    data_version: str
    source_data_version: str
    items: tuple[Conflict, ...]
    next_key: tuple[Any, ...] | None


def conflicts(
    tx: Tx,
    engagement_id: str,
    target_id: str,
    plan: Plan,
    query: Query,
    fields: Sequence[str],
    window: Window,
) -> Conflicts:
    """Some of the assets that have a conflict, in one of the fields where some are named.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        InvalidArgument: INVALID_PAGE_TOKEN, where either side has moved on since the walk began.
    """
    found = sides(tx, engagement_id, target_id, plan)
    target, source = found.target_version, found.source_version
    labels = found.target.data_label, found.source.data_label
    key = window.after_key
    if key is not None:
        *begun, key = key[0], key[1], key[2:]
        if tuple(begun) != labels:
            raise InvalidArgument(
                "page_token: one of the sessions has changed meanwhile; leave it empty to start again",
                reason="INVALID_PAGE_TOKEN",
            )
    if target is None or source is None or target.id == source.id:
        return Conflicts(*labels, (), None)
    condition = both(query.condition, Beside(source.id, Standing.CHANGED))
    page: Page[Asset] = tx.assets.page(target.id, query.order, replace(window, after_key=key), condition)
    theirs = tx.assets.by_identity(source.id, [each.identity for each in page.items])
    items = []
    for mine in page.items:
        outcome = settle(mine, theirs[mine.identity], plan.rules).conflicts
        if outcome and (not fields or any(name in fields for name, _ in outcome)):
            items.append(Conflict(mine, theirs[mine.identity], outcome))
    next_key = None if page.next_key is None else (*labels, *page.next_key)
    return Conflicts(*labels, tuple(items), next_key)


def request(tx: Tx, caller: Caller, engagement_id: str, target_id: str, plan: Plan, digest: str) -> Operation:
    """Queues a merge.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        FailedPrecondition: SESSION_ARCHIVED, of the target; DEFAULT_SESSION, of a source that is not kept.
        Aborted: MERGE_MOVED, where the digest is of another plan or state.
        InvalidArgument: a session is to be merged into itself.
    """
    found = sides(tx, engagement_id, target_id, plan)
    sessions.in_use(tx, engagement_id, target_id)
    if found.source.is_default and not plan.keep_source:
        raise FailedPrecondition(
            "the source is the engagement's default session, which cannot be archived: make another one the "
            "default first, or keep it with `keep_source`",
            reason="DEFAULT_SESSION",
        )
    if digest not in ("", found.digest(plan)):
        raise moved()
    return tx.operations.insert(
        id=new_id(),
        engagement_id=engagement_id,
        session_id=target_id,
        user_id=caller.user_id,
        kind=MERGE,
        arguments={
            "plan": plan.to_json(),
            # Between the request and its turn, nothing may move either.
            "digest": found.digest(plan),
        },
    )


def moved() -> Aborted:
    """How a merge is refused whose sides are not as they were previewed."""
    return Aborted(
        "the plan or the data of one of the sessions is not what was previewed; preview it again",
        reason="MERGE_MOVED",
    )


@dataclass(frozen=True, slots=True)
class History:
    """A merge, and whether it can be undone now."""

    record: Merge
    revertible: bool


def get(tx: Tx, engagement_id: str, merge_id: str) -> History:
    """A merge of an engagement.

    Raises:
        NotFound: MERGE_NOT_FOUND.
    """
    record = tx.merges.get(engagement_id, merge_id)
    if record is None:
        raise NotFound(f"this engagement has no merge {merge_id}", reason="MERGE_NOT_FOUND")
    return History(record, _is_revertible(tx, record))


def page(tx: Tx, engagement_id: str, window: Window) -> tuple[list[History], tuple[Any, ...] | None]:
    """Some of an engagement's merges, newest first."""
    found = tx.merges.page(engagement_id, window)
    return [History(each, _is_revertible(tx, each)) for each in found.items], found.next_key


def drops(
    tx: Tx, engagement_id: str, merge_id: str, window: Window
) -> tuple[Merge, tuple[MergeDrop, ...], tuple[Any, ...] | None]:
    """Some of what a merge left out.

    Raises:
        NotFound: MERGE_NOT_FOUND.
    """
    record = get(tx, engagement_id, merge_id).record
    found = tx.merges.drops(merge_id, window)
    return record, found.items, found.next_key


def revert(tx: Tx, caller: Caller, engagement_id: str, merge_id: str, *, force: bool) -> History:
    """Undoes a merge: its target shows again what it showed before, and its source is as it was.

    A source that somebody has taken up, moved or deleted since stays as it is.

    Raises:
        NotFound: MERGE_NOT_FOUND, SESSION_NOT_FOUND.
        FailedPrecondition: SESSION_ARCHIVED, of the target; NOT_REVERTIBLE; DATA_EDITED where something was
            edited since, unless `force`.
        Aborted: DATA_VERSION_MOVED.
    """
    record = get(tx, engagement_id, merge_id).record
    if record.revert_time is not None:
        raise _not_revertible("it was undone before")
    target = sessions.in_use(tx, engagement_id, record.target_id)
    version = None if target.data_version_id is None else tx.versions.get(target.data_version_id)
    if version is None or version.id != record.version_id:
        raise _not_revertible("the session's data has moved on; undo what came after it first")
    if record.base_id is not None and tx.versions.get(record.base_id) is None:
        raise _not_revertible("what was before it is no longer kept")
    edits = version.revision - record.revision
    if edits and not force:
        raise FailedPrecondition(
            f"{edits} edit{'' if edits == 1 else 's'} of the data since the merge would be lost; "
            "set `force` to undo it all the same",
            reason="DATA_EDITED",
        )
    tx.versions.revert(version, record.base_id)
    state = record.source_state
    if state is not None:
        tx.sessions.unmerged(engagement_id, record.source_id, state["parent_id"], state["moved_to"])
    reverted = tx.merges.revert(engagement_id, merge_id, caller.user_id)
    if reverted is None:
        raise _not_revertible("it was undone before")
    return History(reverted, revertible=False)


def _is_revertible(tx: Tx, record: Merge) -> bool:
    if record.revert_time is not None:
        return False
    target = tx.sessions.get(record.engagement_id, record.target_id)
    return (
        target is not None
        and target.archive_time is None
        and target.data_version_id == record.version_id
        and (record.base_id is None or tx.versions.get(record.base_id) is not None)
    )


def _not_revertible(why: str) -> FailedPrecondition:
    return FailedPrecondition(f"this merge cannot be undone: {why}", reason="NOT_REVERTIBLE")

"""The merge of two sessions: the target's next data version, made of both.

What both sides have and say differently is settled in Python, chunk by chunk (`core/merging.py`), and what a
chunk leaves out is noted with it. All the rest is copied inside the database: what the target has, then what
only the source has. Publishing is one small write, refused if either side has moved since the merge was asked
for; it also puts the source away and enters the merge in the history.
"""

import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict, replace
from functools import partial
from typing import Any, TypeVar

from mooring_server.background.copying import copy_missing, copy_some, insert_some
from mooring_server.background.jobs import Job
from mooring_server.background.pace import Pace, ahead
from mooring_server.background.settling import Settling
from mooring_server.core import merges
from mooring_server.core.dependencies import dependency_identity
from mooring_server.core.merges import Plan, Sides, Tally
from mooring_server.core.settling import Portion
from mooring_server.store import Tx, new_id
from mooring_server.store.records import (
    Asset,
    ChangeKind,
    DataVersion,
    Dependency,
)

T = TypeVar("T", Asset, Dependency)

# Pairs of both sides that are read, settled and written together.
_PAIRS = 250


async def run_merge(job: Job) -> None:
    """Merges a session into another one, all or nothing.

    Raises:
        Aborted: MERGE_MOVED, DATA_VERSION_MOVED.
        NotFound: one of the sessions was deleted.
        FailedPrecondition: SESSION_ARCHIVED, ENGAGEMENT_ARCHIVED, DEFAULT_SESSION.
    """
    arguments, operation = job.operation.arguments, job.operation
    plan = Plan.from_json(arguments["plan"])
    version, _ = await job.begin_version()
    sides = await job.store.read(
        lambda tx: merges.sides(tx, operation.engagement_id, operation.session_id, plan)
    )
    shown = sides.target_version
    if sides.digest(plan) != arguments["digest"] or (
        (version.base_id, version.base_revision) != (shown and shown.id, shown.revision if shown else 0)
    ):
        raise merges.moved()
    await _Build(job, plan, sides, version).run()


class _Build:
    """One data version under construction."""

    def __init__(self, job: Job, plan: Plan, sides: Sides, version: DataVersion) -> None:
        self._job = job
        self._plan = plan
        self._sides = sides
        self._version = version
        self._pace = Pace(job.settings)
        self._tally = Tally()
        self._counts = {"assets": 0, "dependencies": 0}

    async def run(self) -> None:
        """Builds, verifies and publishes it."""
        job, sides = self._job, self._sides
        versions = [each for each in (sides.target_version, sides.source_version) if each is not None]
        total = sum(each.asset_count + each.dependency_count for each in versions)
        job.progress |= {"phase": "settling", "rows_total": total}
        await self._settle("assets")
        job.progress["phase"] = "copying"
        await self._add_assets()
        await self._settle("dependencies")
        await self._add_dependencies()
        self._verify()
        job.progress |= {"phase": "publishing", "rows_done": total}
        await job.finish(self._publish)

    async def _settle(self, kind: str) -> None:
        """Writes what becomes of the target's own: settled, or as it is."""
        target, source = self._sides.target_version, self._sides.source_version
        if target is None:
            return
        if source is None:
            await self._write(kind, [Portion(None, None, [], [], Tally())])
            return
        job = self._job
        settling = Settling(job.store, target.id, source.id, self._plan, job.operation.create_time)
        waiting: list[Portion] = []
        async with (
            aclosing(settling.portions(kind, _PAIRS)) as settled,
            aclosing(ahead(settled)) as portions,
        ):
            async for portion in portions:
                self._tally.add(portion.tally)
                waiting.append(portion)
                if len(waiting) * _PAIRS >= self._pace.rows:
                    await self._write(kind, waiting)
                    waiting = []
        await self._write(kind, waiting)

    async def _write(self, kind: str, portions: list[Portion]) -> None:
        """Writes portions: what changes, and all else as the target has it."""
        while portions:
            count, portions = await self._job.write(partial(self._write_some, kind, portions))
            self._count(kind, count)

    def _write_some(self, kind: str, portions: list[Portion], tx: Tx) -> tuple[int, list[Portion]]:
        """As much as there is time for: how many rows, and what is left."""
        noun, (base_id, version_id) = _noun(tx, kind), (self._version.base_id or "", self._version.id)
        begun_s, limit, count = time.perf_counter(), self._pace.rows, 0
        for place, portion in enumerate(portions):
            inserted = insert_some(tx, noun, version_id, portion.rows[: limit - count])
            count += inserted
            left, after, is_whole = portion.rows[inserted:], portion.after, False
            if not left and count < limit:
                copied, after = copy_some(tx, noun, base_id, version_id, after, limit - count, portion.until)
                count += copied
                is_whole = after is None
            if not is_whole:
                portions = [replace(portion, rows=left, after=after), *portions[place + 1 :]]
                break
            tx.merges.add_drops(self._job.operation.id, portion.drops)
            if tx.is_awaited():
                portions = portions[place + 1 :]
                break
        else:
            portions = []
        self._pace.learn(tx, count, time.perf_counter() - begun_s)
        return count, portions

    async def _copy(self, kind: str, from_id: str) -> int:
        """Copies what a version has and the built one lacks."""
        noun_of = partial(_noun, kind=kind)
        copied = await copy_missing(from_id, self._version, noun_of, self._job.write, self._pace)
        self._count(kind, copied)
        return copied

    async def _add_assets(self) -> None:
        """Adds what only the source has, under its ids; where the target uses such an id, under a new one."""
        source = self._sides.source_version
        if source is None:
            return
        self._tally.new["assets"] += await self._copy("assets", source.id)
        while True:
            # What is left is few: ids of which the target has made something else.
            left = await self._job.store.read(
                lambda tx: tx.comparing.lone_assets(source.id, self._version.id, None, _PAIRS), long=True
            )
            if not left:
                return
            rows = [(new_id(), *asset[1:]) for asset in left]
            await self._job.write(partial(_insert_assets, self._version.id, rows))
            self._count("assets", len(rows))
            self._tally.new["assets"] += len(rows)

    async def _add_dependencies(self) -> None:
        """Adds what only the source has, between the assets that now stand for its ends."""
        source, target = self._sides.source_version, self._sides.target_version
        # Against the target, not the result: that has these from one round to the next.
        other_id = "" if target is None else target.id
        after: str | None = None
        while source is not None:

            def look(tx: Tx, after: str | None = after) -> tuple[list[Dependency], list[Dependency]]:
                lone = tx.comparing.lone_dependencies(source.id, other_id, after, _PAIRS)
                ends = {id for each in lone for id in (each.source_id, each.target_id)}
                known = tx.comparing.asset_counterparts(source.id, self._version.id, ends)
                taken = tx.dependencies.by_id(self._version.id, [each.id for each in lone])
                return lone, [_moved(each, known, is_taken=each.id in taken) for each in lone]

            lone, rows = await self._job.store.read(look, long=True)
            if not lone:
                break

            def write(tx: Tx, rows: Sequence[Dependency] = rows) -> None:
                tx.dependencies.insert_many(self._version.id, rows)

            await self._job.write(self._pace.timed(len(rows), write))
            self._count("dependencies", len(rows))
            self._tally.new["dependencies"] += len(rows)
            after = lone[-1].id
            if len(lone) < _PAIRS:
                break
        self._count_kept()

    def _count_kept(self) -> None:
        """What was in both sides and equal was only copied."""
        source = self._sides.source_version
        tally = self._tally
        held_of = {"assets": 0, "dependencies": 0}
        if source is not None:
            held_of = {"assets": source.asset_count, "dependencies": source.dependency_count}
        for kind, held in held_of.items():
            tally.kept[kind] += held - tally.new[kind] - tally.changed[kind] - tally.kept[kind]

    def _verify(self) -> None:
        """Refuses to publish what does not add up: a fault of ours, which must not become data."""
        target = self._sides.target_version
        before = (0, 0) if target is None else (target.asset_count, target.dependency_count)
        expected = [
            held + self._tally.new[kind]
            for held, kind in zip(before, ("assets", "dependencies"), strict=True)
        ]
        found = [self._counts["assets"], self._counts["dependencies"]]
        if found != expected or min(self._tally.kept.values(), default=0) < 0:
            raise RuntimeError(f"{self._tally}, {found} instead of {expected}")

    def _publish(self, tx: Tx) -> dict[str, Any]:
        """Moves the target, puts the source away, and enters the merge in the history."""
        operation, sides, version, plan = self._job.operation, self._sides, self._version, self._plan
        engagement_id, source_version = operation.engagement_id, sides.source_version
        tx.versions.publish(
            version.id,
            expected_base_id=version.base_id,
            asset_count=self._counts["assets"],
            dependency_count=self._counts["dependencies"],
            kind=ChangeKind.MERGED,
        )
        source = tx.sessions.get(engagement_id, plan.source_id)
        if source is None or source.data_label != sides.source.data_label:
            raise merges.moved()
        if source_version is not None and not tx.versions.holds(source_version.id, source_version.revision):
            raise merges.moved()
        state = None
        if not plan.keep_source and source.archive_time is None:
            # Never its own ancestor: a clone that is merged back stays the younger one.
            goes_back = sides.target.parent_id == source.id
            parent_id = source.parent_id if goes_back else operation.session_id
            state = {"parent_id": source.parent_id, "moved_to": parent_id}
            tx.sessions.merged(engagement_id, source.id, parent_id)
        record = tx.merges.insert(
            id=operation.id,
            engagement_id=engagement_id,
            target_id=operation.session_id,
            source_id=plan.source_id,
            user_id=operation.user_id,
            plan=plan.to_json(),
            counts=self._tally.to_json(),
            base_id=version.base_id,
            base_revision=version.base_revision,
            source_version_id=None if source_version is None else source_version.id,
            source_revision=0 if source_version is None else source_version.revision,
            version_id=version.id,
            revision=0,
            source_state=state,
        )
        self._job.progress["phase"] = "done"
        times = ("create_time", "revert_time", "reverter_id")
        return {name: value for name, value in asdict(record).items() if name not in times}

    def _count(self, kind: str, rows: int) -> None:
        self._counts[kind] += rows
        progress = self._job.progress
        progress["rows_done"] = min(sum(self._counts.values()), progress["rows_total"])


def _noun(tx: Tx, kind: str) -> Any:
    return tx.assets if kind == "assets" else tx.dependencies


def _insert_assets(version_id: str, rows: Sequence[tuple[Any, ...]], tx: Tx) -> None:
    tx.assets.insert_stored(version_id, rows)


def _moved(dependency: Dependency, ends: dict[str, str], *, is_taken: bool) -> Dependency:
    """A source's dependency between the target's assets."""
    source_id, target_id = ends[dependency.source_id], ends[dependency.target_id]
    return replace(
        dependency,
        id=new_id() if is_taken else dependency.id,
        source_id=source_id,
        target_id=target_id,
        identity=dependency_identity(
            source_id,
            target_id,
            dependency.kind,
            dependency.port,
            dependency.protocol,
            dependency.source_process,
            dependency.target_process,
        ),
    )

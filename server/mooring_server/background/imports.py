"""The import of an inventory: a file's rows become the session's next data version.

Another process reads the file (`parsing`) and makes its rows ready. Here they are settled against what the
session has and written into the next data version, in chunks that hold the database's writer for a moment
each. What the file does not name is copied over; then the dependencies find their ends among all of that.
Publishing is one small write, refused if the session's data has moved meanwhile. An import that changes
nothing leaves the session's data version as it is, and the same content into data that nothing has touched
since its import answers that import's report.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import asdict
from functools import partial
from typing import Any

from mooring_server.background.cleanup import discard_version
from mooring_server.background.copying import Copied, copy_missing, insert_some
from mooring_server.background.jobs import Job, in_thread
from mooring_server.background.pace import Pace, ahead
from mooring_server.background.parsing import Batch, Parsed, parse, spilled
from mooring_server.background.phases import Phase
from mooring_server.background.replays import data_moved, replayed
from mooring_server.core import imports, sessions
from mooring_server.core.linking import Addresses, Candidates, link, settle_links
from mooring_server.core.names import Kind
from mooring_server.core.settlement import Account, Settlement
from mooring_server.core.staging import Staged
from mooring_server.errors import ResourceExhausted
from mooring_server.ingest import DependencyRow
from mooring_server.store import Tx
from mooring_server.store.assets import HOSTNAME, SORT_NAME
from mooring_server.store.records import (
    Asset,
    DataVersion,
    Dependency,
    Session,
    Upload,
    version_label,
)
from mooring_server.store.values import sort_key

# Many rows of the base are looked through in one read.
_SCAN_ROWS = 20_000


async def run_import(job: Job) -> None:
    """Imports an upload into its session, all or nothing.

    Raises:
        InvalidArgument: UNREADABLE_INVENTORY.
        ResourceExhausted: the file passes a limit.
        Aborted: DATA_VERSION_MOVED.
        NotFound: the session was deleted, or the upload has expired.
        FailedPrecondition: SESSION_ARCHIVED, ENGAGEMENT_ARCHIVED.
    """
    arguments = job.operation.arguments
    upload_id: str = arguments["upload_id"]
    job.progress["phase"] = Phase.READING
    options = imports.options_from_json(arguments.get("options", {}))
    now = job.operation.create_time
    async with spilled(job.store, upload_id) as (upload, path):
        if not await replayed(job, upload):
            async with parse(path, upload.file_name, options, job.settings, now) as parsed:
                version, session = await job.begin_version()
                await _Build(job, upload, parsed, version, session).run()
    await job.store.write(lambda tx: tx.uploads.delete(upload_id))


class _Build:
    """One data version under construction."""

    def __init__(
        self, job: Job, upload: Upload, parsed: Parsed, version: DataVersion, session: Session
    ) -> None:
        self._job = job
        self._upload = upload
        self._parsed = parsed
        self._version = version
        self._session = session
        self._pace = Pace(job.settings)
        self._account = Account()
        self._settlement = Settlement(self._account, job.operation.create_time)
        self._asset_count = 0
        self._dependency_count = 0
        self._holders: Addresses | None = None
        self._missing_count = 0
        self._moved_count = 0
        self._missing: list[dict[str, Any]] = []

    async def run(self) -> None:
        """Builds, verifies and publishes it."""
        job, account = self._job, self._account
        job.progress |= {"phase": Phase.WRITING, "rows_total": self._parsed.header.row_total or 0}
        has_copied = False
        async with aclosing(ahead(self._parsed.batches())) as batches:
            async for batch in batches:
                if batch.dependencies and not has_copied:
                    await self._write(1)
                    # Their ends may be any asset of the session.
                    await self._find_missing()
                    await self._copy_unnamed()
                    has_copied = True
                await self._take(batch)
        await self._write(1)
        if not has_copied:
            await self._find_missing()
        if account.changed:
            if not has_copied:
                await self._copy_unnamed()
            await self._copy_unnamed_dependencies()
        self._verify()
        job.progress |= {"phase": Phase.PUBLISHING, "rows_total": account.source_rows}
        await job.finish(self._publish if account.changed else self._keep)
        for outcome in ("created", "updated", "unchanged", "joined"):
            job.store.metrics.imported(outcome, getattr(account, outcome))
        job.store.metrics.imported("rejected", len(account.rejected))
        if not account.changed:
            await discard_version(job.store, self._version.id)

    async def _take(self, batch: Batch) -> None:
        for rejected in batch.rejected:
            self._account.reject(rejected)
        self._check_rejected()
        assets, dependencies = batch.assets, batch.dependencies
        if assets:
            await self._settle(assets)
            self._show()
        # Large rows do not gather in memory.
        await self._write(1 if batch.is_large else self._pace.rows)
        while dependencies:
            linked, dependencies = dependencies[: self._pace.rows], dependencies[self._pace.rows :]
            await self._link(linked)
            self._check_rejected()
            self._show()

    def _show(self) -> None:
        self._job.progress["rows_done"] = self._account.source_rows

    def _check_rejected(self) -> None:
        rejected, most = self._account.rejected, self._job.settings.rejected_rows_max
        if len(rejected) > most:
            raise ResourceExhausted(
                f"more than {most:,} rows cannot be taken (setting `rejected_rows_max`), the first of them: "
                f"{rejected[0].reason}"
            )

    async def _settle(self, rows: list[Staged]) -> None:
        version_id, base_id = self._version.id, self._version.base_id
        repeated = list({row.asset[1] for row in rows if row.repeated})
        identities = list({row.asset[1] for row in rows})

        def look_up(tx: Tx) -> tuple[dict[str, Asset], dict[str, Asset]]:
            # Neither version can change under us: one is ours alone, the other is edited at its own peril.
            built = tx.assets.by_identity(version_id, repeated) if repeated else {}
            return built, tx.assets.by_identity(base_id, identities) if base_id else {}

        built: dict[str, Asset] = {}
        base: dict[str, Asset] = {}
        if repeated or base_id:
            built, base = await self._job.store.read(look_up, long=True)
        mentioned = await self._mentioned(rows, base)
        add = partial(self._settlement.add, rows, built=built, base=base, mentioned=mentioned)
        if base or built or mentioned:
            await in_thread(add)
        else:
            add()

    async def _write(self, least: int) -> None:
        """Writes what is settled until fewer than the least are left."""
        while len(self._settlement) >= least:
            await self._write_some()

    async def _write_some(self) -> None:
        """Writes what is settled first; little where somebody waits for the writer."""
        version_id = self._version.id
        inserts, updates = self._settlement.waiting(self._pace.rows)

        def write(tx: Tx) -> tuple[int, list[Asset]]:
            begun_s = time.perf_counter()
            count = insert_some(tx, tx.assets, version_id, inserts)
            replaced = updates if count == len(inserts) else []
            tx.assets.update_many(version_id, replaced)
            self._pace.learn(tx, count + len(replaced), time.perf_counter() - begun_s)
            return count, replaced

        count, replaced = await self._job.write(write)
        self._settlement.written(inserts[:count], replaced)
        self._asset_count += count

    async def _mentioned(self, rows: list[Staged], base: Mapping[str, Asset]) -> dict[str, Asset]:
        """What the base only mentions, by the names of rows that it does not have."""
        base_id = self._version.base_id
        if base_id is None or not self._session.dependency_count:
            return {}  # whoever is mentioned has a dependency
        new = [row.asset for row in rows if row.asset[1] not in base]
        names = {name for asset in new for name in (asset[SORT_NAME], sort_key(asset[HOSTNAME])) if name}
        if not names:
            return {}
        found = await self._job.store.read(lambda tx: tx.assets.by_names(base_id, sorted(names)), long=True)
        return {sort_key(asset.display_name): asset for asset in found if asset.implied}

    async def _link(self, rows: list[DependencyRow]) -> None:
        version_id, base_id = self._version.id, self._version.base_id
        account, file_name = self._account, self._upload.file_name
        source, now = self._parsed.header.source, self._job.operation.create_time
        ends = [end for row in rows for end in (row.source, row.target)]
        addresses = await self._addresses()
        candidates = await self._job.store.read(
            lambda tx: Candidates.find(tx, version_id, ends, addresses), long=True
        )
        links, implied = link(rows, candidates, account, file_name, source, now)
        identities = list({each.identity for each in links})

        def look_up(tx: Tx) -> tuple[dict[str, Dependency], dict[str, Dependency]]:
            built = tx.dependencies.by_identity(version_id, identities)
            return built, tx.dependencies.by_identity(base_id, identities) if base_id else {}

        built, base = await self._job.store.read(look_up, long=True)
        inserts, updates = settle_links(links, built, base, account, file_name, now)

        def write(tx: Tx) -> None:
            tx.assets.insert_stored(version_id, implied)
            tx.dependencies.insert_many(version_id, inserts)
            tx.dependencies.update_many(version_id, updates)

        if implied or inserts or updates:
            await self._job.write(self._pace.timed(len(implied) + len(inserts) + len(updates), write))
        self._asset_count += len(implied)
        self._dependency_count += len(inserts)

    async def _addresses(self) -> Addresses:
        if self._holders is None:
            wanted, version_id = self._parsed.addresses, self._version.id
            self._holders = await self._job.store.read(
                lambda tx: tx.assets.with_addresses(version_id, wanted) if wanted else {}, long=True
            )
        return self._holders

    async def _find_missing(self) -> None:
        """Notes what an earlier file of this inventory told of and this one does not name."""
        base_id, version_id, source = self._version.base_id, self._version.id, self._parsed.header.source
        if base_id is None or not (self._account.updated or self._account.unchanged):
            return  # it shares nothing with what is there: it is of another estate
        after: str | None = None
        while True:
            found, after = await self._job.store.read(
                partial(_missing, base_id, version_id, source, after), long=True
            )
            self._missing_count += len(found)
            room = self._job.settings.missing_assets_max - len(self._missing)
            self._missing += [self._missing_asset(*row) for row in found[: max(room, 0)]]
            if after is None:
                return

    def _missing_asset(self, id: str, display_name: str, file: str, sheet: str, row: int) -> dict[str, Any]:
        session = self._session
        return {
            "asset": Kind.ASSET.of(session.engagement_id, session.id, id),
            "display_name": display_name,
            "provenance": {"file": file, "sheet": sheet, "row": row},
        }

    async def _copy_unnamed(self) -> None:
        self._asset_count += await self._copied(lambda tx: tx.assets)

    async def _copy_unnamed_dependencies(self) -> None:
        base_id, version_id = self._version.base_id, self._version.id
        if base_id is not None and self._account.dependencies["created"]:
            self._moved_count = await self._job.store.read(
                lambda tx: tx.dependencies.superseded(base_id, version_id), long=True
            )
        self._dependency_count += await self._copied(lambda tx: tx.dependencies)

    async def _copied(self, noun_of: Callable[[Tx], Copied]) -> int:
        version = self._version
        return await copy_missing(version.base_id, version, noun_of, self._job.write, self._pace)

    def _verify(self) -> None:
        """Refuses to publish what does not add up: a fault of ours, which must not become data."""
        account, session = self._account, self._session
        assets = session.asset_count + account.created_by_type.total() + account.implied
        dependencies = session.dependency_count + account.dependencies["created"] - self._moved_count
        counts = (self._asset_count, self._dependency_count)
        if not account.is_balanced() or (account.changed and counts != (assets, dependencies)):
            raise RuntimeError(f"{account}, {counts} instead of {(assets, dependencies)}")

    def _publish(self, tx: Tx) -> dict[str, Any]:
        version = self._version
        tx.versions.publish(
            version.id,
            expected_base_id=version.base_id,
            asset_count=self._asset_count,
            dependency_count=self._dependency_count,
        )
        return self._report(tx, version.id, 0)

    def _keep(self, tx: Tx) -> dict[str, Any]:
        version = self._version
        session = sessions.in_use(tx, version.engagement_id, version.session_id)
        shown = None if session.data_version_id is None else tx.versions.get(session.data_version_id)
        if (shown and shown.id, shown.revision if shown else 0) != (version.base_id, version.base_revision):
            raise data_moved()
        tx.sessions.visit(version.engagement_id, version.session_id)
        return self._report(tx, version.base_id, version.base_revision)

    def _report(self, tx: Tx, version_id: str | None, revision: int) -> dict[str, Any]:
        """Enters the import in the history; answers `ImportReport` as JSON values, under the same names."""
        operation, upload, header, account = (
            self._job.operation,
            self._upload,
            self._parsed.header,
            self._account,
        )
        self._job.progress["phase"] = Phase.DONE
        report = imports.report_of(
            account,
            kind=header.kind,
            columns=header.columns,
            notes=self._notes(),
            missing_count=self._missing_count,
            data_version=version_label(version_id, revision),
            name=Kind.IMPORT.of(operation.engagement_id, operation.session_id, operation.id),
        )
        details = {"rejected": [asdict(row) for row in account.rejected], "missing": self._missing}
        options = operation.arguments.get("options", {})
        tx.imports.insert(
            id=operation.id,
            engagement_id=operation.engagement_id,
            session_id=operation.session_id,
            user_id=operation.user_id,
            file_name=upload.file_name,
            sha256=upload.sha256,
            size_bytes=upload.size_bytes,
            options=options,
            options_hash=imports.options_hash(options),
            report=report,
            details=details,
            base_id=self._version.base_id,
            base_revision=self._version.base_revision,
            version_id=version_id,
            revision=revision,
        )
        return {**report, **details}

    def _notes(self) -> list[str]:
        notes = list(self._parsed.notes)
        if self._moved_count:
            notes.append(f"Assets that run on another one than before: {self._moved_count}.")
        if conflicts := self._account.conflicts:
            notes.append(
                "Rows that say something else of an asset than a row before them, "
                f"which was kept: {conflicts}."
            )
        return notes


def _missing(
    base_id: str, version_id: str, source: str, after: str | None, tx: Tx
) -> tuple[list[tuple[str, str, str, str, int]], str | None]:
    return tx.imports.missing(base_id, version_id, source, after, _SCAN_ROWS)

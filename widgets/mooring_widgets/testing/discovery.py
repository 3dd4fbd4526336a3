"""The part of the fake client that is about discovery data."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mooring_widgets.client import (
    ASSET_FIELDS,
    Asset,
    Dependency,
    Import,
    ImportOptions,
    ImportReport,
    KindCandidate,
    Landscape,
    PageOf,
    Preview,
    Progress,
    Upload,
)
from mooring_widgets.errors import (
    Conflict,
    FailedPrecondition,
    FieldViolation,
    InvalidArgument,
    NotFound,
)
from mooring_widgets.testing.batches import asset_batch, dependency_batch
from mooring_widgets.testing.calls import FakeCalls, ordered, page_of
from mooring_widgets.testing.files import read_file
from mooring_widgets.testing.filtering import passes
from mooring_widgets.testing.landscapes import landscape_of
from mooring_widgets.testing.service import USER

if TYPE_CHECKING:
    import pyarrow as pa


class FakeDiscovery(FakeCalls):
    """Assets, dependencies, landscapes and imports over a `FakeService`."""

    # Assets and dependencies

    async def list_assets(
        self,
        session: str,
        *,
        page_size: int = 50,
        page_token: str = "",
        skip: int = 0,
        filter: str = "",
        order_by: str = "",
    ) -> PageOf[Asset]:
        """See `MooringClient`; a filter is `field = "value"` clauses joined by AND."""
        await self._called("list_assets")
        found = [asset for asset in self.service.assets.get(session, []) if passes(asset, filter)]
        there = ordered(found, order_by, "display_name")
        return self._versioned(session, there, page_size, page_token, skip)

    async def get_asset(self, name: str) -> Asset:
        """See `MooringClient`."""
        await self._called("get_asset")
        return self._asset(name)

    async def update_asset(
        self, name: str, values: Mapping[str, Any], *, etag: str = "", allow_missing: bool = False
    ) -> Asset:
        """See `MooringClient`."""
        await self._called("update_asset")
        for field in values:
            if field not in ASSET_FIELDS:
                message = f"an asset has no field {field!r} that can be set"
                raise InvalidArgument(message, violations=[FieldViolation(f"asset.{field}", message)])
        session = name.partition("/assets/")[0]
        with self.service.lock:
            others = [asset for asset in self.service.assets.get(session, []) if asset.name != name]
            is_new = allow_missing and len(others) == len(self.service.assets.get(session, []))
            before = Asset(name, "") if is_new else self._asset(name, etag)
            changed = replace(before, etag=self.service.new_id("a"), implied=False, **values)
            self.service.set_assets(session, [*others, changed])
            self.service.note("created" if is_new else "updated", name)
            return changed

    async def delete_asset(self, name: str, *, etag: str = "", force: bool = False) -> Asset:
        """See `MooringClient`."""
        await self._called("delete_asset")
        session = name.partition("/assets/")[0]
        with self.service.lock:
            asset = self._asset(name, etag)
            dependencies = self.service.dependencies.get(session, [])
            kept = [each for each in dependencies if name not in (each.source, each.target)]
            if len(kept) < len(dependencies) and not force:
                raise FailedPrecondition("the asset has dependencies", reason="HAS_DEPENDENCIES")
            self.service.dependencies[session] = kept
            self.service.set_assets(session, [a for a in self.service.assets[session] if a.name != name])
            self.service.note("deleted", name)
            return asset

    async def list_dependencies(
        self,
        session: str,
        *,
        page_size: int = 50,
        page_token: str = "",
        skip: int = 0,
        filter: str = "",
        order_by: str = "",
    ) -> PageOf[Dependency]:
        """See `MooringClient`; a filter is `field = "value"` clauses joined by AND."""
        await self._called("list_dependencies")
        found = [each for each in self.service.dependencies.get(session, []) if passes(each, filter)]
        there = ordered(found, order_by, "create_time")
        return self._versioned(session, there, page_size, page_token, skip)

    async def read_assets(
        self, session: str, *, fields: Sequence[str] = (), filter: str = ""
    ) -> "AsyncGenerator[pa.RecordBatch]":
        """See `MooringClient`; in one batch."""
        await self._called("read_assets")
        yield asset_batch([a for a in self.service.assets.get(session, []) if passes(a, filter)], fields)

    async def read_dependencies(
        self, session: str, *, fields: Sequence[str] = (), filter: str = ""
    ) -> "AsyncGenerator[pa.RecordBatch]":
        """See `MooringClient`; in one batch."""
        await self._called("read_dependencies")
        found = [each for each in self.service.dependencies.get(session, []) if passes(each, filter)]
        yield dependency_batch(found, fields)

    async def get_landscape(self, session: str) -> Landscape:
        """See `MooringClient`."""
        await self._called("get_landscape")
        version = self.service.session(session).data_version
        assets = self.service.assets.get(session, [])
        return landscape_of(session, version, assets, self.service.dependencies.get(session, []))

    # Imports

    async def upload_inventory(
        self,
        parent: str,
        path: str | Path,
        *,
        name: str = "",
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Upload:
        """See `MooringClient`."""
        await self._called("upload_inventory")
        content = await asyncio.to_thread(Path(path).read_bytes)
        id_, file_name = self.service.new_id("u"), name or Path(path).name
        self.service.uploads[id_] = (file_name, content)
        if on_progress is not None:
            on_progress(Progress("uploading", len(content), len(content)))
        return Upload(id_, file_name, len(content))

    async def preview_inventory(
        self, session: str, upload_id: str, options: ImportOptions | None = None, *, row_count: int = 20
    ) -> Preview:
        """See `MooringClient`; a file is read as `testing.files` says."""
        await self._called("preview_inventory")
        _, content = self._upload(upload_id)
        file = read_file(content, options or ImportOptions())
        return Preview(
            "table",
            (KindCandidate("table", "A table", 0.5),),
            columns=file.preview(),
            assets=tuple(file.assets("", options or ImportOptions())[:row_count]),
            row_total=len(file.rows),
            rows_examined=min(row_count, len(file.rows)),
            encoding="utf-8",
        )

    async def import_upload(
        self,
        session: str,
        upload_id: str,
        options: ImportOptions | None = None,
        *,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> ImportReport:
        """See `MooringClient`; a file is read as `testing.files` says, and each row makes an asset."""
        await self._called("import_upload")
        file_name, content = self._upload(upload_id)
        file = read_file(content, options or ImportOptions())
        made = file.assets(session, options or ImportOptions())
        for phase in ("reading", "writing", "publishing", "done"):
            if on_progress is not None:
                on_progress(Progress(phase, len(made), len(made)))
        with self.service.lock:
            names = {asset.name for asset in made}
            before = self.service.assets.get(session, [])
            base = self.service.session(session).data_version
            self.service.set_assets(session, [*(a for a in before if a.name not in names), *made])
            known = {asset.name for asset in before}
            report = ImportReport(
                session,
                "table",
                len(made),
                len(names - known),
                len(names & known),
                0,
                len(made) - len(names),
                0,
                created_by_type=dict(Counter(a.type for a in made if a.name not in known)),
                mapping={use.column: use.field for use in file.columns if use.field},
                data_version=self.service.session(session).data_version,
                import_name=f"{session}/imports/{self.service.new_id('i')}",
                columns=file.columns,
            )
            self._remember(session, before, base, file_name, content, options or ImportOptions(), report)
            del self.service.uploads[upload_id]
            self.service.note("imported", session)
        return report

    async def import_inventory(
        self,
        session: str,
        path: str | Path,
        options: ImportOptions | None = None,
        *,
        name: str = "",
        on_progress: Callable[[Progress], None] | None = None,
    ) -> ImportReport:
        """See `MooringClient`."""
        await self._called("import_inventory")
        upload = await self.upload_inventory(session, path, name=name, on_progress=on_progress)
        return await self.import_upload(session, upload.id, options, on_progress=on_progress)

    async def list_imports(
        self, session: str, *, page_size: int = 50, page_token: str = "", skip: int = 0
    ) -> PageOf[Import]:
        """See `MooringClient`."""
        await self._called("list_imports")
        version = self.service.session(session).data_version
        history = [
            replace(each, revertible=each.revert_time is None and each.data_version == version)
            for each in self.service.imports.get(session, [])
        ]
        return page_of(history, page_size, page_token, skip)

    async def get_import(self, name: str) -> Import:
        """See `MooringClient`."""
        await self._called("get_import")
        return self._import(name)

    async def revert_import(self, name: str, *, force: bool = False) -> Import:
        """See `MooringClient`."""
        await self._called("revert_import")
        session = name.partition("/imports/")[0]
        with self.service.lock:
            found = self._import(name)
            if found.revert_time is not None or name not in self.service.before:
                raise FailedPrecondition("this import cannot be undone", reason="NOT_REVERTIBLE")
            if found.data_version != self.service.session(session).data_version and not force:
                raise FailedPrecondition("the data was edited since", reason="DATA_EDITED")
            self.service.set_assets(session, self.service.before.pop(name))
            self.service.set_session(session, data_version=found.base_data_version)
            undone = replace(found, revert_time=self.service.time(), reverter=USER, revertible=False)
            history = self.service.imports[session]
            self.service.imports[session] = [undone if each.name == name else each for each in history]
            self.service.note("reverted", session)
            return undone

    def _asset(self, name: str, etag: str = "") -> Asset:
        session = name.partition("/assets/")[0]
        asset = next((a for a in self.service.assets.get(session, []) if a.name == name), None)
        if asset is None:
            raise NotFound(f"there is no asset {name}", reason="ASSET_NOT_FOUND")
        if etag and etag != asset.etag:
            raise Conflict("the asset has changed; read it again", reason="ETAG_MISMATCH")
        return asset

    def _import(self, name: str) -> Import:
        session = name.partition("/imports/")[0]
        found = next((each for each in self.service.imports.get(session, []) if each.name == name), None)
        if found is None:
            raise NotFound(f"there is no import {name}", reason="IMPORT_NOT_FOUND")
        return found

    def _upload(self, upload_id: str) -> tuple[str, bytes]:
        if upload_id not in self.service.uploads:
            raise NotFound(
                "this session has no such upload, or it has expired; upload the file again",
                reason="UPLOAD_NOT_FOUND",
            )
        return self.service.uploads[upload_id]

    def _remember(
        self,
        session: str,
        before: Sequence[Asset],
        base: str,
        file_name: str,
        content: bytes,
        options: ImportOptions,
        report: ImportReport,
    ) -> None:
        self.service.before[report.import_name] = list(before)
        new = Import(
            report.import_name,
            file_name,
            report,
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            user=USER,
            options=options,
            base_data_version=base,
            data_version=report.data_version,
            create_time=self.service.time(),
        )
        self.service.imports.setdefault(session, []).insert(0, new)

    def _versioned(
        self, session: str, things: Sequence[Any], size: int, token: str, skip: int
    ) -> PageOf[Any]:
        """A page whose token is bound to the session's data version."""
        version = self.service.session(session).data_version
        bound, _, position = token.partition("@")
        if token and bound != version:
            raise InvalidArgument("the page token is of other data", reason="INVALID_PAGE_TOKEN")
        page = page_of(things, size, position, skip)
        next_token = f"{version}@{page.next_token}" if page.next_token else ""
        return replace(page, next_token=next_token, data_version=version)

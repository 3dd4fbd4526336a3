"""The methods about discovery data: assets, dependencies, landscapes, and imports with their history."""

import uuid
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.field_mask_pb2 import FieldMask
from mooring.v1 import assets_pb2, dependencies_pb2, imports_pb2, landscape_pb2

from mooring_widgets.client import decode_discovery, importing, reading
from mooring_widgets.client.channel import Channel
from mooring_widgets.client.previews import Preview
from mooring_widgets.client.reports import Import, ImportOptions, ImportReport, Progress, Upload
from mooring_widgets.client.snapshots import Asset, Dependency, Landscape, PageOf

if TYPE_CHECKING:
    import pyarrow as pa

_SERVICE = "/mooring.v1.DiscoveryService"
_PREVIEW_TIMEOUT_S = 60.0


class DiscoveryCalls:
    """The part of `MooringClient` that is about discovery data."""

    _channel: Channel

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
        """The assets of a session, by display name; a walk by tokens stays within one data version.

        Args:
            session: The session's full name.
            page_size: How many at most.
            page_token: `next_token` of the page before.
            skip: How many to pass over from there.
            filter: AIP-160 (`type = server AND location:Lyon`).
            order_by: `display_name`, and ` desc` to turn it round.

        Raises:
            InvalidArgument: For a wrong filter or order.
        """
        request = assets_pb2.ListAssetsRequest(
            parent=session,
            page_size=page_size,
            page_token=page_token,
            skip=skip,
            filter=filter,
            order_by=order_by,
        )
        answer = await self._channel.unary(f"{_SERVICE}/ListAssets", request, assets_pb2.ListAssetsResponse)
        return PageOf(
            tuple(map(decode_discovery.asset, answer.assets)),
            answer.total_size,
            answer.next_page_token,
            answer.data_version,
            answer.total_size_at_least,
        )

    async def get_asset(self, name: str) -> Asset:
        """One asset."""
        request = assets_pb2.GetAssetRequest(name=name)
        answer = await self._channel.unary(f"{_SERVICE}/GetAsset", request, assets_pb2.Asset)
        return decode_discovery.asset(answer)

    async def update_asset(
        self, name: str, values: Mapping[str, Any], *, etag: str = "", allow_missing: bool = False
    ) -> Asset:
        """Sets fields of an asset, or makes it.

        Args:
            name: The asset's full name.
            values: By field: texts, tuples of texts, numbers or None for not known; `attributes` replaces all
                of them.
            etag: What it must still have; empty for any.
            allow_missing: Make it where there is none of that name.

        Raises:
            InvalidArgument: For a field that there is not, or a wrong value.
            NotFound: ASSET_NOT_FOUND.
            Conflict: Where `etag` is not the asset's any more.
            AlreadyExists: Where another asset is known by the same id, host name or name.
        """
        if not values:  # an empty mask would mean every field
            raise ValueError("name at least one field to change")
        request = assets_pb2.UpdateAssetRequest(
            asset=decode_discovery.asset_message(name, etag, values),
            update_mask=FieldMask(paths=list(values)),
            allow_missing=allow_missing,
            request_id=_request_id(),
        )
        answer = await self._channel.unary(f"{_SERVICE}/UpdateAsset", request, assets_pb2.Asset)
        return decode_discovery.asset(answer)

    async def delete_asset(self, name: str, *, etag: str = "", force: bool = False) -> Asset:
        """Deletes an asset and answers it as it was; with `force` its dependencies too.

        Raises:
            FailedPrecondition: HAS_DEPENDENCIES, without `force`.
        """
        request = assets_pb2.DeleteAssetRequest(name=name, etag=etag, force=force, request_id=_request_id())
        answer = await self._channel.unary(f"{_SERVICE}/DeleteAsset", request, assets_pb2.DeleteAssetResponse)
        return decode_discovery.asset(answer.asset)

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
        """The dependencies of a session, the oldest first; a walk by tokens stays within one data version.

        Args:
            session: The session's full name.
            page_size: How many at most.
            page_token: `next_token` of the page before.
            skip: How many to pass over from there.
            filter: AIP-160 (`kind = flow AND port = 443`).
            order_by: `create_time`, and ` desc` to turn it round.

        Raises:
            InvalidArgument: For a wrong filter or order.
        """
        request = dependencies_pb2.ListDependenciesRequest(
            parent=session,
            page_size=page_size,
            page_token=page_token,
            skip=skip,
            filter=filter,
            order_by=order_by,
        )
        answer = await self._channel.unary(
            f"{_SERVICE}/ListDependencies", request, dependencies_pb2.ListDependenciesResponse
        )
        return PageOf(
            tuple(map(decode_discovery.dependency, answer.dependencies)),
            answer.total_size,
            answer.next_page_token,
            answer.data_version,
            answer.total_size_at_least,
        )

    def read_assets(
        self, session: str, *, fields: Sequence[str] = (), filter: str = ""
    ) -> "AsyncGenerator[pa.RecordBatch, None]":
        """The assets of a session in bulk, by their ids; at least one batch, which may be empty.

        Args:
            session: The session's full name.
            fields: The columns (`id`, `hostname`, `attributes.Rack`), in this order; all of them by default.
            filter: As in `list_assets`.

        Raises:
            InvalidArgument: For an unknown field or a wrong filter.
            Unavailable: Where the service breaks off; all of it has to be read again.
        """
        return reading.read_assets(self._channel, session, fields, filter)

    def read_dependencies(
        self, session: str, *, fields: Sequence[str] = (), filter: str = ""
    ) -> "AsyncGenerator[pa.RecordBatch, None]":
        """The dependencies of a session in bulk, as `read_assets` reads its assets."""
        return reading.read_dependencies(self._channel, session, fields, filter)

    async def get_landscape(self, session: str) -> Landscape:
        """What a session's assets add up to."""
        request = landscape_pb2.GetLandscapeRequest(name=f"{session}/landscape")
        answer = await self._channel.unary(f"{_SERVICE}/GetLandscape", request, landscape_pb2.Landscape)
        return decode_discovery.landscape(answer)

    # Imports

    async def upload_inventory(
        self,
        parent: str,
        path: str | Path,
        *,
        name: str = "",
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Upload:
        """Uploads a file, which waits for 24 hours to be previewed and imported; an exported session too.

        Args:
            parent: The full name of the session that gets it; of an engagement, for an exported session.
            path: The inventory, or the exported session.
            name: What it is called in reports; empty: the file's own name.
            on_progress: Called on the loop with every step; it must not block.

        Raises:
            ResourceExhausted: Where the file is larger than the service takes.
            OSError: Where the file cannot be read.
        """
        path = Path(path)
        return await importing.upload(
            self._channel, parent, path, name or path.name, on_progress or (lambda _: None)
        )

    async def preview_inventory(
        self, session: str, upload_id: str, options: ImportOptions | None = None, *, row_count: int = 20
    ) -> Preview:
        """What an import would make of an upload, with its first `row_count` assets and dependencies.

        Raises:
            InvalidArgument: Where the file is no inventory, or the options do not fit it.
            NotFound: UPLOAD_NOT_FOUND.
        """
        request = imports_pb2.PreviewInventoryRequest(
            parent=session,
            upload_id=upload_id,
            options=decode_discovery.options_message(options or ImportOptions()),
            row_count=row_count,
        )
        answer = await self._channel.unary(
            f"{_SERVICE}/PreviewInventory",
            request,
            imports_pb2.PreviewInventoryResponse,
            timeout_s=_PREVIEW_TIMEOUT_S,
        )
        return decode_discovery.preview(answer)

    async def import_upload(
        self,
        session: str,
        upload_id: str,
        options: ImportOptions | None = None,
        *,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> ImportReport:
        """Imports an upload into a session, all or nothing; cancelling it cancels the import.

        Raises:
            InvalidArgument: Where the file is no inventory, or the options do not fit it.
            NotFound: UPLOAD_NOT_FOUND.
            Conflict: Where the session's data changed meanwhile.
        """
        return await importing.import_upload(
            self._channel,
            session,
            upload_id,
            options or ImportOptions(),
            _request_id(),
            on_progress or (lambda _: None),
        )

    async def import_inventory(
        self,
        session: str,
        path: str | Path,
        options: ImportOptions | None = None,
        *,
        name: str = "",
        on_progress: Callable[[Progress], None] | None = None,
    ) -> ImportReport:
        """Uploads a file and imports it: `upload_inventory`, then `import_upload`."""
        upload = await self.upload_inventory(session, path, name=name, on_progress=on_progress)
        return await self.import_upload(session, upload.id, options, on_progress=on_progress)

    async def list_imports(
        self, session: str, *, page_size: int = 50, page_token: str = "", skip: int = 0
    ) -> PageOf[Import]:
        """The imports of a session, newest first; a page's `total` counts those that it has."""
        request = imports_pb2.ListImportsRequest(
            parent=session, page_size=page_size, page_token=page_token, skip=skip
        )
        answer = await self._channel.unary(
            f"{_SERVICE}/ListImports", request, imports_pb2.ListImportsResponse
        )
        found = tuple(map(decode_discovery.import_, answer.imports))
        return PageOf(found, len(found), answer.next_page_token, total_at_least=bool(answer.next_page_token))

    async def get_import(self, name: str) -> Import:
        """One import with its whole report."""
        request = imports_pb2.GetImportRequest(name=name)
        return decode_discovery.import_(
            await self._channel.unary(f"{_SERVICE}/GetImport", request, imports_pb2.Import)
        )

    async def revert_import(self, name: str, *, force: bool = False) -> Import:
        """Undoes an import: its session shows again what it showed before.

        Raises:
            FailedPrecondition: NOT_REVERTIBLE; DATA_EDITED where the data was edited since, without `force`.
            NotFound: IMPORT_NOT_FOUND.
        """
        request = imports_pb2.RevertImportRequest(name=name, force=force, request_id=_request_id())
        return decode_discovery.import_(
            await self._channel.unary(f"{_SERVICE}/RevertImport", request, imports_pb2.Import)
        )


def _request_id() -> str:
    return str(uuid.uuid4())

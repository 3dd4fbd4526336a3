"""Assets: how a session's are read, and what can be done to one by hand.

What an asset is known by, its identity, comes from its fields when it is made (`ingest/identity.py`) and
stays, whatever is edited afterwards: so the next import finds it again.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mooring_server.core import sessions, version_pages
from mooring_server.core.fields import Violations
from mooring_server.core.names import Kind
from mooring_server.core.paging import Query, Window
from mooring_server.core.staging import BLANK, LISTS, VALUES, digest
from mooring_server.core.version_pages import VersionPage
from mooring_server.errors import Aborted, AlreadyExists, FailedPrecondition, NotFound
from mooring_server.ingest.identity import identity_of
from mooring_server.store import Tx
from mooring_server.store.records import Asset, AssetType

UPDATABLE = ("type", *VALUES, "attributes")
CORES_MAX = 1_000_000
BYTES_MAX = 2**63 - 1


def page(tx: Tx, engagement_id: str, session_id: str, query: Query, window: Window) -> VersionPage[Asset]:
    """Some of a session's assets that a request asks for, and how many of those there are.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        InvalidArgument: INVALID_PAGE_TOKEN.
    """
    return version_pages.page(
        tx, tx.assets, lambda version: version.asset_count, engagement_id, session_id, query, window
    )


def get(tx: Tx, engagement_id: str, session_id: str, asset_id: str) -> Asset:
    """An asset of what a session shows.

    Raises:
        NotFound: SESSION_NOT_FOUND, ASSET_NOT_FOUND.
    """
    version_id = sessions.get(tx, engagement_id, session_id).data_version_id
    asset = None if version_id is None else tx.assets.get(version_id, asset_id)
    if asset is None:
        raise _absent(engagement_id, session_id, asset_id)
    return asset


def update(
    tx: Tx,
    engagement_id: str,
    session_id: str,
    asset_id: str,
    etag: str,
    values: Mapping[str, Any],
    *,
    allow_missing: bool = False,
) -> Asset:
    """Sets some of the `UPDATABLE` fields of an asset, if it still has the etag (empty: any).

    What is set to what it was is not looked at; an edit of nothing else changes nothing. With
    `allow_missing` the asset is made where there is none.

    Raises:
        NotFound: SESSION_NOT_FOUND, ASSET_NOT_FOUND.
        FailedPrecondition: SESSION_ARCHIVED.
        Aborted: ETAG_MISMATCH, also where an asset with that etag is gone; DATA_VERSION_MOVED.
        InvalidArgument: a value is too long, too large or too many.
        AlreadyExists: ASSET_EXISTS, of a new asset.
    """
    version = tx.edits.begin(engagement_id, session_id)
    asset = tx.assets.get(version.id, asset_id)
    if asset is None:
        if not allow_missing:
            raise _absent(engagement_id, session_id, asset_id)
        if etag:
            raise _moved()
        asset = _new(tx, asset_id, values)
        known = tx.assets.by_identity(version.id, [asset.identity]).get(asset.identity)
        if known is not None:
            raise _exists(Kind.ASSET.of(engagement_id, session_id, known.id))
        tx.edits.create_asset(version, asset)
        return asset
    if etag not in ("", asset.digest):
        raise _moved()
    changed = replace(asset, **values)
    changed = replace(changed, digest=digest(changed), implied=False, update_time=tx.now)
    if changed.digest == asset.digest:
        return asset
    _check(changed, {name: getattr(asset, name) for name in UPDATABLE})
    tx.edits.change_asset(version, changed)
    return changed


def delete(
    tx: Tx, engagement_id: str, session_id: str, asset_id: str, etag: str, *, force: bool
) -> tuple[Asset, int]:
    """Deletes an asset, if it still has the etag (empty: any), with its dependencies where `force` says so.

    Answers the asset as it was, and how many dependencies went with it.

    Raises:
        NotFound: SESSION_NOT_FOUND, ASSET_NOT_FOUND.
        FailedPrecondition: SESSION_ARCHIVED, HAS_DEPENDENCIES.
        Aborted: ETAG_MISMATCH, DATA_VERSION_MOVED.
    """
    version = tx.edits.begin(engagement_id, session_id)
    asset = tx.assets.get(version.id, asset_id)
    if asset is None:
        raise _absent(engagement_id, session_id, asset_id)
    if etag not in ("", asset.digest):
        raise _moved()
    if not force and (count := tx.dependencies.count_of_asset(version.id, asset_id)):
        raise FailedPrecondition(
            f"the asset has {count:,} {'dependency' if count == 1 else 'dependencies'}: delete those first, "
            "or set `force` to delete them with it",
            reason="HAS_DEPENDENCIES",
        )
    return asset, tx.edits.delete_asset(version, asset_id)


def _new(tx: Tx, asset_id: str, values: Mapping[str, Any]) -> Asset:
    asset = Asset(
        **{**BLANK, "type": AssetType.OTHER, "attributes": {}, **values},
        id=asset_id,
        identity="",
        digest="",
        source_file="",
        source_sheet="",
        source_row=0,
        create_time=tx.now,
        update_time=tx.now,
    )
    _check(asset, {**BLANK, "display_name": None, "type": AssetType.OTHER, "attributes": {}})
    identity = identity_of({name: getattr(asset, name) for name in VALUES})
    if identity is None:
        raise LookupError("an asset with a display name has no identity")
    return replace(asset, identity=identity, digest=digest(asset))


def _check(asset: Asset, kept: Mapping[str, Any]) -> None:
    """Refuses what is wrong of an asset's values, but for those that are as they were kept."""
    violations = Violations()
    for name in VALUES:
        value, field = getattr(asset, name), f"asset.{name}"
        if value == kept[name]:
            continue
        if name == "display_name":
            violations.display_name(field, value)
        elif name == "cpu_cores":
            violations.number(field, value, CORES_MAX)
        elif BLANK[name] is None:
            violations.number(field, value, BYTES_MAX)
        elif name in LISTS:
            violations.texts(field, value)
        else:
            violations.text(field, value)
    violations.attributes("asset.attributes", asset.attributes, kept["attributes"])
    violations.refuse()


def _absent(engagement_id: str, session_id: str, asset_id: str) -> NotFound:
    name = Kind.ASSET.of(engagement_id, session_id, asset_id)
    return NotFound(f"{name} does not exist", reason="ASSET_NOT_FOUND")


def _moved() -> Aborted:
    return Aborted("the asset has changed since it was read; get it again", reason="ETAG_MISMATCH")


def _exists(name: str) -> AlreadyExists:
    return AlreadyExists(
        f"{name} is known by the same id, host name or name: update that one, or tell them apart",
        reason="ASSET_EXISTS",
    )

"""Discovery data: how a session's assets are read."""

from dataclasses import dataclass, replace
from typing import Any

from mooring_server.core import sessions
from mooring_server.core.paging import Query, Total, Window
from mooring_server.errors import InvalidArgument
from mooring_server.store import Tx
from mooring_server.store.landscapes import GROUPED_FIELDS
from mooring_server.store.records import Asset


@dataclass(frozen=True, slots=True)
class AssetPage:
    """A page of one data version, and how many there are of the kind; without a version there are none."""

    version_id: str
    assets: tuple[Asset, ...]
    next_key: tuple[Any, ...] | None
    total: Total


def list_assets(tx: Tx, engagement_id: str, session_id: str, query: Query, window: Window) -> AssetPage:
    """A page of a session's assets that a request asks for.

    The first page is of what the session shows now; its `next_key` names the data version, so that a walk
    stays within one.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        InvalidArgument: INVALID_PAGE_TOKEN; the data version that the walk began in is no longer kept.
    """
    version_id = sessions.get(tx, engagement_id, session_id).data_version_id
    after_key = None
    if window.after_key is not None:
        version_id, *after_key = window.after_key
    if version_id is None:
        return AssetPage("", (), None, Total(0, False))
    version = tx.versions.get(version_id)
    if version is None:
        raise InvalidArgument(
            "page_token: the data that it walks through is no longer kept; leave it empty to start again",
            reason="INVALID_PAGE_TOKEN",
        )
    within = replace(window, after_key=after_key)
    page = tx.assets.page(version_id, query.order, within, query.condition)
    next_key = None if page.next_key is None else (version_id, *page.next_key)
    if query.condition is None:
        return AssetPage(version_id, page.items, next_key, Total(version.asset_count, False))
    total = tx.assets.total(version_id, window, query.condition)
    return AssetPage(version_id, page.items, next_key, total)


def empty_landscape() -> dict[str, Any]:
    """What no assets add up to, in the shape of `tx.assets.aggregate`."""
    totals = {"asset_count": 0, "cpu_cores": 0.0, "memory_bytes": 0, "storage_bytes": 0}
    groups = [{"field": name, "buckets": [], "value_count": 0} for name in GROUPED_FIELDS]
    return {"totals": totals, "groups": groups}

"""The lists that are filtered and ordered: what leads them, their orders, what stands for their fields."""

from __future__ import annotations

from mooring_server.store import tables
from mooring_server.store.lists.conditions import Condition, Not, Present
from mooring_server.store.lists.filters import Column, Filterable, Labels
from mooring_server.store.lists.leads import Home
from mooring_server.store.lists.paging import Listing
from mooring_server.store.lists.pairs import asset_pairs, dependency_pairs
from mooring_server.store.lists.search import ASSET_WORDS, SESSION_WORDS
from mooring_server.store.records import Asset, Dependency, Engagement, Order, Session

# Fields of the rows themselves, which no caller's filter can name.
DELETED = "deleted"
ARCHIVED = "archived"


def living(*, archived: bool, deleted: bool) -> list[Condition]:
    """What leaves out those that are archived, and those that are deleted, unless they are asked for."""
    wanted = {ARCHIVED: archived, DELETED: deleted}
    return [Not(Present(name)) for name, asked in wanted.items() if not asked]


_SESSION_FIELDS = {
    "display_name": Column(("display_name",), text=True),
    "description": Column(("description",), text=True, indexed=False),
    "type": Column(("type",)),
    "creator": Column(("creator_id",)),
    "is_default": Column(("is_default",)),
    "parent_session": Column(("engagement_id", "parent_id"), null=True),
    "asset_count": Column(("asset_count",)),
    "create_time": Column(("create_time",)),
    "update_time": Column(("update_time",)),
    "last_activity_time": Column(("last_activity_time",)),
    ARCHIVED: Column(("archive_time",), null=True),
    DELETED: Column(("delete_time",), null=True),
}
SESSIONS: Listing[Session] = Listing(
    tables.Sessions,
    scope=("engagement_id",),
    orders={
        order: (order.value.removesuffix(" desc"), "id")
        for order in (
            Order.CREATE_TIME,
            Order.CREATE_TIME_DESC,
            Order.LAST_ACTIVITY_TIME,
            Order.LAST_ACTIVITY_TIME_DESC,
        )
    }
    | dict.fromkeys((Order.DISPLAY_NAME, Order.DISPLAY_NAME_DESC), ("sort_name", "id")),
    listed=("archive_time", "delete_time"),
    filterable=Filterable(
        _SESSION_FIELDS,
        searched=("display_name", "description"),
        labels=Labels(tables.SessionLabels, {"engagement_id": "engagement_id", "session_id": "id"}),
    ),
    words=SESSION_WORDS,
)

_S = tables.Sessions
_ENGAGEMENT_FIELDS = {
    # Members lead to a user's engagements, who are few: what they are compared by needs no index.
    "display_name": Column(("display_name",), text=True, indexed=False),
    "create_time": Column(("create_time",), indexed=False),
    "update_time": Column(("update_time",), indexed=False),
    ARCHIVED: Column(("archive_time",), null=True, indexed=False),
}
_ENGAGEMENT_COLUMNS = tuple(field.name for field in tables.Engagements._meta.sorted_fields)
ENGAGEMENTS: Listing[Engagement] = Listing(
    tables.Engagements,
    scope=(),
    orders={
        Order.DISPLAY_NAME: ("sort_name", "id"),
        Order.DISPLAY_NAME_DESC: ("sort_name", "id"),
        Order.CREATE_TIME: ("create_time", "id"),
        Order.CREATE_TIME_DESC: ("create_time", "id"),
    },
    filterable=Filterable(_ENGAGEMENT_FIELDS, searched=("display_name",)),
    # The one truth about the default is the session's row.
    columns=lambda of: [
        *map(of, _ENGAGEMENT_COLUMNS),
        _S.select(_S.id).where((_S.engagement_id == of("id")) & _S.is_default),
    ],
    home=Home(tables.Members, "engagement_id", ("user_id",)),
)

# Compared too, without an index: each would cost every import, and they leave much of a page.
_MORE_ASSET_TEXTS = (
    "platform",
    "technology",
    "model",
    "serial_number",
    "owner",
    "business_unit",
    "criticality",
    "migration_status",
    "migration_strategy",
    "migration_wave",
)
_ASSET_FIELDS = {
    **{name: Column((name,), text=True, long=True) for name in tables.ASSET_TEXTS},
    **{name: Column((name,), null=True) for name in ("cpu_cores", "memory_bytes", "storage_bytes")},
    **{name: Column((name,)) for name in ("type", "create_time", "update_time")},
    **{name: Column((name,), text=True, indexed=False) for name in _MORE_ASSET_TEXTS},
    "implied": Column(("implied",), indexed=False),
}
ASSETS: Listing[Asset] = Listing(
    tables.Assets,
    scope=("version_id",),
    orders=dict.fromkeys((Order.DISPLAY_NAME, Order.DISPLAY_NAME_DESC), ("sort_name", "id")),
    filterable=Filterable(
        _ASSET_FIELDS,
        searched=("display_name", "hostname", "operating_system", "location", "application"),
        pairs=asset_pairs,
    ),
    words=ASSET_WORDS,
)

_DEPENDENCY_FIELDS = {
    "source": Column(("source_id",)),
    "target": Column(("target_id",)),
    "kind": Column(("kind",), indexed=False),
    "port": Column(("port",), null=True, indexed=False),
    **{
        name: Column((name,), text=True, indexed=False)
        for name in ("protocol", "source_process", "target_process")
    },
    "create_time": Column(("create_time",)),
    "update_time": Column(("update_time",), indexed=False),
}
DEPENDENCIES: Listing[Dependency] = Listing(
    tables.Dependencies,
    scope=("version_id",),
    orders=dict.fromkeys((Order.CREATE_TIME, Order.CREATE_TIME_DESC), ("create_time", "id")),
    filterable=Filterable(_DEPENDENCY_FIELDS, pairs=dependency_pairs),
)

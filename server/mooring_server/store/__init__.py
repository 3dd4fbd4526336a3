"""The only place that knows the database. Two verbs, nouns, and frozen records."""

from mooring_server.store.database import Store, open_store
from mooring_server.store.migrating import migrate, pending_migrations
from mooring_server.store.records import (
    Asset,
    AssetType,
    Change,
    ChangeKind,
    Context,
    DataVersion,
    Engagement,
    Operation,
    OperationState,
    Order,
    Page,
    Role,
    Session,
    StoredAnswer,
    Upload,
    User,
)
from mooring_server.store.transaction import Tx
from mooring_server.store.values import new_id, utc_now

__all__ = [
    "Asset",
    "AssetType",
    "Change",
    "ChangeKind",
    "Context",
    "DataVersion",
    "Engagement",
    "Operation",
    "OperationState",
    "Order",
    "Page",
    "Role",
    "Session",
    "Store",
    "StoredAnswer",
    "Tx",
    "Upload",
    "User",
    "migrate",
    "new_id",
    "open_store",
    "pending_migrations",
    "utc_now",
]

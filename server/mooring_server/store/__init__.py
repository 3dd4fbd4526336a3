"""The only place that knows the database. Two verbs, nouns, and frozen records."""

from mooring_server.store.care.adopting import Adoption
from mooring_server.store.care.backups import Manifest, OnProgress, back_up
from mooring_server.store.care.doctor import Finding
from mooring_server.store.care.restoring import Restored, restore
from mooring_server.store.database import Store, open_store
from mooring_server.store.migrating import (
    ADOPTION,
    adoption_report,
    drop_old_tables,
    migrate,
    pending_migrations,
)
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
    "ADOPTION",
    "Adoption",
    "Asset",
    "AssetType",
    "Change",
    "ChangeKind",
    "Context",
    "DataVersion",
    "Engagement",
    "Finding",
    "Manifest",
    "OnProgress",
    "Operation",
    "OperationState",
    "Order",
    "Page",
    "Restored",
    "Role",
    "Session",
    "Store",
    "StoredAnswer",
    "Tx",
    "Upload",
    "User",
    "adoption_report",
    "back_up",
    "drop_old_tables",
    "migrate",
    "new_id",
    "open_store",
    "pending_migrations",
    "restore",
    "utc_now",
]

"""The schema as it is now. The migrations hold how it came to be, as copies of their own.

The models are bound to no database: `statements.py` compiles queries over them for either dialect. Times are
whole microseconds since 1970 in UTC, and texts sort by their bytes, so that both databases agree to the bit.
"""

from mooring_server.store.tables.base import (
    INDEXED_LENGTH,
    POSTGRESQL_TYPES,
    SQLITE_TYPES,
    Table,
    Text,
    indexed_part,
)
from mooring_server.store.tables.data import (
    ASSET_TEXTS,
    Assets,
    DataVersions,
    Dependencies,
    Imports,
    Landscapes,
    MergeDrops,
    Merges,
)
from mooring_server.store.tables.people import Tokens, Users
from mooring_server.store.tables.rooms import (
    Contexts,
    Engagements,
    Members,
    SessionLabels,
    SessionPins,
    Sessions,
    SessionVisits,
)
from mooring_server.store.tables.work import (
    Changes,
    Facts,
    Operations,
    Requests,
    UploadChunks,
    Uploads,
)

# In the order of their references: each names those before it alone.
TABLES: tuple[type[Table], ...] = (
    Facts,
    Users,
    Engagements,
    Members,
    Sessions,
    SessionLabels,
    Contexts,
    SessionVisits,
    SessionPins,
    Tokens,
    DataVersions,
    Assets,
    Dependencies,
    Landscapes,
    Imports,
    Merges,
    MergeDrops,
    Uploads,
    UploadChunks,
    Operations,
    Requests,
    Changes,
)

__all__ = [
    "ASSET_TEXTS",
    "INDEXED_LENGTH",
    "POSTGRESQL_TYPES",
    "SQLITE_TYPES",
    "TABLES",
    "Assets",
    "Changes",
    "Contexts",
    "DataVersions",
    "Dependencies",
    "Engagements",
    "Facts",
    "Imports",
    "Landscapes",
    "Members",
    "MergeDrops",
    "Merges",
    "Operations",
    "Requests",
    "SessionLabels",
    "SessionPins",
    "SessionVisits",
    "Sessions",
    "Table",
    "Text",
    "Tokens",
    "UploadChunks",
    "Uploads",
    "Users",
    "indexed_part",
]

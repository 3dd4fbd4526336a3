"""The typed client: the only part of the widgets that knows gRPC and the stubs."""

from mooring_widgets.client.channel import hidden
from mooring_widgets.client.client import MooringClient
from mooring_widgets.client.loop import Loop, library_loop
from mooring_widgets.client.snapshots import (
    Asset,
    Bucket,
    Change,
    Context,
    Engagement,
    Group,
    ImportReport,
    Landscape,
    PageOf,
    Progress,
    RejectedRow,
    Session,
    Switched,
    Totals,
    User,
    WatchEvent,
    engagement_of,
    id_of,
)

__all__ = [
    "Asset",
    "Bucket",
    "Change",
    "Context",
    "Engagement",
    "Group",
    "ImportReport",
    "Landscape",
    "Loop",
    "MooringClient",
    "PageOf",
    "Progress",
    "RejectedRow",
    "Session",
    "Switched",
    "Totals",
    "User",
    "WatchEvent",
    "engagement_of",
    "hidden",
    "id_of",
    "library_loop",
]

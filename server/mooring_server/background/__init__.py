"""What runs by itself: the watch hub, long-running operations, copies of shared data, cleanup, metrics."""

from mooring_server.background.cleanup import Cleanup
from mooring_server.background.hub import WatchHub
from mooring_server.background.metrics_endpoint import MetricsEndpoint
from mooring_server.background.operations import Operations
from mooring_server.background.reading import Reads
from mooring_server.background.refresh import Refresh
from mooring_server.background.separation import Separation
from mooring_server.background.subscriptions import Commit, Subscription, Warrant
from mooring_server.background.token_uses import TokenUses

__all__ = [
    "Cleanup",
    "Commit",
    "MetricsEndpoint",
    "Operations",
    "Reads",
    "Refresh",
    "Separation",
    "Subscription",
    "TokenUses",
    "Warrant",
    "WatchHub",
]

"""What runs by itself: the watch hub, long-running operations, cleanup."""

from mooring_server.background.cleanup import Cleanup
from mooring_server.background.hub import Commit, Subscription, WatchHub
from mooring_server.background.operations import Operations

__all__ = ["Cleanup", "Commit", "Operations", "Subscription", "WatchHub"]

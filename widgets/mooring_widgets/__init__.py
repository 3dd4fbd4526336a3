"""Mooring in a notebook: `ws = connect()`."""

from mooring_widgets.client import Asset, Engagement, ImportReport, Landscape, Session
from mooring_widgets.errors import MooringError
from mooring_widgets.workspace import Workspace, connect

__all__ = [
    "Asset",
    "Engagement",
    "ImportReport",
    "Landscape",
    "MooringError",
    "Session",
    "Workspace",
    "connect",
]

"""The `ws` of a notebook, and how to get one."""

from mooring_widgets.workspace.connect import connect
from mooring_widgets.workspace.workspace import Workspace

__all__ = ["Workspace", "connect"]

"""Mooring in a notebook: `ws = connect()`."""

from importlib.util import find_spec

# Looked for rather than imported: the heavy ones are imported when they are needed.
if _missing := [
    name
    for name in (
        "anywidget",
        "ipywidgets",
        "pandas",
        "platformdirs",
        "pyarrow",
        "traitlets",
        "typing_extensions",
    )
    if find_spec(name) is None
]:
    raise ImportError(
        f"mooring_widgets needs the libraries of its extra ({_missing[0]} is missing); "
        'get them with: pip install "mooring[widgets]"'
    )

from mooring_widgets.client import (
    Asset,
    Dependency,
    Engagement,
    Import,
    ImportReport,
    Landscape,
    Session,
)
from mooring_widgets.errors import MooringError
from mooring_widgets.workspace import Workspace, connect

__all__ = [
    "Asset",
    "Dependency",
    "Engagement",
    "Import",
    "ImportReport",
    "Landscape",
    "MooringError",
    "Session",
    "Workspace",
    "connect",
]

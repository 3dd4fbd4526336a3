"""`docs/components.md` has every widget with its traits and how it is made."""

import inspect
import re
from pathlib import Path

import pytest
from mooring_widgets.form import SessionForm
from mooring_widgets.selector import Selector
from mooring_widgets.surface import Surface
from mooring_widgets.views import (
    ActivityView,
    AssetView,
    ComparisonView,
    DependencyTable,
    DiscoveryTable,
    LandscapeView,
    MergeWizard,
    UserView,
)
from mooring_widgets.workspace import Workspace
from mooring_widgets.workspace.import_form import ImportForm

PAGE = (Path(__file__).parents[2] / "docs" / "components.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
WIDGETS = [
    Selector,
    SessionForm,
    DiscoveryTable,
    DependencyTable,
    AssetView,
    LandscapeView,
    ActivityView,
    ComparisonView,
    UserView,
    ImportForm,
    MergeWizard,
]


def test_every_widget_has_its_section() -> None:
    """Those that can be made, and no others."""
    assert list(SECTIONS) == [widget.__name__ for widget in WIDGETS]


@pytest.mark.parametrize("widget", WIDGETS)
def test_traits_are_told(widget: type[Surface]) -> None:
    """Each public trait that the widget itself has stands in its section, and nothing else does."""
    traits = set(widget.class_trait_names(sync=True)) - set(Surface.class_trait_names())
    told = set(re.findall(r"^\| `(\w+)` \|", SECTIONS[widget.__name__], re.MULTILINE))
    assert told == {name for name in traits if not name.startswith("_")}


@pytest.mark.parametrize("method", sorted(set(re.findall(r"`@?ws\.(\w+)", PAGE))))
def test_what_makes_them_is_there(method: str) -> None:
    """Whatever the page says of `ws` a workspace has."""
    assert inspect.getattr_static(Workspace, method, None) or method in (
        "discovery",
        "dependencies",
        "activity",
    )

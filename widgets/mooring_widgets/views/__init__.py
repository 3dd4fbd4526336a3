"""Dependent views: what follows the session. A switch only changes which queries they observe."""

from mooring_widgets.views.activity import ActivityView
from mooring_widgets.views.asset import AssetView
from mooring_widgets.views.comparison import ComparisonView
from mooring_widgets.views.dependent import DependentView
from mooring_widgets.views.landscape import LandscapeView
from mooring_widgets.views.merge import MergeWizard
from mooring_widgets.views.table import DependencyTable, DiscoveryTable
from mooring_widgets.views.user import UserView

__all__ = [
    "ActivityView",
    "AssetView",
    "ComparisonView",
    "DependencyTable",
    "DependentView",
    "DiscoveryTable",
    "LandscapeView",
    "MergeWizard",
    "UserView",
]

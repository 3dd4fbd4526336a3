"""The asset landscape."""

from dataclasses import asdict
from typing import Any

from mooring_widgets import queries
from mooring_widgets.client import Group, Landscape
from mooring_widgets.surface import Host
from mooring_widgets.views.dependent import DependentView, Options, label_of

_BARS_SHOWN = 8
_GROUPS = {
    "type": "Type",
    "environment": "Environment",
    "operating_system": "Operating system",
    "location": "Location",
    "status": "Status",
}


class LandscapeView(DependentView):
    """What a session's assets add up to: totals, and bars by each field."""

    def __init__(self, host: Host, *, pinned: str | None = None) -> None:
        super().__init__(host, "landscape", "Landscape", pinned)

    def _needs(self, host: Host, session: str) -> dict[str, Options]:
        return {"landscape": queries.landscape(host.client, session)}

    def _picture(self, data: dict[str, Any]) -> dict[str, Any]:
        landscape: Landscape = data["landscape"]
        groups = [_group(group) for group in landscape.groups if group.field in _GROUPS]
        return {
            "landscape": {"totals": asdict(landscape.totals), "groups": groups},
            "status": "ready" if landscape.totals.asset_count else "empty",
        }

    def _blank(self) -> dict[str, Any]:
        return {"landscape": None}


def _group(group: Group) -> dict[str, Any]:
    """The largest buckets; where more are than fit, the front end's last bar stands for the others."""
    fits = len(group.buckets) <= _BARS_SHOWN
    buckets = group.buckets if fits else group.buckets[: _BARS_SHOWN - 1]
    return {
        "field": group.field,
        "label": _GROUPS[group.field],
        "value_count": group.value_count,
        "buckets": [
            {
                "value": bucket.value,
                "label": (label_of(bucket.value) if group.field == "type" else bucket.value) or "Not known",
                "asset_count": bucket.totals.asset_count,
            }
            for bucket in buckets
        ],
    }

"""The asset landscape."""

from typing import Any

from mooring_widgets import queries
from mooring_widgets.client import Application, Dependencies, Group, Landscape, Totals
from mooring_widgets.surface import Host
from mooring_widgets.views.dependent import DependentView, Options, label_of

_BARS_SHOWN = 8
_ROWS_SHOWN = 8
_GROUPS = {
    "type": "Type",
    "environment": "Environment",
    "criticality": "Criticality",
    "operating_system": "Operating system",
    "technology": "Technology",
    "location": "Location",
    "status": "Status",
}


class LandscapeView(DependentView, view="landscape"):
    """What a session's assets add up to: totals, bars by each field, applications, dependencies, and how much
    of each field is known."""

    def __init__(self, host: Host, *, pinned: str | None = None) -> None:
        super().__init__(host, "Landscape", pinned)

    def _needs(self, host: Host, session: str) -> dict[str, Options]:
        return {"landscape": queries.landscape(host.client, session)}

    def _picture(self, data: dict[str, Any]) -> dict[str, Any]:
        landscape: Landscape = data["landscape"]
        groups = [group for group in landscape.groups if group.field in _GROUPS]
        shown = {
            "totals": _totals(landscape.totals),
            # A single bar that says that nothing is known would be no picture of anything.
            "groups": [_group(group) for group in groups if group.value_count],
            "unknown": [_GROUPS[group.field] for group in groups if not group.value_count],
            "applications": [_application(each) for each in landscape.applications[:_ROWS_SHOWN]],
            "application_count": landscape.application_count,
            "dependencies": _dependencies(landscape.dependencies),
            "completeness": [
                {"label": label_of(field), "known": known} for field, known in landscape.completeness.items()
            ],
        }
        return {"landscape": shown, "status": "ready" if landscape.totals.asset_count else "empty"}

    def _blank(self) -> dict[str, Any]:
        return {"landscape": None}


def _totals(totals: Totals) -> dict[str, Any]:
    """Sums over nothing are not known, rather than 0."""
    known = {
        "cpu_cores": totals.cpu_known,
        "memory_bytes": totals.memory_known,
        "storage_bytes": totals.storage_known,
    }
    sums = {name: getattr(totals, name) if count else None for name, count in known.items()}
    return {"asset_count": totals.asset_count, **sums, "known": known}


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


def _application(application: Application) -> dict[str, Any]:
    servers = [server.display_name for server in application.servers]
    return {
        "label": application.application,
        "totals": _totals(application.totals),
        "server_count": application.server_count,
        "servers": servers,
    }


def _dependencies(dependencies: Dependencies) -> dict[str, Any]:
    return {
        "count": dependencies.count,
        "kinds": [
            {"label": label_of(kind), "count": count}
            for kind, count in sorted(dependencies.count_by_kind.items(), key=lambda item: -item[1])
        ],
        "isolated": dependencies.isolated_count,
        "degrees": [
            {"label": each.asset.display_name, "needed_by": each.in_degree, "needs": each.out_degree}
            for each in dependencies.degrees[:_ROWS_SHOWN]
        ],
    }

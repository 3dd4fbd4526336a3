"""The discovery table."""

from collections.abc import Mapping
from typing import Any

from mooring_widgets import queries
from mooring_widgets.client import Asset, PageOf
from mooring_widgets.errors import Superseded
from mooring_widgets.surface import Host
from mooring_widgets.views.dependent import DependentView, Options, label_of

PAGE_SIZE = 100

# Key, label, kind, and the width in pixels below which a column is never squeezed.
_COLUMNS: tuple[tuple[str, str, str, int], ...] = (
    ("display_name", "Name", "text", 216),
    ("type", "Type", "text", 124),
    ("environment", "Environment", "text", 104),
    ("operating_system", "Operating system", "text", 214),
    ("cpu_cores", "CPU cores", "number", 92),
    ("memory_bytes", "Memory", "bytes", 86),
    ("storage_bytes", "Storage", "bytes", 86),
    ("location", "Location", "text", 108),
    ("status", "Status", "text", 90),
    ("owner", "Owner", "text", 116),
)


class DiscoveryTable(DependentView):
    """A session's assets, in a table of any length: rows come as they are scrolled to."""

    def __init__(self, host: Host, *, pinned: str | None = None) -> None:
        columns = [dict(zip(("key", "label", "kind", "width"), column, strict=True)) for column in _COLUMNS]
        handlers = {"page": self._answer_page}
        super().__init__(host, "table", "Discovery", pinned, handlers=handlers, columns=columns)

    def _needs(self, host: Host, session: str) -> dict[str, Options]:
        return {"page": queries.assets(host.client, session, 0, PAGE_SIZE)}

    def _picture(self, data: dict[str, Any]) -> dict[str, Any]:
        page: PageOf[Asset] = data["page"]
        version = self._observers["page"].get_current_result().data_updated_at
        return {"page": {**_rows(page), "version": version}, "status": "ready" if page.total else "empty"}

    def _blank(self) -> dict[str, Any]:
        return {"page": None}

    async def _answer_page(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        asked = (payload["epoch"], payload["session"])
        if asked == (self._epoch, self._session):
            options = queries.assets(self._host.client, self._session, payload["offset"], payload["limit"])
            page: PageOf[Asset] = await self._host.queries.fetch_query(options)
            if asked == (self._epoch, self._session):
                return _rows(page)
        raise Superseded("these rows belong to a session that is no longer shown")


def _rows(page: PageOf[Asset]) -> dict[str, Any]:
    rows = [[_cell(asset, key) for key, *_ in _COLUMNS] for asset in page.items]
    return {"items": rows, "total": page.total}


def _cell(asset: Asset, key: str) -> Any:
    value = getattr(asset, key)
    return label_of(value) if key == "type" else value

"""Tables of a session's assets and dependencies."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from mooring_widgets import queries
from mooring_widgets.client import PageOf
from mooring_widgets.errors import Superseded
from mooring_widgets.surface import Host
from mooring_widgets.views.dependent import DependentView, Options, label_of

PAGE_SIZE = 100

# Key, label, kind, and the width in pixels below which a column is never squeezed.
Column = tuple[str, str, str, int]

_ASSET_COLUMNS: tuple[Column, ...] = (
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
    ("application", "Application", "text", 132),
    ("hostname", "Host name", "text", 200),
    ("external_id", "External ID", "text", 200),
    ("ip_addresses", "IP addresses", "text", 132),
    ("mac_addresses", "MAC addresses", "text", 140),
    ("networks", "Networks", "text", 132),
    ("platform", "Platform", "text", 132),
    ("technology", "Technology", "text", 132),
    ("model", "Model", "text", 132),
    ("serial_number", "Serial number", "text", 132),
    ("business_unit", "Business unit", "text", 116),
    ("criticality", "Criticality", "text", 90),
    ("migration_status", "Migration status", "text", 116),
    ("migration_strategy", "Strategy", "text", 104),
    ("migration_wave", "Wave", "text", 90),
    ("source_file", "File", "text", 132),
    ("source_sheet", "Sheet", "text", 90),
    ("source_row", "Row", "number", 70),
)
ASSET_COLUMNS_SHOWN = tuple(key for key, *_ in _ASSET_COLUMNS[:11])

_DEPENDENCY_COLUMNS: tuple[Column, ...] = (
    ("source_display_name", "Source", "text", 200),
    ("target_display_name", "Target", "text", 200),
    ("kind", "Kind", "text", 90),
    ("port", "Port", "plain", 70),
    ("protocol", "Protocol", "text", 80),
    ("source_process", "Source process", "text", 132),
    ("target_process", "Target process", "text", 132),
    ("description", "Description", "text", 160),
)
_NAMED = ("type", "kind")  # of the API, to be written as people read them


class RowsTable(DependentView):
    """A table of any length: rows come as they are scrolled to."""

    def __init__(
        self,
        host: Host,
        title: str,
        columns: Sequence[Column],
        *,
        noun: str,
        empty: str,
        filter: str,
        pinned: str | None,
    ) -> None:
        self._columns = columns
        self._filter = filter
        shown = [dict(zip(("key", "label", "kind", "width"), column, strict=True)) for column in columns]
        empty = f"No {noun} passes the filter {filter}" if filter else empty
        handlers = {"page": self._answer_page}
        super().__init__(
            host, "table", title, pinned, handlers=handlers, columns=shown, noun=noun, empty=empty
        )

    def _options(self, host: Host, session: str, offset: int, limit: int) -> Options:
        """The query for some of its rows."""
        raise NotImplementedError

    def _needs(self, host: Host, session: str) -> dict[str, Options]:
        return {"page": self._options(host, session, 0, PAGE_SIZE)}

    def _picture(self, data: dict[str, Any]) -> dict[str, Any]:
        page: PageOf[Any] = data["page"]
        version = self._observers["page"].get_current_result().data_updated_at
        return {
            "page": {**self._rows(page), "version": version},
            "status": "ready" if page.total else "empty",
        }

    def _blank(self) -> dict[str, Any]:
        return {"page": None}

    async def _answer_page(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        asked = (payload["epoch"], payload["session"])
        if asked == (self._epoch, self._session):
            options = self._options(self._host, self._session, payload["offset"], payload["limit"])
            page: PageOf[Any] = await self._host.queries.fetch_query(options)
            if asked == (self._epoch, self._session):
                return self._rows(page)
        raise Superseded("these rows belong to a session that is no longer shown")

    def _rows(self, page: PageOf[Any]) -> dict[str, Any]:
        rows = [[_cell(thing, key) for key, *_ in self._columns] for thing in page.items]
        return {"items": rows, "total": page.total, "at_least": page.total_at_least}


class DiscoveryTable(RowsTable):
    """A session's assets."""

    def __init__(
        self, host: Host, *, pinned: str | None = None, columns: Sequence[str] = (), filter: str = ""
    ) -> None:
        """Show the assets that pass a filter, or all.

        Args:
            host: The workspace.
            pinned: A session's full name, to show whatever is current.
            columns: Fields of an asset, in this order; none: the usual ones.
            filter: AIP-160.

        Raises:
            ValueError: For a field that there is not; the message has names like it.
        """
        by_key = {column[0]: column for column in _ASSET_COLUMNS}
        for key in columns:
            if key not in by_key:
                near = get_close_matches(key, by_key, n=3)
                hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(by_key)}"
                raise ValueError(f"there is no column {key!r}; {hint}")
        super().__init__(
            host,
            "Discovery",
            [by_key[key] for key in columns or ASSET_COLUMNS_SHOWN],
            noun="asset",
            empty='No assets yet. Bring some in: ws.import_inventory("estate.xlsx")',
            filter=filter,
            pinned=pinned,
        )

    def _options(self, host: Host, session: str, offset: int, limit: int) -> Options:
        return queries.assets(host.client, session, offset, limit, self._filter)


class DependencyTable(RowsTable):
    """A session's dependencies."""

    def __init__(self, host: Host, *, pinned: str | None = None, filter: str = "") -> None:
        super().__init__(
            host,
            "Dependencies",
            _DEPENDENCY_COLUMNS,
            noun="dependency",
            empty="No dependencies yet. Inventories with connections, hosts or cables bring them in.",
            filter=filter,
            pinned=pinned,
        )

    def _options(self, host: Host, session: str, offset: int, limit: int) -> Options:
        return queries.dependencies(host.client, session, offset, limit, self._filter)


def _cell(thing: Any, key: str) -> Any:
    value = getattr(thing, key)
    if key in _NAMED:
        return label_of(value)
    return ", ".join(value) if isinstance(value, tuple) else value

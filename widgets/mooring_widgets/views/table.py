"""Tables of a session's assets and dependencies."""

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets

from mooring_widgets import queries
from mooring_widgets.bridge import failure
from mooring_widgets.client import Asset, Dependency, PageOf, id_of
from mooring_widgets.errors import InvalidArgument, Superseded
from mooring_widgets.surface import Host
from mooring_widgets.views import fields
from mooring_widgets.views.asset import OpensAssets
from mooring_widgets.views.dependent import Options
from mooring_widgets.views.fields import Field

PAGE_SIZE = 100
_INVALID_FILTER = "INVALID_FILTER"

# A session, how many rows to pass over, and how many to have at most.
Place = tuple[str, int, int]


class RowsTable(OpensAssets, view="table"):
    """A table of any length: rows come as they are scrolled to.

    Columns, filter and order are the widget's, so every view of it has the same, for as long as the kernel
    lives. Each answer with rows names its question, the session and the epoch, so that none is taken for
    another's.
    """

    _fields: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(
        self,
        host: Host,
        title: str,
        known: Sequence[Field],
        columns: Sequence[str],
        *,
        noun: str,
        empty: str,
        filter: str,
        pinned: str | None,
    ) -> None:
        self._known = known
        self._usual = columns
        self._columns = fields.chosen(columns, known)
        self._filter = filter.strip()
        self._orders = [
            order for field in known if field.order for order in (field.order, f"{field.order} desc")
        ]
        self._order = self._orders[0]
        self._question = 0
        super().__init__(
            host,
            title,
            pinned,
            handlers={
                "page": self._answer_page,
                "table.arrange": self._answer_arrange,
                "table.columns": self._answer_columns,
            },
            noun=noun,
            empty=empty,
            filter_error=None,
            **self._arranged(),
        )

    @traitlets.default("_fields")
    def _all_fields(self) -> list[dict[str, Any]]:
        return fields.shown(self._known)

    # What each table says for itself

    def _rows_of(self, host: Host, place: Place, filter: str, order: str) -> Options:
        """The query for some of its rows."""
        raise NotImplementedError

    def _ids(self, thing: Any) -> list[str]:
        """The assets that a row is about, by their ids; a column's `end` says which of them is its own."""
        raise NotImplementedError

    # How it follows

    def _needs(self, host: Host, session: str) -> dict[str, Options]:
        return {"page": self._rows_of(host, (session, 0, PAGE_SIZE), self._filter, self._order)}

    def _painted(self) -> dict[str, Any]:
        shown = super()._painted() | self._arranged()
        error = shown["error"]
        refused = error is not None and error["reason"] == _INVALID_FILTER
        return shown | {"filter_error": self._refusal(error, self._filter) if refused else None}

    def _picture(self, data: dict[str, Any]) -> dict[str, Any]:
        page: PageOf[Any] = data["page"]
        version = self._observers["page"].get_current_result().data_updated_at
        return {
            "page": {**self._rows(page), "version": version},
            # Of those that are here: nobody knows all of a million.
            "attributes": sorted({key for thing in page.items for key in thing.attributes}),
            "status": "ready" if page.total or page.total_at_least else "empty",
        }

    def _blank(self) -> dict[str, Any]:
        return {"page": None, "attributes": []}

    def _arranged(self) -> dict[str, Any]:
        return {
            "columns": fields.shown(self._columns),
            "filter": self._filter,
            "order": self._order,
            "question": self._question,
        }

    def _rows(self, page: PageOf[Any]) -> dict[str, Any]:
        """Rows for the front end: the ids of their assets, then a value for each of `keys`."""
        columns = self._columns
        rows = [[self._ids(thing), *(column.of(thing) for column in columns)] for thing in page.items]
        keys = [column.key for column in columns]
        return {"keys": keys, "items": rows, "total": page.total, "at_least": page.total_at_least}

    def _refusal(self, error: dict[str, Any], filter: str) -> dict[str, Any]:
        near = fields.unknown_fields(filter, self._known)
        return error | {"near": [{"wrong": wrong, "names": list(names)} for wrong, names in near.items()]}

    # What the front end asks

    async def _answer_page(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        asked = self._question
        self._check(payload)
        if payload["question"] == asked:
            place = (self._session, payload["offset"], payload["limit"])
            options = self._rows_of(self._host, place, self._filter, self._order)
            page: PageOf[Any] = await self._host.queries.fetch_query(options)
            self._check(payload)
            if asked == self._question:
                return self._rows(page)
        raise Superseded("these rows are of another filter or order")

    async def _answer_arrange(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Takes another filter or order once the service has; what it refuses changes nothing."""
        filter = str(payload.get("filter", self._filter)).strip()
        order = str(payload.get("order", self._order))
        if order not in self._orders:
            raise InvalidArgument(f"there is no order {order!r}; take one of {', '.join(self._orders)}")
        try:
            first = (self._session, 0, PAGE_SIZE)
            await self._host.queries.fetch_query(self._rows_of(self._host, first, filter, order))
        except InvalidArgument as error:
            return {"refused": self._refusal(failure(error), filter)}
        # Only what was asked for: the other may have become another meanwhile.
        filter = filter if "filter" in payload else self._filter
        order = order if "order" in payload else self._order
        if (filter, order) != (self._filter, self._order):
            self._filter, self._order = filter, order
            self._question += 1
            self._observe()
        self._paint()
        return {"refused": None}

    async def _answer_columns(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Shows other columns; the usual ones where none are named."""
        self._columns = fields.chosen([str(key) for key in payload["keys"]] or self._usual, self._known)
        self._paint()
        return {}


class DiscoveryTable(RowsTable):
    """A session's assets."""

    def __init__(
        self, host: Host, *, pinned: str | None = None, columns: Sequence[str] = (), filter: str = ""
    ) -> None:
        """Show the assets that pass a filter, or all.

        Args:
            host: The workspace.
            pinned: A session's full name, to show whatever is current.
            columns: Fields of an asset, in this order, and attributes as `attributes.{key}`; none: the usual
                ones. People can choose others.
            filter: AIP-160. People can take another.

        Raises:
            ValueError: For a field that there is not; the message has names like it.
        """
        super().__init__(
            host,
            "Discovery",
            fields.ASSET_FIELDS,
            columns or fields.ASSET_FIELDS_SHOWN,
            noun="asset",
            empty='No assets yet. Bring some in: ws.import_inventory("estate.xlsx")',
            filter=filter,
            pinned=pinned,
        )

    def _rows_of(self, host: Host, place: Place, filter: str, order: str) -> Options:
        return queries.assets(host.client, *place, filter, order_by=order)

    def _ids(self, thing: Asset) -> list[str]:
        return [id_of(thing.name)]


class DependencyTable(RowsTable):
    """A session's dependencies."""

    def __init__(self, host: Host, *, pinned: str | None = None, filter: str = "") -> None:
        super().__init__(
            host,
            "Dependencies",
            fields.DEPENDENCY_FIELDS,
            fields.DEPENDENCY_FIELDS_SHOWN,
            noun="dependency",
            empty="No dependencies yet. Inventories with connections, hosts or cables bring them in.",
            filter=filter,
            pinned=pinned,
        )

    def _rows_of(self, host: Host, place: Place, filter: str, order: str) -> Options:
        return queries.dependencies(host.client, *place, filter, order_by=order)

    def _ids(self, thing: Dependency) -> list[str]:
        return [id_of(thing.source), id_of(thing.target)]

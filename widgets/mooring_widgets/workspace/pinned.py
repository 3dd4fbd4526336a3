"""Views of a session: of the current one, or pinned to another for comparison side by side."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, overload

from mooring_widgets.client import Activities, Session, to_polars
from mooring_widgets.queries import Table
from mooring_widgets.workspace.aio_views import AioPinned
from mooring_widgets.workspace.helpful import Helpful
from mooring_widgets.workspace.work import next_batch

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from mooring_widgets.views import (
        ActivityView,
        AssetView,
        DependencyTable,
        DiscoveryTable,
        LandscapeView,
        UserView,
    )
    from mooring_widgets.workspace.workspace import Workspace


class Bulk(Helpful):
    """All of a session's assets or dependencies, fetched once while they are the session's."""

    _kind: ClassVar[Table]

    def __init__(self, ws: "Workspace", pinned: str | None = None) -> None:
        self._ws = ws
        self._pinned = pinned

    def to_arrow(self) -> "pa.Table":
        """All of them as an Arrow table, fetched once while it is the session's; `attributes` is JSON.

        >>> ws.discovery.to_arrow().num_rows, ws.dependencies.to_arrow().num_rows
        (5, 0)
        """
        return self._ws.wait(self._ws.work.table(self._pinned, self._kind))

    def to_polars(self) -> "pl.DataFrame":
        """All of them as a polars data frame; polars must be installed.

        >>> ws.at("Wave 1").discovery.to_polars().height
        3
        """
        return to_polars(self.to_arrow())


class Discovery(Bulk):
    """A session's assets: call it for a table, or take the data."""

    _kind = "assets"

    def __call__(self, *, columns: Sequence[str] = (), filter: str = "") -> "DiscoveryTable":
        """A table of any length, which follows the session::

            ws.discovery(columns=["display_name", "migration_wave"], filter="type = VIRTUAL_MACHINE")

        Args:
            columns: Fields of an asset, in this order; by default the usual ones.
            filter: AIP-160, as in `docs/filtering.md`.

        Raises:
            ValueError: For a field that there is not, with names like it.
        """
        from mooring_widgets.views import DiscoveryTable

        return DiscoveryTable(self._ws, pinned=self._pinned, columns=columns, filter=filter)

    def to_pandas(self) -> "pd.DataFrame":
        """All assets as a data frame of your own: a row an asset, a column a field.

        Texts are strings (empty: not known), `cpu_cores` is Float64, `memory_bytes` and `storage_bytes` are
        Int64 (NA: not known), `attributes` holds a dict of the source's other columns. It is of one data
        version, and fetched once while that is the session's.

        >>> df = ws.discovery.to_pandas()
        >>> df.groupby("owner").cpu_cores.sum().to_dict()
        {'Ada': 12.0, 'Grace': 8.0}
        """
        return self._ws.wait(self._ws.work.discovery(self._pinned))


class Dependencies(Bulk):
    """A session's dependencies: call it for a table, or take the data."""

    _kind = "dependencies"

    def __call__(self, *, filter: str = "") -> "DependencyTable":
        """A table of any length, which follows the session::

            ws.dependencies(filter="kind = flow AND port = 443")

        Args:
            filter: AIP-160, as in `docs/filtering.md`.
        """
        from mooring_widgets.views import DependencyTable

        return DependencyTable(self._ws, pinned=self._pinned, filter=filter)

    def to_pandas(self) -> "pd.DataFrame":
        """All dependencies as a data frame of your own.

        `source_id` and `target_id` are ids of assets, `port` is Int64 (NA: not known).
        """
        return self._ws.wait(self._ws.work.dependencies(self._pinned))


class ActivityLog(Helpful):
    """Who did what when, in the current engagement or to a pinned session: call it for a view, or take the
    data."""

    def __init__(self, ws: "Workspace", pinned: str | None = None) -> None:
        self._ws = ws
        self._pinned = pinned

    def __call__(self, *, kind: str = "", filter: str = "") -> "ActivityView":
        """A view of it, the newest first, which follows what happens::

            ws.activity(kind="imported")
            ws.at("Wave 1").activity()

        Args:
            kind: Only such: `created`, `updated`, `deleted`, `undeleted`, `archived`, `unarchived`,
                `imported`, `reverted` or `switched`; another can be chosen in the view.
            filter: AIP-160, as in `docs/filtering.md`.

        Raises:
            InvalidArgument: For a kind that there is not, with names like it.
        """
        from mooring_widgets.views import ActivityView

        return ActivityView(self._ws, pinned=self._pinned, kind=kind, filter=filter)

    def recent(self, limit: int | None = 50, *, filter: str = "") -> Activities:
        """What happened, the newest first; read from the service each time.

        >>> _ = ws.rename("Wave 2", "Wave two")
        >>> ws.activity.recent(1)[0].kind
        'updated'
        >>> [each.kind for each in ws.at("Wave 1").activity.recent(filter="actor = users/demo")]
        ['imported', 'created']

        Args:
            limit: How many at most; None for all that is kept.
            filter: AIP-160, as in `docs/filtering.md`.

        Raises:
            InvalidArgument: For a wrong filter.
        """
        return self._ws.wait(self._ws.work.activity(self._pinned, filter, limit))


class Views(Helpful):
    """What can be shown of a session, and its data."""

    def __init__(self, ws: "Workspace", pinned: str | None = None) -> None:
        self._ws = ws
        self._pinned = pinned
        self.discovery = Discovery(ws, pinned)
        self.dependencies = Dependencies(ws, pinned)
        self.activity = ActivityLog(ws, pinned)

    def to_arrow(
        self, *, fields: Sequence[str] = (), filter: str = "", table: Table = "assets"
    ) -> "pa.Table":
        """Assets or dependencies as an Arrow table, read from the service each time.

        >>> ws.to_arrow(fields=["id", "cpu_cores"], filter="owner = Ada").column_names
        ['id', 'cpu_cores']

        Args:
            fields: The columns, in this order: fields under their own names, `id`, `source_file`,
                `source_sheet`, `source_row`, and `attributes.{key}` for one attribute. Empty: every field,
                with `attributes` as one JSON text.
            filter: AIP-160, as in `docs/filtering.md`.
            table: `assets` or `dependencies`.

        Raises:
            InvalidArgument: For an unknown field or a wrong filter.
        """
        return self._ws.wait(self._ws.work.read(self._pinned, table, fields, filter))

    def to_pandas(
        self, *, fields: Sequence[str] = (), filter: str = "", table: Table = "assets"
    ) -> "pd.DataFrame":
        """The same as a pandas data frame; see `discovery.to_pandas` for its types."""
        return self._ws.wait(self._ws.work.read_frame(self._pinned, table, fields, filter))

    def to_polars(
        self, *, fields: Sequence[str] = (), filter: str = "", table: Table = "assets"
    ) -> "pl.DataFrame":
        """The same as a polars data frame; polars must be installed."""
        return to_polars(self.to_arrow(fields=fields, filter=filter, table=table))

    def to_batches(
        self, *, fields: Sequence[str] = (), filter: str = "", table: Table = "assets"
    ) -> "Iterator[pa.RecordBatch]":
        """The same in pieces, as they come, for more rows than fit into memory; all of one data version.

        >>> sum(batch.num_rows for batch in ws.to_batches(fields=["id"]))
        5
        """
        read = self._ws.wait(self._ws.work.batches(self._pinned, table, fields, filter))
        try:
            while (batch := self._ws.wait(next_batch(read))) is not None:
                yield batch
        finally:
            self._ws.wait(read.aclose())

    def landscape(self) -> "LandscapeView":
        """Totals, bars by each field, applications, dependencies, and how much of all that is known."""
        from mooring_widgets.views import LandscapeView

        return LandscapeView(self._ws, pinned=self._pinned)

    def asset(self, name: str) -> "AssetView":
        """One asset: all that is known of it, what it needs and what needs it::

            ws.asset("web-01")

        Args:
            name: Its display name, host name or external id, to the letter; it is looked for in each session
                that the view comes to.
        """
        from mooring_widgets.views import AssetView

        return AssetView(self._ws, name, pinned=self._pinned)

    @overload
    def view(self, fn: Callable[..., Any], /) -> "UserView": ...

    @overload
    def view(self, /, *, stale_time: float = 0) -> Callable[[Callable[..., Any]], "UserView"]: ...

    def view(self, fn: Callable[..., Any] | None = None, /, *, stale_time: float = 0) -> Any:
        """Makes a function a view that follows the session; its arguments name the queries that it needs.

        They are `discovery` and `dependencies` (data frames), `landscape`, `session` and `engagement`. Shown
        in a cell it follows; called, it is the plain function.

        >>> @ws.view(stale_time=30)
        ... def cores_by_owner(discovery):
        ...     return discovery.groupby("owner").cpu_cores.sum().to_frame()
        >>> cores_by_owner(ws.at("Wave 1").discovery.to_pandas()).cpu_cores.to_dict()
        {'Ada': 8.0, 'Grace': 4.0}

        Args:
            fn: For use without parentheses.
            stale_time: How many seconds an output stays good while its queries do.

        Raises:
            TypeError: Where an argument names nothing that there is; the message has names like it.
        """
        from mooring_widgets.views import UserView

        def decorate(function: Callable[..., Any]) -> "UserView":
            return UserView(self._ws, function, stale_time=stale_time, pinned=self._pinned)

        return decorate if fn is None else decorate(fn)


class Pinned(Views):
    """The views of one session, whatever is current.

    Attributes:
        aio: The twin whose methods are awaited.
    """

    def __init__(self, ws: "Workspace", session: Session) -> None:
        super().__init__(ws, session.name)
        self.aio = AioPinned(ws, session.name)
        self._found = session

    @property
    def session(self) -> Session:
        """The session, as it is now."""
        return self._ws.wait(self._ws.work.session(self._found.name))

    def __repr__(self) -> str:
        return f"<pinned to {self._found.display_name!r}>"

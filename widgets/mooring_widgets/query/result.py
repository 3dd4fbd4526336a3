"""What an observer shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mooring_widgets.query.options import FetchStatus, Status

D = TypeVar("D")


@dataclass(frozen=True, kw_only=True, eq=False)
class QueryResult(Generic[D]):
    """What an observer shows: a frozen picture of its query at one moment. Compared by identity.

    Attributes:
        status: `pending`: no data yet; `success`: data; `error`: the last fetch (or `select`) failed, `data`
            is then what was there before, if anything.
        fetch_status: `fetching`: a fetch runs or waits for its next attempt; `paused`: it waits for the
            network, or for somebody to look; `idle`: there is none. Independent of `status`: success and
            fetching is a refetch.
        data: None while there is none.
        error: Why `status` is `error`.
        error_updated_at: Seconds since the epoch when a fetch last failed; 0 if none ever did.
        error_update_count: How many fetches failed.
        data_updated_at: Seconds since the epoch; 0 while there is no data.
        is_stale: Asked again when the next observer comes: too old, invalidated, or no data.
        failure_count: Failed attempts of the running fetch, or of the last one.
        failure_reason: Why the last attempt failed.
        is_placeholder_data: `data` is not the query's own.
        is_fetched: A fetch has ended, well or not, or data was set.
        is_fetched_after_mount: The same, since this observer has this key.
        is_enabled: The observer fetches on its own.
    """

    status: Status
    fetch_status: FetchStatus
    data: D | None
    error: Exception | None
    error_updated_at: float
    error_update_count: int
    data_updated_at: float
    is_stale: bool
    failure_count: int
    failure_reason: Exception | None
    is_placeholder_data: bool
    is_fetched: bool
    is_fetched_after_mount: bool
    is_enabled: bool

    @property
    def is_pending(self) -> bool:
        """There is no data yet, and no failure."""
        return self.status == "pending"

    @property
    def is_success(self) -> bool:
        """There is data, or a placeholder."""
        return self.status == "success"

    @property
    def is_error(self) -> bool:
        """The last fetch failed."""
        return self.status == "error"

    @property
    def is_fetching(self) -> bool:
        """A fetch is under way, the first one or another."""
        return self.fetch_status == "fetching"

    @property
    def is_loading(self) -> bool:
        """The first fetch is under way: nothing to show yet."""
        return self.is_fetching and self.is_pending

    @property
    def is_refetching(self) -> bool:
        """A fetch is under way while there is something to show."""
        return self.is_fetching and not self.is_pending

    @property
    def is_paused(self) -> bool:
        """A fetch waits for better times."""
        return self.fetch_status == "paused"

    @property
    def is_loading_error(self) -> bool:
        """The first fetch failed: there was never anything to show."""
        return self.is_error and self.data_updated_at == 0

    @property
    def is_refetch_error(self) -> bool:
        """A fetch failed, and what was there before still shows."""
        return self.is_error and self.data_updated_at != 0

    def same_as(self, other: "QueryResult[Any]", names: Iterable[str] | None = None) -> bool:
        """Whether two results of one observer show the same, in all fields or in those of these names.

        Data is compared by identity, since data frames refuse `==`.
        """
        return all(
            mine is others or (name not in _COMPARED_BY_IDENTITY and mine == others)
            for name in names or self.__dataclass_fields__
            for mine, others in [(getattr(self, name), getattr(other, name))]
        )


_COMPARED_BY_IDENTITY = frozenset({"data", "error", "failure_reason"})

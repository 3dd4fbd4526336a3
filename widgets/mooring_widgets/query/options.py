"""What a query is asked for, the defaults, and what an observer sees of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

# R defaults to T: options without a `select` show what was fetched.
from typing_extensions import TypeVar as TypeVarWithDefault

from mooring_widgets.query.keys import QueryKey

T = TypeVar("T")
R = TypeVarWithDefault("R", default=T)
D = TypeVar("D")

Status: TypeAlias = Literal["pending", "error", "success"]
FetchStatus: TypeAlias = Literal["idle", "fetching", "paused"]
Retry: TypeAlias = int | bool | Callable[[int, Exception], bool]
RetryDelay: TypeAlias = float | Callable[[int, Exception], float]


class Unset(Enum):
    """The type of `UNSET`: not given, where None is a value like any other."""

    UNSET = "UNSET"


UNSET: Final = Unset.UNSET


def keep_previous_data(previous: D | None) -> D | None:
    """As `placeholder_data`: show the last key's data, marked, until the new key has its own."""
    return previous


def exponential_backoff(failure_count: int, error: Exception) -> float:
    """Seconds before the next attempt: 1, 2, 4 ... up to 30. `failure_count` is 0 at the first failure."""
    return min(2.0 ** min(failure_count, 5), 30.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryFunctionContext:
    """What a query function is told: the key it fetches for, and the options' `meta`."""

    query_key: QueryKey
    meta: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class QueryOptions(Generic[T, R]):
    """One query: what identifies it, how it is fetched, how long it is good. None: the client's default.

    `select`, `placeholder_data` and `structural_sharing` run under the client's lock: quick, pure, never
    waiting.

    Attributes:
        query_key: Identity, and path for invalidation by prefix.
        query_fn: Fetches the data; a coroutine function on the client's runtime. Raising means failure.
        stale_time: Seconds for which data counts as fresh; `math.inf` until it is invalidated.
        gc_time: Seconds for which data that nobody observes is kept; `math.inf` for ever.
        retry: How many times to try again; True without end; or whether, from failure count and error.
        retry_delay: Seconds before the next attempt, or a function of failure count and error.
        enabled: False keeps observers from fetching on their own.
        select: Makes what an observer shows from the data. Not part of the cache; called again only for other
            data.
        placeholder_data: Shown while there is no data, never cached: a value, or a function of the last data
            that this observer had (of any key; None when it had none), such as `keep_previous_data`.
        initial_data: Put in the cache as if it had just been fetched, when there is no data yet.
        structural_sharing: False takes data as it comes; or a function of old and new data.
        meta: Anything for the query function.
    """

    query_key: QueryKey
    query_fn: Callable[[QueryFunctionContext], Awaitable[T]]
    stale_time: float | None = None
    gc_time: float | None = None
    retry: Retry | None = None
    retry_delay: RetryDelay | None = None
    enabled: bool = True
    select: Callable[[T], R] | None = None
    placeholder_data: T | Callable[[T | None], T | None] | None = None
    initial_data: T | Unset = UNSET
    structural_sharing: bool | Callable[[T, T], T] | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class QueryDefaults:
    """What holds where the options are silent; the meanings are those of `QueryOptions`."""

    stale_time: float = 0.0
    gc_time: float = 300.0
    retry: Retry = 3
    fetch_retry: Retry = False
    """In place of `retry` for fetch, ensure and prefetch: their caller learns of a failure at once."""
    retry_delay: RetryDelay = exponential_backoff
    structural_sharing: bool | Callable[[Any, Any], Any] = True

    def overridden_by(self, options: QueryOptions[Any, Any]) -> "QueryDefaults":
        """Return what holds for a query with these options."""
        given = {f.name: getattr(options, f.name, None) for f in fields(self)}
        if given["retry"] is not None:
            given["fetch_retry"] = given["retry"]
        return replace(self, **{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True, kw_only=True, eq=False)
class QueryResult(Generic[D]):
    """What an observer shows: a frozen picture of its query at one moment. Compared by identity.

    Attributes:
        status: `pending`: no data yet; `success`: data; `error`: the last fetch (or `select`) failed, `data`
            is then what was there before, if anything.
        fetch_status: `fetching`: a fetch runs or waits for its next attempt; `idle`: none does; `paused` is
            kept for a client that knows of being offline. Independent of `status`: success and fetching is a
            refetch.
        data: None while there is none.
        error: Why `status` is `error`.
        data_updated_at: Seconds since the epoch; 0 while there is no data.
        is_stale: Asked again when the next observer comes: too old, invalidated, or no data.
        failure_count: Failed attempts of the running fetch, or of the last one.
        failure_reason: Why the last attempt failed.
        is_placeholder_data: `data` is not the query's own.
    """

    status: Status
    fetch_status: FetchStatus
    data: D | None
    error: Exception | None
    data_updated_at: float
    is_stale: bool
    failure_count: int
    failure_reason: Exception | None
    is_placeholder_data: bool

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

    def same_as(self, other: "QueryResult[Any]") -> bool:
        """Whether the two show the same; data is compared by identity, since data frames refuse `==`."""
        return all(
            mine is others or (name in _PLAIN_FIELDS and mine == others)
            for name in self.__dataclass_fields__
            for mine, others in [(getattr(self, name), getattr(other, name))]
        )


_PLAIN_FIELDS = frozenset(QueryResult.__dataclass_fields__) - {"data", "error", "failure_reason"}

"""What a query is asked for, and what holds where that is silent."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

# R defaults to T: options without a `select` show what was fetched.
from typing_extensions import TypeVar as TypeVarWithDefault

from mooring_widgets.query.keys import QueryKey
from mooring_widgets.query.managers import NetworkMode

T = TypeVar("T")
R = TypeVarWithDefault("R", default=T)
D = TypeVar("D")

Status: TypeAlias = Literal["pending", "error", "success"]
FetchStatus: TypeAlias = Literal["idle", "fetching", "paused"]
Retry: TypeAlias = int | bool | Callable[[int, Exception], bool]
RetryDelay: TypeAlias = float | Callable[[int, Exception], float]
Direction: TypeAlias = Literal["forward", "backward"]
Trigger: TypeAlias = Literal["mount", "window_focus", "reconnect"]
RefetchOn: TypeAlias = bool | Literal["always"]
RefetchInterval: TypeAlias = float | Callable[[Any], float | None]


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
    """What a query function is told: the key it fetches for, and the options' `meta`.

    That of an infinite query is told as well which page is wanted, and whether it follows or precedes.
    """

    query_key: QueryKey
    meta: Mapping[str, Any]
    page_param: Any = None
    direction: Direction | None = None


class MissingFunction(Exception):
    """Nothing says how to fetch, or how to make the change."""


async def missing_query_fn(context: QueryFunctionContext) -> Any:
    """Stand in for a query function that the defaults may give; raises `MissingFunction`."""
    raise MissingFunction(f"give {context.query_key!r} a query_fn, or set one by set_query_defaults")


async def skip_token(context: QueryFunctionContext) -> Any:
    """As `query_fn`: nothing can be fetched yet; disables the query. Raises `MissingFunction`."""
    raise MissingFunction(f"{context.query_key!r} is skipped: give it a query_fn when it can be fetched")


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
        enabled: False keeps observers from fetching on their own, whatever the options below say.
        refetch_on_mount: Whether a new observer fetches data that is stale; "always" also what is fresh.
        refetch_on_window_focus: The same for when somebody looks again.
        refetch_on_reconnect: The same for when there is a network again.
        retry_on_mount: Whether a new observer fetches where the last fetch failed and there is no data.
        refetch_interval: Seconds between fetches while observed, or a function of the result that returns
            them; 0 or None for no polling.
        refetch_interval_in_background: Whether to poll while nobody looks.
        network_mode: "online" fetches only with a network and pauses without; "always" knows of none;
            "offline_first" makes the first attempt in any case and pauses before the others.
        notify_on_change_props: Names of `QueryResult`; listeners hear of changes in these alone.
        select: Makes what an observer shows from the data. Not part of the cache; called again only for other
            data.
        placeholder_data: Shown while there is no data, never cached: a value, or a function of the last data
            that this observer had (of any key; None when it had none), such as `keep_previous_data`.
        initial_data: Put in the cache as if it had been fetched, when there is no data yet; or a function
            that makes it.
        initial_data_updated_at: Seconds since the epoch when it was; now, when not given.
        structural_sharing: False takes data as it comes; or a function of old and new data.
        meta: Anything for the query function.
    """

    query_key: QueryKey
    query_fn: Callable[[QueryFunctionContext], Awaitable[T]] = missing_query_fn
    stale_time: float | None = None
    gc_time: float | None = None
    retry: Retry | None = None
    retry_delay: RetryDelay | None = None
    enabled: bool | None = None
    refetch_on_mount: RefetchOn | None = None
    refetch_on_window_focus: RefetchOn | None = None
    refetch_on_reconnect: RefetchOn | None = None
    retry_on_mount: bool | None = None
    refetch_interval: RefetchInterval | None = None
    refetch_interval_in_background: bool | None = None
    network_mode: NetworkMode | None = None
    notify_on_change_props: tuple[str, ...] | None = None
    select: Callable[[T], R] | None = None
    placeholder_data: T | Callable[[T | None], T | None] | None = None
    initial_data: T | Callable[[], T] | Unset = UNSET
    initial_data_updated_at: float | None = None
    structural_sharing: bool | Callable[[T, T], T] | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    def attempts(
        self,
        query_fn: Callable[[QueryFunctionContext], Awaitable[T]],
        previous: T | None,
        direction: Direction | None,
    ) -> Callable[[], Awaitable[T]]:
        """Return what one fetch tries until it succeeds. For the query; `previous` is the data so far."""
        context = QueryFunctionContext(query_key=tuple(self.query_key), meta=self.meta)
        return lambda: query_fn(context)


@dataclass(frozen=True, kw_only=True)
class QueryDefaults:
    """What holds where the options are silent; the meanings are those of `QueryOptions`."""

    query_fn: Callable[[QueryFunctionContext], Awaitable[Any]] = missing_query_fn
    stale_time: float = 0.0
    gc_time: float = 300.0
    retry: Retry = 3
    fetch_retry: Retry = False
    """In place of `retry` for fetch, ensure and prefetch: their caller learns of a failure at once."""
    retry_delay: RetryDelay = exponential_backoff
    enabled: bool = True
    refetch_on_mount: RefetchOn = True
    refetch_on_window_focus: RefetchOn = True
    refetch_on_reconnect: RefetchOn | None = None
    """None: True, unless `network_mode` is "always"."""
    retry_on_mount: bool = True
    refetch_interval: RefetchInterval = 0.0
    refetch_interval_in_background: bool = False
    network_mode: NetworkMode = "online"
    notify_on_change_props: tuple[str, ...] | None = None
    structural_sharing: bool | Callable[[Any, Any], Any] = True

    @property
    def can_fetch(self) -> bool:
        """Whether something says how to fetch."""
        return self.query_fn not in (missing_query_fn, skip_token)

    def overridden_by(self, *layers: Mapping[str, Any]) -> "QueryDefaults":
        """Return what holds where these say more; a later one wins."""
        given: dict[str, Any] = {}
        for layer in layers:
            if "retry" in layer:
                given["fetch_retry"] = layer["retry"]
            given.update(layer)
        if given.get("query_fn") is skip_token:
            given["enabled"] = False
        return replace(self, **given)

    def wants_fetch(self, trigger: Trigger, *, is_stale: bool) -> bool:
        """Whether observed data is fetched when this happens."""
        wanted = getattr(self, f"refetch_on_{trigger}")
        if wanted is None:
            wanted = self.network_mode != "always"
        return self.enabled and (wanted == "always" or (bool(wanted) and is_stale))


def given_by(options: QueryOptions[Any, Any]) -> dict[str, Any]:
    """Return what options say that the defaults say too."""
    said = {f.name: getattr(options, f.name, None) for f in fields(QueryDefaults)}
    return {name: value for name, value in said.items() if value not in (None, missing_query_fn)}

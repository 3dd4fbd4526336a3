"""How a change is made, what holds where that is silent, and what is known of one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from mooring_widgets.query.keys import QueryKey
from mooring_widgets.query.managers import NetworkMode
from mooring_widgets.query.options import MissingFunction, Retry, RetryDelay, exponential_backoff

V = TypeVar("V")
D = TypeVar("D")

MutationStatus: TypeAlias = Literal["idle", "pending", "error", "success"]


class MutationCancelled(Exception):
    """The mutation was cut off; whether the server made the change is not known."""


async def missing_mutation_fn(variables: Any) -> Any:
    """Stand in for a function that the defaults may give; raises `MissingFunction`."""
    raise MissingFunction("give the mutation a mutation_fn, or set one by set_mutation_defaults for its key")


@dataclass(frozen=True, kw_only=True, eq=False)
class MutationOptions(Generic[V, D]):
    """How to make a change, and what to do around it. None: the client's default.

    `on_mutate` is a plain function. The other three may be plain or coroutine functions, run on the runtime
    before the mutation ends. When `on_success` or `on_settled` raises after a success, the mutation fails
    with that; when `on_error` or `on_settled` raises after a failure, `on_listener_error` of the client hears
    of it.

    Attributes:
        mutation_fn: Makes the change; a coroutine function of the variables.
        mutation_key: Path for the defaults, and for `is_mutating`.
        scope: Mutations of one scope are made one after the other, in the order of their calls.
        on_mutate: Called in the thread of `mutate` before it returns: the place to cancel fetches and to put
            the expected data in the cache. What it returns is the `context` of the others: what a rollback
            needs.
        on_success: `(data, variables, context)`.
        on_error: `(error, variables, context)`: the place to roll back. `context` is None if `on_mutate`
            failed.
        on_settled: `(data, error, variables, context)`, in both cases: the place to invalidate.
        retry: As for queries, but none by default: a change may not be safe to repeat.
        retry_delay: As for queries.
        network_mode: As for queries. Who looks is of no account: somebody waits for the change.
        gc_time: Seconds for which the cache lists a mutation after its end.
        meta: Anything, for whoever lists or keeps mutations.
    """

    mutation_fn: Callable[[V], Awaitable[D]] = missing_mutation_fn
    mutation_key: QueryKey | None = None
    scope: str | None = None
    on_mutate: Callable[[V], Any] | None = None
    on_success: Callable[[D, V, Any], Awaitable[None] | None] | None = None
    on_error: Callable[[Exception, V, Any], Awaitable[None] | None] | None = None
    on_settled: Callable[[D | None, Exception | None, V, Any], Awaitable[None] | None] | None = None
    retry: Retry | None = None
    retry_delay: RetryDelay | None = None
    network_mode: NetworkMode | None = None
    gc_time: float | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MutationDefaults:
    """What holds where the options are silent; the meanings are those of `MutationOptions`."""

    mutation_fn: Callable[[Any], Awaitable[Any]] = missing_mutation_fn
    scope: str | None = None
    on_mutate: Callable[[Any], Any] | None = None
    on_success: Callable[[Any, Any, Any], Awaitable[None] | None] | None = None
    on_error: Callable[[Exception, Any, Any], Awaitable[None] | None] | None = None
    on_settled: Callable[[Any, Exception | None, Any, Any], Awaitable[None] | None] | None = None
    retry: Retry = 0
    retry_delay: RetryDelay = exponential_backoff
    network_mode: NetworkMode = "online"
    gc_time: float = 300.0

    def overridden_by(self, *layers: Mapping[str, Any]) -> "MutationDefaults":
        """Return what holds where these say more; a later one wins."""
        return replace(self, **{name: value for layer in layers for name, value in layer.items()})


def given_by(options: MutationOptions[Any, Any]) -> dict[str, Any]:
    """Return what options say that the defaults say too."""
    said = {f.name: getattr(options, f.name) for f in fields(MutationDefaults)}
    return {name: value for name, value in said.items() if value not in (None, missing_mutation_fn)}


@dataclass(frozen=True, kw_only=True, eq=False)
class MutationResult(Generic[V, D]):
    """What is known of a mutation; an observer shows its last one, and `idle` before the first.

    Attributes:
        status: `pending` until it has ended.
        variables: What it was called with.
        data: What it ended with.
        error: Why `status` is `error`.
        failure_count: Failed attempts.
        failure_reason: Why the last attempt failed.
        is_paused: It waits for the network, or for those before it in its scope.
        submitted_at: Seconds since the epoch when it was called; 0 while idle.
        context: What `on_mutate` returned.
    """

    status: MutationStatus = "idle"
    variables: V | None = None
    data: D | None = None
    error: Exception | None = None
    failure_count: int = 0
    failure_reason: Exception | None = None
    is_paused: bool = False
    submitted_at: float = 0.0
    context: Any = None

    @property
    def is_idle(self) -> bool:
        """Nothing was asked for yet."""
        return self.status == "idle"

    @property
    def is_pending(self) -> bool:
        """The change is under way, or waits."""
        return self.status == "pending"

    @property
    def is_success(self) -> bool:
        """The change was made."""
        return self.status == "success"

    @property
    def is_error(self) -> bool:
        """The change was refused, or cut off."""
        return self.status == "error"

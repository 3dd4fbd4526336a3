"""All queries by key."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias, TypeVar

from mooring_widgets.query.defaults import KeyDefaults
from mooring_widgets.query.keys import KeyHash, QueryKey, hash_key, matches
from mooring_widgets.query.managers import Environment
from mooring_widgets.query.options import QueryDefaults, QueryOptions, Trigger, given_by
from mooring_widgets.query.query import Query
from mooring_widgets.query.state import QueryState

T = TypeVar("T")

QueryType: TypeAlias = Literal["all", "active", "inactive"]


@dataclass(frozen=True, kw_only=True, eq=False)
class QuerySnapshot:
    """One query of the cache as it was: to list, not to act on.

    Attributes:
        key: The query's key.
        state: What is known of it.
        age_s: Seconds since the data was fetched or set; None without data.
        observers: How many are subscribed.
        is_active: Whether one of them is enabled.
        is_stale: Whether an observer finds the data stale, or there is none, or it was invalidated.
    """

    key: tuple[Any, ...]
    state: QueryState[Any]
    age_s: float | None
    observers: int
    is_active: bool
    is_stale: bool

    def __str__(self) -> str:
        age = "" if self.age_s is None else f", {self.age_s:.0f} s old"
        fetching = "" if self.state.fetch_status == "idle" else f", {self.state.fetch_status}"
        stale = ", stale" if self.is_stale else ""
        error = "" if self.state.error is None else f", {self.state.error!r}"
        return f"{self.key}: {self.state.status}{age}{stale}{fetching}, {self.observers} observers{error}"


class QueryCache:
    """Holds the queries; iterate over it for snapshots. Its other methods are for the client and observers.

    Those that take or return a `Query` are called within a batch of `notifier`.
    """

    def __init__(self, environment: Environment, defaults: QueryDefaults) -> None:
        self.environment = environment
        self.runtime = environment.runtime
        self.notifier = environment.notifier
        self.defaults = defaults
        self.key_defaults = KeyDefaults(field.name for field in fields(QueryDefaults))
        self._queries: dict[KeyHash, Query[Any]] = {}

    def __iter__(self) -> Iterator[QuerySnapshot]:
        with self.notifier.batch():
            return iter([self._snapshot(query) for query in self._queries.values()])

    def __len__(self) -> int:
        return len(self._queries)

    def build(self, options: QueryOptions[T, Any]) -> Query[T]:
        """Return the query of these options, made when there is none, with the options taken over."""
        query = self.ensure(options.query_key)
        query.adopt(options, self.policy(options))
        return query

    def policy(self, options: QueryOptions[Any, Any]) -> QueryDefaults:
        """Return what holds for a query: what its options say, else the defaults of its key, else of all."""
        return self.defaults.overridden_by(self.key_defaults.get(options.query_key), given_by(options))

    def ensure(self, key: QueryKey) -> Query[Any]:
        """Return the query of this key, made when there is none."""
        key_hash = hash_key(key)
        query = self._queries.get(key_hash)
        if query is None:
            query = self._queries[key_hash] = Query(
                key,
                key_hash,
                environment=self.environment,
                policy=self.policy(QueryOptions(query_key=key)),
                collect=self.remove,
            )
        return query

    def get(self, key: QueryKey) -> Query[Any] | None:
        """Return the query of exactly this key, if any."""
        return self._queries.get(hash_key(key))

    def find_all(self, prefix: QueryKey, *, exact: bool = False, kind: QueryType = "all") -> list[Query[Any]]:
        """Return the queries whose keys begin with a prefix, oldest first."""
        if exact:
            query = self.get(prefix)
            found = [query] if query else []
        else:
            wanted = hash_key(prefix)
            found = [query for query in self._queries.values() if matches(query.key_hash, wanted)]
        return [query for query in found if kind == "all" or query.is_active == (kind == "active")]

    def remove(self, query: Query[Any]) -> None:
        """Drop a query. One that is observed stays, empty: its observers have to show something."""
        if query.watchers:
            query.reset()
        else:
            query.retire()
            self._queries.pop(query.key_hash, None)

    def on_return(self, trigger: Trigger) -> None:
        """Somebody looks again, or there is a network again."""
        for query in tuple(self._queries.values()):
            query.on_return(trigger)

    def _snapshot(self, query: Query[Any]) -> QuerySnapshot:
        watchers = query.watchers
        return QuerySnapshot(
            key=query.key,
            state=query.state,
            age_s=query.age_s,
            observers=len(watchers),
            is_active=query.is_active,
            is_stale=any(query.is_stale(w.stale_time) for w in watchers) or query.is_stale(float("inf")),
        )

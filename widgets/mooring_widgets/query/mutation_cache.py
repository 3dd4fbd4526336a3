"""All mutations, in the order of their calls."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, fields
from itertools import count
from typing import Any, TypeVar

from mooring_widgets.query.defaults import KeyDefaults
from mooring_widgets.query.keys import QueryKey, hash_key, matches
from mooring_widgets.query.managers import Environment
from mooring_widgets.query.mutation import Mutation
from mooring_widgets.query.mutation_options import (
    MutationDefaults,
    MutationOptions,
    MutationResult,
    given_by,
)

V = TypeVar("V")
D = TypeVar("D")


@dataclass(frozen=True, kw_only=True, eq=False)
class MutationSnapshot:
    """One mutation of the cache as it was: to list, not to act on.

    Attributes:
        number: Counts the mutations of a client, in the order of their calls.
        key: The mutation's key, empty if it has none.
        scope: Which others it waits for.
        meta: As in the options.
        state: What is known of it.
    """

    number: int
    key: tuple[Any, ...]
    scope: str | None
    meta: Mapping[str, Any]
    state: MutationResult[Any, Any]

    def __str__(self) -> str:
        paused = ", paused" if self.state.is_paused else ""
        error = self.state.error or self.state.failure_reason
        return (
            f"{self.number} {self.key}: {self.state.status}{paused}{'' if error is None else f', {error!r}'}"
        )


class MutationCache:
    """Holds the mutations; iterate over it for snapshots. Its other methods are for the client and observers.

    Call them within a batch of the environment's notifier, but for `start`.
    """

    def __init__(self, environment: Environment, defaults: MutationDefaults) -> None:
        self.environment = environment
        self.defaults = defaults
        self.key_defaults = KeyDefaults(field.name for field in fields(MutationDefaults))
        self._mutations: dict[Mutation[Any, Any], int] = {}
        self._numbers = count(1)

    def __iter__(self) -> Iterator[MutationSnapshot]:
        with self.environment.notifier.batch():
            return iter([_snapshot(mutation, number) for mutation, number in self._mutations.items()])

    def __len__(self) -> int:
        return len(self._mutations)

    def start(
        self,
        options: MutationOptions[V, D],
        variables: V,
        on_update: Callable[[MutationResult[V, D]], None] = lambda _: None,
    ) -> Mutation[V, D]:
        """Make a change; see `Mutation.start`."""
        with self.environment.notifier.batch():
            mutation = Mutation(self, options, variables, on_update=on_update)
            self._mutations[mutation] = next(self._numbers)
        mutation.start()
        return mutation

    def restore(self, options: MutationOptions[Any, Any], result: MutationResult[Any, Any]) -> None:
        """Put back a mutation that was kept while it was paused; it waits for `resume`."""
        mutation = Mutation(self, options, result.variables, restored=result)
        self._mutations[mutation] = next(self._numbers)

    def resume(self) -> list[Future[Any]]:
        """Let paused mutations go on where they may; return the futures of those that will now end."""
        paused = [mutation for mutation in self._mutations if mutation.result.is_paused]
        for mutation in paused:
            mutation.go_on()
        return [mutation.future for mutation in paused if not self._first(mutation).result.is_paused]

    def find_all(self, prefix: QueryKey) -> list[Mutation[Any, Any]]:
        """Return the mutations whose keys begin with a prefix, oldest first; `()` finds all."""
        wanted = hash_key(prefix)
        return [m for m in self._mutations if matches(hash_key(m.options.mutation_key or ()), wanted)]

    def clear(self) -> None:
        """Forget all that do not run; who waits for a paused one gets `MutationCancelled`."""
        # From the last, or the end of one would let the next of its scope go on.
        for mutation in reversed(tuple(self._mutations)):
            mutation.abandon()
            if not mutation.result.is_pending:
                self.remove(mutation)

    def policy(self, options: MutationOptions[Any, Any]) -> MutationDefaults:
        """Return what holds for a mutation: as for queries."""
        by_key = self.key_defaults.get(options.mutation_key) if options.mutation_key is not None else {}
        return self.defaults.overridden_by(by_key, given_by(options))

    def is_next(self, mutation: Mutation[Any, Any]) -> bool:
        """See `Queue`."""
        return self._first(mutation) is mutation

    def on_end(self, mutation: Mutation[Any, Any]) -> None:
        """See `Queue`."""
        mutation.forget_later()
        if mutation.scope is not None:
            for other in tuple(self._mutations):
                if other.scope == mutation.scope and other.result.is_paused:
                    other.go_on()

    def remove(self, mutation: Mutation[Any, Any]) -> None:
        """See `Queue`."""
        mutation.retire()
        self._mutations.pop(mutation, None)

    def _first(self, mutation: Mutation[Any, Any]) -> Mutation[Any, Any]:
        if mutation.scope is None:
            return mutation
        waiting = (m for m in self._mutations if m.scope == mutation.scope and m.result.is_pending)
        return next(waiting, mutation)


def _snapshot(mutation: Mutation[Any, Any], number: int) -> MutationSnapshot:
    return MutationSnapshot(
        number=number,
        key=tuple(mutation.options.mutation_key or ()),
        scope=mutation.scope,
        meta=mutation.options.meta,
        state=mutation.result,
    )

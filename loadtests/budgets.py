"""What the service promises under load, held against what was measured."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

ERROR_SHARE_MAX = 0.01


@dataclass(frozen=True, slots=True)
class Budget:
    """The longest time that 95 of 100 calls of one RPC may take."""

    rpc: str
    p95_max_ms: float


BUDGETS = (Budget("CreateSession", 500), Budget("SwitchSession", 1_000))


def budgets(changes: Sequence[str] = ()) -> tuple[Budget, ...]:
    """The budgets with changes such as `CreateSession=250`: an RPC and its milliseconds.

    Raises:
        ValueError: a change is not of that form.
    """
    limits = {budget.rpc: budget.p95_max_ms for budget in BUDGETS}
    for change in changes:
        rpc, equals, limit_ms = change.partition("=")
        if not (rpc and equals):
            raise ValueError(f"a budget is RPC=MILLISECONDS, not {change!r}")
        limits[rpc] = float(limit_ms)
    return tuple(Budget(rpc, limit_ms) for rpc, limit_ms in limits.items())


@dataclass(frozen=True, slots=True)
class Measured:
    """What was seen of one RPC."""

    rpc: str
    calls: int
    errors: int
    p50_ms: float
    p95_ms: float


def broken(measured: Iterable[Measured], budgets: Iterable[Budget] = BUDGETS) -> Iterator[str]:
    """A sentence about each budget that does not hold; none when all is well.

    An RPC that was never called breaks its budget: nothing is known about it.
    """
    by_rpc = {one.rpc: one for one in measured}
    for budget in budgets:
        seen = by_rpc.get(budget.rpc)
        if seen is None or seen.calls == 0:
            yield f"{budget.rpc} was never called"
        elif seen.p95_ms >= budget.p95_max_ms:
            yield f"{budget.rpc} took {seen.p95_ms:,.0f} ms at p95, budget {budget.p95_max_ms:,.0f} ms"
    calls = sum(one.calls for one in by_rpc.values())
    errors = sum(one.errors for one in by_rpc.values())
    if calls and errors / calls >= ERROR_SHARE_MAX:
        yield f"{errors:,} of {calls:,} calls failed, budget below {ERROR_SHARE_MAX:.0%}"

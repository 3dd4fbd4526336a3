"""What the notebook has asked the service, as `ws.queries` shows it."""

from collections.abc import Iterator

from mooring_widgets.client import aligned, markup
from mooring_widgets.query import MutationSnapshot, QueryClient, QuerySnapshot

_HEAD = ("Status", "Age", "Observers", "Key", "Last error")
_ERROR_LENGTH_MAX = 120


class Queries(QueryClient):
    """The query client of a workspace. Iterated, it is every query there is; shown in a cell, the changes
    that have not ended too::

    ws.queries
    [query.key for query in ws.queries if query.state.error]
    ws.queries.invalidate_queries(("discovery",))
    """

    def __iter__(self) -> Iterator[QuerySnapshot]:
        return iter(sorted(self.query_cache, key=lambda query: str(query.key)))

    def __repr__(self) -> str:
        rows = [tuple(map(str, row)) for row in self._rows()]
        return "\n".join(aligned([_HEAD, *rows])) if rows else _EMPTY

    def _repr_html_(self) -> str:
        rows = self._rows()
        return markup.table(_HEAD, rows, label="Queries") if rows else markup.paragraph(_EMPTY)

    def _rows(self) -> list[tuple[object, ...]]:
        now = self.query_cache.runtime.wall()
        changes = [_change_row(each, now) for each in self.mutation_cache if each.state.is_pending]
        return [_row(query) for query in self] + changes


_EMPTY = "Nothing was asked yet."


def _row(query: QuerySnapshot) -> tuple[object, ...]:
    state = query.state
    states = {
        state.status: True,
        "stale": query.is_stale,
        state.fetch_status: state.fetch_status != "idle",
    }
    return (
        ", ".join(name for name, holds in states.items() if holds),
        "" if query.age_s is None else _age(query.age_s),
        query.observers,
        repr(query.key),
        _told(state.error or state.failure_reason),
    )


def _change_row(mutation: MutationSnapshot, now: float) -> tuple[object, ...]:
    state = mutation.state
    return (
        "change, paused" if state.is_paused else "change, under way",
        _age(max(now - state.submitted_at, 0.0)),
        "",
        repr(mutation.key),
        _told(state.failure_reason),
    )


def _told(error: Exception | None) -> str:
    told = "" if error is None else f"{type(error).__name__}: {error}"
    return f"{told[:_ERROR_LENGTH_MAX]}…" if len(told) > _ERROR_LENGTH_MAX else told


def _age(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3600:.0f} h"

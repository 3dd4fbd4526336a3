"""What the notebook has asked the service, as `ws.queries` shows it."""

from collections.abc import Iterator

from mooring_widgets.client import aligned, markup
from mooring_widgets.query import QueryClient, QuerySnapshot

_HEAD = ("Status", "Age", "Observers", "Key", "Last error")
_ERROR_LENGTH_MAX = 120


class Queries(QueryClient):
    """The query client of a workspace. Iterated, or shown in a cell, it is every query there is::

    ws.queries
    [query.key for query in ws.queries if query.state.error]
    ws.queries.invalidate_queries(("discovery",))
    """

    def __iter__(self) -> Iterator[QuerySnapshot]:
        return iter(sorted(self.query_cache, key=lambda query: str(query.key)))

    def __repr__(self) -> str:
        rows = [tuple(map(str, _row(query))) for query in self]
        return "\n".join(aligned([_HEAD, *rows])) if rows else _EMPTY

    def _repr_html_(self) -> str:
        rows = [_row(query) for query in self]
        return markup.table(_HEAD, rows, label="Queries") if rows else markup.paragraph(_EMPTY)


_EMPTY = "Nothing was asked yet."


def _row(query: QuerySnapshot) -> tuple[object, ...]:
    state = query.state
    states = {
        state.status: True,
        "stale": query.is_stale,
        state.fetch_status: state.fetch_status != "idle",
    }
    error = state.error or state.failure_reason
    told = "" if error is None else f"{type(error).__name__}: {error}"
    if len(told) > _ERROR_LENGTH_MAX:
        told = f"{told[:_ERROR_LENGTH_MAX]}…"
    return (
        ", ".join(name for name, holds in states.items() if holds),
        "" if query.age_s is None else _age(query.age_s),
        query.observers,
        repr(query.key),
        told,
    )


def _age(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3600:.0f} h"

"""Filters mean one thing: to the parser, to a plain evaluator, and to both databases."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from mooring_server.core.lists import ASSETS, SESSIONS, List
from mooring_server.store import Order, Page, Tx
from mooring_server.store.lists.conditions import Condition
from mooring_server.store.lists.paging import Window
from support_evidence import kind
from support_filters import (
    ASSET_FILTERS,
    SESSION_FILTERS,
    Meant,
    Row,
    asset_rows,
    condition,
    fill_assets,
    fill_sessions,
    matches,
    session_rows,
    walked,
)
from support_store import ENGAGEMENT, Database

_ROWS = 80
# So few that most pages come short, and some filters are led by an index of their own while others are not.
_EXAMINED = (24, 200)


def agreed(
    database: Database,
    filters: Any,
    list_: List,
    rows: Sequence[Row],
    page: Callable[[Tx, Condition | None, Window], Page[Any]],
    examples: int,
) -> int:
    """Compares all of them on so many filters; how many of these took some rows and left others."""
    telling = 0

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(filters)
    def compare(meant: Meant) -> None:
        nonlocal telling
        text, means = meant
        parsed = condition(text, list_)
        wanted = [row.id for row in rows if means(row)]
        telling += 0 < len(wanted) < len(rows)
        assert [row.id for row in rows if matches(parsed, row)] == wanted, text
        for examined in _EXAMINED:
            found = walked(
                database, lambda tx, window: page(tx, parsed, window), Window(7, 0, None, examined)
            )
            assert [each.id for each in found] == wanted, (text, examined)

    compare()
    return telling


def test_filters_agree(database: Database, size: Any, figure: Any):
    """Parser, evaluator and SQL find the same rows in the same order, page by page, for generated filters."""
    examples = size(100, 5_000)
    order = Order.DISPLAY_NAME
    database.write(lambda tx: fill_sessions(tx, _ROWS, seed=1))
    telling = agreed(
        database,
        SESSION_FILTERS,
        SESSIONS,
        database.read(session_rows),
        lambda tx, wanted, window: tx.sessions.page(ENGAGEMENT, order, window, wanted),
        examples,
    )
    version = database.write(lambda tx: fill_assets(tx, _ROWS, seed=2))
    telling += agreed(
        database,
        ASSET_FILTERS,
        ASSETS,
        database.read(lambda tx: asset_rows(tx, version)),
        lambda tx, wanted, window: tx.assets.page(version, order, window, wanted),
        examples,
    )
    assert telling > examples / 2, "too few of the filters told any rows apart"
    figure(
        f"{2 * examples:,} filters over sessions and assets on {kind(database.url)}",
        f"0 differences ({telling:,} told rows apart)",
    )

"""Inventories that tests hold in their hands: rows that come when they are let."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from mooring_server.background import imports
from mooring_server.ingest import AssetRow, Inventory

DEADLINE_S = 30


def row(number: int, **values: Any) -> AssetRow:
    """A row about the asset `name:{number}`."""
    name = f"Asset {number:06}"
    return AssetRow("", number + 2, f"name:{number:06}", "server", {"display_name": name, **values}, {})


class Gate:
    """An inventory that gives its first rows, then waits until it is opened, then gives the others."""

    def __init__(self, before: Sequence[Any], after: Sequence[Any] = ()) -> None:
        self._before, self._after = before, after
        self._reached = threading.Event()
        self._opened = threading.Event()

    def install(self, patch: Callable[..., None]) -> "Gate":
        """Makes every import read this inventory; `patch` is `monkeypatch.setattr`."""
        patch(imports, "open_inventory", lambda *_: Inventory("table", {}, None, self._rows))
        return self

    def reached(self) -> None:
        """Returns once the import waits at the gate. Not for the event loop."""
        assert self._reached.wait(DEADLINE_S), "the import never came this far"

    def open(self) -> None:
        """Lets the import go on."""
        self._opened.set()

    def _rows(self, notes: list[str]) -> Any:
        yield from self._before
        self._reached.set()
        assert self._opened.wait(DEADLINE_S), "nobody opened the gate"
        yield from self._after

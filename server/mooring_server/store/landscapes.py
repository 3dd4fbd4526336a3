"""Landscapes: what a data version adds up to, cached by it, since it never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mooring_server.store import tables
from mooring_server.store.statements import Statement, param
from mooring_server.store.values import from_json, to_json

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_L = tables.Landscapes

_GET = Statement(_L.select(_L.document).where(_L.version_id == param("version_id")))
_PUT = Statement(
    _L.insert({_L.version_id: param("version_id"), _L.document: param("document")}).on_conflict(
        action="nothing"
    )
)


class Landscapes:
    """What `assets.aggregate` answered, kept with the version."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, version_id: str) -> dict[str, Any] | None:
        """What was kept; None where nothing was."""
        row = self._tx.row(_GET, version_id=version_id)
        return None if row is None else from_json(row[0])

    def put(self, version_id: str, landscape: dict[str, Any]) -> None:
        """Keeps it; whoever comes second computed the same."""
        self._tx.run(_PUT, version_id=version_id, document=to_json(landscape))

"""The form of a preview: what each column is, and a button that imports."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mooring_widgets.client import ASSET_TYPES, ColumnPreview, ImportReport, Progress
from mooring_widgets.surface import Surface
from mooring_widgets.workspace.importing import asked
from mooring_widgets.workspace.options import FIELDS, UNITS, ColumnTarget
from mooring_widgets.workspace.preview import InventoryPreview

if TYPE_CHECKING:
    from mooring_widgets.workspace.workspace import Workspace

_PROGRESS_INTERVAL_S = 0.1
_SAMPLES_SHOWN = 3
_SAMPLE_MAX = 80
_REJECTED_SHOWN = 20


class ImportForm(Surface):
    """A field and a unit for each column, and a button that imports the upload of the preview.

    What is refused is said in place, with what was chosen as it was, and can be tried again.

    Attributes:
        preview: What is shown; another reading of the same upload after another kind or sheet was chosen.
        report: What the import did, None before.
    """

    def __init__(self, ws: "Workspace", preview: InventoryPreview, into: str) -> None:
        """Show a preview, whose session people call `into`."""
        self._ws = ws
        self._into = into
        self.preview = preview
        self.report: ImportReport | None = None
        self._told_at = 0.0
        fixed = {
            "session": preview.session,
            "file": preview.upload.file_name,
            "into": self._into,
            "types": [_option(""), *map(_option, ASSET_TYPES)],
            "fields": [_option(""), *map(_option, sorted(FIELDS))],
            "units": UNITS,
            "progress": None,
            "outcome": None,
        }
        handlers = {"import.read": self._answer_read, "import.run": self._answer_run}
        super().__init__(ws, handlers, {"status": "ready", **fixed, **_shown(preview)}, _view="import")

    async def _answer_read(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Reads the upload as another kind, or another sheet of it."""
        options = self.preview.options_with(kind=payload["as"], sheet=payload["sheet"])
        self.preview = await self.preview.read(options)
        self._show(**_shown(self.preview))
        return {}

    async def _answer_run(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        columns: dict[str, ColumnTarget] = {
            column: (field, unit) if unit else field for column, (field, unit) in payload["columns"].items()
        }
        wanted = asked(self.preview, columns=columns, asset_type=payload["type"])
        try:
            self.report = await wanted.import_(self._ws, self._tell)
            self._show(outcome=_outcome(self.report))
        finally:
            self._show(progress=None)
        return {}

    def _tell(self, step: Progress) -> None:
        now = time.monotonic()
        if now - self._told_at >= _PROGRESS_INTERVAL_S:
            self._told_at = now
            self._show(progress={"phase": step.phase, "done": step.done, "total": step.total})

    def _plain(self) -> str:
        return f"import {self.preview.upload.file_name} into {self._into}"


def _shown(preview: InventoryPreview) -> dict[str, Any]:
    found = preview.found
    others = [
        {"value": each.kind, "label": each.title} for each in found.candidates if each.kind != found.kind
    ]
    return {
        "summary": found.summary(),
        "kinds": [{"value": found.kind, "label": found.title}, *others],
        "kind": found.kind,
        "sheets": list(found.sheets),
        "sheet": found.sheet,
        "type": preview.options.asset_type,
        "columns": [_column(column) for column in found.columns],
    }


def _column(column: ColumnPreview) -> dict[str, Any]:
    # Written as the list of units writes it, so that it is found there.
    units = {unit.casefold(): unit for unit in UNITS.get(column.field, ())}
    samples = ", ".join(column.samples[:_SAMPLES_SHOWN])
    return {
        "name": column.column,
        "field": column.field,
        "unit": units.get(column.unit.casefold(), column.unit),
        "assumed": column.unit_assumed,
        "samples": samples if len(samples) <= _SAMPLE_MAX else f"{samples[:_SAMPLE_MAX]}…",
    }


def _option(name: str) -> dict[str, str]:
    return {"value": name, "label": name.replace("_", " ")}


def _outcome(report: ImportReport) -> dict[str, Any]:
    return {
        "equation": report.equation(),
        "facts": report.facts(),
        "rejected": [str(row) for row in report.rejected[:_REJECTED_SHOWN]],
        "rejected_count": len(report.rejected),
        "notes": list(report.notes),
    }

"""The form of a preview: what each column is, what that makes of the rows, and a button that imports."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mooring_widgets.client import ASSET_TYPES, ColumnPreview, ImportOptions, ImportReport
from mooring_widgets.client.previews import asset_cells
from mooring_widgets.surface import Job, Surface
from mooring_widgets.workspace.importing import Asked
from mooring_widgets.workspace.options import FIELDS, UNITS, ColumnTarget
from mooring_widgets.workspace.preview import InventoryPreview

if TYPE_CHECKING:
    from mooring_widgets.workspace.workspace import Workspace

_SAMPLES_SHOWN = 3
_SAMPLE_MAX = 80
_ROWS_SHOWN = 20


class ImportForm(Surface, view="import"):
    """A field and a unit for each column, what that makes of the first rows, and a button that imports the
    upload; then the report, and a button that undoes it.

    What is refused is said in place, with what was chosen as it was, and can be tried again. Whatever is
    under way belongs to the form (`Job`).

    Attributes:
        preview: The reading that is shown; another one of the same upload after another kind or sheet was
            chosen.
        report: What the import did, None before.
    """

    def __init__(self, ws: "Workspace", preview: InventoryPreview, into: str) -> None:
        """Show a preview, whose session people call `into`."""
        self._ws = ws
        self._into = into
        self.preview = preview
        self.report: ImportReport | None = None
        self._job = Job(self._show)
        fixed = {
            "session": preview.session,
            "file": preview.upload.file_name,
            "into": self._into,
            "types": [_option(""), *map(_option, ASSET_TYPES)],
            "fields": [_option(""), *map(_option, sorted(FIELDS))],
            "units": UNITS,
            **Job.BLANK,
            "told": "",
            "outcome": None,
        }
        handlers = {
            "import.read": self._answer_read,
            "import.look": self._answer_look,
            "import.run": self._answer_run,
            "import.cancel": self._answer_cancel,
            "import.undo": self._answer_undo,
        }
        super().__init__(ws, handlers, {"status": "ready", **fixed, **_shown(preview)})

    async def _answer_read(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Reads the upload as another kind, or another sheet of it."""
        options = self.preview.options_with(kind=payload["as"], sheet=payload["sheet"])
        self.preview = await self.preview.read(options)
        self._show(**_shown(self.preview), error=None)
        return {}

    async def _answer_look(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Says what the columns, as they are chosen now, make of the first rows."""
        self._show(**_found(await self.preview.read(self._chosen(payload))), error=None)
        return {}

    async def _answer_run(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        return await self._job.run("importing", self._import(payload), told="")

    async def _answer_undo(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        return await self._job.run("undoing", self._undo(force=bool(payload.get("force"))), told="")

    async def _answer_cancel(self, _: Mapping[str, Any]) -> dict[str, Any]:
        self._job.cancel()
        return {}

    async def _import(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        asked = Asked(self.preview, self._chosen(payload), None)
        before: str | None = None
        try:
            before = await self._newest()
            self.report = await asked.import_(self._ws, self._job.tell)
        except asyncio.CancelledError:
            # It may have been through already, which is then the truth.
            if before is None or await self._newest() == before:
                return {"told": "Cancelled: nothing was changed."}
            return {"told": "It was through before it could be cancelled: see ws.imports()."}
        return {"outcome": _outcome(self.report)}

    async def _undo(self, *, force: bool) -> dict[str, Any]:
        if self.report is None:
            return {}
        await self._ws.work.revert_import(self.report.import_name, None, force=force)
        return {"outcome": _outcome(self.report) | {"undone": True, "undoable": False}}

    async def _newest(self) -> str:
        page = await self._ws.client.list_imports(self.preview.session, page_size=1)
        return page.items[0].name if page.items else ""

    def _chosen(self, payload: Mapping[str, Any]) -> ImportOptions:
        columns: dict[str, ColumnTarget] = {
            column: (field, unit) if unit else field for column, (field, unit) in payload["columns"].items()
        }
        return replace(self.preview.options_with(columns=columns), asset_type=payload["type"])

    def _plain(self) -> str:
        return f"import {self.preview.upload.file_name} into {self._into}"


def _shown(preview: InventoryPreview) -> dict[str, Any]:
    found = preview.found
    others = [
        {"value": each.kind, "label": each.title} for each in found.candidates if each.kind != found.kind
    ]
    return {
        "kinds": [{"value": found.kind, "label": found.title}, *others],
        "kind": found.kind,
        "sheets": list(found.sheets),
        "sheet": found.sheet,
        "type": preview.options.asset_type,
        "columns": [_column(column) for column in found.columns],
        **_found(preview),
    }


def _found(preview: InventoryPreview) -> dict[str, Any]:
    """What the reading makes of the rows that were looked at."""
    found = preview.found
    known, rows = asset_cells(found.assets)
    return {
        "summary": found.summary(),
        "sample": {"head": [name.replace("_", " ") for name in known], "rows": rows},
        "rejected": _rejected(found.rejected),
        "rejected_count": len(found.rejected),
        "notes": list(found.notes),
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


def _rejected(rows: tuple[Any, ...]) -> list[list[Any]]:
    return [[row.sheet, row.row, row.reason] for row in rows[:_ROWS_SHOWN]]


def _outcome(report: ImportReport) -> dict[str, Any]:
    return {
        "equation": report.equation(),
        "facts": report.facts(),
        "rejected": _rejected(report.rejected),
        "rejected_count": len(report.rejected),
        "missing": [
            [each.display_name, each.source_file, each.source_sheet, each.source_row]
            for each in report.missing[:_ROWS_SHOWN]
        ],
        "missing_count": report.missing_count,
        "notes": list(report.notes),
        "replayed": report.replayed,
        "undoable": not report.replayed,
        "undone": False,
    }

"""Importing and previewing, as coroutines of the library's loop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring_widgets.client import ImportOptions, ImportReport, Progress, Session
from mooring_widgets.errors import InvalidArgument
from mooring_widgets.workspace.options import ColumnTarget, import_options
from mooring_widgets.workspace.preview import InventoryPreview
from mooring_widgets.workspace.sources import Inventory, Source, source_of

if TYPE_CHECKING:
    from mooring_widgets.workspace.workspace import Workspace


@dataclass(frozen=True)
class Asked:
    """What is to be brought in, and how; whatever can be wrong about that without the service is not."""

    inventory: Source | InventoryPreview
    options: ImportOptions
    session: str | Session | None

    async def import_(self, ws: "Workspace", on_progress: Callable[[Progress], None] | None) -> ImportReport:
        """Imports it."""
        if isinstance(self.inventory, InventoryPreview):
            session, upload = self.inventory.session, self.inventory.upload
            if self.session is not None and await ws.work.session_name(self.session) != session:
                raise InvalidArgument(f"this preview is of {session}; make another one for another session")
        else:
            session, upload = await ws.work.upload(self.inventory, self.session, on_progress)
        return await ws.work.import_upload(session, upload, self.options, on_progress)

    async def preview(
        self, ws: "Workspace", rows: int, on_progress: Callable[[Progress], None] | None
    ) -> InventoryPreview:
        """Says what importing it would do."""
        if isinstance(self.inventory, InventoryPreview):
            return await self.inventory.read(self.options, rows=rows)
        session, upload = await ws.work.upload(self.inventory, self.session, on_progress)
        found = await ws.work.preview(session, upload, self.options, rows)
        return InventoryPreview(ws, session, upload, self.options, found)


def asked(
    inventory: Inventory | InventoryPreview,
    *,
    session: str | Session | None = None,
    kind: str = "",
    sheet: str = "",
    columns: Mapping[str, ColumnTarget] | None = None,
    asset_type: str = "",
    encoding: str = "",
    name: str = "",
) -> Asked:
    """Checks what is asked; the arguments are those of `Workspace.import_inventory`.

    Raises:
        InvalidArgument: For a column, a field or a type that there is not, with names like it.
        TypeError: For something that is neither a path nor a data frame.
    """
    if isinstance(inventory, InventoryPreview):
        options = inventory.options_with(
            kind=kind, sheet=sheet, columns=columns, asset_type=asset_type, encoding=encoding
        )
        return Asked(inventory, options, session)
    source = source_of(inventory, name)
    options = import_options(
        kind=kind,
        sheet=sheet,
        columns=columns,
        asset_type=asset_type,
        encoding=encoding,
        known=source.columns,
    )
    return Asked(source, options, session)

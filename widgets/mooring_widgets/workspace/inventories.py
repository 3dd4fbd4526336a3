"""Bringing inventories in, and taking them out again."""

from collections.abc import Callable, Mapping
from typing import Literal, overload

from mooring_widgets.client import Import, ImportReport, Imports, Progress, Session
from mooring_widgets.workspace.importing import asked
from mooring_widgets.workspace.options import ColumnTarget
from mooring_widgets.workspace.pinned import Views
from mooring_widgets.workspace.preview import InventoryPreview
from mooring_widgets.workspace.progress import wait_with_progress
from mooring_widgets.workspace.sources import Inventory


class Inventories(Views):
    """The part of a workspace that is about imports."""

    @overload
    def import_inventory(
        self,
        inventory: Inventory | InventoryPreview,
        *,
        session: str | Session | None = ...,
        kind: str = ...,
        sheet: str = ...,
        columns: Mapping[str, ColumnTarget] | None = ...,
        asset_type: str = ...,
        encoding: str = ...,
        name: str = ...,
        preview: Literal[False] = ...,
        on_progress: Callable[[Progress], None] | None = ...,
    ) -> ImportReport: ...

    @overload
    def import_inventory(
        self,
        inventory: Inventory | InventoryPreview,
        *,
        session: str | Session | None = ...,
        kind: str = ...,
        sheet: str = ...,
        columns: Mapping[str, ColumnTarget] | None = ...,
        asset_type: str = ...,
        encoding: str = ...,
        name: str = ...,
        preview: Literal[True],
        on_progress: Callable[[Progress], None] | None = ...,
    ) -> InventoryPreview: ...

    def import_inventory(
        self,
        inventory: Inventory | InventoryPreview,
        *,
        session: str | Session | None = None,
        kind: str = "",
        sheet: str = "",
        columns: Mapping[str, ColumnTarget] | None = None,
        asset_type: str = "",
        encoding: str = "",
        name: str = "",
        preview: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> ImportReport | InventoryPreview:
        """Imports an inventory, all or nothing, into the current session or another; interrupting it cancels
        it.

        Whatever is left out is found out; `preview_inventory` shows what that is::

            ws.import_inventory("estate.xlsx")
            ws.import_inventory(frame, columns={"Box": "hostname", "Mem": ("memory_bytes", "GiB")})

        Args:
            inventory: A path (an RVTools, Azure Migrate, NetBox or Migration Factory export, or any table as
                CSV, XLSX or Parquet), a data frame of pandas, polars or pyarrow, or a preview.
            session: As in `switch`.
            kind: What the file is to be taken for: `rvtools`, `table`, …
            sheet: The sheet to read, for a kind that reads one.
            columns: Columns that go elsewhere than by themselves: to an asset field, to a field in a unit, or
                None: to the attributes.
            asset_type: The type of assets whose row does not say: `server`, `virtual_machine`, …
            encoding: Of a text file: `utf-8`, `cp1252`, …
            name: What it is called in reports; by default the file's name, or a frame's `attrs["name"]`.
            preview: Do as `preview_inventory` does.
            on_progress: Called with every step on the calling thread; by default a line is printed.

        Raises:
            InvalidArgument: Where the file is no inventory, and for a column, a field or a type that there is
                not, with names like it.
            Conflict: Where the session's data changed meanwhile.
            TypeError: For something that is neither a path nor a data frame.
        """
        wanted = asked(
            inventory,
            session=session,
            kind=kind,
            sheet=sheet,
            columns=columns,
            asset_type=asset_type,
            encoding=encoding,
            name=name,
        )
        self._ws.refuse_on_loop()
        if preview:
            return wait_with_progress(
                lambda tell: self._ws.run(wanted.preview(self._ws, 20, tell)), on_progress
            )
        return wait_with_progress(lambda tell: self._ws.run(wanted.import_(self._ws, tell)), on_progress)

    def preview_inventory(
        self,
        inventory: Inventory | InventoryPreview,
        *,
        session: str | Session | None = None,
        kind: str = "",
        sheet: str = "",
        columns: Mapping[str, ColumnTarget] | None = None,
        asset_type: str = "",
        encoding: str = "",
        name: str = "",
        rows: int = 20,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> InventoryPreview:
        """What importing an inventory would do: what it is taken for, where its columns go, its first rows.

        Nothing is changed. The file is uploaded once; the answer imports that upload::

            preview = ws.preview_inventory("estate.csv")
            preview.columns
            preview.import_(columns={"Box": "hostname"})

        Args:
            inventory: As in `import_inventory`, like the other arguments.
            session: As in `switch`.
            kind: What the file is to be taken for.
            sheet: The sheet to read.
            columns: Columns that go elsewhere than by themselves.
            asset_type: The type of assets whose row does not say.
            encoding: Of a text file.
            name: What it is called in reports.
            rows: How many assets and dependencies to show of each, at most 200.
            on_progress: Called with every step of the upload.

        Raises:
            InvalidArgument: Where the file is no inventory, and for a column, a field or a type that there is
                not, with names like it.
            TypeError: For something that is neither a path nor a data frame.
        """
        wanted = asked(
            inventory,
            session=session,
            kind=kind,
            sheet=sheet,
            columns=columns,
            asset_type=asset_type,
            encoding=encoding,
            name=name,
        )
        self._ws.refuse_on_loop()
        return wait_with_progress(
            lambda tell: self._ws.run(wanted.preview(self._ws, rows, tell)), on_progress
        )

    def imports(self, session: str | Session | None = None) -> Imports:
        """The newest 50 imports of the current session or another, newest first::

        ws.imports()[0].report.created
        """
        return self._ws.wait(self._ws.work.imports(session))

    def revert_import(
        self,
        which: Import | str | None = None,
        *,
        session: str | Session | None = None,
        force: bool = False,
    ) -> Import:
        """Undoes an import: its session shows again what it showed before. The newest goes first::

            ws.revert_import()
            ws.revert_import(ws.imports("Wave 1")[0])

        Args:
            which: An import, its full name or its id; by default the newest that can be undone.
            session: Whose, where `which` is no full name; as in `switch`.
            force: Undo it although assets or dependencies were edited since, and lose those edits.

        Raises:
            FailedPrecondition: NOT_REVERTIBLE where it cannot be undone (any more); DATA_EDITED where the
                data was edited since, and `force` is not set.
            NotFound: IMPORT_NOT_FOUND.
        """
        return self._ws.wait(self._ws.work.revert_import(which, session, force=force))

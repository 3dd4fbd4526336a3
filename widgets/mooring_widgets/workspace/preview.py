"""A preview in a notebook: what an import would make of a file, and the way to make it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mooring_widgets.client import (
    Columns,
    ImportOptions,
    ImportReport,
    Preview,
    Progress,
    Upload,
)
from mooring_widgets.workspace.options import ColumnTarget, import_options, merged

if TYPE_CHECKING:
    from mooring_widgets.workspace.import_form import ImportForm
    from mooring_widgets.workspace.workspace import Workspace


class InventoryPreview:
    """What an import would make of a file that was uploaded once; nothing is changed until `import_`.

    Attributes:
        session: The full name of the session that it is meant for.
        upload: The file, as it waits on the service: for 24 hours, or until it is imported.
        options: How it was asked to be read.
        found: All that the service said of it.
    """

    def __init__(
        self, ws: "Workspace", session: str, upload: Upload, options: ImportOptions, found: Preview
    ) -> None:
        self._ws = ws
        self.session = session
        self.upload = upload
        self.options = options
        self.found = found

    @property
    def kind(self) -> str:
        """What the file was taken for."""
        return self.found.kind

    @property
    def columns(self) -> Columns:
        """The columns, the fields that they go to, and some of their values."""
        return self.found.columns

    def again(
        self,
        *,
        kind: str = "",
        sheet: str = "",
        columns: Mapping[str, ColumnTarget] | None = None,
        asset_type: str = "",
        encoding: str = "",
    ) -> "InventoryPreview":
        """The same upload, read in another way; see `Workspace.import_inventory` for the arguments."""
        options = self.options_with(
            kind=kind, sheet=sheet, columns=columns, asset_type=asset_type, encoding=encoding
        )
        return self._ws.wait(self.read(options))

    def import_(
        self,
        *,
        columns: Mapping[str, ColumnTarget] | None = None,
        asset_type: str = "",
        on_progress: Callable[[Progress], None] | None = None,
    ) -> ImportReport:
        """Imports the upload, read as this preview says, or with some columns going elsewhere.

        Raises:
            InvalidArgument: For a column or a field that there is not, with names like it.
            Conflict: Where the session's data changed meanwhile.
            NotFound: UPLOAD_NOT_FOUND, where it was imported already, or is too old.
        """
        return self._ws.import_inventory(
            self, columns=columns, asset_type=asset_type, on_progress=on_progress
        )

    def edit(self) -> "ImportForm":
        """A form for it: a field and a unit for each column, and a button that imports."""
        from mooring_widgets.workspace.import_form import ImportForm

        into = self._ws.wait(self._ws.work.session(self.session))
        return ImportForm(self._ws, self, into.display_name)

    def options_with(
        self,
        *,
        kind: str = "",
        sheet: str = "",
        columns: Mapping[str, ColumnTarget] | None = None,
        asset_type: str = "",
        encoding: str = "",
    ) -> ImportOptions:
        """Its options, with some of them changed."""
        same = kind in ("", self.kind) and sheet in ("", self.found.sheet)
        known = tuple(column.column for column in self.columns) if same else None
        over = import_options(
            kind=kind, sheet=sheet, columns=columns, asset_type=asset_type, encoding=encoding, known=known
        )
        return merged(self.options, over)

    async def read(self, options: ImportOptions, *, rows: int = 20) -> "InventoryPreview":
        """The same upload, read with these options. On the library's loop."""
        found = await self._ws.work.preview(self.session, self.upload, options, rows)
        return InventoryPreview(self._ws, self.session, self.upload, options, found)

    def __repr__(self) -> str:
        mapped = ", ".join(f"{column.column} → {column.field}" for column in self.columns if column.field)
        return f"<preview of {self.upload.file_name}: {self.found.summary()}; {mapped or 'no columns'}>"

    def _repr_html_(self) -> str:
        return self.found.html(head=f"{self.upload.file_name}: ")

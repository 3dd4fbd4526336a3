"""What importing an inventory answers: previews, progress, reports, and a session's history of imports.

At the end of a cell each shows itself as a person reads it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mooring_widgets.client import markup
from mooring_widgets.client.markup import counted

_ROWS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Where a column goes: an asset field, or "" for an attribute; `unit` is what its bare numbers count."""

    column: str
    field: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is to be read. Whatever is left out is found out."""

    kind: str = ""
    sheet: str = ""
    columns: tuple[ColumnMapping, ...] = ()
    asset_type: str = ""
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has arrived, for 24 hours or until it is imported."""

    id: str
    file_name: str
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long call is.

    `phase` is `uploading` or `downloading` (then `done` and `total` are bytes), or `queued`, `reading`,
    `writing`, `publishing`, `done` (then they are rows). `total` is 0 until known.
    """

    phase: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that could not be taken; `sheet` is empty where the file has none."""

    sheet: str
    row: int
    reason: str

    def __str__(self) -> str:
        return f"{self.sheet} row {self.row}: {self.reason}".lstrip()


@dataclass(frozen=True, slots=True)
class MissingAsset:
    """An asset that the newer file of an inventory no longer names; it was last read in this place."""

    asset: str
    display_name: str
    source_file: str = ""
    source_sheet: str = ""
    source_row: int = 0

    def __str__(self) -> str:
        place = " ".join(filter(None, (self.source_file, self.source_sheet)))
        return f"{self.display_name} (last in {place} row {self.source_row})" if place else self.display_name


@dataclass(frozen=True, slots=True, repr=False)
class ImportReport:
    """Where every row went: source_rows = created + updated + unchanged + joined + len(rejected).

    `created`, `updated` and `unchanged` count rows about assets and rows about dependencies. `missing_count`
    assets of an inventory like this one are no longer in it; they are kept, and `missing` has the first of
    them. `replayed`: nothing was changed, and this is the report of an earlier import. `import_name` names
    the import in the session's history.
    """

    session: str
    kind: str
    source_rows: int
    created: int
    updated: int
    unchanged: int
    joined: int
    implied: int
    rejected: tuple[RejectedRow, ...] = ()
    created_by_type: Mapping[str, int] = field(default_factory=dict)
    mapping: Mapping[str, str] = field(default_factory=dict)
    data_version: str = ""
    notes: tuple[str, ...] = ()
    implied_by_type: Mapping[str, int] = field(default_factory=dict)
    dependencies_created: int = 0
    dependencies_updated: int = 0
    dependencies_unchanged: int = 0
    missing_count: int = 0
    missing: tuple[MissingAsset, ...] = ()
    replayed: bool = False
    import_name: str = ""
    columns: tuple[ColumnMapping, ...] = ()

    def _head(self) -> str:
        if self.replayed:
            return f"Nothing new for {self.session}: the same content was imported before, as {self.kind}"
        return f"Imported {counted(self.source_rows, 'row')} ({self.kind}) into {self.session}"

    def _counts(self) -> list[tuple[str, int]]:
        return [
            ("created", self.created),
            ("updated", self.updated),
            ("unchanged", self.unchanged),
            ("joined", self.joined),
            ("rejected", len(self.rejected)),
        ]

    def equation(self) -> str:
        """Where every row went, in a line."""
        terms = " + ".join(f"{count:,} {label}" for label, count in self._counts())
        return f"{counted(self.source_rows, 'row')} = {terms}"

    def facts(self) -> list[str]:
        """What the equation does not say, in sentences."""
        facts = []
        if self.created_by_type:
            facts.append(f"Assets created: {_by_type(self.created_by_type)}")
        if self.implied:
            of = f": {_by_type(self.implied_by_type)}" if self.implied_by_type else ""
            facts.append(f"{counted(self.implied, 'asset')} that a row only mentions{of}")
        dependencies = {
            "created": self.dependencies_created,
            "updated": self.dependencies_updated,
            "unchanged": self.dependencies_unchanged,
        }
        if any(dependencies.values()):
            told = ", ".join(f"{count:,} {label}" for label, count in dependencies.items())
            facts.append(f"Dependencies: {told}")
        if self.missing_count:
            facts.append(f"{counted(self.missing_count, 'asset')} of earlier files not in this one, and kept")
        return facts

    def __repr__(self) -> str:
        lines = [self._head()]
        lines += [f"  {label:<10}{count:>10,}" for label, count in self._counts()]
        lines += [f"  {fact}" for fact in self.facts()]
        lines += [f"  {row}" for row in self.rejected[:5]]
        if len(self.rejected) > 5:
            lines.append(f"  … and {len(self.rejected) - 5:,} more in .rejected")
        lines += [f"  note: {note}" for note in self.notes[:5]]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        counts = self._counts()
        missing = list(map(str, self.missing[:_ROWS_SHOWN]))
        columns = [(use.column, use.field, use.unit) for use in self.columns if use.field]
        return "".join(
            [
                markup.paragraph(self._head()),
                markup.table([label for label, _ in counts], [[count for _, count in counts]], label="Rows"),
                markup.paragraph(self.equation(), muted=True),
                markup.items(self.facts(), _ROWS_SHOWN),
                rejected_html(self.rejected),
                markup.folded(
                    f"{counted(self.missing_count, 'asset')} not in this file",
                    markup.items(missing, _ROWS_SHOWN, self.missing_count),
                ),
                markup.folded(counted(len(self.notes), "note"), markup.items(list(self.notes), _ROWS_SHOWN)),
                markup.folded(
                    f"{counted(len(columns), 'column')} read as a field",
                    markup.table(("Column", "Field", "Unit"), columns) if columns else "",
                ),
            ]
        )


@dataclass(frozen=True, slots=True, repr=False)
class Import:
    """One import of a session's history.

    `revert_time` is None where it was not undone; `revertible`: it can be now. In a list `report` is without
    its rejected rows and missing assets.
    """

    name: str
    file_name: str
    report: ImportReport
    sha256: str = ""
    size_bytes: int = 0
    user: str = ""
    options: ImportOptions = ImportOptions()
    base_data_version: str = ""
    data_version: str = ""
    create_time: datetime | None = None
    revert_time: datetime | None = None
    reverter: str = ""
    revertible: bool = False

    @property
    def state(self) -> str:
        """`can be undone`, `undone`, or nothing."""
        if self.revert_time is not None:
            return "undone"
        return "can be undone" if self.revertible else ""

    def __repr__(self) -> str:
        return f"<import {Imports([self])!r}>"

    def _repr_html_(self) -> str:
        return Imports([self])._repr_html_()


class Imports(tuple[Import, ...]):
    """A session's imports, newest first."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(" ".join(map(str, row)).rstrip() for row in self._rows()) or "No imports yet."

    def _rows(self) -> list[tuple[object, ...]]:
        return [
            (
                f"{each.create_time:%Y-%m-%d %H:%M}" if each.create_time else "",
                each.file_name,
                each.report.kind,
                each.report.source_rows,
                each.report.created,
                each.report.updated,
                each.user.rpartition("/")[2],
                each.state,
            )
            for each in self
        ]

    def _repr_html_(self) -> str:
        if not self:
            return markup.paragraph("No imports yet.")
        head = ("When (UTC)", "File", "Kind", "Rows", "Created", "Updated", "By", "State")
        return markup.table(head, self._rows(), label="Imports")


def rejected_html(rejected: Sequence[RejectedRow]) -> str:
    """The rows that could not be taken, with their places and reasons."""
    if not rejected:
        return ""
    rows = [(row.sheet, row.row, row.reason) for row in rejected[:_ROWS_SHOWN]]
    rest = len(rejected) - len(rows)
    more = markup.paragraph(f"… and {rest:,} more in .rejected", muted=True) if rest else ""
    return markup.folded(
        f"{counted(len(rejected), 'row')} rejected",
        markup.table(("Sheet", "Row", "Why"), rows, label="Rejected rows") + more,
    )


def _by_type(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {type_.replace('_', ' ')}" for type_, count in sorted(counts.items()))

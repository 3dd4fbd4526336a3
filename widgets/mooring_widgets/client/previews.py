"""What an import would make of a file, before it is made."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mooring_widgets.client import markup
from mooring_widgets.client.markup import counted
from mooring_widgets.client.reports import RejectedRow, rejected_html
from mooring_widgets.client.snapshots import Asset

_COLUMNS_OPEN = 30
_ROWS_SHOWN = 5
_SAMPLES_SHOWN = 3
_CELL_MAX = 60
_ASSET_FIELDS = (
    "display_name",
    "type",
    "hostname",
    "ip_addresses",
    "environment",
    "location",
    "operating_system",
    "technology",
    "status",
    "owner",
    "application",
    "cpu_cores",
    "memory_bytes",
    "storage_bytes",
)


@dataclass(frozen=True, slots=True)
class KindCandidate:
    """What a file could be taken for: `kind` for options, `title` for people, sure from 0 to 1."""

    kind: str
    title: str
    confidence: float


@dataclass(frozen=True, slots=True)
class ColumnPreview:
    """A column, and what becomes of it: an asset field, or "" for an attribute.

    `unit` is what a bare number in it counts; `unit_assumed`: nothing names it.
    """

    column: str
    field: str = ""
    unit: str = ""
    unit_assumed: bool = False
    samples: tuple[str, ...] = ()


class Columns(tuple[ColumnPreview, ...]):
    """The columns of a file, in its order."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        mapped = [column for column in self if column.field]
        kept = [column for column in self if not column.field]
        if len(self) <= _COLUMNS_OPEN:
            return _column_table(self) if self else ""
        return _column_table(mapped) + markup.folded(
            f"{counted(len(kept), 'column')} kept as attributes", _column_table(kept)
        )


@dataclass(frozen=True, slots=True)
class DependencyPreview:
    """A dependency, with its ends as the file names them."""

    source: str
    target: str
    kind: str = "other"
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would make of a file; nothing is changed by it.

    `assets` and `dependencies` are the first that it would make, without names. `row_total` is None where
    only reading all of the file tells; `rejected` and `notes` are of the `rows_examined` first rows.
    """

    kind: str
    candidates: tuple[KindCandidate, ...] = ()
    sheets: tuple[str, ...] = ()
    sheet: str = ""
    columns: Columns = field(default_factory=Columns)
    assets: tuple[Asset, ...] = ()
    dependencies: tuple[DependencyPreview, ...] = ()
    rejected: tuple[RejectedRow, ...] = ()
    notes: tuple[str, ...] = ()
    row_total: int | None = None
    rows_examined: int = 0
    encoding: str = ""

    @property
    def title(self) -> str:
        """What people call its kind."""
        return next((each.title for each in self.candidates if each.kind == self.kind), self.kind)

    def summary(self) -> str:
        """One sentence: what it is taken for, and how much of it was looked at."""
        rows = counted(self.row_total, "row") if self.row_total is not None else "rows not counted"
        some = self.rows_examined != self.row_total
        looked = f", of which the first {self.rows_examined:,} were looked at" if some else ""
        sheet = f", sheet {self.sheet} of {len(self.sheets)}" if self.sheet else ""
        encoding = f", {self.encoding}" if self.encoding else ""
        return f"Read as {self.title} ({self.kind}){sheet}{encoding}: {rows}{looked}"

    def html(self, head: str = "") -> str:
        """All of it for a cell; `head` is written before its summary."""
        others = [f"{each.title} ({each.kind})" for each in self.candidates if each.kind != self.kind]
        return "".join(
            [
                markup.paragraph(head + self.summary()),
                markup.paragraph(f"It could also be read as {', '.join(others)}.", muted=True)
                if others
                else "",
                self.columns._repr_html_(),
                _asset_table(self.assets),
                _dependency_table(self.dependencies),
                rejected_html(self.rejected),
                markup.items(list(self.notes), _ROWS_SHOWN),
            ]
        )

    def _repr_html_(self) -> str:
        return self.html()


def _column_table(columns: Sequence[ColumnPreview]) -> str:
    rows = [
        (
            column.column,
            column.field or "attribute",
            f"{column.unit} (assumed)" if column.unit and column.unit_assumed else column.unit,
            ", ".join(str(_short(sample)) for sample in column.samples[:_SAMPLES_SHOWN]),
        )
        for column in columns
    ]
    return markup.table(("Column", "Field", "Unit", "Samples"), rows, label="Columns")


def _asset_table(assets: Sequence[Asset]) -> str:
    known, rows = asset_cells(assets)
    return markup.table(known, rows, label="First assets") if rows else ""


def asset_cells(assets: Sequence[Asset]) -> tuple[list[str], list[list[object]]]:
    """The first of some assets as rows, with the fields of which any of them knows something."""
    known = [n for n in _ASSET_FIELDS if any(getattr(asset, n) not in ("", (), None) for asset in assets)]
    return known, [[_short(getattr(asset, name)) for name in known] for asset in assets[:_ROWS_SHOWN]]


def _dependency_table(dependencies: Sequence[DependencyPreview]) -> str:
    if not dependencies:
        return ""
    rows = [(each.source, each.target, each.kind, each.port) for each in dependencies[:_ROWS_SHOWN]]
    return markup.table(("Source", "Target", "Kind", "Port"), rows, label="First dependencies")


def _short(value: object) -> object:
    text = ", ".join(value) if isinstance(value, tuple) else value
    return f"{text[:_CELL_MAX]}…" if isinstance(text, str) and len(text) > _CELL_MAX else text

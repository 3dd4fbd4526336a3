"""What differs between two sessions, and how a cell shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mooring_widgets.client import markup
from mooring_widgets.client.listings import aligned
from mooring_widgets.client.snapshots import Asset, Dependency, Session

if TYPE_CHECKING:
    import pandas as pd

_ATTRIBUTE = "attributes."
_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class DifferenceCounts:
    """How many assets or dependencies only the other session has, it lacks, and both have, changed or not."""

    added: int = 0
    removed: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """An asset or a dependency as a session has it and as the other one does; None where it does not.

    `kind` is `added`, `removed`, `changed` or `unchanged`; `fields` are those with other values, attributes
    as `attributes.{key}`.
    """

    kind: str
    own: Asset | Dependency | None
    other: Asset | Dependency | None
    fields: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What it is called."""
        shown = self.own or self.other
        if isinstance(shown, Dependency):
            port = f" to port {shown.port}" if shown.port is not None else ""
            return f"{shown.source_display_name} → {shown.target_display_name} ({shown.kind}{port})"
        return "" if shown is None else shown.display_name

    @property
    def changes(self) -> Mapping[str, tuple[Any, Any]]:
        """The values of the fields that differ, before and after; None for an attribute that is not there."""
        return {field: (_value(self.own, field), _value(self.other, field)) for field in self.fields}


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of a comparison, and which data was compared; no data has an empty version."""

    data_version: str
    other_data_version: str
    assets: DifferenceCounts
    dependencies: DifferenceCounts


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """Two sessions held against each other: counts of all, and the first of what was asked for.

    Attributes:
        session: The one.
        other: The other one, which what was added is in.
        assets: The counts of assets.
        dependencies: The counts of dependencies.
        differences: Those that were asked for, as many as the limit allowed.
        more: Whether there are more of them.
    """

    session: Session
    other: Session
    assets: DifferenceCounts
    dependencies: DifferenceCounts
    differences: tuple[Difference, ...]
    more: bool

    def to_pandas(self) -> "pd.DataFrame":
        """A row for each field that differs, and one for each that was added, removed or is unchanged.

        The columns are `difference`, `name`, `field`, `before` and `after`; the last three are None where
        there is no single field. Only of `differences`: ask for more with `limit=None`.
        """
        import pandas as pd

        rows: list[tuple[Any, ...]] = []
        for each in self.differences:
            changes: list[tuple[Any, ...]] = [(field, *values) for field, values in each.changes.items()]
            rows += [(each.kind, each.label, *change) for change in changes or [(None, None, None)]]
        return pd.DataFrame(rows, columns=["difference", "name", "field", "before", "after"], dtype=object)

    def _counts(self) -> list[tuple[str, int, int, int, int]]:
        return [
            (name, counts.added, counts.removed, counts.changed, counts.unchanged)
            for name, counts in (("assets", self.assets), ("dependencies", self.dependencies))
        ]

    def _rows(self) -> list[tuple[str, str, str]]:
        return [(each.kind, each.label, _said(each)) for each in self.differences[:_SHOWN_MAX]]

    def _rest(self) -> str:
        if not self.differences:
            return "No difference is so."
        if not self.more and len(self.differences) <= _SHOWN_MAX:
            return ""
        shown = min(len(self.differences), _SHOWN_MAX)
        return f"… the first {shown:,}; to_pandas() has all that were asked for, limit=None asks for all"

    @property
    def _title(self) -> str:
        return f"{self.session.display_name} → {self.other.display_name}"

    def __repr__(self) -> str:
        counts: list[Sequence[str]] = [_COUNT_HEAD]
        counts += [(name, *(f"{count:,}" for count in numbers)) for name, *numbers in self._counts()]
        rows: list[Sequence[str]] = [_HEAD, *self._rows()] if self.differences else []
        lines = [self._title, *aligned(counts), *([""] if rows else []), *aligned(rows)]
        return "\n".join([*lines, *filter(None, [self._rest()])])

    def _repr_html_(self) -> str:
        shown = markup.paragraph(self._title) + markup.table(_COUNT_HEAD, self._counts(), label=self._title)
        if self.differences:
            shown += markup.table(_HEAD, self._rows(), label="Differences")
        rest = self._rest()
        return shown + (markup.paragraph(rest, muted=True) if rest else "")


_COUNT_HEAD = ("", "Added", "Removed", "Changed", "Unchanged")
_HEAD = ("Difference", "Name", "What")


def _said(each: Difference) -> str:
    """`owner: Ann → Bob; cpu cores: 2 → 4`."""
    return "; ".join(
        f"{field.removeprefix(_ATTRIBUTE).replace('_', ' ')}: {_text(before)} → {_text(after)}"
        for field, (before, after) in each.changes.items()
    )


def _value(row: Asset | Dependency | None, field: str) -> Any:
    if row is None:
        return None
    if field.startswith(_ATTRIBUTE):
        return row.attributes.get(field.removeprefix(_ATTRIBUTE))
    return getattr(row, field)


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "(none)"
    if isinstance(value, int | float):
        return f"{value:,}"
    return "(none)" if value is None or value == "" else str(value)

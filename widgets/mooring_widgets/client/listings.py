"""Lists of snapshots as a cell shows them: some of them, and how many there are."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Generic, Self, TypeVar

from mooring_widgets.client import markup
from mooring_widgets.client.merges import MergedValue, MergeRecord
from mooring_widgets.client.snapshots import Activity, Engagement, PageOf, Session, id_of

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T", Session, Engagement, Activity, MergeRecord, MergedValue)


class Listing(tuple[T, ...], Generic[T]):
    """A tuple of snapshots.

    Attributes:
        total: How many there are, of which these are the first; -1 where nobody has counted.
        total_at_least: Whether there may be more than `total`.
    """

    _noun: ClassVar[str]
    _head: ClassVar[tuple[str, ...]]

    total: int
    total_at_least: bool

    @classmethod
    def of(cls, page: PageOf[T]) -> Self:
        """The items of a page."""
        made = cls(page.items)
        made.total, made.total_at_least = page.total, page.total_at_least
        return made

    def to_pandas(self) -> "pd.DataFrame":
        """A row each, a column a field."""
        import pandas as pd

        return pd.DataFrame([asdict(each) for each in self])

    def _row(self, each: T) -> tuple[object, ...]:
        raise NotImplementedError

    def _rest(self) -> str:
        if not self:
            return f"No {self._noun} here."
        if self.total <= len(self):
            return ""
        least = "at least " if self.total_at_least else ""
        return f"… the first {len(self):,} of {least}{self.total:,}; search, or pass a higher limit"

    def __repr__(self) -> str:
        rows: list[Sequence[str]] = [self._head] if self else []
        rows += [tuple(map(_text, self._row(each))) for each in self]
        return "\n".join([*aligned(rows), *filter(None, [self._rest()])])

    def _repr_html_(self) -> str:
        rest = self._rest()
        more = markup.paragraph(rest, muted=True) if rest else ""
        if not self:
            return more
        rows = [[cell if isinstance(cell, int) else _text(cell) for cell in self._row(each)] for each in self]
        return markup.table(self._head, rows, label=self._noun.capitalize()) + more


class Sessions(Listing[Session]):
    """Some of an engagement's sessions."""

    _noun = "sessions"
    _head = ("Name", "Id", "Assets", "Type", "State", "Last activity (UTC)")

    def _row(self, each: Session) -> tuple[object, ...]:
        states = {"default": each.is_default, "archived": each.archive_time, "deleted": each.delete_time}
        return (
            each.display_name,
            id_of(each.name),
            each.asset_count,
            each.type.replace("_", " "),
            ", ".join(state for state, holds in states.items() if holds),
            each.last_activity_time,
        )


class Engagements(Listing[Engagement]):
    """Some of the caller's engagements."""

    _noun = "engagements"
    _head = ("Name", "Id", "Sessions", "State")

    def _row(self, each: Engagement) -> tuple[object, ...]:
        state = "archived" if each.archive_time else ""
        return (each.display_name, id_of(each.name), each.session_count, state)


class Activities(Listing[Activity]):
    """What somebody did, the newest first."""

    _noun = "activity"
    _head = ("When (UTC)", "Who", "What", "To what")

    def _row(self, each: Activity) -> tuple[object, ...]:
        resource = each.resource.removeprefix(f"{each.engagement}/")
        return (each.time, id_of(each.actor), each.kind, resource)


def aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of text whose columns stand below each other."""
    table = [*rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return f"{value:,}" if isinstance(value, int) else str(value or "")

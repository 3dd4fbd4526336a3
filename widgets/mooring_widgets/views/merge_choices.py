"""Where the conflicts of a merge go, as a person chooses: for all, by field, by one asset's field."""

from collections import deque
from collections.abc import Mapping

from mooring_widgets.client import MERGE_SIDES as SIDES
from mooring_widgets.client import Asset
from mooring_widgets.errors import InvalidArgument

CHOICES_MAX = 10_000

Place = tuple[str, str]
"""An asset as the target names it, and a field; without an asset a field's rule, without either all's."""


class Choices:
    """What was chosen, and the way back: every choice can be taken back, the last one first."""

    def __init__(self) -> None:
        self._chosen: dict[Place, str] = {}
        self._before: deque[tuple[Place, str]] = deque(maxlen=CHOICES_MAX)

    @property
    def count(self) -> int:
        """How many there are, the rule of all apart; the service takes `CHOICES_MAX`."""
        return len(self._chosen.keys() - {("", "")})

    @property
    def undoable(self) -> bool:
        """Whether there is one to take back."""
        return bool(self._before)

    @property
    def conflicts(self) -> str:
        """Where conflicts go of which nothing else was said."""
        return self._chosen.get(("", ""), SIDES[0])

    @property
    def by_field(self) -> Mapping[str, str]:
        """Where those of single fields go."""
        return {field: side for (asset, field), side in self._chosen.items() if field and not asset}

    @property
    def by_asset(self) -> Mapping[Place, str]:
        """Where those of single assets' fields go."""
        return {place: side for place, side in self._chosen.items() if place[0]}

    def choose(self, asset: str, field: str, side: str) -> None:
        """Says where a conflict goes, or, with an empty side, that no more is said of it.

        Raises:
            InvalidArgument: For a side that there is not, and for more than `CHOICES_MAX`.
        """
        if side not in ("", *SIDES):
            raise InvalidArgument(f"there is no side {side!r}; take one of {', '.join(SIDES)}")
        place = (asset, field)
        before = self._chosen.get(place, "")
        if side and not before and field and self.count >= CHOICES_MAX:
            raise InvalidArgument(
                f"a merge takes {CHOICES_MAX:,} choices, and that many were made: choose for a whole field, "
                "or take some back"
            )
        if side != before:
            self._before.append((place, before))
            self._put(place, side)

    def undo(self) -> Place | None:
        """Takes the last choice back; what it was about."""
        if not self._before:
            return None
        place, before = self._before.pop()
        self._put(place, before)
        return place

    def chosen(self, asset: str, field: str) -> str:
        """What was said of this very one; empty where nothing was."""
        return self._chosen.get((asset, field), "")

    def side(self, target: Asset, source: Asset, field: str) -> str:
        """Where a conflict goes as things stand: `target` or `source`."""
        side = self.chosen(target.name, field) or self.chosen("", field) or self.conflicts
        return newer(target, source) if side == "newest" else side

    def _put(self, place: Place, side: str) -> None:
        if side:
            self._chosen[place] = side
        else:
            self._chosen.pop(place, None)


def newer(target: Asset, source: Asset) -> str:
    """The side that was changed last; the target where both were at once."""
    mine, theirs = target.update_time, source.update_time
    return "source" if mine is not None and theirs is not None and theirs > mine else "target"

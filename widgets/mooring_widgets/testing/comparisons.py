"""The part of the fake client that holds sessions against each other."""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace

from mooring_widgets.client import (
    ASSET_FIELDS,
    Asset,
    Counted,
    Dependency,
    Difference,
    DifferenceCounts,
    PageOf,
    Session,
    engagement_of,
)
from mooring_widgets.errors import InvalidArgument
from mooring_widgets.testing.calls import FakeCalls, page_of
from mooring_widgets.testing.filtering import passes

Row = Asset | Dependency
_KINDS = tuple(field.name for field in fields(DifferenceCounts))


class FakeComparisons(FakeCalls):
    """Comparisons over a `FakeService`: assets are the same where their ids, host names or names are."""

    async def compare_sessions(self, name: str, other: str) -> Counted:
        """See `MooringClient`."""
        await self._called("compare_sessions")
        own, against = self._compared(name, other)
        return Counted(
            own.data_version,
            against.data_version,
            _counts(self._assets(name, other)),
            _counts(self._dependencies(name, other)),
        )

    async def list_asset_differences(
        self,
        session: str,
        other: str,
        *,
        kinds: Collection[str] = (),
        page_size: int = 50,
        page_token: str = "",
        filter: str = "",
    ) -> PageOf[Difference]:
        """See `MooringClient`."""
        await self._called("list_asset_differences")
        self._compared(session, other)
        return _page(self._assets(session, other), kinds, page_size, page_token, filter)

    async def list_dependency_differences(
        self,
        session: str,
        other: str,
        *,
        kinds: Collection[str] = (),
        page_size: int = 50,
        page_token: str = "",
        filter: str = "",
    ) -> PageOf[Difference]:
        """See `MooringClient`."""
        await self._called("list_dependency_differences")
        self._compared(session, other)
        return _page(self._dependencies(session, other), kinds, page_size, page_token, filter)

    def _compared(self, name: str, other: str) -> tuple[Session, Session]:
        if engagement_of(name) != engagement_of(other):
            raise InvalidArgument(f"other: {other!r} is not of the same engagement")
        return self.service.session(name), self.service.session(other)

    def _assets(self, name: str, other: str) -> list[Difference]:
        own, against = (self.service.assets.get(each, []) for each in (name, other))
        return _differences(own, against, list(map(_identity, own)), list(map(_identity, against)))

    def _dependencies(self, name: str, other: str) -> list[Difference]:
        sides = []
        for session in (name, other):
            ends = {each.name: _identity(each) for each in self.service.assets.get(session, [])}
            rows = self.service.dependencies.get(session, [])
            sides.append((rows, [_key(each, ends) for each in rows]))
        (own, keys), (against, other_keys) = sides
        return _differences(own, against, keys, other_keys)


def _identity(asset: Asset) -> object:
    return asset.external_id or asset.hostname or asset.display_name


def _key(each: Dependency, ends: dict[str, object]) -> object:
    pair = ends.get(each.source), ends.get(each.target)
    return (*pair, each.kind, each.port, each.protocol, each.source_process, each.target_process)


def _differences(
    own: Sequence[Row], other: Sequence[Row], keys: Sequence[object], other_keys: Sequence[object]
) -> list[Difference]:
    counterparts = dict(zip(other_keys, other, strict=True))
    found: list[Difference] = []
    for row, key in zip(own, keys, strict=True):
        counterpart = counterparts.pop(key, None)
        if counterpart is None:
            found.append(Difference("removed", row, None))
        elif names := _changed(row, counterpart):
            found.append(Difference("changed", row, counterpart, names))
        else:
            found.append(Difference("unchanged", row, counterpart))
    return [*found, *(Difference("added", None, row) for row in counterparts.values())]


def _changed(own: Row, other: Row) -> tuple[str, ...]:
    names = ASSET_FIELDS if isinstance(own, Asset) else ("description", "attributes")
    plain = [name for name in names if name != "attributes" and getattr(own, name) != getattr(other, name)]
    keys = sorted(own.attributes.keys() | other.attributes.keys())
    differing = [key for key in keys if own.attributes.get(key) != other.attributes.get(key)]
    return (*plain, *(f"attributes.{key}" for key in differing))


def _counts(found: Sequence[Difference]) -> DifferenceCounts:
    kinds = [each.kind for each in found]
    return DifferenceCounts(*(kinds.count(kind) for kind in _KINDS))


def _page(
    found: Sequence[Difference], kinds: Collection[str], size: int, token: str, filter: str
) -> PageOf[Difference]:
    if wrong := [kind for kind in kinds if kind not in _KINDS]:
        raise InvalidArgument(f"there is no difference {wrong[0]!r}; take some of {', '.join(_KINDS)}")
    wanted = set(kinds) or {"added", "removed", "changed"}
    rows = [each for each in found if each.kind in wanted and passes(each.own or each.other, filter)]
    return replace(page_of(rows, size, token, 0), total=-1)

"""What the rows of an inventory do to a session's assets, and the account of it.

- The row's *identity* says which asset it is about (`ingest/identity.py`).
- No asset of that identity yet: the asset is **created**.
- The session has one already: what the row knows overwrites it, what the row leaves empty stays, attributes
  are merged by key; the asset keeps its id and create time. It is **updated**, or **unchanged** where that
  makes no difference.
- An earlier row of the same file was about it: the row has **joined** that one, and fills only what is
  still empty.
- The row only mentions it: it is **implied**, made where there is none, and otherwise left as it is. The
  first row that is about it makes it an asset like others.
- Assets that the file does not name are kept as they are. Those of them that came from an earlier file of the
  same inventory are reported as **missing**.

The type `other` is an empty value here: it stands for "not known", so it overwrites nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any

from mooring_server.core.staging import VALUES, Staged, digest, is_empty
from mooring_server.ingest import RejectedRow
from mooring_server.store.assets import HOSTNAME, SORT_NAME, StoredAsset, record, stored
from mooring_server.store.records import Asset, AssetType
from mooring_server.store.values import sort_key

_IDENTITY, _TYPE, _LOCATION = 1, 4, 9


@dataclass
class Account:
    """Where every row of an import went.

    `created`, `updated` and `unchanged` count rows about assets and rows about dependencies; `dependencies`
    counts what became of dependencies, whichever rows told them. `changed` is whether anything differs from
    the data that the import started from: also a joined row can do that. `conflicts` are joined rows that say
    something else than the row before. `mentions` are the identities that rows have only mentioned so far;
    `taken` are those of mentions of the base that rows were about, each with the identity that it has now,
    and `adopters` such as are new.
    """

    source_rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    joined: int = 0
    implied: int = 0
    conflicts: int = 0
    rejected: list[RejectedRow] = field(default_factory=list)
    created_by_type: Counter[str] = field(default_factory=Counter)
    implied_by_type: Counter[str] = field(default_factory=Counter)
    dependency_rows_created: int = 0
    dependencies: Counter[str] = field(default_factory=Counter)
    changed: bool = False
    mentions: set[str] = field(default_factory=set, repr=False)
    taken: dict[str, str] = field(default_factory=dict, repr=False)
    adopters: set[str] = field(default_factory=set, repr=False)

    def is_balanced(self) -> bool:
        """Whether every row went somewhere, and once."""
        settled = self.created + self.updated + self.unchanged + self.joined + len(self.rejected)
        made = self.created_by_type.total() + self.dependency_rows_created
        return (
            self.source_rows == settled
            and self.created == made
            and self.implied == self.implied_by_type.total()
        )

    def note(self, *, updated: bool) -> None:
        """Enters a row about something that was there before."""
        self.updated += updated
        self.unchanged += not updated
        self.changed |= updated

    def reject(self, row: RejectedRow, *, joined: int = 0) -> None:
        """Enters a row that could not be taken, and those that had joined it."""
        self.source_rows += 1 + joined
        self.joined += joined
        self.rejected.append(row)

    def counts(self) -> dict[str, int]:
        """The rows by where they went; `rejected` is a list of its own."""
        names = ("source_rows", "created", "updated", "unchanged", "joined", "implied")
        return {name: getattr(self, name) for name in names}


class Settlement:
    """What an import's rows do, as far as they are decided: assets to insert, and assets to replace.

    Whoever writes them down says so (`written`); until then they wait here, and later rows may change them.
    """

    def __init__(self, account: Account, now: datetime) -> None:
        self._account = account
        self._now = now
        self._built: Mapping[str, Asset] = {}
        self._base: Mapping[str, Asset] = {}
        self._mentioned: Mapping[str, Asset] = {}
        self._inserts: dict[str, StoredAsset] = {}
        self._updates: dict[str, Asset] = {}

    def __len__(self) -> int:
        return len(self._inserts) + len(self._updates)

    def waiting(self, most: int) -> tuple[list[StoredAsset], list[Asset]]:
        """The assets to insert into the version under construction, and those to replace there.

        Together they are the oldest `most` of what waits; inserts come first.
        """
        inserts = list(islice(self._inserts.values(), most))
        return inserts, list(islice(self._updates.values(), most - len(inserts)))

    def written(self, inserts: Iterable[StoredAsset], updates: Iterable[Asset]) -> None:
        """Notes that the version has these as they were waiting."""
        for stored_asset in inserts:
            del self._inserts[stored_asset[_IDENTITY]]
        for asset in updates:
            del self._updates[asset.identity]

    def add(
        self,
        rows: Sequence[Staged],
        *,
        built: Mapping[str, Asset],
        base: Mapping[str, Asset],
        mentioned: Mapping[str, Asset],
    ) -> None:
        """Decides what the next rows do, and enters them in the account.

        `built` has, by identity, the assets of these rows that were written into the version under
        construction; `base` those of the version that the import started from; `mentioned`, by what their
        names sort by, those of the base that were only mentioned so far. A row of such a name is about that
        asset, and gives it its identity.
        """
        self._built, self._base, self._mentioned = built, base, mentioned
        for row in rows:
            self._add(row)

    def _add(self, row: Staged) -> None:
        account, identity = self._account, row.asset[_IDENTITY]
        present = self._present(identity) if row.repeated else None
        known = self._known(identity)
        if row.implied:
            if present is None:
                self._imply(row.asset, known)
            return
        account.source_rows += 1 + row.joined
        account.joined += row.joined
        if present is not None and identity in account.mentions:
            # The first row that is about it.
            account.mentions.remove(identity)
            asset = overwritten(present, record(row.asset), self._now)
            self._replace(identity, asset, changed=asset is not present)
            if known is None:
                account.implied -= 1
                account.implied_by_type[present.type.value] -= 1
                account.created += 1
                account.created_by_type[asset.type.value] += 1
            else:
                account.note(updated=asset is not present)
        elif present is not None:
            account.joined += 1
            self._join(identity, present, record(row.asset))
        elif known is not None:
            asset = overwritten(known, record(row.asset), self._now)
            self._keep(known, asset)
            account.note(updated=asset is not known)
        elif identity not in account.taken and (mention := self._mention(row.asset)) is not None:
            adopted = overwritten(mention, record(row.asset), self._now)
            self._keep(mention, replace(adopted, identity=identity))
            account.adopters.add(identity)
            account.note(updated=True)
        else:
            account.created += 1
            self._insert(row.asset, account.created_by_type)

    def _imply(self, asset: StoredAsset, known: Asset | None) -> None:
        """Makes an asset that a row only mentions, or names one that the base has."""
        identity = asset[_IDENTITY]
        self._account.mentions.add(identity)
        if known is not None:
            self._keep(known, known)
        else:
            self._insert(asset, self._account.implied_by_type)
            self._account.implied += 1

    def _known(self, identity: str) -> Asset | None:
        """The asset of the base, unless it has another identity by now."""
        is_gone = self._account.taken.get(identity, identity) != identity
        return None if is_gone else self._base.get(identity)

    def _keep(self, before: Asset, asset: Asset) -> None:
        """Inserts an asset of the base as it is now."""
        self._inserts[asset.identity] = stored(asset)
        if before.implied:
            self._account.taken[before.identity] = asset.identity

    def _mention(self, row: StoredAsset) -> Asset | None:
        """What was mentioned by the row's name, once; not where a location says that it is another."""
        for name in (row[SORT_NAME], sort_key(row[HOSTNAME])):
            found = self._mentioned.get(name)
            if (
                found is not None
                and found.identity not in self._account.taken
                and found.location in ("", row[_LOCATION])
            ):
                return found
        return None

    def _present(self, identity: str) -> Asset | None:
        if identity in self._updates:
            return self._updates[identity]
        if identity in self._inserts:
            return record(self._inserts[identity])
        return self._built.get(identity)

    def _insert(self, asset: StoredAsset, by_type: Counter[str]) -> None:
        self._inserts[asset[_IDENTITY]] = asset
        by_type[asset[_TYPE]] += 1
        self._account.changed = True

    def _replace(self, identity: str, asset: Asset, *, changed: bool = True) -> None:
        self._account.changed |= changed
        if identity in self._inserts:
            self._inserts[identity] = stored(asset)
        else:
            self._updates[identity] = asset

    def _join(self, identity: str, present: Asset, row: Asset) -> None:
        account = self._account
        account.conflicts += _contradicts(present, row)
        asset = _filled(present, row, self._now)
        if asset is present:
            return
        self._replace(identity, asset)
        if self._known(identity) is None and identity not in account.adopters:
            account.created_by_type[present.type.value] -= 1
            account.created_by_type[asset.type.value] += 1


def overwritten(asset: Asset, row: Asset, now: datetime) -> Asset:
    """The asset with what the row knows; the very same one where that makes no difference."""
    return _changed(
        asset,
        now,
        **{name: value for name in VALUES if not is_empty(value := getattr(row, name))},
        type=asset.type if row.type is AssetType.OTHER else row.type,
        attributes={**asset.attributes, **row.attributes},
        source_file=row.source_file,
        source_sheet=row.source_sheet,
        source_row=row.source_row,
        source=row.source,
        implied=asset.implied and row.implied,
    )


def _filled(asset: Asset, row: Asset, now: datetime) -> Asset:
    return _changed(
        asset,
        now,
        **{
            name: value
            for name in VALUES
            if is_empty(getattr(asset, name)) and not is_empty(value := getattr(row, name))
        },
        type=row.type if asset.type is AssetType.OTHER else asset.type,
        attributes={**row.attributes, **asset.attributes},
    )


def _contradicts(asset: Asset, row: Asset) -> bool:
    mine = {**{name: getattr(asset, name) for name in VALUES}, **asset.attributes}
    theirs = {**{name: getattr(row, name) for name in VALUES}, **row.attributes}
    return any(
        not is_empty(value) and not is_empty(mine.get(name)) and mine[name] != value
        for name, value in theirs.items()
    )


def _changed(asset: Asset, now: datetime, **values: Any) -> Asset:
    """The asset with new values, or the very same one where they make no difference to what it says."""
    changed = replace(asset, **values)
    new_digest = digest(changed)
    if new_digest == asset.digest and changed.implied == asset.implied:
        return asset
    return replace(changed, digest=new_digest, update_time=now)

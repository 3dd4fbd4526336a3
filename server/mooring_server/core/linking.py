"""Which assets the ends of an inventory's dependencies are, and what its dependencies do to a session's.

A file describes an end by what it knows: an id, a name, a host name, an address. The asset that is meant is
the first of these that the session has: the one with the identity that a row of an inventory would have
(`ingest/identity.py`); the one of that name or host name, in that location where several share it; the one
whose name or host name is the first label of a full domain name; the one with that address. Names that
several assets have, with nothing to tell them apart, are refused. Where there is none at all the asset is
*implied*: made from what the file says of it.

A dependency is known by its two assets, kind, port, protocol and processes. One that the session has already
is overwritten as an asset is; one that an earlier row told has **joined** it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mooring_server.core.dependencies import dependency_digest, dependency_identity
from mooring_server.core.settlement import Account
from mooring_server.core.staging import stage
from mooring_server.ingest import AssetRow, DependencyRow, End, RejectedRow
from mooring_server.ingest.identity import identity_of
from mooring_server.store import Tx, new_id
from mooring_server.store.assets import StoredAsset, record
from mooring_server.store.records import Asset, Dependency, DependencyKind
from mooring_server.store.values import sort_key

Addresses = Mapping[str, Sequence[str]]
"""The ids of the assets that have an address, for those addresses that a file names."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The assets that some ends may mean; those that are implied join them."""

    by_identity: dict[str, Asset]
    by_name: dict[str, list[Asset]]
    addresses: Addresses

    @classmethod
    def find(cls, tx: Tx, version_id: str, ends: Sequence[End], addresses: Addresses) -> "Candidates":
        """Those of a version."""
        names = {text for end in ends for text in _names(end)}
        by_name: dict[str, dict[str, Asset]] = {}
        for asset in tx.assets.by_names(version_id, sorted(map(sort_key, names))):
            by_name.setdefault(sort_key(asset.display_name), {})[asset.id] = asset
        for asset in tx.assets.by_hostnames(version_id, sorted(names | set(map(str.lower, names)))):
            by_name.setdefault(sort_key(asset.hostname), {})[asset.id] = asset
        identities = {identity for end in ends for identity in _identities(end)}
        return cls(
            tx.assets.by_identity(version_id, sorted(identities)),
            {name: list(assets.values()) for name, assets in by_name.items()},
            addresses,
        )

    def add(self, asset: Asset) -> None:
        """Adds an asset, so that it makes no difference in how many steps a file is linked."""
        self.by_identity[asset.identity] = asset
        for name in {sort_key(text) for text in (asset.display_name, asset.hostname) if text}:
            self.by_name.setdefault(name, []).append(asset)

    def asset_id(self, end: End) -> str | None:
        """The asset that an end means; None where there is none.

        Raises:
            ValueError: there are several, and nothing tells which; the message says so.
        """
        for identity in _identities(end):
            if asset := self.by_identity.get(identity):
                return asset.id
        for name in _names(end):
            found = list(self.by_name.get(sort_key(name), ()))
            if len(found) > 1 and end.location:
                found = [asset for asset in found if asset.location == end.location]
            if len(found) > 1:
                raise ValueError(f"{len(found)} assets of the session are called `{name}`")
            if found:
                return found[0].id
        holders = self.addresses.get(end.ip_address, ()) if end.ip_address else ()
        if len(holders) > 1 and not _names(end):
            raise ValueError(f"{len(holders)} assets of the session have the address {end.ip_address}")
        return holders[0] if len(holders) == 1 else None


@dataclass(frozen=True, slots=True)
class Link:
    """A dependency row whose ends were found."""

    row: DependencyRow
    source_id: str
    target_id: str

    @property
    def identity(self) -> str:
        """What the dependency is known by."""
        row = self.row
        return dependency_identity(
            self.source_id,
            self.target_id,
            DependencyKind(row.kind),
            row.port,
            row.protocol,
            row.source_process,
            row.target_process,
        )


def link(
    rows: Iterable[DependencyRow],
    candidates: Candidates,
    account: Account,
    file_name: str,
    source: str,
    now: datetime,
) -> tuple[list[Link], list[StoredAsset]]:
    """Finds the ends of some rows. Answers what was found, and the implied assets to insert."""
    links: list[Link] = []
    implied: list[StoredAsset] = []

    def imply(asset: StoredAsset) -> str:
        made = record(asset)
        candidates.add(made)
        implied.append(asset)
        account.implied += 1
        account.implied_by_type[made.type.value] += 1
        account.changed = True
        return made.id

    for row in rows:
        try:
            # Both before anything is implied: a row that is refused makes nothing.
            start, target = (
                candidates.asset_id(end) or _implied(row, end, file_name, source, now)
                for end in (row.source, row.target)
            )
        except ValueError as refusal:
            if not row.derived:
                account.reject(RejectedRow(row.sheet, row.row, str(refusal)), joined=row.joined)
            continue
        source_id = start if isinstance(start, str) else imply(start)
        if not isinstance(target, str):  # it may be what the other end has just implied
            target = candidates.asset_id(row.target) or imply(target)
        links.append(Link(row, source_id, target))
    return links, implied


def settle_links(
    links: Iterable[Link],
    built: Mapping[str, Dependency],
    base: Mapping[str, Dependency],
    account: Account,
    file_name: str,
    now: datetime,
) -> tuple[list[Dependency], list[Dependency]]:
    """Decides what some dependencies do, and enters them in the account.

    `built` and `base` are, by identity, those of the version under construction and of the one that the
    import started from. Answers what to insert into the version under construction, and what to replace.
    """
    inserts: dict[str, Dependency] = {}
    updates: dict[str, Dependency] = {}
    for each in links:
        row, identity = each.row, each.identity
        present = inserts.get(identity) or updates.get(identity) or built.get(identity)
        known = base.get(identity)
        if not row.derived:
            account.source_rows += 1
        account.source_rows += row.joined
        account.joined += row.joined
        if present is not None:
            account.joined += not row.derived
            merged = _merged(present, {**row.attributes, **present.attributes}, now)
            if merged is not present:
                account.changed = True
                (inserts if identity in inserts else updates)[identity] = merged
            continue
        if known is None:
            outcome = "created"
            inserts[identity] = _created(each, identity, file_name, now)
            account.dependency_rows_created += not row.derived
        else:
            merged = _merged(known, {**known.attributes, **row.attributes}, now)
            if merged is known:
                outcome = "unchanged"
            else:
                outcome = "updated"
                place = {"source_file": file_name, "source_sheet": row.sheet, "source_row": row.row}
                merged = replace(merged, **place)  # type: ignore[arg-type]  # names and values go together
            inserts[identity] = merged
        account.dependencies[outcome] += 1
        account.changed |= outcome != "unchanged"
        if not row.derived:
            setattr(account, outcome, getattr(account, outcome) + 1)
    return list(inserts.values()), list(updates.values())


def addresses_of(rows: Iterable[DependencyRow]) -> set[str]:
    """The addresses that ends are described by."""
    return {end.ip_address for row in rows for end in (row.source, row.target) if end.ip_address}


def _names(end: End) -> tuple[str, ...]:
    """What an end may be called, the likeliest first: its names, then their first labels."""
    names = dict.fromkeys(text for text in (end.name, end.hostname) if text)
    labels = (text.partition(".")[0] for text in names if not text.replace(".", "").isdecimal())
    return tuple(dict.fromkeys((*names, *(label for label in labels if label))))


def _identities(end: End) -> list[str]:
    found = [f"id:{end.external_id.casefold()}"] if end.external_id else []
    if identity := identity_of(_fields(end), end.ip_address):
        found.append(identity)
    return found


def _fields(end: End) -> dict[str, object]:
    texts = {
        "display_name": end.name or end.hostname or end.external_id or end.ip_address,
        "hostname": end.hostname,
        "external_id": end.external_id,
        "location": end.location,
    }
    fields: dict[str, object] = {name: text for name, text in texts.items() if text}
    return {**fields, "ip_addresses": (end.ip_address,)} if end.ip_address else fields


def _implied(row: DependencyRow, end: End, file_name: str, source: str, now: datetime) -> StoredAsset:
    fields = _fields(end)
    identity = identity_of(fields, end.ip_address)
    if identity is None:
        raise ValueError("an end of the dependency says nothing by which an asset could be known")
    mention = AssetRow(row.sheet, row.row, identity, end.type, fields, {}, implied=True)
    return stage(mention, file_name, source, now, repeated=False).asset


def _created(each: Link, identity: str, file_name: str, now: datetime) -> Dependency:
    row = each.row
    return _digested(
        Dependency(
            id=new_id(),
            identity=identity,
            digest="",
            source_id=each.source_id,
            target_id=each.target_id,
            kind=DependencyKind(row.kind),
            port=row.port,
            protocol=row.protocol,
            source_process=row.source_process,
            target_process=row.target_process,
            description="",
            attributes=dict(row.attributes),
            source_file=file_name,
            source_sheet=row.sheet,
            source_row=row.row,
            create_time=now,
            update_time=now,
        )
    )


def _merged(dependency: Dependency, attributes: dict[str, str], now: datetime) -> Dependency:
    """The dependency with these attributes, or the very same one where it has them."""
    if attributes == dependency.attributes:
        return dependency
    return _digested(replace(dependency, attributes=attributes, update_time=now))


def _digested(dependency: Dependency) -> Dependency:
    return replace(dependency, digest=dependency_digest(dependency))

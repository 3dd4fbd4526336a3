"""Discovery data: how the rows of an inventory become assets, and how a session's assets are read.

What an import does with a row:

- The row's *identity* says which asset it is about: the id that its source gives it, else its hostname, else
  its display name (the readers in `ingest` decide, and prefix it: `id:`, `host:`, `name:`).
- No asset of that identity yet: the asset is **created**.
- The session has one already: what the row knows overwrites it, what the row leaves empty stays, attributes
  are merged by key; the asset keeps its id and create time. It is **updated**, or **unchanged** where that
  makes no difference.
- An earlier row of the same file was about it: the row has **joined** that one, and fills only what is
  still empty.
- Assets that the file does not name are kept as they are.

The type `other` is an empty value here: it stands for "not known", so it overwrites nothing.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from mooring_server.core import sessions
from mooring_server.core.fields import Violations
from mooring_server.core.paging import Query, Total, Window
from mooring_server.core.policy import Caller
from mooring_server.errors import InvalidArgument, NotFound
from mooring_server.ingest import AssetRow, RejectedRow
from mooring_server.store import Tx, new_id
from mooring_server.store.assets import GROUPED_FIELDS
from mooring_server.store.records import Asset, AssetType, Operation, Upload

# The kind of operation that an import is.
IMPORT = "import"
FILE_NAME_MAX = 255

_NOT_PLAIN = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_NUMBERS = ("cpu_cores", "memory_bytes", "storage_bytes")
# What an import can change of an asset, besides its type and its attributes.
VALUES = (
    "display_name",
    "external_id",
    "hostname",
    "ip_addresses",
    "environment",
    "location",
    "platform",
    "operating_system",
    "status",
    "owner",
    "application",
    "criticality",
    *_NUMBERS,
)
_BLANK = {**dict.fromkeys(VALUES, ""), **dict.fromkeys(_NUMBERS), "ip_addresses": ()}


@dataclass
class Account:
    """Where every row of an import went.

    `changed` is whether any asset differs from the data that the import started from: also a joined row can
    do that.
    """

    source_rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    joined: int = 0
    rejected: list[RejectedRow] = field(default_factory=list)
    created_by_type: Counter[str] = field(default_factory=Counter)
    changed: bool = False

    def is_balanced(self) -> bool:
        """Whether every row went somewhere, and once."""
        settled = self.created + self.updated + self.unchanged + self.joined + len(self.rejected)
        return self.source_rows == settled and self.created == self.created_by_type.total()

    def counts(self) -> dict[str, int]:
        """The rows by where they went; `rejected` is a list of its own."""
        names = ("source_rows", "created", "updated", "unchanged", "joined")
        return {name: getattr(self, name) for name in names}


def settle(
    rows: Iterable[AssetRow | RejectedRow],
    built: Mapping[str, Asset],
    base: Mapping[str, Asset],
    account: Account,
    file_name: str,
    now: datetime,
) -> tuple[list[Asset], list[Asset]]:
    """Decides what the next rows of a file do, and enters them in the account.

    `built` has, by identity, the assets of these rows that the version under construction holds already;
    `base` those of the version that the import started from. Answers the assets to insert into the version
    under construction, and those to update there.
    """
    inserts: dict[str, Asset] = {}
    updates: dict[str, Asset] = {}
    for row in rows:
        if isinstance(row, RejectedRow):
            account.rejected.append(row)
            continue
        identity = row.identity
        known = base.get(identity)
        present = inserts.get(identity) or updates.get(identity) or built.get(identity)
        if present is not None:
            account.joined += 1
            asset = _filled(present, row, now)
            if asset is not present:
                account.changed = True
                (inserts if identity in inserts else updates)[identity] = asset
                if known is None:
                    account.created_by_type[present.type.value] -= 1
                    account.created_by_type[asset.type.value] += 1
        elif known is None:
            account.created += 1
            account.changed = True
            inserts[identity] = asset = _created(row, file_name, now)
            account.created_by_type[asset.type.value] += 1
        else:
            inserts[identity] = asset = _overwritten(known, row, file_name, now)
            if asset is known:
                account.unchanged += 1
            else:
                account.updated += 1
                account.changed = True
    return list(inserts.values()), list(updates.values())


def _created(row: AssetRow, file_name: str, now: datetime) -> Asset:
    asset = Asset(
        **{**_BLANK, **_known(row.fields)},
        id=new_id(),
        identity=row.identity,
        digest="",
        type=AssetType(row.type),
        attributes=_known(row.attributes),
        source_file=file_name,
        source_sheet=row.sheet,
        source_row=row.row,
        create_time=now,
        update_time=now,
    )
    return replace(asset, digest=digest(asset))


def _overwritten(asset: Asset, row: AssetRow, file_name: str, now: datetime) -> Asset:
    type_ = AssetType(row.type)
    return _changed(
        asset,
        now,
        **_known(row.fields),
        type=asset.type if type_ is AssetType.OTHER else type_,
        attributes={**asset.attributes, **_known(row.attributes)},
        source_file=file_name,
        source_sheet=row.sheet,
        source_row=row.row,
    )


def _filled(asset: Asset, row: AssetRow, now: datetime) -> Asset:
    missing = {name: value for name, value in _known(row.fields).items() if _is_empty(getattr(asset, name))}
    return _changed(
        asset,
        now,
        **missing,
        type=AssetType(row.type) if asset.type is AssetType.OTHER else asset.type,
        attributes={**_known(row.attributes), **asset.attributes},
    )


def _changed(asset: Asset, now: datetime, **values: Any) -> Asset:
    """The asset with new values, or the very same one where they make no difference to its digest."""
    changed = replace(asset, **values)
    new_digest = digest(changed)
    return asset if new_digest == asset.digest else replace(changed, digest=new_digest, update_time=now)


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if name == "ip_addresses" else value
        for name, value in values.items()
        if not _is_empty(value)
    }


def _is_empty(value: object) -> bool:
    return value is None or value == "" or value == () or value == []


def digest(asset: Asset) -> str:
    """Hashes all that an import can change of an asset; where it was read from is not part of it."""
    content = [asset.type.value, [getattr(asset, name) for name in VALUES], sorted(asset.attributes.items())]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def open_upload(
    tx: Tx, caller: Caller, engagement_id: str, session_id: str, file_name: str, sha256: str
) -> Upload:
    """Begins an upload that is meant for a session.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        FailedPrecondition: SESSION_ARCHIVED.
        InvalidArgument: the file name is not a plain one, or the hash is none.
    """
    session = sessions.in_use(tx, engagement_id, session_id)
    violations = Violations()
    if not 1 <= len(file_name) <= FILE_NAME_MAX:
        violations.add("header.file_name", f"must have 1 to {FILE_NAME_MAX} characters")
    elif file_name in (".", "..") or _NOT_PLAIN.search(file_name):
        violations.add("header.file_name", "must be a plain name: no folders, no control characters")
    if sha256 and not _SHA256.fullmatch(sha256):
        violations.add("header.sha256", "must have 64 hexadecimal digits, or be empty")
    violations.refuse()
    return tx.uploads.insert(new_id(), engagement_id, session.id, caller.user_id, file_name)


def request_import(tx: Tx, caller: Caller, engagement_id: str, session_id: str, upload_id: str) -> Operation:
    """Queues the import of an upload into its session.

    Raises:
        NotFound: SESSION_NOT_FOUND; UPLOAD_NOT_FOUND, also where the session has no such upload (any more).
        FailedPrecondition: SESSION_ARCHIVED.
        InvalidArgument: no upload is named.
    """
    session = sessions.in_use(tx, engagement_id, session_id)
    if not upload_id:
        raise InvalidArgument.field("upload_id", "must be one that UploadInventory answered")
    upload = tx.uploads.get(upload_id)
    if (
        upload is None
        or not upload.complete
        or (upload.engagement_id, upload.session_id) != (engagement_id, session_id)
    ):
        raise NotFound(
            "this session has no such upload, or it has expired; upload the file again",
            reason="UPLOAD_NOT_FOUND",
        )
    return tx.operations.insert(
        id=new_id(),
        engagement_id=engagement_id,
        session_id=session.id,
        user_id=caller.user_id,
        kind=IMPORT,
        arguments={"upload_id": upload.id, "file_name": upload.file_name},
    )


@dataclass(frozen=True, slots=True)
class AssetPage:
    """A page of one data version, and how many there are of the kind; without a version there are none."""

    version_id: str
    assets: tuple[Asset, ...]
    next_key: tuple[Any, ...] | None
    total: Total


def list_assets(tx: Tx, engagement_id: str, session_id: str, query: Query, window: Window) -> AssetPage:
    """A page of a session's assets that a request asks for.

    The first page is of what the session shows now; its `next_key` names the data version, so that a walk
    stays within one.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        InvalidArgument: INVALID_PAGE_TOKEN; the data version that the walk began in is no longer kept.
    """
    version_id = sessions.get(tx, engagement_id, session_id).data_version_id
    after_key = None
    if window.after_key is not None:
        version_id, *after_key = window.after_key
    if version_id is None:
        return AssetPage("", (), None, Total(0, False))
    version = tx.versions.get(version_id)
    if version is None:
        raise InvalidArgument(
            "page_token: the data that it walks through is no longer kept; leave it empty to start again",
            reason="INVALID_PAGE_TOKEN",
        )
    within = replace(window, after_key=after_key)
    page = tx.assets.page(version_id, query.order, within, query.condition)
    next_key = None if page.next_key is None else (version_id, *page.next_key)
    if query.condition is None:
        return AssetPage(version_id, page.items, next_key, Total(version.asset_count, False))
    total = tx.assets.total(version_id, window, query.condition)
    return AssetPage(version_id, page.items, next_key, total)


def empty_landscape() -> dict[str, Any]:
    """What no assets add up to, in the shape of `tx.assets.aggregate`."""
    totals = {"asset_count": 0, "cpu_cores": 0.0, "memory_bytes": 0, "storage_bytes": 0}
    groups = [{"field": name, "buckets": [], "value_count": 0} for name in GROUPED_FIELDS]
    return {"totals": totals, "groups": groups}

"""Edits of what a session shows, one asset or dependency at a time.

Each is counted as a revision of the data version, moves the session's counts, and is a change of the stream
`engagements/{e}`. Nothing else of the version is read or written, however large it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring_server.store.records import Asset, ChangeKind, DataVersion, Dependency

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx


class Edits:
    """Edits of a version that `begin` has answered in this transaction.

    Each raises Aborted (DATA_VERSION_MOVED) where the session shows another version by now. Where `preview`
    is set nothing of the transaction will stay, so that shared data need not be copied for it.
    """

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self.preview = False

    def begin(self, engagement_id: str, session_id: str) -> DataVersion:
        """What the session shows, which nobody else edits until this transaction ends.

        Raises NotFound (SESSION_NOT_FOUND), FailedPrecondition (SESSION_ARCHIVED) and DataShared.
        """
        return self._tx.versions.editable(engagement_id, session_id, preview=self.preview)

    def create_asset(self, version: DataVersion, asset: Asset) -> None:
        """Adds an asset whose id and identity the version does not have."""
        self._tx.versions.edited(version, assets=1)
        self._tx.assets.insert_many(version.id, [asset])
        self._note(version, ChangeKind.CREATED, f"assets/{asset.id}")

    def change_asset(self, version: DataVersion, asset: Asset) -> None:
        """Replaces the asset of that id."""
        self._tx.versions.edited(version)
        self._tx.assets.update_many(version.id, [asset])
        self._note(version, ChangeKind.UPDATED, f"assets/{asset.id}")

    def delete_asset(self, version: DataVersion, asset_id: str) -> int:
        """Deletes an asset and its dependencies, without a change for each; how many of these there were."""
        gone = self._tx.dependencies.delete_of_asset(version.id, asset_id)
        self._tx.versions.edited(version, assets=-1, dependencies=-gone)
        self._tx.assets.delete(version.id, [asset_id])
        self._note(version, ChangeKind.DELETED, f"assets/{asset_id}")
        return gone

    def create_dependency(self, version: DataVersion, dependency: Dependency) -> None:
        """Adds a dependency whose id and identity the version does not have, between two of its assets."""
        self._tx.versions.edited(version, dependencies=1)
        self._tx.dependencies.insert_many(version.id, [dependency])
        self._note(version, ChangeKind.CREATED, f"dependencies/{dependency.id}")

    def change_dependency(self, version: DataVersion, dependency: Dependency) -> None:
        """Replaces the dependency of that id."""
        self._tx.versions.edited(version)
        self._tx.dependencies.update_many(version.id, [dependency])
        self._note(version, ChangeKind.UPDATED, f"dependencies/{dependency.id}")

    def delete_dependency(self, version: DataVersion, dependency_id: str) -> None:
        """Deletes a dependency."""
        self._tx.versions.edited(version, dependencies=-1)
        self._tx.dependencies.delete(version.id, [dependency_id])
        self._note(version, ChangeKind.DELETED, f"dependencies/{dependency_id}")

    def _note(self, version: DataVersion, kind: ChangeKind, name: str) -> None:
        stream = f"engagements/{version.engagement_id}"
        self._tx.changes.note(stream, kind, f"{stream}/sessions/{version.session_id}/{name}")

"""The part of the fake client that exports sessions and imports them again."""

import hashlib
import io
import json
import zipfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mooring_widgets.client import Asset, Dependency, Progress, Session, id_of
from mooring_widgets.errors import AlreadyExists, InvalidArgument, NotFound
from mooring_widgets.testing.batches import asset_batch, dependency_batch
from mooring_widgets.testing.calls import FakeCalls

if TYPE_CHECKING:
    import pyarrow as pa

_MANIFEST = "manifest.json"
_SEAL_LENGTH = 64
_IDS = ("id", "source_id", "target_id")


class FakeMoves(FakeCalls):
    """Sessions as files, over a `FakeService`: written as the real ones are, and no real ones."""

    async def export_session(self, name: str) -> AsyncGenerator[bytes, None]:
        """See `MooringClient`; in two pieces."""
        await self._called("export_session")
        with self.service.lock:
            session = self.service.session(name)
            content = _written(
                session,
                {
                    "assets": asset_batch(self.service.assets.get(name, ()), ()),
                    "dependencies": dependency_batch(self.service.dependencies.get(name, ()), ()),
                },
            )
        half = len(content) // 2
        yield content[:half]
        yield content[half:]

    async def import_session(
        self,
        engagement: str,
        upload_id: str,
        *,
        display_name: str = "",
        session_id: str = "",
        keep_ids: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> str:
        """See `MooringClient`; only what a twin has exported can be imported."""
        if on_progress is not None:
            on_progress(Progress("queued", 0, 0))
        await self._called("import_session")
        if upload_id not in self.service.uploads:
            raise NotFound(
                "there is no such upload, or it has expired; upload the file again", reason="UPLOAD_NOT_FOUND"
            )
        manifest, tables = _read(*self.service.uploads[upload_id])
        told = manifest["session"]
        with self.service.lock:
            made = self.service.add_session(
                engagement,
                display_name or self._free(engagement, told["display_name"]),
                id_=self._unused(engagement, session_id or (told["id"] if keep_ids else "")),
                description=told["description"],
                type_=told["type"],
                labels=told["labels"],
            )
            ids = {
                row["id"]: row["id"] if keep_ids else self.service.new_id("a")
                for rows in tables.values()
                for row in rows
            }
            assets = [_asset(row, made.name, ids) for row in tables["assets"]]
            ends = [_dependency(row, made.name, ids) for row in tables["dependencies"]]
            self.service.set_assets(made.name, assets)
            self.service.dependencies[made.name] = ends
            self.service.set_session(made.name, dependency_count=len(ends))
            del self.service.uploads[upload_id]
        return made.name

    def _free(self, engagement: str, display_name: str) -> str:
        there = {
            each.display_name for each in self.service.sessions.values() if each.engagement == engagement
        }
        name, number = display_name, 1
        while name in there:
            number += 1
            name = f"{display_name} ({number})"
        return name

    def _unused(self, engagement: str, id_: str) -> str:
        name = f"{engagement}/sessions/{id_}"
        if name in self.service.sessions or name in self.service.deleted:
            raise AlreadyExists(f"the session id {id_!r} is taken", reason="ID_TAKEN")
        return id_ or self.service.new_id("s")


def _written(session: Session, tables: "Mapping[str, pa.RecordBatch]") -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    digest = hashlib.sha256()
    parts = {}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, batch in tables.items():
            with archive.open(f"{name}.parquet", "w") as member:
                pq.write_table(pa.Table.from_batches([batch]), member)
            parts[f"{name}.parquet"] = {"rows": batch.num_rows}
            plain = sorted(
                repr([value for key, value in row.items() if key not in _IDS]) for row in batch.to_pylist()
            )
            digest.update(repr((name, plain)).encode())
        manifest = {
            "session": {
                "id": id_of(session.name),
                "display_name": session.display_name,
                "description": session.description,
                "type": session.type,
                "labels": dict(session.labels),
            },
            "parts": parts,
            "content_digest": digest.hexdigest(),
        }
        archive.writestr(_MANIFEST, json.dumps(manifest))
        archive.comment = bytes(_SEAL_LENGTH)
    content = file.getvalue()[:-_SEAL_LENGTH]
    return content + hashlib.sha256(content).hexdigest().encode()


def _read(file_name: str, content: bytes) -> tuple[dict[str, Any], dict[str, Sequence[dict[str, Any]]]]:
    """The manifest, and the rows of each table."""
    import pyarrow.parquet as pq

    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise _refusal(
            file_name,
            "it is no exported session, or not all of one (`mooring sessions export` makes them); "
            "inventories are imported by `mooring import`",
        )
    sealed, seal = content[:-_SEAL_LENGTH], content[-_SEAL_LENGTH:]
    if hashlib.sha256(sealed).hexdigest().encode() != seal:
        raise _refusal(
            file_name, "it is damaged, or was altered since it was exported; export the session again"
        )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        tables = {
            name: pq.read_table(io.BytesIO(archive.read(f"{name}.parquet"))).to_pylist()
            for name in ("assets", "dependencies")
        }
        return json.loads(archive.read(_MANIFEST)), tables


def _refusal(file_name: str, why: str) -> InvalidArgument:
    return InvalidArgument(f"{file_name} cannot be imported: {why}", reason="UNREADABLE_SESSION")


def _asset(row: dict[str, Any], session: str, ids: Mapping[str, str]) -> Asset:
    return Asset(name=f"{session}/assets/{ids[row.pop('id')]}", **_values(row))


def _dependency(row: dict[str, Any], session: str, ids: Mapping[str, str]) -> Dependency:
    name, source, target = (row.pop(key) for key in _IDS)
    return Dependency(
        name=f"{session}/dependencies/{ids[name]}",
        source=f"{session}/assets/{ids[source]}",
        target=f"{session}/assets/{ids[target]}",
        **_values(row),
    )


def _values(row: dict[str, Any]) -> dict[str, Any]:
    lists = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
    return {**row, **lists, "attributes": json.loads(row["attributes"])}

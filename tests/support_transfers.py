"""Sessions that move, as tests export and import them, and files that are not what they seem."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from google.longrunning import operations_pb2
from mooring.v1 import transfers_pb2
from support_discovery import done, upload
from support_server import Caller

MANIFEST = "manifest.json"
SEAL_LENGTH = 64
Rows = list[dict[str, Any]]


def export(caller: Caller, session: str) -> bytes:
    """The file of a session."""
    request = transfers_pb2.ExportSessionRequest(name=session)
    return b"".join(part.data for part in caller.sessions.ExportSession(request, timeout=120))


def start(caller: Caller, engagement: str, content: bytes, **fields: Any) -> operations_pb2.Operation:
    """Begins to import a file; `fields` are the request's."""
    arrived = upload(caller, engagement, content, file_name="moved.mooring.zip")
    return caller.sessions.ImportSession(
        transfers_pb2.ImportSessionRequest(parent=engagement, upload_id=arrived.upload_id, **fields)
    )


def made(operation: operations_pb2.Operation) -> transfers_pb2.ImportSessionResponse:
    """What an import that succeeded answers."""
    assert operation.WhichOneof("result") == "response", operation.error
    response = transfers_pb2.ImportSessionResponse()
    assert operation.response.Unpack(response)
    return response


def import_session(
    caller: Caller, engagement: str, content: bytes, **fields: Any
) -> transfers_pb2.ImportSessionResponse:
    """Imports a file, to its end."""
    return made(done(caller, start(caller, engagement, content, **fields)))


def parts(content: bytes) -> dict[str, bytes]:
    """What the zip holds, by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def manifest(content: bytes) -> dict[str, Any]:
    """What a file says of itself."""
    told: dict[str, Any] = json.loads(parts(content)[MANIFEST])
    return told


def rows(content: bytes, table: str) -> Rows:
    """The rows of a part, as any Parquet reader has them."""
    found: Rows = pq.read_table(io.BytesIO(parts(content)[f"{table}.parquet"])).to_pylist()
    return found


def sealed(members: Mapping[str, bytes], told: Mapping[str, Any], **options: Any) -> bytes:
    """A file of these members whose hashes and seal are right, whatever is in it."""
    hashed = {
        name: {**told["parts"].get(name, {}), "size_bytes": len(data), "sha256": sha256(data).hexdigest()}
        for name, data in members.items()
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr(MANIFEST, json.dumps({**told, "parts": hashed}))
        archive.comment = bytes(SEAL_LENGTH)
    content = buffer.getvalue()[:-SEAL_LENGTH]
    return content + sha256(content).hexdigest().encode()


def forged(content: bytes, table: str, change: Callable[[Rows], Any], **columns: pa.DataType) -> bytes:
    """The file with other rows in a table, and with hashes, counts and seal that fit.

    `columns` are of other types than they were.
    """
    members = parts(content)
    told = json.loads(members.pop(MANIFEST))
    name = f"{table}.parquet"
    before = pq.read_table(io.BytesIO(members[name]))
    changed = before.to_pylist()
    change(changed)
    schema = pa.schema([(field.name, columns.get(field.name, field.type)) for field in before.schema])
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(changed, schema), buffer)
    members[name] = buffer.getvalue()
    told["parts"][name]["rows"] = len(changed)
    return sealed(members, told)


def retold(content: bytes, **fields: Any) -> bytes:
    """The file with another manifest, and with a seal that fits."""
    members = parts(content)
    told = json.loads(members.pop(MANIFEST))
    return sealed(members, {**told, **fields})

"""What is taken for an exported session, and what is not, whoever made it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mooring_server.core.session_files import SessionFile
from mooring_server.core.session_rows import SessionRows
from mooring_server.errors import InvalidArgument
from mooring_server.store.reading import EXPORTED_ASSETS, EXPORTED_DEPENDENCIES
from mooring_server.store.session_file import Writer, schema
from support_transfers import MANIFEST, forged, parts, retold, sealed

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SESSION = {"id": "wave-1", "display_name": "Wave 1", "description": "", "type": "data_import", "labels": {}}


def row(table: Any, **values: Any) -> dict[str, Any]:
    """A row of a table; what is not given is empty."""
    empty = {"text": "", "number": None, "whole": None, "small": 0, "time": NOW, "flag": False, "list": []}
    return {name: empty[kind] for name, kind in table.columns} | {"attributes": "{}"} | values


def asset(number: int, **values: Any) -> dict[str, Any]:
    name = f"web-{number}"
    known = {"id": f"a{number}", "display_name": name, "identity": f"host {name}", "type": "server"}
    return row(EXPORTED_ASSETS, **{**known, **values})


def dependency(number: int, **values: Any) -> dict[str, Any]:
    known = {"id": f"d{number}", "source_id": "a0", "target_id": f"a{number}", "kind": "flow", "port": 443}
    return row(EXPORTED_DEPENDENCIES, **{**known, **values})


def written(assets: Any, dependencies: Any, batch_rows: int = 1_000) -> bytes:
    """The file of a session, as the service writes it of batches of that many rows."""
    pieces: list[bytes] = []

    class Sink:
        def write(self, data: Any) -> int:
            pieces.append(bytes(data))
            return len(data)

    told = {"format": "mooring-session", "format_version": 1, "producer": "test", "session": SESSION}
    with Writer(Sink(), told) as writer:
        for table, found in ((EXPORTED_ASSETS, assets), (EXPORTED_DEPENDENCIES, dependencies)):
            batch = pa.RecordBatch.from_pylist(found, schema(table.columns))
            batches = [batch[at : at + batch_rows] for at in range(0, batch.num_rows, batch_rows)]
            writer.add(table.name, table.columns, batches, lambda: None)
    return b"".join(pieces)


WHOLE = written([asset(number) for number in range(4)], [dependency(1), dependency(2)])


def taken(content: bytes, folder: Path, seed: str = "") -> tuple[list[Any], list[Any]]:
    """The rows of a file that is taken, as they are stored. Raises as the import does."""
    path = folder / "file"
    path.write_bytes(content)
    file = SessionFile(path, "Wave 1.mooring.zip", folder)
    read = SessionRows(file, seed)
    return [made for made, _ in read.assets()], [made for made, _ in read.dependencies()]


def test_what_was_written_is_taken(tmp_path: Path) -> None:
    """Every row of it, and the manifest's session."""
    assets, dependencies = taken(WHOLE, tmp_path)
    assert (len(assets), len(dependencies)) == (4, 2)


def test_batches_do_not_show() -> None:
    """The same rows make the same bytes, however a database hands them over."""
    assets = [asset(number) for number in range(20_000)]
    assert len({written(assets, [], batch_rows) for batch_rows in (1_000, 7_777, 20_000)}) == 1


def test_new_ids_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    """And others for another one; the ends of dependencies follow their assets."""
    first, again, other = (taken(WHOLE, tmp_path, seed) for seed in ("one", "one", "two"))
    assert first == again != other
    assert first != taken(WHOLE, tmp_path)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(WHOLE) - 1), other=st.integers(1, 255))
def test_no_byte_can_be_another(tmp_path: Path, at: int, other: int) -> None:
    """Wherever it is, in the tables, the manifest, the zip's own lists or the seal."""
    content = WHOLE[:at] + bytes([WHOLE[at] ^ other]) + WHOLE[at + 1 :]
    with pytest.raises(InvalidArgument, match="cannot be imported"):
        taken(content, tmp_path)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, len(WHOLE)), end=st.integers(0, len(WHOLE)), more=st.binary(max_size=80))
def test_nothing_can_be_cut_or_put_in(tmp_path: Path, start: int, end: int, more: bytes) -> None:
    """A piece that is missing, and one that came from elsewhere."""
    content = WHOLE[: min(start, end)] + more + WHOLE[max(start, end) :]
    if content != WHOLE:
        with pytest.raises(InvalidArgument, match="cannot be imported"):
            taken(content, tmp_path)


def change(at: int = 0, **values: Any) -> Any:
    """Changes a row."""
    return lambda rows: rows[at].update(values)


FORGED = {
    "an asset twice": ("assets", lambda rows: rows.append({**rows[0], "identity": "other"})),
    "two of one identity": ("assets", change(identity="host web-1")),
    "no name": ("assets", change(display_name="")),
    "no id": ("assets", change(id="")),
    "an id that is none": ("assets", change(id="../../etc")),
    "a null": ("assets", change(owner=None)),
    "a null in a list": ("assets", change(ip_addresses=[None])),
    "a NUL": ("assets", change(owner="a\0b")),
    "a NUL in a list": ("assets", change(ip_addresses=["a\0b"])),
    "not a number": ("assets", change(cpu_cores=float("nan"))),
    "without end": ("assets", change(cpu_cores=float("inf"))),
    "a type that is none": ("assets", change(type="spaceship")),
    "attributes that are no JSON": ("assets", change(attributes="{")),
    "attributes that are a list": ("assets", change(attributes="[]")),
    "attributes with a number": ("assets", change(attributes='{"Rack": 1}')),
    "a text without end": ("assets", change(owner="x" * (2**20 + 1))),
    "an end that is missing": ("dependencies", change(target_id="a9")),
    "a dependency twice": ("dependencies", lambda rows: rows.append({**rows[0], "port": 80})),
    "two of one meaning": ("dependencies", change(1, target_id="a1")),
    "a port that is none": ("dependencies", change(port=70_000)),
    "a kind that is none": ("dependencies", change(kind="love")),
}


@pytest.mark.parametrize(("table", "spoil"), FORGED.values(), ids=FORGED)
def test_rows_are_not_believed(tmp_path: Path, table: str, spoil: Any) -> None:
    """Whoever forges a file with its hashes and its seal, gets no row in that no export has."""
    with pytest.raises(InvalidArgument, match="was altered"):
        taken(forged(WHOLE, table, spoil), tmp_path)


def test_columns_are_those_of_the_format(tmp_path: Path) -> None:
    """Of other types, or others, they are refused."""
    with pytest.raises(InvalidArgument, match="was altered"):
        taken(forged(WHOLE, "assets", lambda _: None, cpu_cores=pa.float32()), tmp_path)


@pytest.mark.parametrize(
    "fields",
    [
        {"format": "other"},
        {"session": None},
        {"session": {**SESSION, "id": "No id"}},
        {"session": {**SESSION, "type": "spaceship"}},
        {"session": {**SESSION, "display_name": "a\0b"}},
        {"session": {**SESSION, "display_name": "x" * 500}},
        {"session": {**SESSION, "labels": {"A": 1}}},
        {"session": {**SESSION, "labels": [1]}},
        {"producer": "x" * 2**20},
    ],
    ids=["format", "none", "id", "type", "NUL", "long", "label", "labels", "large"],
)
def test_the_manifest_is_not_believed(tmp_path: Path, fields: dict[str, Any]) -> None:
    """A session that nobody could have made is not made by a file either."""
    with pytest.raises(InvalidArgument, match="cannot be imported"):
        taken(retold(WHOLE, **fields), tmp_path)


@pytest.mark.parametrize(
    "part", [b"", b"PAR1", b"PAR1" + bytes(200) + b"PAR1"], ids=["empty", "short", "zeros"]
)
def test_tables_are_parquet(tmp_path: Path, part: bytes) -> None:
    """Else the file is refused as an altered one is."""
    members = parts(WHOLE)
    told = json.loads(members.pop(MANIFEST))
    with pytest.raises(InvalidArgument, match="was altered"):
        taken(sealed({**members, "assets.parquet": part}, told), tmp_path)


def test_counts_are_those_of_the_rows(tmp_path: Path) -> None:
    """A manifest that promises more or fewer rows is refused before one is written."""
    members = parts(WHOLE)
    told = json.loads(members.pop(MANIFEST))
    told["parts"]["assets.parquet"]["rows"] = 5
    with pytest.raises(InvalidArgument, match="was altered"):
        taken(sealed(members, told), tmp_path)


def test_parts_are_those_of_the_format(tmp_path: Path) -> None:
    """None is missing, none is more, none is packed: a small file cannot become a large one."""
    members = parts(WHOLE)
    told = json.loads(members.pop(MANIFEST))
    fewer = {name: data for name, data in members.items() if name != "dependencies.parquet"}
    more = {**members, "../../etc/passwd": b"x"}
    for held in (fewer, more):
        with pytest.raises(InvalidArgument, match="was altered"):
            taken(sealed(held, told), tmp_path)
    with pytest.raises(InvalidArgument, match="was altered"):
        taken(sealed(members, told, compression=8), tmp_path)


def test_a_newer_format_is_named(tmp_path: Path) -> None:
    """It is no damage: the message says to update."""
    with pytest.raises(InvalidArgument, match=r"version .*2.*update it"):
        taken(retold(WHOLE, format_version=2), tmp_path)

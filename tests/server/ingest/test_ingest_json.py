"""JSON lines and lists of JSON objects."""

import json
from pathlib import Path

import pytest
from mooring_server.ingest import AssetRow
from support_ingest import names, read_bytes
from support_inventories import GIB

_OBJECTS = [
    {"name": "a", "cpus": 4.0, "ram_gb": 16, "os": {"name": "Linux", "kernel": {"major": 6}}},
    {"name": "b", "ips": ["10.0.0.1", "10.0.0.2"], "live": True, "note": None, "nics": [{"mtu": 9000}]},
]
_ROWS = [
    AssetRow(
        sheet="",
        row=1,
        identity="name:a",
        type="server",
        fields={"display_name": "a", "cpu_cores": 4.0, "memory_bytes": 16 * GIB, "operating_system": "Linux"},
        attributes={"os.kernel.major": "6"},
    ),
    AssetRow(
        sheet="",
        row=2,
        identity="name:b",
        type="server",
        fields={"display_name": "b", "ip_addresses": ("10.0.0.1", "10.0.0.2")},
        attributes={"live": "True", "nics": '[{"mtu":9000}]'},
    ),
]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(_OBJECTS),
        json.dumps(_OBJECTS, indent=4),
        "\n".join(map(json.dumps, _OBJECTS)),
        "\r\n\r\n".join(map(json.dumps, _OBJECTS)) + "\r\n",
        "\n".join(json.dumps(each, indent=1) for each in _OBJECTS),
    ],
)
def test_objects_are_rows(tmp_path: Path, text: str) -> None:
    """Objects, listed or one after another, are rows; what they nest has columns of its own."""
    inventory, rows = read_bytes(tmp_path, text)
    assert rows == _ROWS
    assert (inventory.row_total, inventory.encoding) == (2, "utf-8")
    assert [use.column for use in inventory.columns] == [
        "name", "cpus", "ram_gb", "os.name", "os.kernel.major", "ips", "live", "note", "nics",
    ]  # fmt: skip


def test_objects_that_say_nothing(tmp_path: Path) -> None:
    """An object without values is a blank row, and one without a name is rejected with its number."""
    inventory, rows = read_bytes(tmp_path, '{"name": "a"}\n{}\n{"name": null, "x": []}\n{"x": 1}\n')
    assert inventory.row_total == len(rows) == 2
    assert [row.row for row in rows] == [1, 4]


def test_two_ways_to_one_column(tmp_path: Path) -> None:
    """A key that looks like the path of another keeps its value."""
    _, rows = read_bytes(tmp_path, '[{"name": "a", "x.y": 1, "x": {"y": 2}}]')
    assert rows[0].attributes == {"x.y": "1", "x.y (2)": "2"}


def test_values_no_database_takes(tmp_path: Path) -> None:
    """NULs and halves of characters are left out of texts."""
    _, rows = read_bytes(tmp_path, r'[{"name": "a\u0000b", "x": "\ud800!", "y": [{"z": "\udfff"}]}]')
    assert names(rows) == ["ab"]
    assert rows[0].attributes == {"x": "?!", "y": '[{"z":"?"}]'}


def test_long_objects(tmp_path: Path) -> None:
    """Objects may be longer than what is read at a time."""
    objects = [{"name": f"s{number}", "note": "x" * 700_000} for number in range(3)]
    _, rows = read_bytes(tmp_path, json.dumps(objects))
    assert names(rows) == ["s0", "s1", "s2"]

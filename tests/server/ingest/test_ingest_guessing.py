"""Tables without a header, or with one in words that nobody knows."""

import json
from pathlib import Path

import pytest
from mooring_server.errors import InvalidArgument
from mooring_server.ingest import ColumnUse, Limits, ReadOptions, open_inventory
from support_ingest import names, read_bytes
from support_inventories import GIB, write_workbook

_ID = "500b85c1-ef0d-37fb-6897-61c47157f85"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_no_header(tmp_path: Path, delimiter: str) -> None:
    """Where nothing names the columns they have numbers, ids, names and addresses are told by their looks."""
    text = "".join(f"{_ID}{n},srv-{n},10.0.0.{n},{n} GB,eu\n" for n in range(1, 6)).replace(",", delimiter)
    inventory, rows = read_bytes(tmp_path, text)
    assert [row.row for row in rows] == [1, 2, 3, 4, 5]
    assert rows[0].identity == f"id:{_ID}1"
    assert rows[0].fields == {
        "external_id": f"{_ID}1",
        "display_name": "srv-1",
        "ip_addresses": ("10.0.0.1",),
    }
    assert rows[0].attributes == {"column_4": "1 GB", "column_5": "eu"}
    assert inventory.notes == [
        "No row names the columns, so they have numbers. Columns that were recognised by what they hold: "
        "`column_1` as external_id, `column_3` as ip_addresses, `column_2` as display_name."
    ]


def test_a_list_of_hosts(tmp_path: Path) -> None:
    """A list of host names is a table of one column; blank lines count for its rows' numbers alone."""
    inventory, rows = read_bytes(tmp_path, "srv-01.corp.example\n\nsrv-02.corp.example\n")
    assert names(rows) == ["srv-01.corp.example", "srv-02.corp.example"]
    assert (inventory.row_total, rows[1].row) == (2, 3)


def test_mere_words_with_addresses(tmp_path: Path) -> None:
    """Words are names where their rows have addresses."""
    _, rows = read_bytes(tmp_path, "alpha,10.0.0.1\nbeta,10.0.0.2\ngamma,10.0.0.3\n")
    assert names(rows) == ["alpha", "beta", "gamma"]


def test_name_with_domain(tmp_path: Path) -> None:
    """Two columns with the same machine's name are no contradiction."""
    _, rows = read_bytes(tmp_path, "srv1,srv1.corp.example\nsrv2,srv2.corp.example\nsrv3,\n")
    assert names(rows) == ["srv1", "srv2", "srv3"]


def test_an_unknown_header(tmp_path: Path) -> None:
    """A header in another language keeps its names, and names that it shares with ours count."""
    inventory, rows = read_bytes(
        tmp_path, "Bezeichnung;RAM GB;Anschrift\nsrv-01;4;10.0.0.1\nsrv-02;8;10.0.0.2\nsrv-03;;\n"
    )
    assert names(rows) == ["srv-01", "srv-02", "srv-03"]
    assert [row.row for row in rows] == [2, 3, 4]
    assert rows[0].fields["memory_bytes"] == 4 * GIB
    assert inventory.mapping == {
        "Bezeichnung": "display_name",
        "RAM GB": "memory_bytes",
        "Anschrift": "ip_addresses",
    }


def test_unknown_keys(tmp_path: Path) -> None:
    """Formats whose columns have names are recognised by what they hold as well."""
    text = json.dumps([{"bezeichnung": f"srv-{n}", "alter": n} for n in range(3)])
    inventory, rows = read_bytes(tmp_path, text)
    assert (names(rows), inventory.row_total) == (["srv-0", "srv-1", "srv-2"], 3)


def test_sheet_without_header(tmp_path: Path) -> None:
    """A workbook's sheet is recognised where no sheet has a header."""
    sheets = {"Info": (("Made by", "Ann"), ("For", "Bob")), "List": tuple((f"db{n}", n) for n in range(9))}
    path = write_workbook(tmp_path / "list.xlsx", sheets)
    inventory = open_inventory(path, path.name, Limits())
    assert (inventory.sheet, len(list(inventory.rows()))) == ("List", 9)


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox\njumps over\nthe lazy dog\n",
        "one,two\nthree,four\n",
        "Enabled\nDisabled\nUnknown\n",
        "srv-1,srv-2,443\nsrv-2,srv-3,80\nsrv-3,srv-4,80\n",
        "web-1,db-1\nweb-2,db-2\nweb-3,db-3\n",
        "1,2\n3,4\n5,6\n",
        "2024-01-01,4 GB\n2024-01-02,8 GB\n",
        "10.0.0.1\n10.0.0.2\n",
        "srv-1\n",
        "srv-1,a\nsrv-2,b,c\nsrv-3\n",
        "srv-1\nsrv-1\nsrv-1\nsrv-2\n",
        '[{"von": "srv-1", "nach": "srv-2"}, {"von": "srv-2", "nach": "srv-3"}]',
        "[section]\nkey=value\nother=value\n",
    ],
)
def test_nothing_to_go_by(tmp_path: Path, text: str) -> None:
    """Prose, connections, numbers and ragged lines name no assets, and are refused."""
    with pytest.raises(InvalidArgument, match="called `name`") as failure:
        read_bytes(tmp_path, text)
    assert failure.value.reason == "UNREADABLE_INVENTORY"


def test_wishes_for_columns_by_number(tmp_path: Path) -> None:
    """What is wanted of a column goes before what it looks like."""
    options = ReadOptions(
        columns={
            "column_2": ColumnUse("column_2", "memory_bytes", "GiB"),
            "column_3": ColumnUse("column_3", ""),
        }
    )
    _, rows = read_bytes(tmp_path, "a-1,4,10.0.0.1\na-2,8,10.0.0.2\n", options)
    assert rows[0].fields == {"display_name": "a-1", "memory_bytes": 4 * GIB}
    assert rows[0].attributes == {"column_3": "10.0.0.1"}

"""CSV and XLSX tables: how they are found, mapped and accounted for."""

from pathlib import Path

import pytest
from mooring_server.ingest import AssetRow, Inventory, Limits, RejectedRow, open_inventory
from support_inventories import GIB, MIB, write_services, write_workbook


def opened(path: Path) -> Inventory:
    return open_inventory(path, path.name, Limits())


def read(tmp_path: Path, content: str | bytes) -> tuple[Inventory, list[AssetRow | RejectedRow]]:
    path = tmp_path / "inventory.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    inventory = opened(path)
    return inventory, list(inventory.rows())


def test_quoted_crlf_with_bom(tmp_path: Path) -> None:
    """A CSV with BOM, CRLF and all cells quoted gives one application a row, known by its domain."""
    inventory = opened(write_services(tmp_path / "services.csv", 30))
    rows = list(inventory.rows())
    assert (inventory.kind, inventory.row_total, len(rows)) == ("table", 30, 30)
    assert inventory.mapping == {"Domain": "hostname", "URL": "hostname", "Agency": "owner"}
    assert rows[0] == AssetRow(
        sheet="",
        row=2,
        identity="host:s0.example.org",
        type="application",
        fields={
            "hostname": "s0.example.org",
            "display_name": "s0.example.org",
            "owner": "Ministry of Works, North",
        },
        attributes={"Base Domain": "example.org", "URL": "https://s0.example.org", "Preloaded": "Yes"},
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found(tmp_path: Path, encoding: str, delimiter: str) -> None:
    """Text comes out the same whatever encoding and delimiter a spreadsheet chose."""
    text = "Server name,OS\r\nMünchen,Linux\r\n".replace(",", delimiter)
    _, rows = read(tmp_path, text.encode(encoding))
    assert [row.fields["display_name"] for row in rows] == ["München"]
    assert rows[0].type == "server"


def test_header_below_a_preamble(tmp_path: Path) -> None:
    """Titles and dates above the header are passed over, and rows keep their number in the file."""
    inventory, rows = read(
        tmp_path, "Inventory of the north\n\nGenerated,2024-05-01\nname,os,memory_mb\na,Linux,512\n"
    )
    assert inventory.row_total == 1
    assert (rows[0].row, rows[0].fields["memory_bytes"]) == (5, 512 * MIB)


def test_rows_of_odd_length(tmp_path: Path) -> None:
    """Short rows are filled up and counted, over-long ones rejected by number, blank ones skipped."""
    inventory, rows = read(tmp_path, "name,os,status\na\n\n , ,\nb,Linux,on,,\nc,Linux,on,more\nd,Linux\n")
    assert [row.row for row in rows] == [2, 5, 6, 7]
    assert inventory.row_total == len(rows)
    assert isinstance(rows[2], RejectedRow)
    assert "4 cells" in rows[2].reason
    assert inventory.notes == ["Rows shorter than the header, filled up with empty cells: 2."]


def test_row_numbers_count_records(tmp_path: Path) -> None:
    """A cell with line breaks does not shift the numbers of the rows after it."""
    _, rows = read(tmp_path, 'name,note\na,"one\ntwo\nthree"\nb,\n')
    assert [(row.row, row.fields["display_name"]) for row in rows] == [(2, "a"), (3, "b")]


def test_repeated_header_is_no_asset(tmp_path: Path) -> None:
    """Where exports were put one after another, the second header is rejected."""
    _, rows = read(tmp_path, "name,os\na,Linux\nname,os\nb,Linux\n")
    assert [type(row) for row in rows] == [AssetRow, RejectedRow, AssetRow]


def test_units(tmp_path: Path) -> None:
    """Units come from the cell, else from the header, else are assumed with a note."""
    inventory, rows = read(
        tmp_path, 'name,RAM GB,Disk,vCPU\na,16,100,4\nb,"2,048 MB",1.5 TB,500m\nc,-1,N/A,unknown\nd,much,,\n'
    )
    a, b, c, d = (row.fields for row in rows)
    assert (a["memory_bytes"], a["storage_bytes"], a["cpu_cores"]) == (16 * GIB, 100 * GIB, 4.0)
    assert (b["memory_bytes"], b["storage_bytes"], b["cpu_cores"]) == (2 * GIB, 1536 * GIB, 0.5)
    assert set(c) == set(d) == {"display_name"}
    assert rows[2].attributes == {}
    assert rows[3].attributes == {"RAM GB": "much"}
    assert inventory.notes == ["Column `Disk` names no unit: its bare numbers were read as GiB."]


@pytest.mark.parametrize(
    ("header", "cell", "cores"),
    [
        ("vCPU", "4 vCPU", 4),
        ("CPU (millicores)", "1500", 1.5),
        ("CPU (milli-CPUs)", "250", 0.25),
        ("CPU", "2400 MHz", None),
        ("CPU MHz", "2400", None),
        ("CPU", "-1", None),
    ],
)
def test_cores(tmp_path: Path, header: str, cell: str, cores: float | None) -> None:
    """Cores are counted whole or in thousandths; a clock rate is no count."""
    _, rows = read(tmp_path, f"name,{header}\na,{cell}\n")
    assert rows[0].fields.get("cpu_cores") == cores


@pytest.mark.parametrize(
    ("unit", "size"), [("KB", 2**10), ("MB", MIB), ("MiB", MIB), ("GB", GIB), ("GiB", GIB), ("TB", 2**40)]
)
def test_units_of_sizes(tmp_path: Path, unit: str, size: int) -> None:
    """Each unit is the same power of 1024 in a header and in a cell."""
    _, rows = read(tmp_path, f"name,Memory ({unit}),Disk\na,3,3{unit}\n")
    assert (rows[0].fields["memory_bytes"], rows[0].fields["storage_bytes"]) == (3 * size, 3 * size)


def test_fields_of_networks_and_migration(tmp_path: Path) -> None:
    """Hardware addresses, networks and what a migration plans have fields of their own."""
    _, rows = read(
        tmp_path,
        "Server name;MAC;VLAN;Tech stack;Model;Serial number;Department;Wave;Strategy;Migration status\n"
        'a;"00:50:56:AA:bb:01, 0050.56aa.bb02";"[front end,back];";nginx;R640;S-1;Sales;2;Rehost;planned\n'
        "b;not yet;;;;;;;;\n",
    )
    assert rows[0].fields == {
        "display_name": "a",
        "mac_addresses": ("00:50:56:AA:bb:01", "0050.56aa.bb02"),
        "networks": ("front end", "back"),
        "technology": "nginx",
        "model": "R640",
        "serial_number": "S-1",
        "business_unit": "Sales",
        "migration_wave": "2",
        "migration_strategy": "Rehost",
        "migration_status": "planned",
    }
    assert rows[1].attributes == {"MAC": "not yet"}


def test_formulas(tmp_path: Path) -> None:
    """A name that is a formula is rejected; a workbook's computed values are read, and counted."""
    _, rows = read(tmp_path, 'name,note\n"=cmd()",x\nweb,=1+1\n')
    assert isinstance(rows[0], RejectedRow)
    assert "formula" in rows[0].reason
    assert rows[1].attributes == {"note": "=1+1"}
    sheet = (("name", "RAM GB", "Note"), ("web", "=2*8", "=A2"))
    inventory = opened(write_workbook(tmp_path / "formulas.xlsx", {"a": sheet}))
    assert [row.fields["display_name"] for row in inventory.rows()] == ["web"]
    assert inventory.notes[0].endswith("saved: 2.")


def test_many_columns_of_one_name(tmp_path: Path) -> None:
    """Columns that share their name are told apart by numbers, however many they are."""
    _, rows = read(tmp_path, f"name{',x' * 1_500}\na{',1' * 1_500}\n")
    assert len(rows[0].attributes) == 1_500
    assert "x (1500)" in rows[0].attributes


def test_unnamed_and_double_columns(tmp_path: Path) -> None:
    """Columns without a name, or with another's, get stable names of their own."""
    _, rows = read(tmp_path, "name,Note,,Note,column_3\na,1,2,3,4\n")
    assert rows[0].attributes == {"Note": "1", "column_3 (2)": "2", "Note (2)": "3", "column_3": "4"}


def test_ip_lists(tmp_path: Path) -> None:
    """Lists of addresses in a cell are split; an empty list is nothing, and other text stays an attribute."""
    _, rows = read(
        tmp_path, "name;IP Addresses\na;[10.0.0.1,fe80::1]\nb;[]\nc;10.0.0.1/24 10.0.0.1/24\nd;dhcp\n"
    )
    addresses = [row.fields.get("ip_addresses") for row in rows]
    assert addresses == [("10.0.0.1", "fe80::1"), None, ("10.0.0.1/24",), None]
    assert [row.attributes for row in rows] == [{}, {}, {}, {"IP Addresses": "dhcp"}]


def test_identity(tmp_path: Path) -> None:
    """An id goes before a host name, that before a name; numbers alone and serials come last."""
    _, rows = read(
        tmp_path,
        "id,fqdn,name,site,serial\n"
        "Res/A,a.example,a,X,1\n"
        "7,B.example.,b,X,1\n"
        "7,b.example,copy of b,X,1\n"
        "7,,c,X,1\n"
        "7,,c,,1\n"
        "7,,,X,\n"
        ",,,X,S1\n"
        ",,,X,\n",
    )
    assert [row.identity for row in rows[:-1]] == [
        "id:res/a",
        "host:b.example",
        "host:b.example\x1fcopy of b",
        "name:c\x1fX",
        "name:c",
        "tag:7",
        "tag:S1",
    ]
    assert isinstance(rows[-1], RejectedRow)


def test_long_identities_are_hashed_and_long_names_rejected(tmp_path: Path) -> None:
    """Whatever a file holds, identities and names fit into an index."""
    _, rows = read(tmp_path, f"id,name\n{'x' * 3000},a\ny,{'n' * 501}\n")
    assert len(rows[0].identity) < 100
    assert rows[0].fields["external_id"] == "x" * 3000
    assert isinstance(rows[1], RejectedRow)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name,type\na,VM\nb,Load Balancers\nc,Frob\n", ["virtual_machine", "load_balancer", "other"]),
        ("Name,Cluster,vCPUs\na,c,1\n", ["virtual_machine"]),
        ("VM name,Owner\na,b\n", ["virtual_machine"]),
        ("Application,Owner,Criticality\nShop,Ann,high\n", ["application"]),
        ("Database name,Owner\nledger,Ann\n", ["database"]),
        ("hostname,ip\na,10.0.0.1\n", ["server"]),
        ("Host,IP\na,10.0.0.1\n", ["server"]),
        ("name,owner\na,Ann\n", ["other"]),
    ],
)
def test_types(tmp_path: Path, text: str, expected: list[str]) -> None:
    """A type column decides where there is one, else the table's columns do."""
    _, rows = read(tmp_path, text)
    assert [row.type for row in rows] == expected


def test_sheet_with_the_best_header(tmp_path: Path) -> None:
    """Of a workbook's sheets the one with the best header is read, wherever it begins."""
    sheets = {
        "Properties": (("Tenant", "Name"), ("x", "y")),
        "Machines": ((None,), (None, "Machine Name", "Memory (in MB)", "On"), (None, "m1", 4096.0, True)),
    }
    inventory = opened(write_workbook(tmp_path / "report.xlsx", sheets))
    assert list(inventory.rows()) == [
        AssetRow(
            sheet="Machines",
            row=3,
            identity="name:m1",
            type="server",
            fields={"display_name": "m1", "memory_bytes": 4096 * MIB},
            attributes={"On": "True"},
        )
    ]
    assert inventory.notes == ["Of 2 sheets, `Machines` was read."]
    assert len(list(inventory.rows())) == inventory.row_total == 1


def test_a_long_name_of_a_column_is_cut(tmp_path: Path) -> None:
    """It is kept with every row's attributes, so that its length would multiply; names stay unique."""
    long = "x" * 300
    _, rows = read(tmp_path, f"name,{long}a,{long}b\nweb,1,2\n")
    assert rows[0].attributes == {"x" * 100: "1", "x" * 100 + " (2)": "2"}

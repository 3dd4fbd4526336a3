"""How a file is to be read, where it is said."""

from pathlib import Path

import pytest
from mooring_server.errors import InvalidArgument
from mooring_server.ingest import ColumnUse, Inventory, Limits, ReadOptions, open_inventory
from support_ingest import names, read_bytes
from support_inventories import GIB, MIB, write_netbox_devices, write_new_rvtools, write_workbook

_SERVERS = "Name,RAM,Site,Label\nweb,4,Rome,w1\ndb,,Bern,d1\n"


def wishes(**columns: tuple[str, str]) -> ReadOptions:
    return ReadOptions(columns={name: ColumnUse(name, *use) for name, use in columns.items()})


def refused(path: Path, options: ReadOptions) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as failure:
        open_inventory(path, path.name, Limits(), options)
    return failure.value


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    sheets = {
        "Servers": (("name", "os"), ("a", "Linux"), ("b", "Linux")),
        "Retired": (("name", "os"), ("c", "DOS")),
    }
    return write_workbook(tmp_path / "book.xlsx", sheets)


def test_columns_go_where_they_are_wanted(tmp_path: Path) -> None:
    """A column can have another field, another unit, or none; the others stay as they are."""
    options = wishes(RAM=("memory_bytes", "gb"), Site=("", ""), Label=("display_name", ""))
    inventory, rows = read_bytes(tmp_path, _SERVERS, options)
    assert rows[0].fields == {"display_name": "w1", "memory_bytes": 4 * GIB}
    assert rows[0].attributes == {"Name": "web", "Site": "Rome"}
    assert inventory.columns == (
        ColumnUse("Name", "display_name"),
        ColumnUse("RAM", "memory_bytes", "GB"),
        ColumnUse("Site", ""),
        ColumnUse("Label", "display_name"),
    )
    assert inventory.notes == []


def test_units_are_told(tmp_path: Path) -> None:
    """Without a wish the unit of each amount is told, and whether it was assumed."""
    inventory, _ = read_bytes(tmp_path, "name,RAM,Disk (GiB),CPU millicores,In Use MB\na,1,1,1,1\n")
    assert [(use.unit, use.assumed) for use in inventory.columns] == [
        ("", False), ("MiB", True), ("GiB", False), ("millicores", False), ("", False),
    ]  # fmt: skip


def test_a_wish_makes_a_header(tmp_path: Path) -> None:
    """A header in unknown words is found by the columns that are wanted."""
    text = "Liste\n\nBezeichnung;Kerne\nErste Maschine;4\nZweite Maschine;8\n"
    options = wishes(Bezeichnung=("display_name", ""), Kerne=("cpu_cores", ""))
    _, rows = read_bytes(tmp_path, text, options)
    assert names(rows) == ["Erste Maschine", "Zweite Maschine"]
    assert (rows[0].row, rows[0].fields["cpu_cores"]) == (4, 4.0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (wishes(RAN=("memory_bytes", "")), "no column `RAN`; did you mean `RAM`"),
        (wishes(Zzz=("owner", "")), "no column `Zzz`; there is `Name`, `RAM`, `Site`, `Label`"),
        (wishes(RAM=("memory", "")), "no asset field `memory`; did you mean `memory_bytes`"),
        (wishes(RAM=("memory_bytes", "GBB")), "no unit of memory_bytes `GBB`; did you mean `GB`"),
        (wishes(RAM=("memory_bytes", "cores")), "no unit of memory_bytes `cores`"),
        (wishes(RAM=("cpu_cores", "MHz")), "no unit of cpu_cores `MHz`"),
        (wishes(Site=("location", "GB")), "`location` is no amount"),
        (wishes(Site=("", "GB")), "an attribute has no unit"),
        (ReadOptions(kind="rvtolls"), "no reader `rvtolls`; did you mean `rvtools`"),
        (ReadOptions(kind="x"), "no reader `x`; there is `rvtools`, "),
        (ReadOptions(sheet="vInfo"), "no sheet `vInfo`; leave it out"),
        (ReadOptions(asset_type="sever"), "no asset type `sever`; did you mean `server`"),
        (wishes(**{"x" * 10**6: ("owner", "")}), "no column `xxx"),
    ],
)
def test_options_that_name_nothing(tmp_path: Path, options: ReadOptions, said: str) -> None:
    """What an option names and is not there is refused, with what is nearest."""
    path = tmp_path / "servers.csv"
    path.write_text(_SERVERS)
    failure = refused(path, options)
    assert said in failure.message
    assert failure.reason == "INVALID_FIELD"
    assert [each.field.partition(".")[0] for each in failure.violations] == ["options"]


def test_sheet(workbook: Path) -> None:
    """The sheet that is named is read, whatever the others hold."""
    inventory = open_inventory(workbook, workbook.name, Limits(), ReadOptions(sheet="Retired"))
    assert (inventory.sheet, names(list(inventory.rows())), inventory.notes) == ("Retired", ["c"], [])
    assert "did you mean `Retired`" in refused(workbook, ReadOptions(sheet="Retird")).message


def test_kind(tmp_path: Path) -> None:
    """A kind that is named reads the file, also where another is surer, unless it cannot."""
    path = write_new_rvtools(tmp_path / "new.xlsx")
    inventory = open_inventory(path, path.name, Limits(), ReadOptions(kind="table"))
    assert (inventory.kind, len(list(inventory.rows()))) == ("table", 6)
    failure = refused(path, ReadOptions(kind="netbox_devices"))
    assert failure.reason == "UNREADABLE_INVENTORY"
    assert "`netbox_devices`" in failure.message


def test_type(tmp_path: Path) -> None:
    """A type that is given is that of the rows that tell none."""
    options = ReadOptions(asset_type="database")
    _, rows = read_bytes(tmp_path, "name,type\na,VM\nb,\n", options)
    assert [row.type for row in rows] == ["virtual_machine", "database"]
    _, rows = read_bytes(tmp_path, "hostname\na\n", options)
    assert [row.type for row in rows] == ["database"]


def opened(path: Path, options: ReadOptions) -> Inventory:
    return open_inventory(path, path.name, Limits(), options)


def test_wishes_of_columns_for_the_readers_of_tools(tmp_path: Path) -> None:
    """The readers of tools heed what is wanted of columns too, or the wish is refused."""
    options = wishes(**{"In Use MiB": ("storage_bytes", ""), "Folder": ("business_unit", "")})
    rows = list(opened(write_new_rvtools(tmp_path / "new.xlsx"), options).rows())
    assert (rows[0].fields["storage_bytes"], rows[0].fields["business_unit"]) == (96952 * MIB, "blue")
    rows = list(opened(write_netbox_devices(tmp_path / "devices.csv"), wishes(Tenant=("owner", ""))).rows())
    assert rows[0].fields["owner"] == "Dunder-Mifflin, Inc."
    path = tmp_path / "cables.csv"
    path.write_text("Cable ID,Device A,Device B\n1,a,b\n")
    assert "NetBox cables" in refused(path, wishes(**{"Device A": ("hostname", "")})).message
    assert "no column" in refused(path, wishes(Device=("", ""))).message

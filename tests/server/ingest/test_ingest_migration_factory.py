"""AWS Cloud Migration Factory's list of servers."""

from pathlib import Path

from mooring_server.ingest import AssetRow, Inventory, Limits, RejectedRow, open_inventory
from support_inventories import write_migration_factory


def opened(path: Path) -> Inventory:
    return open_inventory(path, path.name, Limits())


def servers(path: Path) -> list[AssetRow]:
    return [row for row in opened(path).rows() if isinstance(row, AssetRow)]


def test_plan_of_a_server(tmp_path: Path) -> None:
    """Wave, strategy, application, region and subnets have fields; tags are attributes of their own."""
    inventory = opened(write_migration_factory(tmp_path / "servers.csv"))
    server = next(inventory.rows())
    assert (inventory.kind, inventory.source, inventory.row_total) == (
        "aws_migration_factory",
        "aws_migration_factory",
        4,
    )
    assert server == AssetRow(
        sheet="",
        row=2,
        identity="host:web1.example.local",
        type="server",
        fields={
            "hostname": "web1.example.local",
            "display_name": "Web1",
            "environment": "dev",
            "location": "us-east-1",
            "operating_system": "windows server 2012 R2",
            "application": "hr",
            "networks": ("subnet-1", "subnet-2"),
            "migration_strategy": "rehost",
            "migration_wave": "Wave 1",
        },
        attributes={
            "aws_accountid": "111122223333",
            "server_os_family": "windows",
            "server_tier": "web",
            "securitygroup_IDs": "sg-1;sg-2",
            "instanceType": "m4.large",
            "tenancy": "Shared",
            "tags.CostCenter": "123",
            "tags.BU": "IT",
        },
    )


def test_system_is_family_and_version(tmp_path: Path) -> None:
    """The operating system is family and version, where the version does not name the family itself."""
    systems = [
        row.fields["operating_system"] for row in servers(write_migration_factory(tmp_path / "servers.csv"))
    ]
    assert systems == ["windows server 2012 R2", "linux RHEL 7", "linux"]


def test_strategies(tmp_path: Path) -> None:
    """The known strategies are written in one way, any other as it is."""
    strategies = [
        row.fields["migration_strategy"] for row in servers(write_migration_factory(tmp_path / "servers.csv"))
    ]
    assert strategies == ["rehost", "replatform", "Lift it"]


def test_what_is_no_tag_stays(tmp_path: Path) -> None:
    """A piece that is no tag, and the second value of a tag, stay in the column's own attribute."""
    _, database, *_ = servers(write_migration_factory(tmp_path / "servers.csv"))
    assert database.attributes["tags.CostCenter"] == "123"
    assert database.attributes["tags"] == "urgent;CostCenter=456"


def test_identity_is_not_of_the_plan(tmp_path: Path) -> None:
    """A server without a host name is known by its name alone: it may move to another region."""
    rows = list(opened(write_migration_factory(tmp_path / "servers.csv")).rows())
    assert isinstance(rows[2], AssetRow)
    assert rows[2].identity == "name:Db2"
    assert rows[3] == RejectedRow("", 5, "it has neither a server name nor a full domain name")


def test_migration_status(tmp_path: Path) -> None:
    """A column `migration_status` has its field, in whatever order and case the columns are."""
    path = tmp_path / "servers.csv"
    path.write_text(
        "TAGS,Migration_Status,r_type,wave_name,app_name,aws_region,server_name\n"
        ",Cutover,retire,1,hr,eu-west-1,a\n"
    )
    (server,) = servers(path)
    assert opened(path).kind == "aws_migration_factory"
    assert (server.fields["migration_status"], server.attributes) == ("Cutover", {})

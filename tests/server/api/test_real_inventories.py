"""Real exports of tools through a server: imported with the counts of their index, twice without change."""

from pathlib import Path

import pytest
from mooring.v1 import imports_pb2, landscape_pb2, sessions_pb2
from support_discovery import done, import_file, report, upload
from support_server import create, new_engagement

DATA = Path(__file__).parents[4] / "shared" / "data"

pytestmark = [
    pytest.mark.real_inventories,
    pytest.mark.skipif(
        not DATA.is_dir(), reason="The real inventories (../shared/data) are not on this machine."
    ),
]

# File, kind, source rows, assets by type, assets that are only mentioned, dependencies.
FILES = [
    (
        "rvtools_sizing_workshop.xlsx",
        "rvtools",
        805 + 1_618 + 805 + 34,
        {"virtual_machine": 805, "server": 34},
        32,
        805,
    ),
    ("rvtools_example1.xlsx", "rvtools", 5 * 9 + 7, {"virtual_machine": 9, "server": 7}, 3, 8),
    ("azure_migrate_discovery_report.xlsx", "azure_migrate", 294, {"virtual_machine": 294}, 0, 0),
    ("netbox_devices.csv", "netbox_devices", 72, {"network": 39, "server": 1, "other": 32}, 0, 0),
    ("netbox_virtual_machines.csv", "netbox_virtual_machines", 180, {"virtual_machine": 180}, 0, 0),
    ("netbox_cable_links.csv", "netbox_cables", 76, {}, None, 76),
    ("azure_dep_small.csv", "azure_dependencies", 5, {}, None, 5),
    ("aws_cmf_mgn_server_list.csv", "aws_migration_factory", 8, {"server": 8}, 0, 0),
    ("dotgov_pulse_subdomains.csv", "table", 24_638, {"application": 24_638}, 0, 0),
]


@pytest.mark.parametrize(("name", "kind", "rows", "assets", "implied", "dependencies"), FILES)
def test_a_real_file_is_accounted_for(ann, name, kind, rows, assets, implied, dependencies):
    """Every row is where the index says, the session shows it, and a second reading changes nothing."""
    session = ann.sessions.CreateSession(create(new_engagement(ann).name, "Estate")).name
    data = (DATA / name).read_bytes()
    first = import_file(ann, session, data, file_name=name)
    assert first.source_rows == rows == first.created + first.joined
    assert not first.rejected
    assert first.kind == kind
    about = {each: count for each, count in first.created_by_type.items() if count}
    assert about == assets
    mentioned = sum(first.implied_by_type.values())
    assert mentioned == first.implied
    assert implied in (None, mentioned)
    assert first.dependencies_created == dependencies

    shown = ann.sessions.GetSession(sessions_pb2.GetSessionRequest(name=session))
    assert shown.asset_count == sum(assets.values()) + mentioned
    landscape = ann.discovery.GetLandscape(landscape_pb2.GetLandscapeRequest(name=f"{session}/landscape"))
    assert (landscape.totals.asset_count, landscape.dependencies.dependency_count) == (
        shown.asset_count,
        dependencies,
    )

    replayed = import_file(ann, session, data, file_name=name)
    assert (replayed.replayed, replayed.data_version) == (True, first.data_version)

    # Named, the kind makes it another request, so that the file is read again.
    arrived = upload(ann, session, data, file_name=name)
    options = imports_pb2.ImportOptions(kind=kind)
    request = imports_pb2.ImportInventoryRequest(parent=session, upload_id=arrived.upload_id, options=options)
    again = report(done(ann, ann.discovery.ImportInventory(request)))
    assert not again.replayed
    assert (again.created, again.updated, again.implied) == (0, 0, 0)
    assert again.unchanged + again.joined == rows
    assert again.data_version == first.data_version

"""Ends of dependencies, found among a session's assets, and what dependencies do to a session's."""

import pytest
from mooring_server.core.linking import Candidates, addresses_of, link, settle_links
from mooring_server.core.settlement import Account
from mooring_server.ingest import DependencyRow, End
from mooring_server.store.assets import record
from support_store import ENGAGEMENT, START, asset, begin


@pytest.fixture
def estate(database):
    """A version with a few assets that share names, host names and addresses."""
    assets = [
        asset(1, identity="id:u-1", external_id="U-1", display_name="web", location="north"),
        asset(2, identity="name:web\x1fsouth", display_name="web", location="south"),
        asset(3, identity="host:db.corp", display_name="Db-1", hostname="db.corp"),
        asset(4, identity="name:app", display_name="app", ip_addresses=("10.0.0.4", "10.0.0.5")),
        asset(5, identity="name:lb", display_name="lb", ip_addresses=("10.0.0.5",)),
    ]

    def build(tx):
        begin(tx)
        version = tx.versions.begin(ENGAGEMENT, "baseline", None).id
        tx.assets.insert_many(version, assets)
        return version

    return database, database.write(build), {each.identity: each.id for each in assets}


def linked(estate, *rows):
    database, version, _ = estate

    def look(tx):
        ends = [end for row in rows for end in (row.source, row.target)]
        addresses = tx.assets.with_addresses(version, addresses_of(rows))
        return Candidates.find(tx, version, ends, addresses)

    account = Account()
    links, implied = link(rows, database.read(look), account, "flows.csv", "flows", START)
    return links, [record(each) for each in implied], account


def row(source, target, number=2, **fields):
    return DependencyRow("", number, source, target, "flow", **fields)


@pytest.mark.parametrize(
    ("end", "identity"),
    [
        (End(external_id="u-1"), "id:u-1"),
        (End(name="WEB", location="south"), "name:web\x1fsouth"),
        (End(name="db-1"), "host:db.corp"),
        (End(hostname="DB.CORP"), "host:db.corp"),
        (End(name="db.corp"), "host:db.corp"),
        (End(name="app.corp.example"), "name:app"),
        (End(ip_address="10.0.0.4"), "name:app"),
        (End(name="gone", ip_address="10.0.0.4"), "name:app"),
    ],
)
def test_an_end_is_found_by_what_the_file_says_of_it(estate, end, identity):
    """By id, by name in its location, by host name, by the first label of a domain name, by address."""
    links, implied, account = linked(estate, row(end, End(name="lb")))
    assert [each.source_id for each in links] == [estate[2][identity]]
    assert (implied, account.rejected) == ([], [])


@pytest.mark.parametrize("end", [End(name="web"), End(ip_address="10.0.0.5")])
def test_an_end_that_may_be_several_assets_is_refused(estate, end):
    """Its row is rejected with the reason, and makes nothing: not even its other, unknown end."""
    links, implied, account = linked(estate, row(End(name="new"), end, 7, joined=2))
    assert (links, implied) == ([], [])
    assert (account.rejected[0].row, account.source_rows, account.joined) == (7, 3, 2)
    assert account.rejected[0].reason.startswith("2 assets of the session")


def test_an_unknown_end_is_implied_once(estate):
    """However many rows name it, one asset is made of what the file says, and no more than that."""
    new = End(name="new", ip_address="10.9.9.9", type="database")
    links, implied, account = linked(estate, row(new, End(name="lb")), row(End(name="app"), new))
    assert [(each.display_name, each.type, each.ip_addresses, each.implied) for each in implied] == [
        ("new", "database", ("10.9.9.9",), True)
    ]
    assert links[0].source_id == links[1].target_id == implied[0].id
    assert (account.implied, dict(account.implied_by_type)) == (1, {"database": 1})


def test_an_asset_may_depend_on_itself(estate):
    """A flow from a machine to itself is kept as what it is."""
    links, _, _ = linked(estate, row(End(name="app"), End(ip_address="10.0.0.4")))
    assert links[0].source_id == links[0].target_id


def settled(estate, rows, base=None):
    links, _, account = linked(estate, *rows)
    inserts, updates = settle_links(links, {}, base or {}, account, "flows.csv", START)
    assert updates == []
    assert account.is_balanced()
    return {each.identity: each for each in inserts}, account


def test_a_dependency_is_known_by_its_ends_kind_port_and_processes(estate):
    """Rows that differ in one of them are different dependencies; others join the first."""
    app, lb = End(name="app"), End(name="lb")
    rows = [row(app, lb, port=443), row(app, lb, port=80), row(lb, app, port=443), row(app, lb, port=443)]
    found, account = settled(estate, [*rows, row(app, lb, port=443, source_process="nginx")])
    assert (len(found), account.created, account.joined) == (4, 4, 1)


def test_the_same_dependencies_again_change_nothing(estate):
    """What an import has written is unchanged in the next one; new attributes update it."""
    flow = row(End(name="app"), End(name="lb"), port=443, attributes={"Slot": "1"})
    base, _ = settled(estate, [flow])
    _, account = settled(estate, [flow], base)
    assert (account.created, account.unchanged, account.changed) == (0, 1, False)
    later = row(End(name="app"), End(name="lb"), port=443, attributes={"Slot": "2", "App": "x"})
    found, account = settled(estate, [later], base)
    assert (account.updated, account.changed) == (1, True)
    (after,), (before,) = found.values(), base.values()
    assert (after.id, after.attributes) == (before.id, {"Slot": "2", "App": "x"})


def test_a_derived_dependency_is_no_row_of_its_own(estate):
    """It is counted among the dependencies, and its row where it says what it is about."""
    _, account = settled(estate, [row(End(name="app"), End(name="lb"), derived=True)])
    assert (account.source_rows, account.created, account.dependencies["created"]) == (0, 0, 1)

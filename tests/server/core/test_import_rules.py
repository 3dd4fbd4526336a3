"""How the rows of an inventory become assets: the rules alone, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from mooring_server.core.settlement import Account, Settlement
from mooring_server.core.staging import stage
from mooring_server.ingest import AssetRow, RejectedRow
from mooring_server.store.assets import record

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)


def row(identity="id:1", number=2, type_="server", attributes=None, joined=0, implied=False, **values):
    fields = {"display_name": "web", **values}
    return AssetRow("", number, identity, type_, fields, attributes or {}, joined, implied)


class Data:
    """A session's assets by identity, and an import into them, in chunks."""

    def __init__(self, assets=None):
        self.assets = assets or {}

    def take(self, rows, now=MONDAY, chunk=100, mentioned=None, some=100, waiting=0):
        account, built, seen = Account(), {}, set()
        settlement = Settlement(account, now)
        for start in range(0, len(rows), chunk):
            staged = []
            for each in rows[start : start + chunk]:
                if isinstance(each, RejectedRow):
                    account.reject(each)
                    continue
                repeated = each.identity in seen
                seen.add(each.identity)
                staged.append(stage(each, "estate.csv", "table", now, repeated=repeated))
            settlement.add(staged, built=built, base=self.assets, mentioned=mentioned or {})
            while len(settlement) > (waiting if start + chunk < len(rows) else 0):
                stored, updates = settlement.waiting(some)
                inserts = list(map(record, stored))
                assert not built.keys() & {asset.identity for asset in inserts}
                assert {asset.identity for asset in updates} <= built.keys()
                built |= {asset.identity: asset for asset in (*inserts, *updates)}
                settlement.written(stored, updates)
        return account, Data({**self.assets, **built})

    def __getitem__(self, identity):
        return self.assets[identity]


def test_a_new_identity_creates_an_asset_with_its_place():
    """A created asset has the row's values, its provenance, and is counted by its type."""
    account, after = Data().take([row(owner="ann", cpu_cores=2.0, attributes={"Rack": "7", "Note": ""})])
    asset = after["id:1"]
    assert (account.created, dict(account.created_by_type)) == (1, {"server": 1})
    assert (asset.owner, asset.cpu_cores, asset.attributes) == ("ann", 2.0, {"Rack": "7"})
    assert (asset.source_file, asset.source_row, asset.create_time) == ("estate.csv", 2, MONDAY)
    assert (asset.hostname, asset.memory_bytes, asset.ip_addresses) == ("", None, ())


def test_an_update_overwrites_what_it_knows_and_keeps_the_rest():
    """Values that the file leaves empty stay, attributes are merged by key, id and create time are kept."""
    _, before = Data().take([row(owner="ann", status="on", attributes={"Rack": "7", "Row": "1"})])
    account, after = before.take([row(owner="bob", status="", attributes={"Rack": "8"})], TUESDAY)
    asset = after["id:1"]
    assert (account.updated, account.created, account.changed) == (1, 0, True)
    assert (asset.owner, asset.status, asset.attributes) == ("bob", "on", {"Rack": "8", "Row": "1"})
    assert (asset.id, asset.create_time, asset.update_time) == (before["id:1"].id, MONDAY, TUESDAY)


def test_a_zero_is_a_value():
    """0 overwrites: only what is missing or an empty text is not known."""
    _, before = Data().take([row(storage_bytes=5)])
    _, after = before.take([row(storage_bytes=0)])
    assert after["id:1"].storage_bytes == 0


def test_the_type_other_does_not_overwrite_a_known_type():
    """A file that cannot tell what a thing is does not make it something else."""
    _, before = Data().take([row(type_="database")])
    account, after = before.take([row(type_="other")])
    assert (account.unchanged, after["id:1"].type.value) == (1, "database")


def test_an_unchanged_row_leaves_the_very_same_asset():
    """Where a row says nothing new, not even the asset's times and provenance move."""
    _, before = Data().take([row(owner="ann")])
    account, after = before.take([row(owner="ann", number=99)], TUESDAY)
    assert (account.unchanged, account.changed) == (1, False)
    assert after["id:1"] == before["id:1"]


def test_a_second_row_of_the_same_identity_fills_gaps_only():
    """A joined row adds what is missing and overwrites nothing, also across chunks."""
    rows = [
        row(owner="ann", attributes={"Rack": "7"}),
        row(owner="bob", status="on", attributes={"Rack": "8", "Row": "1"}),
    ]
    for chunk in (1, 2):
        account, after = Data().take(rows, chunk=chunk)
        asset = after["id:1"]
        assert (account.created, account.joined) == (1, 1)
        assert (asset.owner, asset.status, asset.attributes) == ("ann", "on", {"Rack": "7", "Row": "1"})


def test_a_joined_row_alone_can_change_the_data():
    """An import whose only news come from a joined row is not taken for one that changes nothing."""
    _, before = Data().take([row(owner="ann")])
    account, after = before.take([row(owner="ann"), row(status="on")])
    assert (account.unchanged, account.joined, account.updated, account.changed) == (1, 1, 0, True)
    assert after["id:1"].status == "on"


def test_a_joined_row_can_say_what_a_created_asset_is():
    """The count by type follows an asset whose type only a later row of the file knows."""
    account, _ = Data().take([row(type_="other"), row(type_="database")])
    assert dict(+account.created_by_type) == {"database": 1}


def test_an_asset_that_is_only_mentioned_is_implied():
    """A mention makes an asset where there is none, is no row of its own, and changes nothing else."""
    account, before = Data().take([row(implied=True), row(implied=True)])
    assert (account.source_rows, account.created, account.implied) == (0, 0, 1)
    assert (account.is_balanced(), account.changed, before["id:1"].implied) == (True, True, True)
    account, after = before.take([row(implied=True, owner="ann")])
    assert (account.implied, account.changed) == (0, False)
    assert after["id:1"] == before["id:1"]


def test_the_first_row_about_an_implied_asset_makes_it_one_like_others():
    """In the same file it counts as created; in a later file the asset is updated. Its id stays."""
    for chunk in (1, 2):
        account, after = Data().take([row(implied=True), row(owner="ann")], chunk=chunk)
        assert (account.created, account.implied, account.joined) == (1, 0, 0)
        assert (after["id:1"].owner, after["id:1"].implied, account.is_balanced()) == ("ann", False, True)
    _, before = Data().take([row(implied=True)])
    account, after = before.take([row()])
    assert (account.updated, after["id:1"].implied) == (1, False)
    assert after["id:1"].id == before["id:1"].id


def test_a_row_is_about_what_was_mentioned_by_its_name():
    """It takes the mentioned asset over with its id, so what depends on it stays; once, and not elsewhere."""
    _, before = Data().take([row("name:web", implied=True)])
    mentioned = {"web": before["name:web"]}
    rows = [row("id:1", hostname="web.corp", owner="ann"), row("id:2")]
    account, after = before.take(rows, TUESDAY, mentioned=mentioned)
    assert (account.updated, account.created, account.is_balanced()) == (1, 1, True)
    assert (after["id:1"].id, after["id:1"].owner) == (before["name:web"].id, "ann")
    assert not after["id:1"].implied
    elsewhere = {"web": replace(before["name:web"], location="north")}
    account, _ = before.take([row("id:1", location="south")], TUESDAY, mentioned=elsewhere)
    assert (account.updated, account.created) == (0, 1)


def test_rows_that_a_reader_joined_are_accounted_for():
    """A row that holds three others is four rows, three of them joined."""
    account, _ = Data().take([row(joined=3)])
    assert (account.source_rows, account.created, account.joined) == (4, 1, 3)
    assert account.is_balanced()


def test_a_joined_row_that_says_something_else_is_counted():
    """What a second row would overwrite is kept, and the contradiction noted; a gap is none."""
    account, _ = Data().take([row(owner="ann"), row(owner="bob"), row(status="on"), row(owner="ann")])
    assert (account.joined, account.conflicts) == (3, 1)


def test_a_digest_does_not_depend_on_fields_that_came_later():
    """An asset without the later fields has the digest that it always had, so no upgrade changes it."""
    _, data = Data().take([row(owner="ann", attributes={"Rack": "7"})])
    assert data["id:1"].digest == "c3c40a4d8ff96d4d4d8d40e19c6e9de3"
    _, more = Data().take([row(owner="ann", attributes={"Rack": "7"}, migration_wave="2")])
    assert more["id:1"].digest != data["id:1"].digest


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "owner": st.sampled_from(["", "ann", "bob"]),
        "cpu_cores": st.sampled_from([0.0, 1.0, 2.5]),
        "memory_bytes": st.sampled_from([None, 1, 2]),
        "ip_addresses": st.sampled_from([(), ("10.0.0.1",), ("10.0.0.1", "10.0.0.2")]),
    },
)
ROWS = st.lists(
    st.one_of(
        st.builds(
            lambda identity, type_, values, attributes, implied: row(
                identity, 2, type_, attributes, implied=implied, **values
            ),
            st.sampled_from(["id:1", "id:2", "host:a", "name:b"]),
            st.sampled_from(["server", "database", "other"]),
            VALUES,
            st.dictionaries(st.sampled_from(["Rack", "Row"]), st.sampled_from(["", "1", "2"])),
            st.booleans(),
        ),
        st.just(RejectedRow("", 3, "no name")),
    ),
    max_size=12,
)


@given(first=ROWS, second=ROWS, chunk=st.integers(1, 5))
def test_every_row_is_accounted_for_once(first, second, chunk):
    """source_rows = created + updated + unchanged + joined + rejected; the assets grow by the created."""
    _, before = Data().take(first)
    account, after = before.take(second, TUESDAY, chunk)
    rows = [r for r in second if isinstance(r, RejectedRow) or not r.implied]
    named = {r.identity for r in rows if isinstance(r, AssetRow)}
    assert account.is_balanced()
    assert account.source_rows == len(rows)
    assert account.created + account.updated + account.unchanged == len(named)
    assert len(after.assets) == len(before.assets) + account.created + account.implied
    assert account.changed == (after.assets != before.assets)
    for identity in before.assets:
        assert after[identity].id == before[identity].id
        if identity not in named:
            assert after[identity] == before[identity]


@given(rows=ROWS, chunk=st.integers(1, 5))
def test_the_same_file_again_changes_nothing(rows, chunk):
    """Whatever a file holds, importing it a second time creates and updates nothing."""
    _, before = Data().take(rows)
    account, after = before.take(rows, TUESDAY, chunk)
    assert (account.created, account.updated, account.changed) == (0, 0, False)
    assert after.assets == before.assets


@given(rows=ROWS, chunk=st.integers(1, 5), some=st.integers(1, 5), waiting=st.integers(0, 5))
def test_how_a_file_is_cut_makes_no_difference(rows, chunk, some, waiting):
    """What is decided and what is written at once is a matter of speed: account and assets are the same."""
    whole, one = Data().take(rows)
    parts, other = Data().take(rows, chunk=chunk, some=some, waiting=waiting)
    assert (parts.counts(), parts.conflicts) == (whole.counts(), whole.conflicts)
    assert parts.created_by_type == whole.created_by_type
    assert {i: a.digest for i, a in one.assets.items()} == {i: a.digest for i, a in other.assets.items()}

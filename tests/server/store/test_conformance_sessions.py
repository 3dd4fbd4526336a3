"""Sessions and engagements, on every database."""

import pytest
from mooring_server.core.lists import SESSIONS
from mooring_server.errors import Aborted, AlreadyExists, FailedPrecondition, NotFound
from mooring_server.store import ChangeKind, Order, Role, Tx
from mooring_server.store.lists.paging import Window
from mooring_server.store.values import sort_key
from support_store import ENGAGEMENT, USER, Database, begin, session


def _living_names(tx: Tx, order: Order = Order.DISPLAY_NAME) -> list[str]:
    return [each.display_name for each in tx.sessions.page(ENGAGEMENT, order, Window(100, 0, None)).items]


def test_a_new_engagement_tells_its_default_and_its_counters_in_the_same_transaction(database: Database):
    """What a write answers is what is read after its commit."""

    def make(tx: Tx):
        begin(tx)
        return tx.engagements.get(ENGAGEMENT)

    made = database.write(make)
    assert made == database.read(lambda tx: tx.engagements.get(ENGAGEMENT))
    assert (made.default_session_id, made.session_count, made.revision) == ("baseline", 1, 1)


def test_ids_and_living_display_names_are_unique(database: Database):
    """A second session of the same id or living name is refused, each with its own reason."""
    database.write(begin)
    with pytest.raises(AlreadyExists) as taken:
        database.write(session("baseline", "Another"))
    assert taken.value.reason == "ID_TAKEN"
    with pytest.raises(AlreadyExists) as taken:
        database.write(session("another", "Baseline"))
    assert taken.value.reason == "DISPLAY_NAME_TAKEN"
    with pytest.raises(AlreadyExists) as taken:
        database.write(lambda tx: tx.engagements.insert(ENGAGEMENT, "Another", ""))
    assert taken.value.reason == "ID_TAKEN"


def test_a_refused_insert_leaves_the_transaction_usable(database: Database):
    """A use case may catch a taken name, choose another, and go on in the same transaction."""
    database.write(begin)

    def insist(tx: Tx):
        try:
            return session("wave-1", "Baseline")(tx)
        except AlreadyExists:
            return session("wave-1", "Baseline (2)")(tx)

    assert database.write(insist).display_name == "Baseline (2)"

    def rename(tx: Tx):
        try:
            return tx.sessions.update(ENGAGEMENT, "wave-1", None, display_name="Baseline")
        except AlreadyExists:
            return tx.sessions.update(ENGAGEMENT, "wave-1", None, display_name="Baseline (3)")

    assert database.write(rename).display_name == "Baseline (3)"


def test_racing_creates_of_one_name_leave_one(database: Database):
    """Of many writers with the same display name exactly one wins; the others hear why."""
    database.write(begin)
    outcomes = database.together(*(session(f"wave-{i}", "Wave") for i in range(12)))
    refused = [each for each in outcomes if isinstance(each, AlreadyExists)]
    assert len(refused) == 11
    assert {each.reason for each in refused} == {"DISPLAY_NAME_TAKEN"}
    assert database.read(_living_names) == ["Baseline", "Wave"]


def test_racing_set_default_leaves_exactly_one_default(database: Database):
    """However many sessions are made the default at once, one is, and the engagement names it."""
    database.write(begin)
    for i in range(6):
        database.write(session(f"wave-{i}"))
    outcomes = database.together(
        *(lambda tx, i=i: tx.sessions.set_default(ENGAGEMENT, f"wave-{i}", None) for i in range(6))
    )
    assert [each.is_default for each in outcomes] == [True] * 6

    def defaults(tx: Tx):
        page = tx.sessions.page(ENGAGEMENT, Order.DISPLAY_NAME, Window(100, 0, None))
        return [each.id for each in page.items if each.is_default], tx.engagements.get(ENGAGEMENT)

    ids, engagement = database.read(defaults)
    assert ids == [engagement.default_session_id]
    assert database.store.check() == []


def test_set_default_is_a_change_of_three_resources(database: Database):
    """Both sessions and the engagement change in one revision."""
    database.write(begin)
    database.write(session("wave-1"))
    before = database.read(lambda tx: tx.changes.head(f"engagements/{ENGAGEMENT}"))
    database.write(lambda tx: tx.sessions.set_default(ENGAGEMENT, "wave-1", 1))
    changes = database.read(lambda tx: tx.changes.after(f"engagements/{ENGAGEMENT}", before, 10))
    assert {each.revision for each in changes} == {before + 1}
    assert {each.resource.removeprefix(f"engagements/{ENGAGEMENT}") for each in changes} == {
        "",
        "/sessions/baseline",
        "/sessions/wave-1",
    }


def test_a_refused_set_default_changes_nothing(database: Database):
    """A stale etag leaves the old default in place, even where the refusal is caught."""
    database.write(begin)
    database.write(session("wave-1"))

    def attempt(tx: Tx):
        with pytest.raises(Aborted):
            tx.sessions.set_default(ENGAGEMENT, "wave-1", 99)
        with pytest.raises(NotFound):
            tx.sessions.set_default(ENGAGEMENT, "nowhere", None)

    before = database.read(lambda tx: tx.engagements.get(ENGAGEMENT))
    database.write(attempt)
    assert database.read(lambda tx: tx.engagements.get(ENGAGEMENT)) == before
    assert database.store.check() == []


def test_update_compares_the_etag_and_moves_it(database: Database):
    """Only who has read the newest state may change it."""
    database.write(begin)
    database.clock.advance(1)
    changed = database.write(lambda tx: tx.sessions.update(ENGAGEMENT, "baseline", 1, display_name="As is"))
    assert (changed.display_name, changed.etag, changed.update_time) == ("As is", 2, database.clock.now)
    for stale in (
        lambda tx: tx.sessions.update(ENGAGEMENT, "baseline", 1, description="late"),
        lambda tx: tx.sessions.delete(ENGAGEMENT, "baseline", 1),
        lambda tx: tx.sessions.set_default(ENGAGEMENT, "baseline", 1),
    ):
        with pytest.raises(Aborted) as refused:
            database.write(stale)
        assert refused.value.reason == "ETAG_MISMATCH"


def test_of_racing_updates_with_one_etag_one_wins(database: Database):
    """Compare-and-set holds between writers that run at the same time."""
    database.write(begin)
    outcomes = database.together(
        *(lambda tx, i=i: tx.sessions.update(ENGAGEMENT, "baseline", 1, description=str(i)) for i in range(8))
    )
    assert sum(isinstance(each, Aborted) for each in outcomes) == 7


def test_names_are_free_after_a_delete(database: Database):
    """A deleted session gives its display name back, leaves lists and counts, and keeps its id."""
    database.write(begin)
    database.write(session("wave-1", "Wave"))
    deleted = database.write(lambda tx: tx.sessions.delete(ENGAGEMENT, "wave-1", 1))
    assert deleted.delete_time is not None
    assert database.write(session("wave-2", "Wave")).display_name == "Wave"
    with pytest.raises(AlreadyExists) as taken:
        database.write(session("wave-1", "Wave 1"))
    assert taken.value.reason == "ID_TAKEN"
    assert database.read(lambda tx: tx.sessions.get(ENGAGEMENT, "wave-1")) is None
    kept = database.read(lambda tx: tx.sessions.get(ENGAGEMENT, "wave-1", include_deleted=True))
    assert kept == deleted
    assert database.read(lambda tx: tx.engagements.get(ENGAGEMENT)).session_count == 2
    with pytest.raises(NotFound):
        database.write(lambda tx: tx.sessions.delete(ENGAGEMENT, "wave-1", None))


def test_the_default_session_is_not_deleted(database: Database):
    """An engagement never stays without a default."""
    database.write(begin)
    with pytest.raises(FailedPrecondition) as refused:
        database.write(lambda tx: tx.sessions.delete(ENGAGEMENT, "baseline", 1))
    assert refused.value.reason == "DEFAULT_SESSION"


@pytest.mark.parametrize("order", SESSIONS.orders)
def test_pages_follow_each_other_without_gap_or_repeat(database: Database, order: Order):
    """Walking by keys gives every session once, in order; skip passes over from the key."""
    names = ["Zürich", "alpha", "Beta", "Ärger", "beta", "10", "9", "éclair", "\U0001f40d", "\uffee"]

    def make(tx: Tx):
        begin(tx)
        for i, name in enumerate(names):
            session(f"s-{i}", name)(tx)

    database.write(make)
    database.clock.advance(1)
    database.write(session("later", "Middle"))
    whole = database.read(lambda tx: tx.sessions.page(ENGAGEMENT, order, Window(100, 0, None))).items
    walked, key = [], None
    while True:
        page = database.read(lambda tx, key=key: tx.sessions.page(ENGAGEMENT, order, Window(3, 0, key)))
        walked += page.items
        if page.next_key is None:
            break
        key = list(page.next_key)  # As it comes back from a page token.
    assert tuple(walked) == whole
    if order.value.startswith("display_name"):
        expected = sorted([*names, "Baseline", "Middle"], key=lambda name: sort_key(name).encode())
        folded = [sort_key(each.display_name) for each in whole]
        assert folded == list(map(sort_key, expected[::-1] if order.descends else expected))
    else:
        assert whole[0 if order.descends else -1].id == "later"
    first = database.read(lambda tx: tx.sessions.page(ENGAGEMENT, order, Window(2, 0, None)))
    jumped = database.read(lambda tx: tx.sessions.page(ENGAGEMENT, order, Window(3, 4, first.next_key)))
    assert jumped.items == whole[6:9]
    beyond = database.read(lambda tx: tx.sessions.page(ENGAGEMENT, order, Window(3, 1_000, None)))
    assert (beyond.items, beyond.next_key) == ((), None)


def test_a_bare_id_is_found_in_the_users_engagements_alone(database: Database):
    """Two matches are enough to know that the id is ambiguous; foreign engagements never count."""

    def make(tx: Tx):
        begin(tx, "engagement-1")
        begin(tx, "engagement-2")
        begin(tx, "engagement-3")
        begin(tx, "foreign", "user-2")
        session("only", engagement_id="engagement-2")(tx)

    database.write(make)
    assert len(database.read(lambda tx: tx.sessions.find("baseline", USER))) == 2
    assert [each.engagement_id for each in database.read(lambda tx: tx.sessions.find("only", USER))] == [
        "engagement-2"
    ]
    assert database.read(lambda tx: tx.sessions.find("only", "user-2")) == []


def test_engagements_are_listed_by_membership(database: Database):
    """A user's list and count hold the engagements that they are a member of, with roles that can change."""

    def make(tx: Tx):
        begin(tx, "engagement-1")
        begin(tx, "engagement-2", "user-2")
        tx.members.put("engagement-2", USER, Role.VIEWER)
        begin(tx, "foreign", "user-2")

    database.write(make)
    page = database.read(lambda tx: tx.engagements.page(USER, Order.DISPLAY_NAME, Window(1, 0, None)))
    rest = database.read(
        lambda tx: tx.engagements.page(USER, Order.DISPLAY_NAME, Window(9, 0, page.next_key))
    )
    assert [each.id for each in page.items + rest.items] == ["engagement-1", "engagement-2"]
    assert rest.items[0].default_session_id == "baseline"
    assert database.read(lambda tx: tx.engagements.total(USER, Window(1, 0, None))) == (2, False)
    database.write(lambda tx: tx.members.put("engagement-2", USER, Role.MANAGER))
    assert database.read(lambda tx: tx.members.role("engagement-2", USER)) is Role.MANAGER
    assert database.read(lambda tx: tx.members.role("foreign", USER)) is None


def test_every_mutation_of_a_session_is_logged_with_its_actor(database: Database):
    """Nobody can change a session without a row in the log."""
    database.write(begin)
    head = database.read(lambda tx: tx.changes.head(f"engagements/{ENGAGEMENT}"))

    def live(tx: Tx):
        session("wave-1")(tx)
        tx.sessions.update(ENGAGEMENT, "wave-1", None, description="x")
        tx.sessions.delete(ENGAGEMENT, "wave-1", None)

    database.write(live, actor="users/somebody")
    changes = database.read(lambda tx: tx.changes.after(f"engagements/{ENGAGEMENT}", head, 10))
    assert [each.kind for each in changes] == [ChangeKind.CREATED, ChangeKind.UPDATED, ChangeKind.DELETED]
    assert {each.actor for each in changes} == {"users/somebody"}
    assert {each.commit_time for each in changes} == {database.clock.now}

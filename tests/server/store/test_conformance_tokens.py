from datetime import timedelta

import pytest
from mooring_server.errors import AlreadyExists
from mooring_server.store import ChangeKind, Page
from mooring_server.store.records import TokenScope
from support_store import START, USER, begin

DAY_S = 24 * 3600


@pytest.fixture
def tokens(database):
    """A database with a user, and a way to make tokens of theirs."""
    database.write(begin)

    def make(id, user_id=USER, life_s=DAY_S, scope=TokenScope.WRITE):
        return database.write(
            lambda tx: tx.tokens.insert(
                user_id, id, f"hash of {user_id}/{id}", f"For {id}", scope, tx.now + timedelta(seconds=life_s)
            )
        )

    return make


def changes(database, after):
    return [
        (change.kind, change.resource)
        for change in database.read(lambda tx: tx.changes.after(f"users/{USER}", after, 100))
    ]


def head(database):
    return database.read(lambda tx: tx.changes.head(f"users/{USER}"))


def test_a_token_is_found_by_its_name_and_by_its_hash(database, tokens):
    """What is read is what was written; another name, another user and another hash find nothing."""
    made = tokens("laptop", scope=TokenScope.READ)

    assert (made.user_id, made.id, made.display_name) == (USER, "laptop", "For laptop")
    assert (made.scope, made.create_time) == (TokenScope.READ, START)
    assert made.expire_time == START + timedelta(days=1)
    assert (made.revoke_time, made.use_time) == (None, None)
    assert database.read(lambda tx: tx.tokens.get(USER, "laptop")) == made
    assert database.read(lambda tx: tx.tokens.by_hash(f"hash of {USER}/laptop")) == made
    assert database.read(lambda tx: tx.tokens.get("user-2", "laptop")) is None
    assert database.read(lambda tx: tx.tokens.by_hash("another")) is None


def test_an_id_is_one_users_once(database, tokens):
    """A user has one token of an id; another user may have one of the same."""
    database.write(lambda tx: tx.users.insert("user-2", "subject 2", "Another", ""))
    tokens("laptop")
    with pytest.raises(AlreadyExists) as taken:
        tokens("laptop")
    assert taken.value.reason == "ID_TAKEN"
    assert tokens("laptop", user_id="user-2").user_id == "user-2"


def test_making_and_revoking_are_changes_of_the_user(database, tokens):
    """Whoever follows the user's stream hears of both; a second revocation changes and tells nothing."""
    before = head(database)
    tokens("laptop")
    database.clock.advance(60)
    revoked = database.write(lambda tx: tx.tokens.revoke(USER, "laptop"))
    database.clock.advance(60)

    assert revoked.revoke_time == START + timedelta(seconds=60)
    assert database.write(lambda tx: tx.tokens.revoke(USER, "laptop")) is None
    assert database.read(lambda tx: tx.tokens.by_hash(f"hash of {USER}/laptop")) == revoked
    name = f"users/{USER}/tokens/laptop"
    assert changes(database, before) == [(ChangeKind.CREATED, name), (ChangeKind.REVOKED, name)]


def test_living_ones_are_counted(database, tokens):
    """Neither a revoked nor an expired token counts, nor another user's."""
    database.write(lambda tx: tx.users.insert("user-2", "subject 2", "Another", ""))
    for id, life_s in (("short", 60), ("long", DAY_S), ("revoked", DAY_S)):
        tokens(id, life_s=life_s)
    tokens("foreign", user_id="user-2")
    database.write(lambda tx: tx.tokens.revoke(USER, "revoked"))

    assert database.read(lambda tx: tx.tokens.living(USER)) == 2
    database.clock.advance(60)
    assert database.read(lambda tx: tx.tokens.living(USER)) == 1


def test_a_use_is_kept_and_is_no_change(database, tokens):
    """The latest use stays, whichever comes last, and nobody hears of it."""
    tokens("laptop")
    before = head(database)
    for hours in (2, 1):
        database.write(
            lambda tx, hours=hours: tx.tokens.note_use(USER, "laptop", START + timedelta(hours=hours))
        )

    assert database.read(lambda tx: tx.tokens.get(USER, "laptop")).use_time == START + timedelta(hours=2)
    assert head(database) == before


def test_pages_go_from_the_newest_to_the_oldest(database, tokens):
    """Each token of the user comes once, newest first, those of one moment too; None means everybody's."""
    database.write(lambda tx: tx.users.insert("user-2", "subject 2", "Another", ""))
    for id in ("a", "b"):
        tokens(id)
    database.clock.advance(1)
    tokens("c")
    tokens("d", user_id="user-2")

    def walk(user_id, limit):
        page, found = Page((), ()), []
        while page.next_key is not None:
            after = page.next_key or None
            page = database.read(
                lambda tx, after=after: tx.tokens.page(user_id, after, limit=limit), long=True
            )
            found.append([token.id for token in page.items])
        return found

    assert walk(USER, 2) == [["c", "b"], ["a"]]
    assert walk(USER, 3) == [["c", "b", "a"]]
    assert walk(None, 3) == [["d", "c", "b"], ["a"]]
    skipped = database.read(lambda tx: tx.tokens.page(USER, limit=1, skip=1), long=True)
    assert [token.id for token in skipped.items] == ["b"]


def test_what_ended_long_ago_is_forgotten(database, tokens):
    """Expired and revoked tokens go once they ended before then, a few at a time; living ones stay."""
    tokens("expires", life_s=60)
    tokens("revoked")
    tokens("lives")
    database.write(lambda tx: tx.tokens.revoke(USER, "revoked"))
    database.clock.advance(120)

    def forget(before_s, limit=10):
        before = START + timedelta(seconds=before_s)
        return database.write(lambda tx: tx.tokens.delete_ended(before, limit))

    assert forget(0) == 0
    assert forget(1) == 1
    assert database.read(lambda tx: tx.tokens.get(USER, "revoked")) is None
    assert forget(61) == 1
    assert forget(61) == 0
    assert database.read(lambda tx: tx.tokens.get(USER, "lives")) is not None

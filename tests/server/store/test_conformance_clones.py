"""What two sessions share is edited by neither."""

import pytest
from mooring_server.errors import Aborted, DataShared
from mooring_server.store import Tx
from support_store import ENGAGEMENT, USER, Database, asset, begin, publish


@pytest.fixture
def begun(database: Database) -> Database:
    database.write(begin)
    database.write(lambda tx: publish(tx, asset(0), asset(1)))
    return database


def clone(id: str, source: str = "baseline"):
    """A write that clones a session."""

    def write(tx: Tx):
        data = tx.versions.shareable(ENGAGEMENT, source)
        return tx.sessions.insert(ENGAGEMENT, id, id, "", "data_import", USER, data=data)

    return write


def edit(owner: str, session_id: str = "baseline"):
    """A write that edits an asset."""

    def write(tx: Tx) -> None:
        version = tx.edits.begin(ENGAGEMENT, session_id)
        tx.edits.change_asset(version, asset(0, owner=owner, digest=owner))

    return write


def copied(session_id: str):
    """A write that gives a session its own copy of what it shows."""

    def write(tx: Tx):
        shown = tx.sessions.get(ENGAGEMENT, session_id).data_version_id
        version = tx.versions.begin(ENGAGEMENT, session_id, shown)
        assets, after = tx.assets.copy_missing(shown, version.id, None, 100)
        assert after is None
        return tx.versions.take_over(version.id, asset_count=assets, dependency_count=0)

    return write


def shown(database: Database, session_id: str) -> str:
    """The owner of the first asset of a session."""
    return database.read(
        lambda tx: tx.assets.get(tx.sessions.get(ENGAGEMENT, session_id).data_version_id, asset(0).id).owner
    )


@pytest.mark.parametrize("session_id", ["baseline", "clone"])
def test_shared_data_is_not_edited(begun: Database, session_id: str):
    """Neither by its owner nor by the clone, until that one has a copy; the other one then may as well."""
    begun.write(clone("clone"))
    with pytest.raises(DataShared):
        begun.write(edit("Ann", session_id))
    begun.write(copied(session_id))
    begun.write(edit("Ann", session_id))
    other = {"baseline": "clone", "clone": "baseline"}[session_id]
    assert (shown(begun, session_id), shown(begun, other)) == ("Ann", "")
    if other == "baseline":
        begun.write(edit("Bob", other))
        assert (shown(begun, session_id), shown(begun, other)) == ("Ann", "Bob")
    assert begun.store.check() == []


def test_a_copy_keeps_the_revision(begun: Database):
    """So edits are still counted from the import that the session shows."""
    begun.write(edit("Ann"))
    begun.write(clone("clone"))
    assert begun.write(copied("baseline")).data_revision == 1
    assert begun.write(copied("clone")).data_revision == 1


def test_a_copy_of_what_has_moved_is_refused(begun: Database):
    """An edit that came before the copy was ready is not lost."""
    shown_id = begun.read(lambda tx: tx.sessions.get(ENGAGEMENT, "baseline").data_version_id)
    version = begun.write(lambda tx: tx.versions.begin(ENGAGEMENT, "baseline", shown_id))
    begun.write(edit("Ann"))
    with pytest.raises(Aborted):
        begun.write(lambda tx: tx.versions.take_over(version.id, asset_count=2, dependency_count=0))
    assert shown(begun, "baseline") == "Ann"


def test_what_an_import_could_go_back_to_is_not_edited(begun: Database):
    """The clone shows other data by now, built on the shared one: undoing that must find it as it was."""
    begun.write(clone("clone"))
    base = begun.read(lambda tx: tx.sessions.get(ENGAGEMENT, "clone").data_version_id)
    begun.write(lambda tx: publish(tx, asset(0, owner="Eve"), session_id="clone", base_id=base))
    with pytest.raises(DataShared):
        begun.write(edit("Ann"))


def test_a_clone_beside_an_edit_has_it_or_not(begun: Database):
    """Whichever comes first: afterwards what both show is edited by neither."""
    for number in range(20):
        made, edited = begun.together(clone(f"clone-{number}"), edit(f"Owner {number}"))
        assert not isinstance(made, Exception), made
        is_refused = isinstance(edited, DataShared)
        assert edited is None or is_refused, edited
        # Still shared, whoever came first.
        with pytest.raises(DataShared):
            begun.write(edit("nobody"))
        assert shown(begun, f"clone-{number}") == shown(begun, "baseline")
        begun.write(copied("baseline"))
    assert begun.store.check() == []

"""Clones through the API: they share their source's data, and nobody can tell."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from mooring.v1 import imports_pb2, sessions_pb2
from support_assets import delete_asset, get_asset, list_assets, list_dependencies, put_asset, put_dependency
from support_discovery import import_file
from support_server import new_engagement, refused
from support_sessions import archive, clone, delete, get, make

Code = grpc.StatusCode
ESTATE = b"name,owner\nalpha,Ann\nbeta,Bob\n"


def shown(caller, session):
    """What a session shows: its assets by their names, with their owners, and its number of dependencies."""
    assets = {each.display_name: each.owner for each in list_assets(caller, session).assets}
    count = len(list_dependencies(caller, session).dependencies)
    found = get(caller, session)
    assert (found.asset_count, found.dependency_count) == (len(assets), count)
    return assets, count


@pytest.fixture
def source(ann):
    """A session with two assets, and one that needs the other."""
    session = new_engagement(ann).default_session
    import_file(ann, session, ESTATE)
    alpha, beta = (each.name for each in list_assets(ann, session).assets)
    put_dependency(ann, f"{session}/dependencies/need", source=alpha, target=beta)
    return session


def in_session(session, asset):
    """The name of the same asset in another session."""
    return f"{session}/assets/{asset.rpartition('/')[2]}"


def test_a_clone_begins_with_its_sources_data(ann, source):
    """The same data version, so nothing is copied; and it goes back to its source."""
    made = clone(ann, source)
    before = get(ann, source)
    assert (made.data_version, made.asset_count, made.dependency_count) == (before.data_version, 2, 1)
    assert made.parent_session == source
    assert shown(ann, made.name) == shown(ann, source)
    alpha = list_assets(ann, source).assets[0]
    assert get_asset(ann, in_session(made.name, alpha.name)).owner == "Ann"


def test_a_clone_goes_back_to_whom_it_says(ann, source):
    """A parent that is given is another thing than the source."""
    other = make(ann, source.partition("/sessions/")[0], "Other")
    request = sessions_pb2.Session(display_name="Clone", parent_session=other.name)
    made = clone(ann, source, session=request)
    assert (made.parent_session, made.asset_count) == (other.name, 2)


def test_a_blank_session_can_be_cloned(ann):
    """There is nothing to share; both are filled by themselves."""
    source = new_engagement(ann).default_session
    made = clone(ann, source)
    put_asset(ann, f"{made.name}/assets/a", display_name="a")
    assert (get(ann, source).asset_count, get(ann, made.name).asset_count) == (0, 1)


@pytest.mark.parametrize("written", ["source", "clone"])
def test_an_edit_of_one_is_not_seen_in_the_other(ann, source, written):
    """Whichever of them is edited first, by every kind of edit."""
    made = clone(ann, source).name
    mine, other = (source, made) if written == "source" else (made, source)
    alpha, beta = (each.name for each in list_assets(ann, mine).assets)
    put_asset(ann, alpha, owner="Eve")
    assert (shown(ann, mine), shown(ann, other)) == (
        ({"alpha": "Eve", "beta": "Bob"}, 1),
        ({"alpha": "Ann", "beta": "Bob"}, 1),
    )
    delete_asset(ann, in_session(other, beta), force=True)
    put_asset(ann, f"{mine}/assets/gamma", display_name="gamma")
    assert (shown(ann, mine), shown(ann, other)) == (
        ({"alpha": "Eve", "beta": "Bob", "gamma": ""}, 1),
        ({"alpha": "Ann"}, 0),
    )


def test_an_import_into_one_is_not_seen_in_the_other(ann, source):
    """Nor is its undoing, whatever was edited meanwhile."""
    made = clone(ann, source).name
    brought = import_file(ann, made, b"name,owner\nalpha,Eve\ngamma,Gus\n")
    alpha = list_assets(ann, source).assets[0]
    put_asset(ann, alpha.name, owner="Zoe")
    assert shown(ann, made) == ({"alpha": "Eve", "beta": "Bob", "gamma": "Gus"}, 1)
    ann.discovery.RevertImport(imports_pb2.RevertImportRequest(name=getattr(brought, "import")))
    assert shown(ann, made) == ({"alpha": "Ann", "beta": "Bob"}, 1)
    assert shown(ann, source) == ({"alpha": "Zoe", "beta": "Bob"}, 1)


def test_an_import_can_be_undone_after_its_session_was_cloned_and_edited(ann):
    """The session's history follows it to the copy that the edit made; the clone keeps what it shows."""
    session = new_engagement(ann).default_session
    brought = getattr(import_file(ann, session, ESTATE), "import")
    made = clone(ann, session).name
    put_asset(ann, list_assets(ann, session).assets[0].name, owner="Eve")
    with refused(Code.FAILED_PRECONDITION, "DATA_EDITED") as refusal:
        ann.discovery.RevertImport(imports_pb2.RevertImportRequest(name=brought))
    assert "1 edit of the data" in refusal.message
    ann.discovery.RevertImport(imports_pb2.RevertImportRequest(name=brought, force=True))
    assert shown(ann, session) == ({}, 0)
    assert shown(ann, made) == ({"alpha": "Ann", "beta": "Bob"}, 0)


def test_an_undone_import_stays_in_the_clone(ann):
    """What the source shows no more is the clone's alone, and can be edited there."""
    session = new_engagement(ann).default_session
    brought = getattr(import_file(ann, session, ESTATE), "import")
    made = clone(ann, session).name
    ann.discovery.RevertImport(imports_pb2.RevertImportRequest(name=brought))
    put_asset(ann, list_assets(ann, made).assets[1].name, owner="Eve")
    assert shown(ann, made) == ({"alpha": "Ann", "beta": "Eve"}, 0)
    assert shown(ann, session) == ({}, 0)


def test_a_clone_outlives_its_source(ann, source):
    """Archived or deleted, the source takes nothing with it; an archived one can be cloned."""
    engagement = source.partition("/sessions/")[0]
    first = clone(ann, source, "First").name
    archive(ann, first)
    second = clone(ann, first, "Second").name
    delete(ann, first)
    put_asset(ann, list_assets(ann, second).assets[0].name, owner="Eve")
    assert shown(ann, second) == ({"alpha": "Eve", "beta": "Bob"}, 1)
    with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):
        clone(ann, first, "Third")
    with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):
        clone(ann, f"{engagement}/sessions/nowhere", "Third")


def test_the_source_is_of_the_same_engagement(ann, source):
    """Data does not cross the border between clients."""
    other = new_engagement(ann, "Fabrikam").name
    request = sessions_pb2.CreateSessionRequest(parent=other, source_session=source)
    request.session.display_name = "Clone"
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as refusal:
        ann.sessions.CreateSession(request)
    assert refusal.fields == ["source_session"]


def test_a_check_copies_nothing(ann, source):
    """An edit that is only tried leaves the data shared, and says what it would make."""
    made = clone(ann, source)
    alpha = list_assets(ann, source).assets[0]
    tried = put_asset(ann, alpha.name, owner="Eve", validate_only=True)
    assert tried.owner == "Eve"
    assert get(ann, source).data_version == made.data_version
    assert clone(ann, source, "Tried", validate_only=True).asset_count == 2


def test_edits_of_clones_at_once_all_count(server, ann, source):
    """Many edits wait for one copy; each of the sessions has its own afterwards, and the doctor nothing."""
    sessions = [source, *(clone(ann, source, f"Clone {number}").name for number in range(3))]

    def edit(number):
        session = sessions[number % len(sessions)]
        put_asset(ann, f"{session}/assets/made-{number}", display_name=f"made {number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(edit, range(32)))
    for place, session in enumerate(sessions):
        made = {f"made {number}": "" for number in range(32) if number % len(sessions) == place}
        assert shown(ann, session) == ({"alpha": "Ann", "beta": "Bob", **made}, 1)
    assert server.app.store.check() == []

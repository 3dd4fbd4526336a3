"""Two sessions held against each other, through the API."""

import grpc
import pytest
from mooring.v1 import comparisons_pb2
from support_assets import delete_asset, list_assets, put_asset, put_dependency
from support_discovery import import_file
from support_server import new_engagement, refused
from support_sessions import archive, clone, get, make

Code = grpc.StatusCode
BEFORE = b"name,owner,cores,Rack\nalpha,Ann,2,R1\nbeta,Bob,4,R1\ngamma,Gus,8,R2\ndelta,Dan,8,R2\n"
AFTER = b"name,owner,cores,Rack\nalpha,Ann,2,R1\nbeta,Eve,16,R1\ngamma,Gus,8,R9\nzeta,Zoe,1,R3\n"
FLOWS = b"source,target,port,note\nalpha,beta,80,a\nbeta,gamma,443,b\ngamma,alpha,22,c\n"
KIND = {
    name: comparisons_pb2.DifferenceKind.Value(f"DIFFERENCE_KIND_{name.upper()}")
    for name in ("added", "removed", "changed", "unchanged")
}


def compare(caller, session, other):
    """The counts of assets and of dependencies: added, removed, changed, unchanged."""
    request = comparisons_pb2.CompareSessionsRequest(name=session, other=other)
    found = caller.sessions.CompareSessions(request)
    assert (found.data_version, found.other_data_version) == (
        get(caller, session).data_version,
        get(caller, other).data_version,
    )
    return tuple(
        tuple(getattr(counts, f"{name}_count") for name in KIND)
        for counts in (found.assets, found.dependencies)
    )


def differences(caller, session, other, kinds=(), **fields):
    """All of the assets' differences: (kind, name, fields), from all pages."""
    request = comparisons_pb2.ListAssetDifferencesRequest(
        parent=session, other=other, kinds=[KIND[kind] for kind in kinds], **fields
    )
    found = []
    while True:
        page = caller.sessions.ListAssetDifferences(request)
        for each in page.differences:
            name = comparisons_pb2.DifferenceKind.Name(each.kind).removeprefix("DIFFERENCE_KIND_").lower()
            shown = each.asset if each.HasField("asset") else each.other_asset
            assert each.HasField("asset") == (name != "added")
            assert each.HasField("other_asset") == (name != "removed")
            assert shown.name.startswith(f"{session if name != 'added' else other}/assets/")
            found.append((name, shown.display_name, list(each.fields)))
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


@pytest.fixture
def sessions(ann):
    """Two sessions of one engagement, each with an inventory of its own."""
    engagement = new_engagement(ann)
    before, after = engagement.default_session, make(ann, engagement.name, "After").name
    import_file(ann, before, BEFORE)
    import_file(ann, after, AFTER)
    return before, after


def test_every_asset_is_counted_once(ann, sessions):
    """By what tells an asset in every import, whatever its id; the other way round is the opposite."""
    before, after = sessions
    assert compare(ann, before, after)[0] == (1, 1, 2, 1)
    assert compare(ann, after, before)[0] == (1, 1, 2, 1)
    import_file(ann, after, b"name\neta\n", file_name="more.csv")
    assert compare(ann, before, after)[0] == (2, 1, 2, 1)
    assert compare(ann, after, before)[0] == (1, 2, 2, 1)


def test_differences_name_the_fields(ann, sessions):
    """Attributes by their key; what was added comes last, and what is unchanged where it is asked for."""
    expected = [
        ("changed", "beta", ["owner", "cpu_cores"]),
        ("removed", "delta", []),
        ("changed", "gamma", ["attributes.Rack"]),
        ("added", "zeta", []),
    ]
    assert differences(ann, *sessions) == expected
    assert differences(ann, *sessions, page_size=1) == expected
    assert differences(ann, *sessions, KIND) == [("unchanged", "alpha", []), *expected]
    for kind in KIND:
        wanted = [each for each in [("unchanged", "alpha", []), *expected] if each[0] == kind]
        assert differences(ann, *sessions, [kind], page_size=1) == wanted


def test_differences_are_filtered_and_ordered(ann, sessions):
    """As the assets of a session are; what was added by its own values."""
    assert differences(ann, *sessions, filter="owner = Gus OR owner = Zoe") == [
        ("changed", "gamma", ["attributes.Rack"]),
        ("added", "zeta", []),
    ]
    names = [name for _, name, _ in differences(ann, *sessions, order_by="display_name desc")]
    assert names == ["gamma", "delta", "beta", "zeta"]


def test_dependencies_pair_by_their_ends(ann, sessions):
    """Whose ids differ from session to session; a dependency is changed by what is said of it."""
    for session, ports in zip(sessions, ((80, 443, 22), (80, 443, 8080)), strict=True):
        alpha, beta = (each.name for each in list_assets(ann, session).assets[:2])
        for port in ports:
            note = "new" if port == 443 and session == sessions[1] else ""
            put_dependency(
                ann, f"{session}/dependencies/p{port}", source=alpha, target=beta, port=port, description=note
            )
    assert compare(ann, *sessions)[1] == (1, 1, 1, 1)
    request = comparisons_pb2.ListDependencyDifferencesRequest(parent=sessions[0], other=sessions[1])
    found = ann.sessions.ListDependencyDifferences(request)
    assert [
        (each.kind, each.dependency.port, each.other_dependency.port, list(each.fields))
        for each in found.differences
    ] == [
        (KIND["changed"], 443, 443, ["description"]),
        (KIND["removed"], 22, 0, []),
        (KIND["added"], 0, 8080, []),
    ]
    filtered = comparisons_pb2.ListDependencyDifferencesRequest(
        parent=sessions[0], other=sessions[1], filter="port > 1000"
    )
    assert [
        each.other_dependency.port for each in ann.sessions.ListDependencyDifferences(filtered).differences
    ] == [8080]


def test_a_clone_differs_in_what_was_done_to_it(ann, sessions):
    """First in nothing; an archived session is compared like others."""
    before, _ = sessions
    made = clone(ann, before).name
    assert compare(ann, before, made) == ((0, 0, 0, 4), (0, 0, 0, 0))
    assert differences(ann, before, made) == []
    assert len(differences(ann, before, made, ["unchanged"])) == 4
    put_asset(ann, list_assets(ann, made).assets[0].name, owner="Eve")
    delete_asset(ann, list_assets(ann, made).assets[1].name)
    put_asset(ann, f"{made}/assets/new", display_name="new")
    archive(ann, made)
    assert compare(ann, before, made)[0] == (1, 1, 1, 2)
    assert differences(ann, before, made) == [
        ("changed", "alpha", ["owner"]),
        ("removed", "beta", []),
        ("added", "new", []),
    ]


def test_a_session_without_data_lacks_everything(ann, sessions):
    """Against it all is removed, or added; against itself nothing."""
    before, _ = sessions
    empty = make(ann, before.partition("/sessions/")[0], "Empty").name
    assert compare(ann, before, empty)[0] == (0, 4, 0, 0)
    assert compare(ann, empty, before)[0] == (4, 0, 0, 0)
    assert [kind for kind, _, _ in differences(ann, before, empty)] == ["removed"] * 4
    assert [kind for kind, _, _ in differences(ann, empty, before, page_size=3)] == ["added"] * 4
    assert compare(ann, empty, empty) == ((0, 0, 0, 0), (0, 0, 0, 0))
    assert differences(ann, before, before) == []


def test_a_walk_stays_with_the_data_that_it_began_with(ann, sessions):
    """An import between two pages shows in the next walk."""
    before, after = sessions
    request = comparisons_pb2.ListAssetDifferencesRequest(parent=before, other=after, page_size=2)
    first = ann.sessions.ListAssetDifferences(request)
    import_file(ann, after, BEFORE, file_name="again.csv")
    request.page_token = first.next_page_token
    second = ann.sessions.ListAssetDifferences(request)
    assert (second.data_version, second.other_data_version) == (first.data_version, first.other_data_version)
    assert [each.kind for each in second.differences] == [KIND["changed"], KIND["added"]]
    assert [kind for kind, _, _ in differences(ann, before, after)] == ["added"]


def test_what_cannot_be_compared_is_refused(ann, bob, sessions):
    """Sessions of two engagements, absent ones, an unknown kind, and a token of another walk."""
    before, after = sessions
    foreign = new_engagement(bob).default_session
    own = new_engagement(ann, "Fabrikam").default_session
    for other in (own, foreign):
        with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as refusal:
            compare(ann, before, other)
        assert refusal.fields == ["other"]
    request = comparisons_pb2.ListAssetDifferencesRequest(parent=before, other=after, page_size=1)
    page = ann.sessions.ListAssetDifferences(request)
    request.page_token = page.next_page_token
    request.kinds.append(KIND["added"])
    with refused(Code.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"):
        ann.sessions.ListAssetDifferences(request)
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as refusal:
        ann.sessions.ListAssetDifferences(
            comparisons_pb2.ListAssetDifferencesRequest(parent=before, other=after, kinds=[9])
        )
    assert refusal.fields == ["kinds"]
    with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):
        compare(ann, before, f"{before.rpartition('/')[0]}/nowhere")

"""Merging two sessions through the API: previewed, done, recorded, undone."""

import grpc
import pytest
from google.longrunning import operations_pb2
from mooring.v1 import merges_pb2, sessions_pb2
from support_assets import list_assets, list_dependencies, put_asset, put_dependency
from support_discovery import done, import_file
from support_merges import (
    COMBINE,
    NEWEST,
    OVERWRITE,
    PRESERVE,
    SOURCE,
    TARGET,
    drops,
    merge,
    plan,
    preview,
    revert,
    start,
)
from support_server import new_engagement, refused
from support_sessions import archive, clone, get, make, set_default, unarchive, update

Code = grpc.StatusCode
MINE = b"name,owner,environment,cores,Rack\nalpha,Ann,Prod,2,R1\nbeta,Bob,,4,R1\ngamma,Gus,Test,8,\n"
THEIRS = (
    b"name,owner,environment,cores,Rack,Row\n"
    b"alpha,ann ,prod,2,R1,7\n"
    b"beta,Eve,Prod,16,R9,\n"
    b"zeta,Zoe,Test,1,R3,8\n"
)


def shown(caller, session):
    """What a session shows: some fields of each asset, and the ends and ports of its dependencies."""
    assets = {
        each.display_name: (
            each.owner,
            each.environment,
            each.cpu_cores,
            each.attributes.get("Rack", ""),
            each.attributes.get("Row", ""),
        )
        for each in list_assets(caller, session).assets
    }
    ends = {
        (each.source_display_name, each.target_display_name, each.port, each.description)
        for each in list_dependencies(caller, session).dependencies
    }
    found = get(caller, session)
    assert (found.asset_count, found.dependency_count) == (len(assets), len(ends))
    return assets, ends


@pytest.fixture
def sessions(ann):
    """A target, the default session, and a source, each with an inventory of its own."""
    engagement = new_engagement(ann)
    target, source = engagement.default_session, make(ann, engagement.name, "Source").name
    import_file(ann, target, MINE)
    import_file(ann, source, THEIRS)
    return target, source


def test_a_preview_counts_by_field(ann, sessions):
    """A fill is empty in the target alone, a conflict is more than case or spaces; nothing moves."""
    target, source = sessions
    before = get(ann, target), get(ann, source)
    counts = preview(ann, target, plan(source)).counts
    assert (counts.new_asset_count, counts.changed_asset_count, counts.kept_asset_count) == (1, 2, 0)
    assert counts.fills == {"environment": 1, "attributes.Row": 1}
    assert counts.conflicts == {"owner": 1, "cpu_cores": 1, "attributes.Rack": 1}
    assert counts.conflicts_to_source_count == 0
    assert preview(ann, target, plan(source, conflicts=SOURCE)).counts.conflicts_to_source_count == 3
    kept = preview(ann, target, plan(source, PRESERVE)).counts
    assert (kept.new_asset_count, kept.changed_asset_count, kept.kept_asset_count) == (1, 0, 2)
    assert (get(ann, target), get(ann, source)) == before


def test_preserving_the_target_adds_what_is_new(ann, sessions):
    """What it has stays to the letter, and what the source said of it is on record."""
    target, source = sessions
    before, _ = shown(ann, target)
    done_ = merge(ann, target, plan(source, PRESERVE))
    assert shown(ann, target)[0] == {**before, "zeta": ("Zoe", "Test", 1, "R3", "8")}
    assert drops(ann, done_.name) == {
        ("alpha", "owner"): ("Ann", "ann", TARGET),
        ("alpha", "environment"): ("Prod", "prod", TARGET),
        ("alpha", "attributes.Row"): ("", "7", TARGET),
        ("beta", "owner"): ("Bob", "Eve", TARGET),
        ("beta", "environment"): ("", "Prod", TARGET),
        ("beta", "cpu_cores"): ("4.0", "16.0", TARGET),
        ("beta", "attributes.Rack"): ("R1", "R9", TARGET),
    }


def test_overwriting_takes_what_the_source_knows(ann, sessions):
    """Its spelling too; what only the target knows stays."""
    target, source = sessions
    done_ = merge(ann, target, plan(source, OVERWRITE))
    assert shown(ann, target)[0] == {
        "alpha": ("ann", "prod", 2, "R1", "7"),
        "beta": ("Eve", "Prod", 16, "R9", ""),
        "gamma": ("Gus", "Test", 8, "", ""),
        "zeta": ("Zoe", "Test", 1, "R3", "8"),
    }
    assert drops(ann, done_.name, page_size=1) == {
        ("alpha", "owner"): ("Ann", "ann", SOURCE),
        ("alpha", "environment"): ("Prod", "prod", SOURCE),
        ("beta", "owner"): ("Bob", "Eve", SOURCE),
        ("beta", "cpu_cores"): ("4.0", "16.0", SOURCE),
        ("beta", "attributes.Rack"): ("R1", "R9", SOURCE),
    }


def test_combining_fills_and_goes_by_rules(ann, sessions):
    """A choice for an asset's field goes before one for the field, and that before the rule for all."""
    target, source = sessions
    beta = list_assets(ann, target).assets[1].name
    wanted = plan(
        source,
        COMBINE,
        SOURCE,
        field_choices=[
            merges_pb2.FieldChoice(field="cpu_cores", side=TARGET),
            merges_pb2.FieldChoice(field="owner", side=SOURCE),
        ],
        asset_choices=[merges_pb2.AssetChoice(asset=beta, field="owner", side=TARGET)],
    )
    done_ = merge(ann, target, wanted, preview(ann, target, wanted).digest)
    assert shown(ann, target)[0] == {
        "alpha": ("Ann", "Prod", 2, "R1", "7"),
        "beta": ("Bob", "Prod", 4, "R9", ""),
        "gamma": ("Gus", "Test", 8, "", ""),
        "zeta": ("Zoe", "Test", 1, "R3", "8"),
    }
    assert done_.plan == wanted
    engagement = target.partition("/sessions/")[0]
    (listed,) = ann.sessions.ListMerges(merges_pb2.ListMergesRequest(parent=engagement)).merges
    assert (len(listed.plan.asset_choices), len(listed.plan.field_choices)) == (0, 2)
    assert drops(ann, done_.name)["beta", "owner"] == ("Bob", "Eve", TARGET)
    assert drops(ann, done_.name)["alpha", "owner"] == ("Ann", "ann", TARGET)


def test_the_newest_side_is_that_of_the_asset_that_changed_last(ann, sessions):
    """Asset by asset; the target's where only that was touched since."""
    target, source = sessions
    put_asset(ann, list_assets(ann, target).assets[0].name, owner="Alice")
    merge(ann, target, plan(source, COMBINE, NEWEST))
    assets, _ = shown(ann, target)
    assert (assets["alpha"][0], assets["beta"][0]) == ("Alice", "Eve")


def test_conflicts_are_listed_with_both_sides(ann, sessions):
    """By page, filter and field, each with the side that it would go to."""
    target, source = sessions
    beta = list_assets(ann, target).assets[1].name
    wanted = plan(source, asset_choices=[merges_pb2.AssetChoice(asset=beta, field="owner", side=SOURCE)])

    def listed(**fields):
        request = merges_pb2.ListMergeConflictsRequest(parent=target, plan=wanted, **fields)
        return list(ann.sessions.ListMergeConflicts(request).conflicts)

    (found,) = listed()
    assert (found.asset.owner, found.source_asset.owner) == ("Bob", "Eve")
    assert {each.field: each.side for each in found.fields} == {
        "owner": SOURCE,
        "cpu_cores": TARGET,
        "attributes.Rack": TARGET,
    }
    assert [len(listed(fields=[name])) for name in ("owner", "environment")] == [1, 0]
    assert [len(listed(filter=f"owner = {name}")) for name in ("Bob", "Ann")] == [1, 0]


def test_dependencies_merge_with_their_assets(ann, sessions):
    """Between the target's assets, whatever the source's ids; what both have is settled as assets are."""
    target, source = sessions
    for session, ports in ((target, (80, 443)), (source, (443, 22))):
        named = {each.display_name: each.name for each in list_assets(ann, session).assets}
        for port in ports:
            put_dependency(
                ann,
                f"{session}/dependencies/p{port}",
                source=named["alpha"],
                target=named["beta"],
                port=port,
                description="theirs" if session == source else "",
            )
    both = put_dependency(ann, f"{target}/dependencies/p443", ["attributes"], attributes={"rule": "7"})
    put_dependency(ann, f"{source}/dependencies/p443", ["attributes"], attributes={"rule": "9"})
    named = {each.display_name: each.name for each in list_assets(ann, source).assets}
    put_dependency(ann, f"{source}/dependencies/p80", source=named["zeta"], target=named["beta"], port=80)
    done_ = merge(ann, target, plan(source))
    counts = done_.counts
    assert (counts.new_dependency_count, counts.changed_dependency_count) == (2, 1)
    assert (both.source_display_name, both.target_display_name) == ("alpha", "beta")
    assert drops(ann, done_.name)["alpha → beta p443", "attributes.rule"] == ("7", "9", TARGET)
    assert shown(ann, target)[1] == {
        ("alpha", "beta", 80, ""),
        ("alpha", "beta", 443, "theirs"),
        ("alpha", "beta", 22, "theirs"),
        ("zeta", "beta", 80, ""),
    }


def test_the_source_is_put_away_below_the_target(ann, sessions):
    """Archived, with the target as its parent and its data as it was; kept on request."""
    target, source = sessions
    data = shown(ann, source)
    done_ = merge(ann, target, plan(source, keep_source=True))
    assert not get(ann, source).HasField("archive_time")
    revert(ann, done_.name)
    merge(ann, target, plan(source))
    found = get(ann, source)
    assert found.HasField("archive_time")
    assert found.parent_session == target
    assert shown(ann, source) == data


def test_a_merge_is_undone_exactly(ann, sessions):
    """Both sessions are as they were, data versions included; and it cannot be undone twice."""
    target, source = sessions
    before = shown(ann, target), get(ann, target).data_version, get(ann, source).parent_session
    done_ = merge(ann, target, plan(source, OVERWRITE))
    assert done_.revertible
    undone = revert(ann, done_.name)
    assert undone.HasField("revert_time")
    found = get(ann, source)
    assert (shown(ann, target), get(ann, target).data_version, found.parent_session) == before
    assert not found.HasField("archive_time")
    with refused(Code.FAILED_PRECONDITION, "NOT_REVERTIBLE"):
        revert(ann, done_.name)
    again = merge(ann, target, plan(source, OVERWRITE))
    assert shown(ann, target)[0]["beta"][0] == "Eve"
    assert again.name != done_.name


def test_edits_since_are_not_lost_unasked(ann, sessions):
    """Undoing says how many, and loses them where it is told to."""
    target, source = sessions
    before = shown(ann, target)
    done_ = merge(ann, target, plan(source))
    put_asset(ann, list_assets(ann, target).assets[0].name, owner="Eve")
    with refused(Code.FAILED_PRECONDITION, "DATA_EDITED") as refusal:
        revert(ann, done_.name)
    assert "1 edit of the data since the merge would be lost" in refusal.message
    revert(ann, done_.name, force=True)
    assert shown(ann, target) == before


def test_what_came_after_is_undone_first(ann, sessions):
    """An import into the target stands on the merge."""
    target, source = sessions
    done_ = merge(ann, target, plan(source))
    import_file(ann, target, b"name\neta\n", file_name="more.csv")
    request = merges_pb2.GetMergeRequest(name=done_.name)
    assert not ann.sessions.GetMerge(request).revertible
    with refused(Code.FAILED_PRECONDITION, "NOT_REVERTIBLE") as refusal:
        revert(ann, done_.name)
    assert "undo what came after it first" in refusal.message


def test_a_source_that_was_taken_up_since_stays_so(ann, sessions):
    """Undoing puts back only what the merge itself has left."""
    target, source = sessions
    done_ = merge(ann, target, plan(source))
    unarchive(ann, source)
    revert(ann, done_.name)
    assert get(ann, source).parent_session == target


def test_a_clone_is_merged_back(ann):
    """What was changed in it, and nothing else, is changed in its source; it stays the younger one."""
    origin = new_engagement(ann).default_session
    import_file(ann, origin, MINE)
    branch = clone(ann, origin).name
    beta = list_assets(ann, branch).assets[1].name
    put_asset(ann, beta, owner="Eve")
    put_asset(ann, f"{branch}/assets/new", display_name="new")
    counts = preview(ann, origin, plan(branch, OVERWRITE)).counts
    assert (counts.new_asset_count, counts.changed_asset_count, counts.kept_asset_count) == (1, 1, 2)
    merge(ann, origin, plan(branch, OVERWRITE))
    assets, _ = shown(ann, origin)
    assert (assets["beta"][0], "new" in assets, len(assets)) == ("Eve", True, 4)
    assert get(ann, branch).parent_session == origin


def test_an_id_that_means_something_else_is_not_taken(ann):
    """Two assets of one id and different names both are in the result, with what depends on them."""
    target = new_engagement(ann).default_session
    source = make(ann, target.partition("/sessions/")[0], "Source").name
    put_asset(ann, f"{target}/assets/a", display_name="mine")
    put_asset(ann, f"{source}/assets/a", display_name="theirs")
    put_dependency(
        ann, f"{source}/dependencies/d", source=f"{source}/assets/a", target=f"{source}/assets/a", port=1
    )
    merge(ann, target, plan(source))
    assets, ends = shown(ann, target)
    assert set(assets) == {"mine", "theirs"}
    assert ends == {("theirs", "theirs", 1, "")}


def test_sessions_without_data_merge(ann, sessions):
    """Into an empty one everything comes; of an empty one nothing."""
    target, source = sessions
    engagement = target.partition("/sessions/")[0]
    empty = make(ann, engagement, "Empty").name
    data = shown(ann, source)
    merge(ann, empty, plan(source, keep_source=True))
    assert shown(ann, empty) == data
    nothing = make(ann, engagement, "Nothing").name
    before = shown(ann, target)
    merge(ann, target, plan(nothing))
    assert shown(ann, target) == before


def test_a_preview_that_is_no_longer_true_is_refused(ann, sessions):
    """Whichever side moved, and another plan too."""
    target, source = sessions
    digest = preview(ann, target, plan(source)).digest
    with refused(Code.ABORTED, "MERGE_MOVED"):
        start(ann, target, plan(source, OVERWRITE), digest)
    for session in (source, target):
        digest = preview(ann, target, plan(source)).digest
        put_asset(ann, list_assets(ann, session).assets[0].name, status=session[-8:])
        with refused(Code.ABORTED, "MERGE_MOVED"):
            start(ann, target, plan(source), digest)


def test_what_cannot_be_merged_is_refused(ann, bob, sessions):
    """Itself, another engagement's, into an archived one, a default source, odd plans."""
    target, source = sessions
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as refusal:
        start(ann, target, plan(target))
    assert refusal.fields == ["plan.source"]
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD"):
        start(ann, target, plan(new_engagement(bob).default_session))
    with refused(Code.FAILED_PRECONDITION, "DEFAULT_SESSION"):
        start(ann, source, plan(target))
    for wrong in (
        plan(source, 9),
        plan(source, COMBINE, 9),
        plan(source, field_choices=[merges_pb2.FieldChoice(field="colour", side=SOURCE)]),
        plan(source, field_choices=[merges_pb2.FieldChoice(field="owner")]),
        plan(
            source,
            asset_choices=[merges_pb2.AssetChoice(asset=f"{source}/assets/a", field="owner", side=SOURCE)],
        ),
    ):
        with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD"):
            preview(ann, target, wrong)
    set_default(ann, source)
    archive(ann, target)
    with refused(Code.FAILED_PRECONDITION, "SESSION_ARCHIVED"):
        start(ann, target, plan(source, keep_source=True))
    with refused(Code.NOT_FOUND, "MERGE_NOT_FOUND"):
        name = f"{target.partition('/sessions/')[0]}/merges/nothing"
        ann.sessions.GetMerge(merges_pb2.GetMergeRequest(name=name))


def test_a_merge_is_an_operation_and_an_entry_of_the_history(ann, sessions):
    """Its progress names both sessions; the engagement lists it, the newest first."""
    target, source = sessions
    operation = done(ann, start(ann, target, plan(source)))
    told = merges_pb2.MergeSessionsMetadata()
    assert operation.metadata.Unpack(told)
    assert (told.session, told.source_session) == (target, source)
    assert told.phase == merges_pb2.MergePhase.Value("MERGE_PHASE_DONE")
    assert told.rows_done == told.rows_total == 6
    listed = ann.operations.ListOperations(operations_pb2.ListOperationsRequest(name=target)).operations
    assert operation.name in [each.name for each in listed]
    engagement = target.partition("/sessions/")[0]
    request = merges_pb2.ListMergesRequest(parent=engagement)
    (found,) = ann.sessions.ListMerges(request).merges
    assert found == ann.sessions.GetMerge(merges_pb2.GetMergeRequest(name=found.name))
    assert (found.target_session, found.source_session) == (target, source)
    assert found.name.rpartition("/")[2] == operation.name.rpartition("/")[2]
    renamed = update(ann, target, ["description"], description="Merged")
    assert isinstance(renamed, sessions_pb2.Session)

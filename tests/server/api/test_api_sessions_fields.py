"""Labels and the parent session through the API."""

import grpc
import pytest
from support_server import new_engagement, refused
from support_sessions import delete, get, make, update

Code = grpc.StatusCode


@pytest.fixture
def engagement(ann):
    return new_engagement(ann)


def test_labels_are_kept_as_given(ann, engagement):
    """Every key and value that the rule allows comes back, empty values too."""
    labels = {"a": "", "env": "Prod é 生産", "x" * 63: "v" * 200, "cost-center_2": "4711"}
    made = make(ann, engagement.name, labels=labels)
    assert made.labels == labels
    assert get(ann, made.name) == made


def test_labels_are_replaced_as_a_whole(ann, engagement):
    """`labels` in the mask sets all of them; other masks leave them alone; nothing given empties them."""
    name = make(ann, engagement.name, labels={"env": "prod", "team": "a"}).name
    assert update(ann, name, ["labels"], labels={"env": "test"}).labels == {"env": "test"}
    assert update(ann, name, labels={"owner": "ann"}).labels == {"owner": "ann"}
    assert update(ann, name, ["display_name"], display_name="B", labels={"x": "y"}).labels == {"owner": "ann"}
    assert update(ann, name, display_name="C").labels == {"owner": "ann"}
    assert update(ann, name, ["labels"]).labels == {}
    assert get(ann, name).labels == {}


def test_single_labels_are_set_and_removed(ann, engagement):
    """`labels.key` in the mask takes that key alone: set where it is given, removed where it is not."""
    name = make(ann, engagement.name, labels={"env": "prod", "team": "a", "old": "1"}).name
    changed = update(ann, name, ["labels.env", "labels.old", "labels.new"], labels={"env": "test", "new": ""})
    assert changed.labels == {"env": "test", "team": "a", "new": ""}
    changed = update(
        ann, name, ["display_name", "labels.new"], display_name="B", description="no", labels={"team": "z"}
    )
    assert (changed.display_name, changed.description) == ("B", "")
    assert changed.labels == {"env": "test", "team": "a"}
    assert get(ann, name) == changed


@pytest.mark.parametrize(
    ("labels", "field"),
    [
        ({"Env": "x"}, "session.labels"),
        ({"": "x"}, "session.labels"),
        ({"x" * 64: "x"}, "session.labels"),
        ({"env": " x"}, "session.labels.env"),
        ({"env": "x\ny"}, "session.labels.env"),
        ({"env": "x" * 201}, "session.labels.env"),
        ({f"k{i}": "" for i in range(65)}, "session.labels"),
    ],
)
def test_wrong_labels_are_refused(ann, engagement, labels, field):
    """At creation and in an update; the refusal names the label, and nothing changes."""
    before = get(ann, engagement.default_session)
    for call in (
        lambda: make(ann, engagement.name, labels=labels),
        lambda: update(ann, engagement.default_session, labels=labels),
    ):
        with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as refusal:
            call()
        assert refusal.fields == [field]
    assert get(ann, engagement.default_session) == before


def test_labels_do_not_grow_past_their_number(ann, engagement):
    """64 are the most also where they come one by one; changing and removing one is always possible."""
    full = {f"k{i}": "" for i in range(64)}
    name = make(ann, engagement.name, labels=full).name
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as refusal:
        update(ann, name, ["labels.more"], labels={"more": ""})
    assert refusal.fields == ["session.labels"]
    changed = update(ann, name, ["labels.more", "labels.k0"], labels={"more": ""})
    assert len(changed.labels) == 64
    assert "k0" not in changed.labels


def test_a_parent_session_is_named_at_creation(ann, engagement):
    """Its short form is read in the same engagement; the name outlives the parent."""
    parent = make(ann, engagement.name, "Parent").name
    short = "sessions/" + parent.rpartition("/")[2]
    for name, given in (("A", parent), ("B", short), ("C", f"engagements/-/{short}")):
        assert make(ann, engagement.name, name, parent_session=given).parent_session == parent
    child = make(ann, "", "D", parent_session=short)
    delete(ann, parent)
    assert get(ann, child.name) == child


def test_a_wrong_parent_session_is_refused(ann, bob, engagement):
    """Absent and deleted ones are NOT_FOUND; another engagement's is a wrong field, whoever may read it."""
    gone = make(ann, engagement.name, "Gone").name
    delete(ann, gone)
    for name in (gone, f"{engagement.name}/sessions/none", "sessions/none"):
        with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):
            make(ann, engagement.name, parent_session=name)
    foreign = new_engagement(bob).default_session
    for name in (foreign, new_engagement(ann).default_session, "engagements/none/sessions/none", "nonsense"):
        with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as refusal:
            make(ann, engagement.name, parent_session=name)
        assert refusal.fields == ["session.parent_session"]
    with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):  # a bare name never looks elsewhere
        make(ann, engagement.name, parent_session="sessions/" + foreign.rpartition("/")[2])

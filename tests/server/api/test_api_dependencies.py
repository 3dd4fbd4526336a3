"""Dependencies by hand, through the API."""

import grpc
import pytest
from mooring.v1 import dependencies_pb2
from support_assets import (
    delete_asset,
    delete_dependency,
    get_dependency,
    list_dependencies,
    put_asset,
    put_dependency,
)
from support_server import create, new_engagement, refused
from support_sessions import archive, get

Code = grpc.StatusCode


@pytest.fixture
def session(ann):
    return new_engagement(ann).default_session


@pytest.fixture
def ends(ann, session):
    """The names of two assets."""
    return [
        put_asset(ann, f"{session}/assets/{name}", display_name=name.title()).name for name in ("web", "db")
    ]


@pytest.fixture
def full(ends):
    """Every field of a dependency."""
    return {
        "source": ends[0],
        "target": ends[1],
        "kind": dependencies_pb2.DEPENDENCY_KIND_FLOW,
        "port": 5432,
        "protocol": "tcp",
        "source_process": "gunicorn",
        "target_process": "postgres",
        "description": "Orders\nand more",
        "attributes": {"first seen": "2026"},
    }


def test_a_dependency_is_made_and_read(ann, session, full):
    """Every field comes back with the names of both ends; it is of no file."""
    made = put_dependency(ann, f"{session}/dependencies/d", **full)
    assert {name: getattr(made, name) for name in full} == full
    assert (made.source_display_name, made.target_display_name) == ("Web", "Db")
    assert not made.HasField("provenance")
    assert made.etag
    assert get_dependency(ann, made.name) == made
    page = list_dependencies(ann, session)
    assert (list(page.dependencies), page.total_size) == ([made], 1)
    assert page.data_version.endswith(".3")
    assert get(ann, session).dependency_count == 1


def test_little_needs_to_be_told(ann, session, ends):
    """Two ends, also the same one, and by their bare session; it is a use of one by the other."""
    bare = ends[0].partition("/sessions/")[2]
    made = put_dependency(ann, f"{session}/dependencies/d", source=f"sessions/{bare}", target=ends[0])
    assert (made.source, made.target) == (ends[0], ends[0])
    assert made.kind == dependencies_pb2.DEPENDENCY_KIND_USES
    assert not made.HasField("port")


def test_what_is_known_of_it_is_edited(ann, session, full):
    """Description and attributes; sent back as it came it changes nothing."""
    made = put_dependency(ann, f"{session}/dependencies/d", **full)
    before = get(ann, session)
    request = dependencies_pb2.UpdateDependencyRequest(dependency=made)
    for paths in ([], ["*"]):
        request.update_mask.paths[:] = paths
        assert ann.discovery.UpdateDependency(request) == made
    assert get(ann, session) == before
    changed = put_dependency(ann, made.name, ["description", "attributes"], attributes={"a": "b"})
    assert (changed.description, changed.attributes) == ("", {"a": "b"})
    assert changed.etag != made.etag
    assert (changed.port, changed.source_display_name) == (5432, "Web")
    assert get_dependency(ann, made.name) == changed


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", 1),
        ("target", 0),
        ("kind", dependencies_pb2.DEPENDENCY_KIND_USES),
        ("port", 1),
        ("port", None),
        ("protocol", ""),
        ("source_process", "other"),
        ("target_process", "other"),
    ],
)
def test_what_it_is_known_by_is_fixed(ann, session, ends, full, field, value):
    """Changing it is refused, and says so."""
    made = put_dependency(ann, f"{session}/dependencies/d", **full)
    value = ends[value] if field in ("source", "target") else value
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        put_dependency(ann, made.name, [field], **{field: value})
    assert failure.fields == [f"dependency.{field}"]
    assert "fixed" in failure.message
    assert get_dependency(ann, made.name) == made


def test_two_of_the_same_are_refused(ann, session, full):
    """Any part of what it is known by makes another of it."""
    put_dependency(ann, f"{session}/dependencies/d", **full)
    with refused(Code.ALREADY_EXISTS, "DEPENDENCY_EXISTS") as failure:
        put_dependency(ann, f"{session}/dependencies/e", **{**full, "description": "another"})
    assert f"{session}/dependencies/d" in failure.message
    for number, other in enumerate(
        (
            {"port": 5433},
            {"protocol": "udp"},
            {"source_process": ""},
            {"kind": dependencies_pb2.DEPENDENCY_KIND_USES},
            {"source": full["target"], "target": full["source"]},
        )
    ):
        put_dependency(ann, f"{session}/dependencies/e{number}", **{**full, **other})
    assert get(ann, session).dependency_count == 6


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"port": 0}, "port"),
        ({"port": 65_536}, "port"),
        ({"port": -1}, "port"),
        ({"kind": 99}, "kind"),
        ({"protocol": "x" * 501}, "protocol"),
        ({"source_process": "a\nb"}, "source_process"),
        ({"target_process": " a"}, "target_process"),
        ({"description": "x" * 2_001}, "description"),
        ({"attributes": {"": "x"}}, "attributes"),
        ({"source": ""}, "source"),
        ({"target": "web"}, "target"),
        ({"target": "{session}/assets/none"}, "target"),
        ({"source": "{other}/assets/web"}, "source"),
    ],
)
def test_wrong_values_are_refused(ann, session, full, fields, path):
    """With the field's path; an end is an asset of the same session, whatever another session has."""
    other = ann.sessions.CreateSession(create(session.partition("/sessions")[0], "Other")).name
    put_asset(ann, f"{other}/assets/web", display_name="Web")
    told = {
        name: value.format(session=session, other=other) if isinstance(value, str) else value
        for name, value in fields.items()
    }
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        put_dependency(ann, f"{session}/dependencies/d", **{**full, **told})
    assert failure.fields == [f"dependency.{path}"]
    assert get(ann, session).dependency_count == 0


def test_an_etag_guards_an_edit(ann, session, full):
    """Of two who read the same, the second to write is refused."""
    name = f"{session}/dependencies/d"
    made = put_dependency(ann, name, **full)
    put_dependency(ann, name, description="Ann's", etag=made.etag)
    with refused(Code.ABORTED, "ETAG_MISMATCH"):
        put_dependency(ann, name, description="Bob's", etag=made.etag)
    with refused(Code.ABORTED, "ETAG_MISMATCH"):
        delete_dependency(ann, name, etag=made.etag)
    now = get_dependency(ann, name)
    assert now.description == "Ann's"
    assert delete_dependency(ann, name, etag=now.etag) == now
    assert get(ann, session).dependency_count == 0
    with refused(Code.ABORTED, "ETAG_MISMATCH"):
        put_dependency(ann, name, **full, etag=now.etag)


def test_what_is_not_there_is_told(ann, session, full):
    """NOT_FOUND of each call; also of one whose asset went, and of a session without data."""
    name = f"{session}/dependencies/d"
    put_dependency(ann, name, **full)
    delete_asset(ann, full["source"], force=True)
    empty = ann.sessions.CreateSession(create(session.partition("/sessions")[0], "Empty")).name
    for missing in (name, f"{empty}/dependencies/d"):
        for call in (
            lambda at=missing: get_dependency(ann, at),
            lambda at=missing: put_dependency(ann, at, description="x", allow_missing=False),
            lambda at=missing: delete_dependency(ann, at),
        ):
            with refused(Code.NOT_FOUND, "DEPENDENCY_NOT_FOUND") as failure:
                call()
            assert missing in failure.message
    assert get(ann, empty).data_version == ""


def test_dependencies_are_filtered_and_walked(ann, session, ends, full):
    """By either end, by kind and by port, in both orders; an asset of another session is no end here."""
    web, db = ends
    names = [
        put_dependency(ann, f"{session}/dependencies/{id}", **fields).name
        for id, fields in (
            ("a", full),
            ("b", {"source": db, "target": db}),
            ("c", {"source": web, "target": web, "port": 80}),
        )
    ]
    session_id = session.split("/")[3]
    for text, found in (
        ("", "abc"),
        (f'source = "{web}"', "ac"),
        (f'target = "{web}"', "c"),
        (f'source = "{web}" OR target = "{web}"', "ac"),
        (f"source = sessions/{session_id}/assets/db", "b"),
        (f"source = {session.rpartition('/')[0]}/other/assets/web", ""),
        (f"source != {web}", "b"),
        ("kind = FLOW", "a"),
        ("kind = DEPENDENCY_KIND_USES AND port:*", "c"),
        ("port >= 81", "a"),
        ('protocol = "tcp"', "a"),
        ("source_process = guni* target_process = postgres", "a"),
        ("create_time > 2020-01-01", "abc"),
        ("update_time < 2020-01-01", ""),
    ):
        answer = list_dependencies(ann, session, filter=text)
        assert "".join(each.name[-1] for each in answer.dependencies) == found, text
        assert answer.total_size == len(found)
    for order, expected in (("create_time", names), ("create_time desc", names[::-1])):
        walked, token = [], ""
        while len(walked) < 3:
            page = list_dependencies(ann, session, order_by=order, page_size=1, page_token=token)
            walked += [each.name for each in page.dependencies]
            token = page.next_page_token
        assert (walked, token) == (expected, "")
    with refused(Code.INVALID_ARGUMENT, "INVALID_FILTER"):
        list_dependencies(ann, session, filter="web")
    with refused(Code.INVALID_ARGUMENT, "INVALID_FILTER"):
        list_dependencies(ann, session, filter="source = web")
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD"):
        list_dependencies(ann, session, order_by="port")


def test_an_archived_session_is_not_edited(ann):
    """FAILED_PRECONDITION; what it holds is read all the same."""
    session = ann.sessions.CreateSession(create(new_engagement(ann).name, "Wave 1")).name
    web = put_asset(ann, f"{session}/assets/web", display_name="Web").name
    made = put_dependency(ann, f"{session}/dependencies/d", source=web, target=web)
    archive(ann, session)
    with refused(Code.FAILED_PRECONDITION, "SESSION_ARCHIVED"):
        put_dependency(ann, made.name, description="x")
    with refused(Code.FAILED_PRECONDITION, "SESSION_ARCHIVED"):
        delete_dependency(ann, made.name)
    assert get_dependency(ann, made.name) == made

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mooring_server.core.names import Kind, is_id, parse, quote
from mooring_server.errors import InvalidArgument
from mooring_server.store import new_id

UUID = "3f2b8c1e-5d4a-4e6f-9a7b-0c1d2e3f4a5b"
ids = st.from_regex(r"[a-z][a-z0-9-]{0,62}", fullmatch=True) | st.uuids().map(str)


@given(st.sampled_from(Kind), st.lists(ids, min_size=3, max_size=3))
def test_a_name_is_read_back_as_it_was_written(kind, three):
    """Formatting and parsing are inverse for every kind and every lawful id."""
    wanted = tuple(three[: kind.value.count("{")])
    assert parse(kind.of(*wanted), Kind, "name") == (kind, wanted)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "1a",
        "-a",
        "a_b",
        "a b",
        " a",
        "a\n",
        "a/b",
        "ä",
        "a" * 64,
        "a.b",
        "٣",
        UUID.upper(),
        "{a}",
    ],
)
def test_an_odd_id_is_refused(text):
    """What is not an id is refused as it is: nothing is trimmed, folded or cut."""
    assert not is_id(text)
    with pytest.raises(InvalidArgument) as refused:
        Kind.SESSION.ids(f"engagements/e/sessions/{text}")
    assert [v.field for v in refused.value.violations] == ["name"]


@pytest.mark.parametrize("text", ["a", "a" * 63, "wave-1", "me", "a-", UUID])
def test_an_ordinary_id_is_taken(text):
    """Ids of the rule and UUIDs in lower case are lawful."""
    assert Kind.ENGAGEMENT.ids(f"engagements/{text}") == (text,)


def test_a_bare_session_is_of_whichever_engagement():
    """`sessions/{s}` and what is inside one read as `engagements/-/sessions/{s}`."""
    assert Kind.SESSION.ids("sessions/s") == ("-", "s")
    assert Kind.SESSION.ids("engagements/-/sessions/s") == ("-", "s")
    assert Kind.LANDSCAPE.ids("sessions/s/landscape") == ("-", "s")


@pytest.mark.parametrize(
    "name",
    [
        "engagements/-",
        "engagements/-/members/me",
        "engagements/-/usage",
        "users/-/contexts/c",
        "engagements/e/sessions/-",
        "engagements/e/",
        "/engagements/e",
        "e",
    ],
)
def test_a_dash_stands_for_an_engagement_alone(name):
    """`-` is no engagement by itself and no other resource; empty parts and odd collections are refused."""
    with pytest.raises(InvalidArgument):
        parse(name, Kind, "parent")


def test_a_long_text_is_shortened_in_messages():
    """A caller's own text cannot make a failure outgrow the headers that carry it."""
    assert len(quote("x" * 1_000_000)) < 100
    with pytest.raises(InvalidArgument) as refused:
        Kind.SESSION.ids("x" * 1_000_000)
    assert len(refused.value.message) < 500


def test_new_ids_are_uuid7_and_rise():
    """The service's own ids are lawful, version 7, distinct, and ordered by the time they were made."""
    made = [new_id() for _ in range(1_000)]
    assert len(set(made)) == 1_000
    assert all(is_id(id_) and id_[14] == "7" and id_[19] in "89ab" for id_ in made)
    assert [id_[:13] for id_ in made] == sorted(id_[:13] for id_ in made)

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mooring_server.core import paging
from mooring_server.core.engagements import Draft as EngagementDraft
from mooring_server.core.fields import check_request_id, expected_version, mask
from mooring_server.core.sessions import Draft, Edit, SessionType
from mooring_server.errors import InvalidArgument
from mooring_server.settings import Settings
from mooring_server.store.records import Order

UUID = "3f2b8c1e-5d4a-4e6f-9a7b-0c1d2e3f4a5b"


def fields_of(make):
    with pytest.raises(InvalidArgument) as refused:
        make()
    assert refused.value.reason == "INVALID_FIELD"
    return [v.field for v in refused.value.violations]


@pytest.mark.parametrize(
    "name", ["", " ", " a", "a ", "a\t", "a\nb", "a\x7f", "a\x00", "a\u2028b", "x" * 201]
)
def test_a_wrong_display_name_is_refused(name):
    """1 to 200 characters on one line without white space around them: nothing is trimmed to fit."""
    assert fields_of(lambda: Draft("", name, "", SessionType.DATA_IMPORT)) == ["session.display_name"]
    assert fields_of(lambda: Edit({"display_name": name})) == ["session.display_name"]


@pytest.mark.parametrize(
    "name", ["a", "x" * 200, "Wave 2", "Größe ½", "移行", "👩‍💻" * 20, "<b>&amp;", "'; drop"]
)
def test_a_display_name_may_be_in_any_script(name):
    """Whatever people write is theirs: no script is left out, nothing is escaped."""
    assert Draft("", name, "", SessionType.DATA_IMPORT).display_name == name


def test_all_wrong_fields_are_named_at_once():
    """One refusal names every field that has to change."""
    wanted = ["session_id", "session.display_name", "session.description"]
    assert fields_of(lambda: Draft("Ü", "", "x" * 2_001, SessionType.DATA_IMPORT)) == wanted
    wanted = ["engagement_id", "engagement.display_name", "engagement.description"]
    assert fields_of(lambda: EngagementDraft("-", " ", "x" * 2_001)) == wanted


def test_a_description_may_have_lines():
    """2,000 characters with line breaks are a description."""
    assert Draft("", "a", "line\n" * 400, SessionType.DATA_IMPORT)


@pytest.mark.parametrize("text", ["1", "not-a-uuid", "{" + UUID + "}", UUID.replace("-", ""), UUID + " "])
def test_a_request_id_is_a_uuid(text):
    """Anything but a UUID in its usual form is refused; none is allowed."""
    assert fields_of(lambda: check_request_id(text)) == ["request_id"]
    check_request_id("")
    check_request_id(UUID)
    check_request_id(UUID.upper())


@given(st.integers(min_value=1, max_value=10**17))
def test_an_etag_is_its_version(version):
    """An etag demands the version that it was made from."""
    assert expected_version(str(version)) == version


@pytest.mark.parametrize("etag", ["0", "01", "-1", "1.0", " 1", "x", "9" * 30, "\u0661"])
def test_a_strange_etag_matches_nothing(etag):
    """An etag that nobody was given is one that no version has, not an error of its own."""
    assert expected_version(etag) == -1
    assert expected_version("") is None


def test_a_page_has_a_default_size_and_a_largest_one():
    """0 means the default, too much means the most; below 0 is refused, as is an unknown order."""
    settings = Settings(page_size_default=50, page_size_max=1_000)
    assert [paging.limit(n, settings) for n in (0, 1, 1_000, 2**31 - 1)] == [50, 1, 1_000, 1_000]
    assert fields_of(lambda: paging.limit(-1, settings)) == ["page_size"]
    assert fields_of(lambda: paging.skip(-1)) == ["skip"]
    orders = (Order.DISPLAY_NAME, Order.CREATE_TIME_DESC)
    assert paging.order("", orders) is paging.order("display_name", orders) is Order.DISPLAY_NAME
    assert paging.order(" create_time  desc", orders) is Order.CREATE_TIME_DESC
    for wrong in ("etag", "create_time", "display_name asc"):
        assert fields_of(lambda wrong=wrong: paging.order(wrong, orders)) == ["order_by"]


@pytest.mark.parametrize(
    ("paths", "populated", "taken"),
    [
        ((), (), ()),
        ((), ("name", "b", "a"), ("a", "b")),
        (("b",), ("a",), ("b",)),
        (("b", "a", "b"), (), ("a", "b")),
        (("*",), (), ("a", "b", "c")),
        (("*", "a"), ("b",), ("a", "b", "c")),
    ],
)
def test_a_mask_says_what_an_update_takes(paths, populated, taken):
    """What it names; all for a star; what is set where it is empty, as far as that can be changed."""
    assert mask(paths, ("a", "b", "c"), populated) == taken


@pytest.mark.parametrize("paths", [("d",), ("a", "d"), ("*", "d"), ("a.b",), ("",), ("A",)])
def test_a_mask_names_nothing_else(paths):
    """What cannot be changed is refused under the mask's name, whatever else the mask names."""
    assert fields_of(lambda: mask(paths, ("a", "b"), ("a",))) == ["update_mask"]

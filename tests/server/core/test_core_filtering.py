"""The language of filters: what a text means, and what is said about one that means nothing."""

import json

import pytest
from mooring_server.core.filtering import parse
from mooring_server.core.lists import ASSETS, ENGAGEMENTS, SESSIONS
from mooring_server.core.schemas import Schema
from mooring_server.errors import InvalidArgument
from mooring_server.settings import Settings
from mooring_server.store.lists.conditions import (
    And,
    Begins,
    Compare,
    Label,
    Not,
    Op,
    Or,
    Present,
    Word,
)
from mooring_server.store.values import words

_SETTINGS = Settings()
A, B, C, D = map(Word, "abcd")


def session(text):
    return parse(text, SESSIONS.schema, _SETTINGS)


def asset(text):
    return parse(text, ASSETS.schema, _SETTINGS)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", None),
        (" \n\t", None),
        ("a", A),
        ("(((a)))", A),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a\nAND\tb", And((A, B))),
        ("a OR b", Or((A, B))),
        # OR binds tighter than AND, and than AND by juxtaposition.
        ("a AND b OR c AND d", And((A, Or((B, C)), D))),
        ("a b OR c d", And((A, Or((B, C)), D))),
        ("(a AND b) OR c", Or((And((A, B)), C))),
        ("NOT a", Not(A)),
        ("-a", Not(A)),
        ("NOT a OR b", Or((Not(A), B))),
        ("NOT (a OR b)", Not(Or((A, B)))),
        ("-(a b)", Not(And((A, B)))),
        ("a -b", And((A, Not(B)))),
        # Only capitals are operators, and only whole words.
        ("and or not", And((Word("and"), Word("or"), Word("not")))),
        ("ANDROID", Word("android")),
        ('"AND"', Word("and")),
        # A text of several words is all of them.
        ("web-01", And((Word("web"), Word("01")))),
        ('"Größe X"', And((Word("grosse"), Word("x")))),
        ("web*", Word("web")),
    ],
)
def test_operators_and_words(text, meaning):
    """AIP-160: OR before AND, AND also where nothing stands, NOT and - before one term."""
    assert session(text) == meaning


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("display_name=Q1", Compare("display_name", Op.EQ, "Q1")),
        ("display_name != 'Q 1'", Not(Compare("display_name", Op.EQ, "Q 1"))),
        (r'display_name = "say \"hi\" \\ \*"', Compare("display_name", Op.EQ, 'say "hi" \\ *')),
        ("display_name = Q*", Begins("display_name", "Q")),
        ('display_name != "Q *"', Not(Begins("display_name", "Q "))),
        ("display_name:*", Present("display_name")),
        ("description:web-01", And((Word("web", "description"), Word("01", "description")))),
        ("type = DATA_IMPORT", Compare("type", Op.EQ, "data_import")),
        ("type:SESSION_TYPE_DATA_IMPORT", Compare("type", Op.EQ, "data_import")),
        ("creator = users/ann", Compare("creator", Op.EQ, ("ann",))),
        ("is_default = true", Compare("is_default", Op.EQ, True)),
        ("parent_session = sessions/s", Compare("parent_session", Op.EQ, (None, "s"))),
        ("parent_session = engagements/e/sessions/s", Compare("parent_session", Op.EQ, ("e", "s"))),
        ("parent_session != *", Not(Present("parent_session"))),
        ("asset_count >= -5", Compare("asset_count", Op.GE, -5)),
        ("asset_count:5", Compare("asset_count", Op.EQ, 5)),
        ("create_time<1970-01-01T00:00:01Z", Compare("create_time", Op.LT, 1_000_000)),
        ("create_time > '1970-01-01T01:00:00.000001+01:00'", Compare("create_time", Op.GT, 1)),
        ("create_time <= 1970-01-02", Compare("create_time", Op.LE, 86_400_000_000)),
        ("labels:team", Label("team")),
        ("labels.team:*", Label("team")),
        ("labels.team = a", Label("team", "a")),
        ("labels.team:a", Label("team", "a")),
        ("labels.team-2 != ''", Not(Label("team-2", ""))),
        ("labels:*", Label("")),
    ],
)
def test_comparisons(text, meaning):
    """Each kind of field takes its own values, and keeps them as they are stored."""
    assert session(text) == meaning


@pytest.mark.parametrize("text", ['"', "\\", "a\n\tb", "ä", "\U0001f40d", "'", "\\u0041", "a" * 9, "\x7f/"])
def test_what_json_quotes_is_what_it_was(text):
    """A text from elsewhere cannot become grammar: JSON's quotes, and an escaped `*`, are enough."""
    assert session(f"display_name = {json.dumps(text)}") == Compare("display_name", Op.EQ, text)
    starred = json.dumps(f"{text}*").replace("*", "\\*")
    assert session(f"display_name = {starred}") == Compare("display_name", Op.EQ, f"{text}*")


def test_numbers_keep_their_kind():
    """A fraction is good for cores alone, and compares as a fraction."""
    assert asset("cpu_cores > 1") == Compare("cpu_cores", Op.GT, 1.0)
    assert asset("cpu_cores = -1.5e3") == Compare("cpu_cores", Op.EQ, -1500.0)
    assert asset(f"memory_bytes <= {2**63 - 1}") == Compare("memory_bytes", Op.LE, 2**63 - 1)


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("(a", 3, "`)`"),
        ("a)", 2, "the end"),
        ("a AND", 6, "a field or a word"),
        ("a OR OR b", 6, "'OR' cannot stand there"),
        ("AND a", 1, "'AND' cannot stand there"),
        ("NOT NOT a", 5, "'NOT' cannot stand there"),
        ("()", 2, "')' cannot stand there"),
        ("type =", 7, "a value"),
        ("type = (a)", 8, "a value"),
        ("= a", 1, "'=' cannot stand there"),
        ('a "b', 3, "not closed"),
        ("a ! b", 3, "'!' cannot stand there"),
        ("a AND size = 3", 7, "display_name, description, type"),
        ("type = BIG", 8, "DATA_IMPORT, VALIDATION_RUN"),
        ("type > DATA_IMPORT", 6, "`=` or `!=`"),
        ("display_name < b", 14, "`=` or `!=`"),
        ("is_default = 1", 14, "true, false"),
        ("creator = ann", 11, "`users/{user}`"),
        ("creator = users/me", 11, "by their id"),
        ("parent_session = ''", 18, "engagements/{engagement}/sessions/{session}"),
        ("asset_count = 1.5", 15, "a whole number"),
        (f"asset_count = {2**63}", 15, "64 bits"),
        ("asset_count = ٣", 15, "a whole number"),
        ("asset_count = 1*", 15, "texts only"),
        ("create_time > now", 15, "RFC 3339"),
        ("create_time > 2026-02-30T00:00:00Z", 15, "RFC 3339"),
        ("create_time > 2026-01-01T00:00:00", 15, "RFC 3339"),
        ("create_time > 2026-01-01T00:00:00.0000001Z", 15, "microsecond"),
        ("display_name = *b", 16, "may only end"),
        ("a*b", 1, "may only end"),
        ("display_name > b*", 14, "`=` and `!=`"),
        ("labels = a", 8, "labels:key"),
        ("labels. = a", 1, "labels.team"),
        ("labels.a > b", 10, "`=`, `!=` and `:`"),
        ("labels.a = b*", 10, "does not go with labels"),
        ("labels:''", 7, "labels:team"),
        ("'--'", 1, "a letter or a digit"),
        (r'display_name = "\ud800"', 16, "surrogate"),
        (r'display_name = "\u0000"', 16, "NUL"),
        ("description:'!'", 13, "a letter or a digit"),
    ],
)
def test_what_means_nothing_is_refused(text, column, said):
    """The failure names the field, the column, and what may stand there."""
    with pytest.raises(InvalidArgument) as refused:
        session(text)
    (violation,) = refused.value.violations
    assert (refused.value.reason, violation.field) == ("INVALID_FILTER", "filter")
    assert violation.description.startswith(f"column {column}: "), violation.description
    assert said in violation.description
    assert violation.description in refused.value.message


def test_words_want_a_list_that_has_some():
    """A field that is not searched, and a list of which none is, say what to do instead."""
    with pytest.raises(InvalidArgument, match="compare `environment` by `=`"):
        asset("environment:prod")
    with pytest.raises(InvalidArgument, match="not searched for words; compare one of status"):
        parse("web", Schema({"status": ASSETS.schema.fields["status"]}), _SETTINGS)
    with pytest.raises(InvalidArgument, match="no field here"):
        parse("labels:team", ENGAGEMENTS.schema, _SETTINGS)


@pytest.mark.parametrize(
    ("fits", "too_much", "said"),
    [
        ("a" * 2_000, "a" * 2_001, "at most 2,000 characters"),
        ("(" * 20 + "a" + ")" * 20, "(" * 21 + "a" + ")" * 21, "nests deeper than 20"),
        ("-(" * 10 + "a" + ")" * 10, "-(" * 10 + "-a" + ")" * 10, "nests deeper than 20"),
        (" ".join("a" * 50), " ".join("a" * 51), "at most 50"),
        (f"'{' '.join(map(str, range(50)))}'", f"'{' '.join(map(str, range(51)))}'", "at most 50"),
    ],
)
def test_filters_are_bounded(fits, too_much, said):
    """Length, depth and the number of terms have their limits, words of a text counted."""
    assert session(fits) is not None
    with pytest.raises(InvalidArgument, match=said) as refused:
        session(too_much)
    assert refused.value.reason == "INVALID_FILTER"


def test_the_deepest_text_is_refused_quietly():
    """Nothing recurses into what is too deep, whatever the setting of the length."""
    deep = Settings(filter_length_max=100_000)
    for text in ("(" * 50_000, "-(" * 40_000, "NOT " * 20_000 + "a", "(a)" * 30_000, ")" * 50_000):
        with pytest.raises(InvalidArgument):
            parse(text, SESSIONS.schema, deep)


def test_a_filter_is_read_once():
    """The same text gives the same condition, not an equal one."""
    assert session("a OR b") is session("a OR b")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("Web-01.Prod_corp", ("web", "01", "prod", "corp")),
        ("Ärger ÄRGER ärger", ("arger",)),
        ("Straße STRASSE", ("strasse",)),
        ("ﬁle ① \uff37\uff45\uff42", ("file", "1", "web")),
        ("сервер Баз", ("сервер", "баз")),
        ("数据库-1", ("数据库", "1")),
        ("हिन्दी", ("हनद",)),
        ("\U0001f40d!", ()),
        ("x" * 70, ("x" * 64,)),
    ],
)
def test_words_of_a_text(text, found):
    """Runs of letters and digits, without case, accents and compatibility forms, each once."""
    assert words(text) == found


def test_a_text_has_so_many_words():
    """The rest is not searched."""
    assert words(" ".join(map(str, range(1_000)))) == tuple(map(str, range(250)))

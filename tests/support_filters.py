"""Filters, the slow way: an evaluator over records, and filters made together with what they mean."""

import operator
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from hypothesis import strategies as st
from mooring_server.core.filtering import parse
from mooring_server.core.lists import ASSETS, SESSIONS
from mooring_server.settings import Settings
from mooring_server.store import AssetType, Order, Page, Tx
from mooring_server.store.lists.conditions import And, Begins, Compare, Label, Not, Op, Or, Present, Word
from mooring_server.store.lists.paging import Window
from mooring_server.store.values import to_us, words
from support_store import ENGAGEMENT, START, USER, Database, asset, begin, publish

_OPERATORS = {
    Op.EQ: operator.eq,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
}
_NEGATED = object()


@dataclass(frozen=True)
class Row:
    """What conditions are about: stored values by field, labels, and the texts that are searched."""

    id: str
    values: Mapping[str, Any]
    labels: Mapping[str, str]
    searched: tuple[str, ...]


def matches(condition: Any, row: Row) -> bool:
    """Whether a condition is true of a row."""
    match condition:
        case None:
            return True
        case And(parts):
            return all(matches(part, row) for part in parts)
        case Or(parts):
            return any(matches(part, row) for part in parts)
        case Not(part):
            return not matches(part, row)
        case Compare(field, op, tuple() as wanted):
            known = row.values[field]
            return known is not None and all(
                want is None or _OPERATORS[op](has, want) for has, want in zip(known, wanted, strict=True)
            )
        case Compare(field, op, wanted):
            return row.values[field] is not None and _OPERATORS[op](row.values[field], wanted)
        case Begins(field, text):
            return row.values[field].startswith(text)
        case Present(field):
            return row.values[field] not in (None, "")
        case Label(key, value):
            if not key:
                return bool(row.labels)
            return key in row.labels and value in (None, row.labels[key])
        case Word(word, field):
            texts = [row.values[name] for name in (row.searched if field is None else (field,))]
            return any(each.startswith(word) for text in texts for each in words(text))
    raise TypeError(condition)


NAMES = ("web 01", "Web-02", "WEB_03", "Ärger", "arger", "DB01", "db 1", "50%", "a_b", "x*y", "Ünï code", "ß")
TEXTS = ("", "Prod", "prod", "pro", "test", "pr%", "pr_", "prod ", "Größe", "a" * 70, "a" * 70 + "b", "*")
NUMBERS = (None, 0, 1, 4, 8, 2**40, 2**62)
SEARCHES = (
    "web",
    "WEB",
    "0",
    "01",
    "arg",
    "är",
    "db",
    "ss",
    "code",
    "prod",
    "größe",
    "aaaaa",
    "zzz",
    "50",
    "b",
)
_TIMES = tuple(START + timedelta(seconds=n) for n in (0, 1, 60, 3600, 86_400))
_KEYS = ("team", "env", "team-2")
_USERS = ("user-1", "user-2", "user-3")


def fill_sessions(tx: Tx, count: int, seed: int) -> None:
    """Sessions of every kind in one engagement, and one of each name in another."""
    chance = random.Random(seed)
    begin(tx)
    begin(tx, "other")
    for user in _USERS[1:]:
        tx.users.insert(user, user, user, "")
    for number in range(count):
        name = NAMES[number] if number < len(NAMES) else f"{chance.choice(NAMES)} #{number}"
        tx.now_us = to_us(chance.choice(_TIMES))
        tx.sessions.insert(
            ENGAGEMENT,
            f"s-{number}",
            name,
            chance.choice(TEXTS + NAMES),
            chance.choice(("data_import", "validation_run", "cleanup_operation")),
            chance.choice(_USERS),
            labels={key: chance.choice(TEXTS[:6]) for key in chance.sample(_KEYS, chance.randrange(4))},
            parent_id=chance.choice((None, None, "baseline", "s-0")) if number else None,
        )
    for number, name in enumerate(NAMES):
        tx.sessions.insert("other", f"o-{number}", name, "prod web", "data_import", USER)


def fill_assets(tx: Tx, count: int, seed: int) -> str:
    """A version with assets of every kind; another one that is like it. The version's id."""
    chance = random.Random(seed)

    def some() -> Any:
        return (
            asset(
                number,
                display_name=chance.choice(NAMES),
                type=chance.choice((AssetType.SERVER, AssetType.DATABASE, AssetType.OTHER)),
                hostname=chance.choice(NAMES + TEXTS),
                external_id=chance.choice(TEXTS),
                environment=chance.choice(TEXTS),
                location=chance.choice(TEXTS),
                operating_system=chance.choice(TEXTS + NAMES),
                status=chance.choice(TEXTS),
                application=chance.choice(TEXTS),
                platform=chance.choice(TEXTS),
                owner=chance.choice(TEXTS),
                migration_wave=chance.choice(TEXTS),
                implied=chance.random() < 0.2,
                cpu_cores=chance.choice((None, 0.5, 1.0, 2.5, 8.0)),
                memory_bytes=chance.choice(NUMBERS),
                storage_bytes=chance.choice(NUMBERS),
                create_time=chance.choice(_TIMES),
                update_time=chance.choice(_TIMES),
            )
            for number in range(count)
        )

    first = publish(tx, *some())
    publish(tx, *some(), base_id=first)
    return first


def session_rows(tx: Tx) -> list[Row]:
    """The engagement's sessions in use, as the evaluator sees them, by name."""
    sessions = tx.sessions.page(ENGAGEMENT, Order.DISPLAY_NAME, Window(10_000, 0, None)).items
    return [
        Row(
            each.id,
            {
                "display_name": each.display_name,
                "description": each.description,
                "type": each.type,
                "creator": (each.creator_id,),
                "is_default": each.is_default,
                "parent_session": each.parent_id and (each.engagement_id, each.parent_id),
                "asset_count": each.asset_count,
                **_times(each, "create_time", "update_time", "last_activity_time"),
            },
            each.labels,
            ("display_name", "description"),
        )
        for each in sessions
    ]


def asset_rows(tx: Tx, version_id: str) -> list[Row]:
    """A version's assets, as the evaluator sees them, by name."""
    assets = tx.assets.page(version_id, Order.DISPLAY_NAME, Window(10_000, 0, None)).items
    fields = [name for name in ASSETS.schema.fields if not name.endswith("_time")]
    return [
        Row(
            each.id,
            {name: getattr(each, name) for name in fields} | _times(each, "create_time", "update_time"),
            {},
            ("display_name", "hostname", "operating_system", "location", "application"),
        )
        for each in assets
    ]


def _times(record: Any, *names: str) -> dict[str, int]:
    return {name: to_us(getattr(record, name)) for name in names}


# A filter and what it means, made together: the text goes through the parser, the meaning does not.
Meant = tuple[str, Callable[[Row], bool]]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("*", "\\*")
    return f'"{escaped}"'


def _compared(field: str, sign: str, text: str, wanted: Any) -> Meant:
    plain = {"=": "eq", "!=": "eq", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}[sign]

    def means(row: Row) -> bool:
        has = row.values[field]
        return (has is not None and getattr(operator, plain)(has, wanted)) is not (sign == "!=")

    return f"{field} {sign} {text}", means


def _begins(field: str, text: str) -> Meant:
    return f'{field} = {_quoted(text)[:-1]}*"', lambda row: row.values[field].startswith(text)


def _words(text: str, field: str | None) -> Meant:
    def means(row: Row) -> bool:
        names = row.searched if field is None else (field,)
        found = [word for name in names for word in words(row.values[name])]
        return all(any(each.startswith(wanted) for each in found) for wanted in words(text))

    return (f"{field}:{_quoted(text)}" if field else _quoted(text)), means


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


_SIGNS = ("=", "!=", "<", "<=", ">", ">=")


def _leaf(field: str, kind: str, searched: bool) -> st.SearchStrategy[Meant]:
    equal, sign = st.sampled_from(_SIGNS[:2]), st.sampled_from(_SIGNS)
    present = st.just((f"{field}:*", lambda row: row.values[field] not in (None, "")))
    match kind:
        case "text":
            texts = st.sampled_from(TEXTS + NAMES)
            leaves = [
                st.builds(lambda s, t: _compared(field, s, _quoted(t), t), equal, texts),
                st.builds(lambda t, n: _begins(field, t[:n]), texts.filter(bool), st.integers(1, 80)),
            ]
            if searched:
                leaves.append(st.builds(lambda t: _words(t, field), st.sampled_from(SEARCHES)))
            return st.one_of(present, *leaves)
        case "time":
            return st.builds(
                lambda s, t: _compared(field, s, _time(t), to_us(t)), sign, st.sampled_from(_TIMES)
            )
        case "whole number":
            numbers = st.sampled_from(NUMBERS[1:]) | st.sampled_from((-1, 2**63 - 1))
            return present | st.builds(lambda s, n: _compared(field, s, str(n), n), sign, numbers)
        case "number":
            numbers = st.sampled_from((-1.0, 0.5, 1.0, 2.25, 8.0))
            return present | st.builds(lambda s, n: _compared(field, s, str(n), n), sign, numbers)
        case "true or false":
            return st.builds(lambda s, b: _compared(field, s, str(b).lower(), b), equal, st.booleans())
    return present


def _enum(field: str, values: tuple[str, ...]) -> st.SearchStrategy[Meant]:
    return st.builds(
        lambda s, v: _compared(field, s, v.upper(), v), st.sampled_from(_SIGNS[:2]), st.sampled_from(values)
    )


def _label(key: str, value: str | None, sign: str) -> Meant:
    if value is None:
        return f"labels:{key}", lambda row: key in row.labels
    found: Callable[[Row], bool] = lambda row: row.labels.get(key, _NEGATED) == value  # noqa: E731 - a value
    text = f"labels.{key} {sign} {_quoted(value)}"
    return (text, lambda row: not found(row)) if sign == "!=" else (text, found)


def _several(parts: list[Meant], word: str, joined: Callable[[Any], bool]) -> Meant:
    text = f" {word} ".join(f"({text})" for text, _ in parts)
    return text, lambda row: joined(means(row) for _, means in parts)


def _not(part: Meant, sign: str) -> Meant:
    return f"{sign}({part[0]})", lambda row: not part[1](row)


def _filters(leaves: st.SearchStrategy[Meant]) -> st.SearchStrategy[Meant]:
    def grow(inner: st.SearchStrategy[Meant]) -> st.SearchStrategy[Meant]:
        several = st.lists(inner, min_size=2, max_size=4)
        return st.one_of(
            st.builds(lambda parts, word: _several(parts, word, all), several, st.sampled_from(("AND", ""))),
            st.builds(lambda parts: _several(parts, "OR", any), several),
            st.builds(_not, inner, st.sampled_from(("NOT ", "-"))),
        )

    return st.recursive(leaves, grow, max_leaves=8)


def _leaves(list_: Any, *special: st.SearchStrategy[Meant]) -> st.SearchStrategy[Meant]:
    fields = list_.schema.fields.items()
    plain = [_leaf(name, field.kind, field.searched) for name, field in fields]
    return st.one_of(*plain, *special, st.builds(lambda t: _words(t, None), st.sampled_from(SEARCHES)))


SESSION_FILTERS = _filters(
    _leaves(
        SESSIONS,
        _enum("type", ("data_import", "validation_run", "comparison_analysis")),
        st.builds(
            _label,
            st.sampled_from(_KEYS),
            st.sampled_from((None, *TEXTS[:6])),
            st.sampled_from(("=", "!=")),
        ),
        st.builds(
            lambda s, u: _compared("creator", s, f"users/{u}", (u,)),
            st.sampled_from(_SIGNS[:2]),
            st.sampled_from(_USERS),
        ),
        st.builds(
            lambda s, i: _compared(
                "parent_session", s, f"engagements/{ENGAGEMENT}/sessions/{i}", (ENGAGEMENT, i)
            ),
            st.sampled_from(_SIGNS[:2]),
            st.sampled_from(("baseline", "s-0", "s-1")),
        ),
    )
)
ASSET_FILTERS = _filters(_leaves(ASSETS, _enum("type", ("server", "database", "network"))))


def walked(database: Database, page: Callable[[Tx, Window], Page[Any]], window: Window) -> Iterator[Any]:
    """Every item of a list, page after page, from the window on."""
    while True:
        some = database.read(partial(page, window=window))
        yield from some.items
        if some.next_key is None:
            return
        # As it comes back from a page token.
        window = replace(window, skip=0, after_key=list(some.next_key))


def condition(text: str, list_: Any) -> Any:
    """What a filter is parsed to."""
    return parse(text, list_.schema, Settings())

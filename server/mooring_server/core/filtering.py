"""Filters: the language of AIP-160, from a caller's text to a condition that the store understands.

What a text means is settled here, with its types, against the schema of the list; docs/filtering.md says it
to the caller. A text is read once: conditions are frozen, and the last few hundred are kept.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError

from mooring_server.core.names import quote
from mooring_server.core.schemas import Field, FieldKind, Schema
from mooring_server.errors import FieldViolation, InvalidArgument
from mooring_server.settings import Settings
from mooring_server.store.lists.conditions import (
    And,
    Begins,
    Compare,
    Condition,
    Label,
    Not,
    Op,
    Or,
    Present,
    Value,
    Word,
)
from mooring_server.store.values import words

_ANYTHING = "*"
# What stands in quotes: an escape as in JSON, or one character.
_CHARACTER = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))|(.)", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WANTED = {
    "TEXT": "a field or a word",
    "STRING": "a quoted text",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "_AND": "`AND`",
    "_OR": "`OR`",
    "NOT": "`NOT`",
    "MINUS": "`-`",
    "EQUAL": "a comparison",
    "$END": "the end",
}


@dataclass(frozen=True, slots=True)
class FilterLimits:
    """How long a filter may be in characters, how deep it may nest, how many comparisons and words it has."""

    length_max: int
    depth_max: int
    terms_max: int

    @classmethod
    def of(cls, settings: Settings) -> "FilterLimits":
        """Those of the settings."""
        return cls(settings.filter_length_max, settings.filter_depth_max, settings.filter_terms_max)


def parse(text: str, schema: Schema, settings: Settings) -> Condition | None:
    """The condition that a filter sets; None for an empty one, which sets none.

    Raises:
        InvalidArgument: INVALID_FILTER, saying where, and what may stand there.
    """
    return _parse(text, schema, FilterLimits.of(settings)) if text.strip() else None


@lru_cache(maxsize=512)
def _parse(text: str, schema: Schema, limits: FilterLimits) -> Condition:
    if len(text) > limits.length_max:
        raise _invalid(f"must have at most {limits.length_max:,} characters, not {len(text):,}")
    try:
        _check_size(text, limits)
        tree = _LARK.parse(text)
        condition: Condition = _Typed(schema).transform(tree)
    except VisitError as failure:
        raise failure.orig_exc from None
    except UnexpectedInput as failure:
        raise _unexpected(text, failure) from None
    if _leaves(condition) > limits.terms_max:
        raise _too_many(limits)
    return condition


def _check_size(text: str, limits: FilterLimits) -> None:
    """Refuses what nests too deep or surely is too much, before anything walks through it."""
    texts = 0
    # Each `(` with the negations right before it.
    open_, negations = [0], 0
    for token in _LARK.lex(text, dont_ignore=False):
        if token.type in ("NOT", "MINUS"):
            negations += 1
        elif token.type == "LPAR":
            open_.append(open_[-1] + negations + 1)
            negations = 0
        else:
            if token.type == "RPAR" and len(open_) > 1:
                open_.pop()
            negations = 0
            texts += token.type in ("TEXT", "STRING", "TIME")
        if open_[-1] + negations > limits.depth_max:
            raise _invalid(f"{_place(token.start_pos)}: nests deeper than {limits.depth_max}")
        # A comparison has two of them, a word one.
        if texts > 2 * limits.terms_max:
            raise _too_many(limits)


def _too_many(limits: FilterLimits) -> InvalidArgument:
    return _invalid(f"must have at most {limits.terms_max} comparisons and words")


def _leaves(condition: Condition) -> int:
    match condition:
        case And(parts) | Or(parts):
            return sum(map(_leaves, parts))
        case Not(part):
            return _leaves(part)
    return 1


@v_args(inline=True)
class _Typed(Transformer[Token, Condition]):
    """From the tree of a text to a condition, checked against a schema."""

    def __init__(self, schema: Schema) -> None:
        super().__init__(visit_tokens=False)
        self._schema = schema

    def start(self, condition: Condition) -> Condition:
        return condition

    def all_of(self, *parts: Condition) -> Condition:
        return _joined(And, parts)

    def any_of(self, *parts: Condition) -> Condition:
        return _joined(Or, parts)

    def negated(self, _: Token, part: Condition) -> Condition:
        return Not(part)

    def value(self, *tokens: Token) -> tuple[Token, str, bool]:
        """Where a value stands, what it says, and whether it ends in a `*` for whatever follows."""
        minus = tokens[0] if len(tokens) == 2 else ""
        text, begins = _begun(tokens[-1])
        return tokens[0], minus + text, begins

    def words(self, token: Token) -> Condition:
        searched = self._schema.searched()
        if not searched:
            _refuse(token, f"this list is not searched for words; compare one of {self._schema.known()}")
        return self._words(token, _begun(token)[0], None)

    def comparison(self, name: Token, comparator: Token, value: tuple[Token, str, bool]) -> Condition:
        place, text, begins = value
        head, dot, key = str(name).partition(".")
        if self._schema.labels and head == self._schema.labels:
            return self._label(name, key if dot else None, comparator, text, begins)
        field = self._schema.fields.get(str(name))
        if field is None:
            _refuse(name, f"{quote(str(name))} is no field here; the fields are {self._schema.known()}")
        if begins:
            return self._begins(name, field, comparator, place, text)
        if field.kind is FieldKind.TEXT and comparator == ":":
            if not field.searched:
                known = ", ".join(self._schema.searched())
                _refuse(
                    comparator, f"`:` finds words in {known}; compare `{name}` by `=` (also with `text*`)"
                )
            return self._words(place, text, str(name))
        if comparator not in ("=", "!=", ":") and not field.kind.is_ordered:
            _refuse(comparator, f"`{name}` is a {field.kind}: compare it by `=` or `!=`")
        return _compared(str(name), comparator, _checked(place, field, text))

    def _begins(self, name: Token, field: Field, comparator: Token, place: Token, text: str) -> Condition:
        if not text:
            if comparator not in ("=", "!=", ":"):
                _refuse(comparator, "`*` goes with `=`, `!=` and `:`")
            return _negated(comparator, Present(str(name)))
        if field.kind is not FieldKind.TEXT:
            _refuse(place, f"`*` ends texts only; `{name}` is a {field.kind}")
        if comparator == ":" and field.searched:
            return self._words(place, text, str(name))
        if comparator not in ("=", "!="):
            _refuse(comparator, "`*` goes with `=` and `!=`")
        return _negated(comparator, Begins(str(name), text))

    def _label(self, name: Token, key: str | None, comparator: Token, text: str, begins: bool) -> Condition:
        if comparator not in ("=", "!=", ":"):
            _refuse(comparator, "labels are compared by `=`, `!=` and `:`")
        if begins and text:
            _refuse(comparator, "`*` does not go with labels but alone, for any value")
        if key == "":
            _refuse(name, f"a label's key must follow the dot, as in `{self._schema.labels}.team`")
        if key is None:
            if comparator != ":":
                _refuse(comparator, f"`{name}:key` asks for a key, `{name}.key = value` for its value")
            if not text and not begins:
                _refuse(comparator, f"a label's key must follow, as in `{name}:team`")
            return Label(text)
        return _negated(comparator, Label(key, None if begins else text))

    def _words(self, token: Token, text: str, field: str | None) -> Condition:
        found = words(text)
        if not found:
            _refuse(token, "must hold a letter or a digit to be searched for")
        return _joined(And, [Word(word, field) for word in found])


def _joined(kind: type[And] | type[Or], parts: Sequence[Condition]) -> Condition:
    flat: list[Condition] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def _compared(name: str, comparator: str, value: Value) -> Condition:
    return _negated(comparator, Compare(name, Op.EQ if comparator in "!=:" else Op(comparator), value))


def _negated(comparator: str, condition: Condition) -> Condition:
    return Not(condition) if comparator == "!=" else condition


def _checked(place: Token, field: Field, text: str) -> Value:
    try:
        return field.value(text)
    except ValueError as failure:
        _refuse(place, f"{quote(text)} {failure}")


def _begun(token: Token) -> tuple[str, bool]:
    """What a token says, but for the `*` that may end it, and whether one does."""
    text, stars = _unquoted(token)
    if stars and stars != [len(text) - 1]:
        _refuse(
            token,
            "`*` may only end a value: what is behind one is in no index (in quotes, `\\*` is the character)",
        )
    return (text[:-1], True) if stars else (text, False)


def _unquoted(token: Token) -> tuple[str, list[int]]:
    """What a token says, and where a `*` in it stands for anything."""
    if token.type != "STRING":
        return str(token), [at for at, character in enumerate(token) if character == _ANYTHING]
    text = ""
    stars = []
    for code, escaped, plain in _CHARACTER.findall(token[1:-1]):
        if plain == _ANYTHING:
            stars.append(len(text))
        text += chr(int(code, 16)) if code else _ESCAPES.get(escaped, escaped) or plain
    try:
        # JSON writes what is beyond 16 bits as two escapes.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        _refuse(token, "half of a surrogate pair is no character")
    if "\0" in text:
        _refuse(token, "a text holds a NUL character")
    return text, stars


def _unexpected(text: str, failure: UnexpectedInput) -> InvalidArgument:
    place = failure.pos_in_stream if failure.pos_in_stream is not None else len(text)
    wanted: set[Any] = set()
    found = "the end"
    if isinstance(failure, UnexpectedToken):
        wanted = set(failure.accepts or failure.expected)
        if failure.token.type == "$END":
            place = len(text)
        else:
            found = quote(str(failure.token))
    elif isinstance(failure, UnexpectedCharacters):
        wanted = set(failure.allowed or ())
        found = quote(text[place])
        if text[place] in "\"'":
            return _invalid(f"{_place(place)}: this quote is not closed")
    known = [word for name, word in _WANTED.items() if name in wanted]
    if "TEXT" in wanted and "LPAR" not in wanted:
        known[known.index(_WANTED["TEXT"])] = "a value"
    listed = f"; {' or '.join(known)} may stand there" if known else ""
    return _invalid(f"{_place(place)}: {found} cannot stand there{listed}")


def _refuse(token: Token, description: str) -> NoReturn:
    raise _invalid(f"{_place(token.start_pos)}: {description}")


def _place(position: int | None) -> str:
    return f"column {(position or 0) + 1}"


def _invalid(description: str) -> InvalidArgument:
    return InvalidArgument(
        f"filter: {description}",
        reason="INVALID_FILTER",
        violations=[FieldViolation("filter", description)],
    )


_LARK = Lark(
    (Path(__file__).parent / "filter.lark").read_text(encoding="utf-8"),
    parser="lalr",
    lexer="contextual",
    maybe_placeholders=False,
)

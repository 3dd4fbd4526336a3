"""`FIELD=VALUE` as people type it, onto a message."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from google.api import field_behavior_pb2  # type: ignore[import-untyped]
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from mooring_server.cli.console import ExitCode, Failure
from mooring_server.cli.plain import enum_names, enum_number
from mooring_server.ingest import values

_ASSIGNMENT = re.compile(r"(?P<field>[a-z_]+)(?:\.(?P<key>[^=]+))?=(?P<value>.*)", re.DOTALL)
_LIST = re.compile(r"[;,]")
_NOT_SET = {field_behavior_pb2.OUTPUT_ONLY, field_behavior_pb2.IDENTIFIER}


def settable(message: Message) -> list[str]:
    """The fields of a message that a caller can set."""
    return [
        field.name
        for field in message.DESCRIPTOR.fields
        if field.name != "etag"
        and _NOT_SET.isdisjoint(field.GetOptions().Extensions[field_behavior_pb2.field_behavior])
    ]


def assign(message: Any, assignments: Iterable[str]) -> list[str]:
    """Set fields of a message; the names of those that are set, once each.

    `attributes.KEY=VALUE` sets one attribute, and every field without a value is cleared.

    Raises:
        Failure: with status 2, where a field or a value is no good.
    """
    known, done = settable(message), []
    for text in assignments:
        match = _ASSIGNMENT.fullmatch(text)
        if match is None:
            raise Failure(f"{text!r} must be like FIELD=VALUE", ExitCode.USAGE)
        name, key, value = match["field"], match["key"], match["value"].strip()
        if name not in known or (key is not None) != (name == "attributes"):
            raise _unknown(text, known)
        done.append(name)
        if key is not None:
            message.attributes.pop(key, None)
            if value:
                message.attributes[key] = value
            continue
        message.ClearField(name)
        if not value:
            continue
        field = message.DESCRIPTOR.fields_by_name[name]
        read = _value(field, value)
        if isinstance(read, list):
            getattr(message, name).extend(read)
        else:
            setattr(message, name, read)
    return list(dict.fromkeys(done))


def _value(field: Any, text: str) -> Any:
    if field.enum_type is not None:
        number = enum_number(field.enum_type, text)
        if number is None:
            raise _wrong(field, text, f"one of {', '.join(enum_names(field.enum_type))}")
        return number
    if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        return _known(values.cores(text), field, text, "a count of cores: 4, 0.5, 500m")
    if field.cpp_type == FieldDescriptor.CPPTYPE_INT64:
        return _known(values.size_bytes(text, 1), field, text, "an amount: 64GiB, or a count of bytes")
    if field.cpp_type == FieldDescriptor.CPPTYPE_INT32:
        return _known(int(text) if text.isdecimal() else None, field, text, "a whole number")
    if field.name in ("ip_addresses", "mac_addresses", "networks"):
        return [piece.strip() for piece in _LIST.split(text) if piece.strip()]
    return text


def _known(read: float | None, field: Any, text: str, what: str) -> float:
    if read is None:
        raise _wrong(field, text, what)
    return read


def _wrong(field: Any, text: str, what: str) -> Failure:
    return Failure(f"{field.name}={text!r}: it must be {what}", ExitCode.USAGE)


def _unknown(text: str, known: Sequence[str]) -> Failure:
    name = text.partition("=")[0].partition(".")[0]
    if name == "attributes":
        return Failure(f"{text!r} must be like attributes.KEY=VALUE", ExitCode.USAGE)
    near = get_close_matches(name, known, n=1)
    said = f"did you mean {near[0]}?" if near else f"there is {', '.join(known)}"
    return Failure(f"no field {name} can be set; {said}", ExitCode.USAGE)

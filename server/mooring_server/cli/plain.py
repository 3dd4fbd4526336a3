"""Messages as plain JSON values: every field by its own name, enums in lower case, int64 as numbers."""

from collections.abc import MutableSequence
from typing import Any

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp


def plain(message: Message) -> dict[str, Any]:
    """All fields of a message. A number or a time that is not known is null, a text that is not is empty."""
    return {field.name: _value(message, field) for field in message.DESCRIPTOR.fields}


def enum_name(enum: EnumDescriptor, number: int) -> str:
    """`virtual_machine` for ASSET_TYPE_VIRTUAL_MACHINE; empty for what is not known."""
    value = enum.values_by_number.get(number)
    if value is None or not number:
        return ""
    return str(value.name.removeprefix(_prefix(enum)).lower())


def enum_number(enum: EnumDescriptor, text: str) -> int | None:
    """The number of a name that people write, whatever its case; None where there is no such."""
    name = "_".join(text.replace("-", " ").replace("_", " ").upper().split())
    value = enum.values_by_name.get(f"{_prefix(enum)}{name.removeprefix(_prefix(enum))}")
    return value.number if value is not None and value.number else None


def enum_names(enum: EnumDescriptor) -> list[str]:
    """All names, as `enum_name` gives them."""
    return [enum_name(enum, value.number) for value in enum.values if value.number]


def _prefix(enum: EnumDescriptor) -> str:
    return str(enum.values_by_number[0].name.removesuffix("UNSPECIFIED"))


def _value(message: Message, field: Any) -> Any:
    value = getattr(message, field.name)
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return dict(sorted(value.items()))
    if isinstance(value, MutableSequence):
        return [_one(each, field) for each in value]
    if field.has_presence and not message.HasField(field.name):
        return None
    return _one(value, field)


def _one(value: Any, field: Any) -> Any:
    if isinstance(value, Timestamp):
        return value.ToJsonString()
    if field.message_type is not None:
        return plain(value)
    if field.enum_type is not None:
        return enum_name(field.enum_type, value)
    return value

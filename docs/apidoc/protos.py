"""The API as its protos say it: services, messages and enums with their comments, from a descriptor set."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.api import annotations_pb2, field_behavior_pb2, http_pb2
from google.longrunning import operations_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

VERBS = ("get", "put", "post", "delete", "patch")

_Path = tuple[int, ...]
_NAMED = (FieldDescriptorProto.TYPE_MESSAGE, FieldDescriptorProto.TYPE_ENUM)


@dataclass(frozen=True, slots=True)
class Type:
    """What a field holds: a scalar's name or, with `named`, a message's or an enum's full one."""

    text: str
    named: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A field. `key` is the type of a map's keys; `one_of` the choice that it is part of."""

    name: str
    type: Type
    comment: str
    behaviours: tuple[str, ...] = ()
    repeated: bool = False
    optional: bool = False
    key: Type | None = None
    one_of: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message; `file` is the proto that it stands in."""

    full_name: str
    comment: str
    file: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Enum:
    """An enum: each value's name, number and comment, in order."""

    full_name: str
    comment: str
    file: str
    values: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True)
class Binding:
    """A REST path of an RPC: its verb in capitals, its template, the field that is the body (`*`: all)."""

    verb: str
    template: str
    body: str


@dataclass(frozen=True, slots=True)
class Rpc:
    """An RPC; `full_name` is spelled as in the policy table, `mooring.v1.SessionService/GetSession`.

    `work` are the response and the metadata of the Operation that it answers, where it does.
    """

    full_name: str
    comment: str
    request: str
    answer: str
    streams_in: bool
    streams_out: bool
    bindings: tuple[Binding, ...]
    work: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Without its service."""
        return self.full_name.rpartition("/")[2]

    @property
    def paths(self) -> tuple[Binding, ...]:
        """Its bindings; none for Google's own services, whose paths are not those of names here."""
        return self.bindings if self.full_name.startswith("mooring.") else ()


@dataclass(frozen=True, slots=True)
class Service:
    """A service; `file` is the proto that it stands in."""

    full_name: str
    comment: str
    file: str
    rpcs: tuple[Rpc, ...]


@dataclass(frozen=True, slots=True)
class Api:
    """Everything in a descriptor set, by full name."""

    services: Mapping[str, Service] = field(default_factory=dict)
    messages: Mapping[str, Message] = field(default_factory=dict)
    enums: Mapping[str, Enum] = field(default_factory=dict)

    def reachable(self, rpc: Rpc) -> Iterator[str]:
        """The full names of the messages and enums that an RPC takes, answers and leads to, each once."""
        seen: set[str] = set()
        waiting = [rpc.request, rpc.answer, *rpc.work]
        while waiting:
            name = waiting.pop(0)
            if name in seen:
                continue
            seen.add(name)
            yield name
            if name in self.messages:
                waiting += [one.type.text for one in self.messages[name].fields if one.type.named]


def read(file: Path) -> Api:
    """The API in a descriptor set that was written with its source info."""
    services: dict[str, Service] = {}
    messages: dict[str, Message] = {}
    enums: dict[str, Enum] = {}
    for proto in FileDescriptorSet.FromString(file.read_bytes()).file:
        source = _Source(proto)
        for number, service in enumerate(proto.service):
            found = source.service(service, (6, number))
            services[found.full_name] = found
        for number, message in enumerate(proto.message_type):
            messages |= {one.full_name: one for one in source.messages(message, (4, number), proto.package)}
        for number, enum in enumerate(proto.enum_type):
            described = source.enum(enum, (5, number))
            enums[described.full_name] = described
    return Api(services, messages, enums)


def bindings(rule: http_pb2.HttpRule) -> Iterator[Binding]:
    """The REST paths of a `google.api.http` annotation, the first one first."""
    verb = rule.WhichOneof("pattern")
    if verb in VERBS:
        yield Binding(verb.upper(), getattr(rule, verb), rule.body)
    for more in rule.additional_bindings:
        yield from bindings(more)


class _Source:
    """One file, with its comments by the path of what they stand over (descriptor.proto, `Location`)."""

    def __init__(self, proto: FileDescriptorProto) -> None:
        self._proto = proto
        self._comments = {
            tuple(place.path): _clean(place.leading_comments) for place in proto.source_code_info.location
        }

    def service(self, service: ServiceDescriptorProto, path: _Path) -> Service:
        full_name = f"{self._proto.package}.{service.name}"
        rpcs = tuple(
            Rpc(
                full_name=f"{full_name}/{method.name}",
                comment=self._comment((*path, 2, number)),
                request=method.input_type[1:],
                answer=method.output_type[1:],
                streams_in=method.client_streaming,
                streams_out=method.server_streaming,
                bindings=tuple(bindings(method.options.Extensions[annotations_pb2.http])),
                work=self._work(method),
            )
            for number, method in enumerate(service.method)
        )
        return Service(full_name, self._comment(path), self._proto.name, rpcs)

    def messages(self, message: DescriptorProto, path: _Path, outer: str) -> Iterator[Message]:
        """The message and those within it; the entries of maps are no messages to a reader."""
        full_name = f"{outer}.{message.name}"
        entries = {
            f".{full_name}.{inner.name}": inner for inner in message.nested_type if inner.options.map_entry
        }
        fields = tuple(
            self._field(message, one, self._comment((*path, 2, number)), entries)
            for number, one in enumerate(message.field)
        )
        yield Message(full_name, self._comment(path), self._proto.name, fields)
        for number, inner in enumerate(message.nested_type):
            if not inner.options.map_entry:
                yield from self.messages(inner, (*path, 3, number), full_name)

    def enum(self, enum: EnumDescriptorProto, path: _Path) -> Enum:
        values = tuple(
            (value.name, value.number, self._comment((*path, 2, number)))
            for number, value in enumerate(enum.value)
        )
        return Enum(f"{self._proto.package}.{enum.name}", self._comment(path), self._proto.name, values)

    def _field(
        self,
        message: DescriptorProto,
        one: FieldDescriptorProto,
        comment: str,
        entries: Mapping[str, DescriptorProto],
    ) -> Field:
        said: Any = one.options.Extensions[field_behavior_pb2.field_behavior]
        behaviours = tuple(
            field_behavior_pb2.FieldBehavior.Name(each).lower().replace("_", " ") for each in said
        )
        entry = entries.get(one.type_name)
        if entry is not None:
            key, value = entry.field
            return Field(one.name, _type(value), comment, behaviours, key=_type(key))
        real_choice = one.HasField("oneof_index") and not one.proto3_optional
        return Field(
            one.name,
            _type(one),
            comment,
            behaviours,
            repeated=one.label == FieldDescriptorProto.LABEL_REPEATED,
            optional=one.proto3_optional,
            one_of=message.oneof_decl[one.oneof_index].name if real_choice else "",
        )

    def _work(self, method: MethodDescriptorProto) -> tuple[str, ...]:
        said: Any = method.options.Extensions[operations_pb2.operation_info]
        names = [name for name in (said.response_type, said.metadata_type) if name]
        return tuple(name if "." in name else f"{self._proto.package}.{name}" for name in names)

    def _comment(self, path: _Path) -> str:
        return self._comments.get(path, "")


def _type(one: FieldDescriptorProto) -> Type:
    if one.type in _NAMED:
        return Type(one.type_name[1:], named=True)
    return Type(FieldDescriptorProto.Type.Name(one.type).removeprefix("TYPE_").lower())


def _clean(comment: str) -> str:
    """Paragraphs parted by an empty line; what stands there for buf's linter is not for readers."""
    lines = [line.strip() for line in comment.splitlines() if not line.strip().startswith("buf:lint:")]
    paragraphs = "\n".join(lines).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip())

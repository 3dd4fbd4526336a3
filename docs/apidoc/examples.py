"""The examples of the reference: scenarios of calls, and each call as REST and as Python.

A scenario is a file in `docs/examples/calls`: `samples`, and `calls` in the order in which they are made. A
call has `rpc`, `request` and `response` as protobuf's JSON, a list of them where it streams; `error`, a
google.rpc.Status, stands in place of the response where it is refused. `as` says who calls where that is not
Ada; `hidden` calls only prepare others; `about` stands above the example.

What differs from run to run is written as `${name}`. The reference shows the value in `samples` instead, the
tests what a response before it had in that place. `${time}` and `${time_…}` are any time, `${uuid}` is a new
UUID.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from google.api import annotations_pb2
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from apidoc.protos import Binding, bindings

CALLS = Path(__file__).parents[1] / "examples" / "calls"
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
ALWAYS = {"time": "2026-03-02T09:30:00Z", "uuid": "4b5f3f0e-6f0e-4a52-9e7b-0a6b6a1c2d3e"}

_VARIABLE = re.compile(r"\{([\w.]+)=([^}]*)\}")
_MODULES = (
    *(f"mooring.v1.{name}_pb2" for name in ("users", "engagements", "sessions", "discovery", "watch")),
    "google.longrunning.operations_pb2",
)
_ENDLESS = "mooring.v1.WatchService/Watch"
_WIDTH = 96


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a scenario, its placeholders still in it. `response` is the status where it is refused."""

    rpc: str
    request: Any
    response: Any
    refused: bool = False
    about: str = ""
    caller: str = "ada"
    hidden: bool = False

    @property
    def method(self) -> MethodDescriptor:
        """The RPC's descriptor."""
        return methods()[self.rpc]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A file of calls."""

    name: str
    samples: Mapping[str, str]
    calls: tuple[Call, ...]


def scenarios() -> Iterator[Scenario]:
    """Every scenario, by file name."""
    for file in sorted(CALLS.glob("*.json")):
        content = json.loads(file.read_text("utf-8"))
        calls = tuple(
            Call(
                rpc=one["rpc"],
                request=one["request"],
                response=one["error"] if "error" in one else one["response"],
                refused="error" in one,
                about=one.get("about", ""),
                caller=one.get("as", "ada"),
                hidden=one.get("hidden", False),
            )
            for one in content["calls"]
        )
        yield Scenario(file.stem, ALWAYS | content["samples"], calls)


def methods() -> dict[str, MethodDescriptor]:
    """Every RPC of the stubs by its full name, `mooring.v1.SessionService/GetSession`."""
    return {
        f"{service.full_name}/{method.name}": method
        for module in _MODULES
        for service in import_module(module).DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """JSON with its placeholders replaced. KeyError where a value is missing."""
    match value:
        case str():
            return PLACEHOLDER.sub(lambda found: values[found[1]], value)
        case dict():
            return {filled(key, values): filled(inner, values) for key, inner in value.items()}
        case list():
            return [filled(inner, values) for inner in value]
    return value


def requests(call: Call, values: Mapping[str, str]) -> list[Any]:
    """The call's request as messages: one, or as many as it streams."""
    made = filled(call.request, values)
    kind = GetMessageClass(call.method.input_type)
    return [ParseDict(one, kind()) for one in (made if isinstance(made, list) else [made])]


def rest(call: Call, values: Mapping[str, str]) -> str:
    """The call as it goes over REST; as bare JSON where the RPC has no path.

    An RPC with several paths is called by the one that takes most of the request in.
    """
    rule = call.method.GetOptions().Extensions[annotations_pb2.http]
    fields = filled(call.request, values)
    placed = [
        (path, rest_of, binding)
        for binding in bindings(rule)
        if call.rpc.startswith("mooring.") and (found := _placed(binding, fields))
        for path, rest_of in [found]
    ]
    if not placed:
        return as_json(fields)
    path, query, binding = min(placed, key=lambda one: len(_flat(one[1])))
    body: Any = None
    if binding.body == "*":
        body, query = query, {}
    elif binding.body:
        body = query.pop(_camel(binding.body), {})
    pairs = [(key, "true" if value is True else value) for key, value in _flat(query)]
    head = f"{binding.verb} {path}" + (f"?{urlencode(pairs, safe='/,*:')}" if pairs else "")
    return head if body is None else f"{head}\n\n{as_json(body)}"


def preamble(calls: Iterable[Call]) -> str:
    """What stands above Python examples: imports, a channel, the caller's token, stubs."""
    calls = list(calls)
    texts = "\n".join(python(call, _Samples()) for call in calls)
    plain = [name for name in ("itertools", "uuid") if f"{name}." in texts]
    services = {call.method.containing_service.file.name: call.method.containing_service for call in calls}
    lines = [f"import {name}" for name in sorted(["os", *plain])]
    lines += ["", "import grpc"]
    used = sorted(
        set(re.findall(r"\b(\w+)_pb2\.", texts)) | {Path(file).stem for file in services},
        key=lambda stem: (_package(stem), stem),
    )
    stems = {Path(file).stem for file in services}
    for package in sorted({_package(stem) for stem in used}):
        names: list[str] = []
        for stem in used:
            if _package(stem) == package:
                names += [f"{stem}_pb2"] * (f"{stem}_pb2." in texts)
                names += [f"{stem}_pb2_grpc"] * (stem in stems)
        lines.append(f"from {package} import {', '.join(names)}")
    lines += [
        "",
        'channel = grpc.insecure_channel(os.environ.get("MOORING_SERVER", "127.0.0.1:50051"))',
        'metadata = [("authorization", "Bearer " + os.environ["MOORING_TOKEN"])]',
    ]
    for file, service in services.items():
        stem = Path(file).stem
        lines.append(f"{stem} = {stem}_pb2_grpc.{service.name}Stub(channel)")
    return "\n".join(lines)


def python(call: Call, values: Mapping[str, str]) -> str:
    """The call with the stubs; it leaves `answer`, a list where the answer streams."""
    stub = f"{Path(call.method.containing_service.file.name).stem}.{call.method.name}"
    messages = requests(call, values)
    if call.method.client_streaming:
        parts = [f"    {_expression(one, 4)},\n" for one in messages]
        return f"parts = [\n{''.join(parts)}]\nanswer = {stub}(iter(parts), metadata=metadata, timeout=60)"
    request = f"request = {_expression(messages[0], 0, len('request = '))}"
    if call.method.server_streaming and call.rpc != _ENDLESS:
        return f"{request}\nanswer = list({stub}(request, metadata=metadata, timeout=60))"
    if call.method.server_streaming:
        count = len(call.response)
        return (
            f"{request}\nstream = {stub}(request, metadata=metadata)\n"
            f"answer = list(itertools.islice(stream, {count}))  # it goes on for as long as you read\n"
            "stream.cancel()"
        )
    wait_s = messages[0].timeout.seconds if "timeout" in call.request else 0
    return f"{request}\nanswer = {stub}(request, metadata=metadata, timeout={10 + wait_s})"


class _Samples(dict[str, str]):
    """Stands for any value: the imports of an example do not depend on them."""

    def __missing__(self, key: str) -> str:
        return ALWAYS.get(key, key)


def _placed(binding: Binding, fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The path with its variables filled in, and what is left of the request; None where it does not fit."""
    left = json.loads(json.dumps(fields))
    path = binding.template
    for variable, pattern in _VARIABLE.findall(binding.template):
        *outer, last = map(_camel, variable.split("."))
        holder = left
        for step in outer:
            holder = holder.get(step, {})
        value = holder.pop(last, "")
        if not re.fullmatch(pattern.replace("*", "[^/]+"), value):
            return None
        path = path.replace(f"{{{variable}={pattern}}}", value)
    return path, left


def _flat(fields: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Fields as the pairs of a query string."""
    pairs: list[tuple[str, Any]] = []
    for key, value in fields.items():
        if isinstance(value, dict):
            pairs += _flat(value, f"{prefix}{key}.")
        else:
            pairs += [(prefix + key, each) for each in (value if isinstance(value, list) else [value])]
    return pairs


def _expression(message: Message, indent: int, before: int = 0) -> str:
    """A message as Python that makes it, on one line where it fits. `before` stands left of it already."""
    kind = message.DESCRIPTOR
    arguments = [
        f"{field.name}={_value(field, value, indent + 4, len(field.name) + 1)}"
        for field, value in message.ListFields()
    ]
    return _spread(f"{Path(kind.file.name).stem}_pb2.{kind.name}(", arguments, ")", indent, before)


def _value(field: FieldDescriptor, value: Any, indent: int, before: int) -> str:
    if field.message_type and field.message_type.GetOptions().map_entry:
        items = [f"{_scalar(None, key)}: {_scalar(None, value[key])}" for key in sorted(value)]
        return _spread("{", items, "}", indent, before)
    if field.is_repeated:
        return _spread("[", [_one(field, each, indent + 4, 0) for each in value], "]", indent, before)
    if field.name == "request_id":
        return "str(uuid.uuid4())"
    return _one(field, value, indent, before)


def _one(field: FieldDescriptor, value: Any, indent: int, before: int) -> str:
    if isinstance(value, Message):
        return _expression(value, indent, before)
    if isinstance(value, bytes) and value.isascii() and len(value) > _WIDTH // 2:
        lines = value.decode("ascii").splitlines(keepends=True)
        inner = "".join(f"{' ' * (indent + 4)}b{json.dumps(line)}\n" for line in lines)
        return f"(\n{inner}{' ' * indent})"
    return _scalar(field.enum_type, value)


def _scalar(enum: EnumDescriptor | None, value: Any) -> str:
    if enum is not None:
        return f"{Path(enum.file.name).stem}_pb2.{enum.values_by_number[value].name}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bytes):
        return "b" + (json.dumps(value.decode("ascii")) if value.isascii() else _binary(value))
    return repr(value)


def _binary(value: bytes) -> str:
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in value)
    return f'"{"".join(plain)}"'


def _spread(start: str, parts: list[str], end: str, indent: int, before: int) -> str:
    line = start + ", ".join(parts) + end
    if "\n" not in line and indent + before + len(line) < _WIDTH:
        return line
    inner = "".join(f"{' ' * (indent + 4)}{part},\n" for part in parts)
    return f"{start}\n{inner}{' ' * indent}{end}"


def _package(stem: str) -> str:
    if stem in ("duration", "field_mask", "timestamp"):
        return "google.protobuf"
    return "google.longrunning" if stem == "operations" else "mooring.v1"


def _camel(name: str) -> str:
    first, *rest_of = name.split("_")
    return first + "".join(part.title() for part in rest_of)


def as_json(value: Any) -> str:
    """JSON as the reference shows it."""
    return json.dumps(value, indent=2, ensure_ascii=False)

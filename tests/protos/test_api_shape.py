"""The API's shape: what buf does not check for us because AIP and its rules differ."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.api import annotations_pb2, http_pb2, resource_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from support_api import FILES, files, rpcs

STANDARD = ("Get", "Create", "Update", "Delete")
# What answers otherwise than the rule, and why.
ODD_ANSWERS = {
    "DeleteAsset": "DeleteAssetResponse",  # with `force` others go too, and their number is told
    "RevertImport": "Import",  # all that it tells is in the resource, which AIP-136 lets it answer
}
PROTOS = Path(__file__).parents[2] / "protos" / "mooring" / "v1"


def paths(rule: http_pb2.HttpRule) -> set[tuple[str, str]]:
    found = {(verb, getattr(rule, verb)) for verb in ("get", "put", "post", "delete", "patch")}
    for more in rule.additional_bindings:
        found |= paths(more)
    return {(verb, path) for verb, path in found if path}


def rules(rpc: MethodDescriptor) -> list[http_pb2.HttpRule]:
    """The bindings of an RPC, one by one."""
    rule = rpc.GetOptions().Extensions[annotations_pb2.http]
    return [one for one in (rule, *rule.additional_bindings) if one.WhichOneof("pattern")]


def variables(rule: http_pb2.HttpRule) -> list[tuple[str, str]]:
    """The variables of a path, each with its pattern."""
    return re.findall(r"\{([\w.]+)=([^}]*)\}", getattr(rule, rule.WhichOneof("pattern")))


def field_of(message: Descriptor, path: str) -> FieldDescriptor:
    """The field that a dotted path leads to; KeyError where there is none."""
    *outer, last = path.split(".")
    for step in outer:
        message = message.fields_by_name[step].message_type
    return message.fields_by_name[last]


def resources() -> Iterator[tuple[str, str]]:
    """Each resource's type and pattern, its ids as `*`."""
    for file in files():
        for message in file.message_types_by_name.values():
            resource = message.GetOptions().Extensions[resource_pb2.resource]
            for pattern in resource.pattern:
                yield resource.type, re.sub(r"\{\w+\}", "*", pattern)


def shapes(field: FieldDescriptor) -> set[str]:
    """What a name in this field looks like: of its own resource, of what it refers to, else of any."""
    named = dict(resources())
    reference = field.GetOptions().Extensions[resource_pb2.resource_reference]
    own = field.containing_type.GetOptions().Extensions[resource_pb2.resource].type
    if reference.child_type:
        found = {named[reference.child_type].rpartition("/")[0].rpartition("/")[0]}
    elif reference.type or own:
        found = {named[reference.type or own]}
    else:
        found = set(named.values())
    # A session is known by its bare id too.
    return found | ({"sessions/*"} if "engagements/*/sessions/*" in found else set())


def test_every_proto_is_under_test() -> None:
    """A proto file that the tests do not know fails the build."""
    assert {file.stem for file in PROTOS.glob("*.proto")} == set(FILES)


@pytest.mark.parametrize("name", rpcs())
def test_requests_belong_to_their_rpc(name: str) -> None:
    """Each RPC takes a request of its own, named after it."""
    rpc = rpcs()[name]
    assert rpc.input_type.name == f"{rpc.name}Request"


@pytest.mark.parametrize("name", rpcs())
def test_answers_are_resources_or_their_own(name: str) -> None:
    """Standard methods answer the resource, long work an Operation, all else a response of its own, but for
    the few that are listed with their reasons."""
    rpc = rpcs()[name]
    answer = rpc.output_type
    if odd := ODD_ANSWERS.get(rpc.name):
        assert answer.name == odd
        return
    if answer.full_name == "google.longrunning.Operation":
        return
    if rpc.name.startswith(STANDARD):
        assert rpc.name.endswith(answer.name), f"{answer.name} is not the resource of {rpc.name}"
    else:
        assert answer.name == f"{rpc.name}Response"


def test_streams_are_those_that_must_be() -> None:
    """Only an upload streams in; only a watch, bulk reads and exports stream out."""
    streaming = {
        rpc.name: (rpc.client_streaming, rpc.server_streaming)
        for rpc in rpcs().values()
        if rpc.client_streaming or rpc.server_streaming
    }
    assert streaming == {
        "UploadInventory": (True, False),
        "Watch": (False, True),
        "ReadAssets": (False, True),
        "ReadDependencies": (False, True),
        "ExportSession": (False, True),
    }


def test_mutations_can_be_repeated() -> None:
    """Each unary RPC that changes something takes a request_id."""
    reading = ("Get", "List", "Preview", "Compare")
    for name, rpc in rpcs().items():
        if rpc.name.startswith(reading) or rpc.client_streaming or rpc.server_streaming:
            continue
        assert "request_id" in rpc.input_type.fields_by_name, name


@pytest.mark.parametrize(
    ("verb", "path", "rpc"),
    [
        ("get", "/api/v1/users/me", "mooring.v1.UserService/GetCurrentUser"),
        ("get", "/api/v1/engagements/me/default", "mooring.v1.EngagementService/GetDefaultEngagement"),
        ("post", "/api/v1/sessions", "mooring.v1.SessionService/CreateSession"),
        ("put", "/api/v1/{session.name=sessions/*}", "mooring.v1.SessionService/UpdateSession"),
        ("post", "/api/v1/{name=sessions/*}/switch", "mooring.v1.SessionService/SwitchSession"),
    ],
)
def test_promised_rest_paths(verb: str, path: str, rpc: str) -> None:
    """The REST paths that were promised are annotated on their RPCs."""
    rule = rpcs()[rpc].GetOptions().Extensions[annotations_pb2.http]
    assert (verb, path) in paths(rule)


@pytest.mark.parametrize("name", rpcs())
def test_unary_rpcs_have_a_rest_path(name: str) -> None:
    """Every RPC that does not stream can be called over REST, under /api/v1."""
    rpc = rpcs()[name]
    if rpc.client_streaming or rpc.server_streaming:
        assert not rules(rpc), "a stream has no REST path"
        return
    assert rules(rpc)
    for _, path in paths(rpc.GetOptions().Extensions[annotations_pb2.http]):
        assert path.startswith("/api/v1/")


@pytest.mark.parametrize("name", rpcs())
def test_path_variables_are_names_in_the_request(name: str) -> None:
    """What a path's variable takes is a text of the request, and looks like the resource that it names."""
    rpc = rpcs()[name]
    for rule in rules(rpc):
        for variable, pattern in variables(rule):
            field = field_of(rpc.input_type, variable)
            assert field.type == FieldDescriptor.TYPE_STRING
            assert not field.is_repeated
            assert pattern in shapes(field), f"{variable} is one of {shapes(field)}"


@pytest.mark.parametrize("name", rpcs())
def test_bodies_are_of_the_request(name: str) -> None:
    """POST, PUT and PATCH have a body, a message of the request or all of it; GET and DELETE have none."""
    rpc = rpcs()[name]
    for rule in rules(rpc):
        verb = rule.WhichOneof("pattern")
        assert bool(rule.body) == (verb in ("post", "put", "patch")), verb
        if rule.body not in ("", "*"):
            assert field_of(rpc.input_type, rule.body).message_type is not None
            inner = [variable for variable, _ in variables(rule) if variable != "parent"]
            assert all(variable.startswith(f"{rule.body}.") for variable in inner)


def test_rest_paths_are_unique() -> None:
    """No two RPCs claim the same verb and path."""
    claimed = [
        claim for rpc in rpcs().values() for claim in paths(rpc.GetOptions().Extensions[annotations_pb2.http])
    ]
    assert len(claimed) == len(set(claimed))

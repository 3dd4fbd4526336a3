"""The API's shape: what buf does not check for us because AIP and its rules differ."""

from pathlib import Path

import pytest
from google.api import annotations_pb2, http_pb2
from support_api import FILES, rpcs

STANDARD = ("Get", "Create", "Update", "Delete")
PROTOS = Path(__file__).parents[2] / "protos" / "mooring" / "v1"


def paths(rule: http_pb2.HttpRule) -> set[tuple[str, str]]:
    found = {(verb, getattr(rule, verb)) for verb in ("get", "put", "post", "delete", "patch")}
    for more in rule.additional_bindings:
        found |= paths(more)
    return {(verb, path) for verb, path in found if path}


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
    """Standard methods answer the resource, long work an Operation, all else a response of its own."""
    rpc = rpcs()[name]
    answer = rpc.output_type
    if answer.full_name == "google.longrunning.Operation":
        return
    if rpc.name.startswith(STANDARD):
        assert rpc.name.endswith(answer.name), f"{answer.name} is not the resource of {rpc.name}"
    else:
        assert answer.name == f"{rpc.name}Response"


def test_streams_are_the_two_that_must_be() -> None:
    """Only an upload streams in and only a watch streams out."""
    streaming = {
        rpc.name: (rpc.client_streaming, rpc.server_streaming)
        for rpc in rpcs().values()
        if rpc.client_streaming or rpc.server_streaming
    }
    assert streaming == {"UploadInventory": (True, False), "Watch": (False, True)}


def test_mutations_can_be_repeated() -> None:
    """Each unary RPC that changes something takes a request_id."""
    reading = ("Get", "List")
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


def test_rest_paths_are_unique() -> None:
    """No two RPCs claim the same verb and path."""
    claimed = [
        claim for rpc in rpcs().values() for claim in paths(rpc.GetOptions().Extensions[annotations_pb2.http])
    ]
    assert len(claimed) == len(set(claimed))

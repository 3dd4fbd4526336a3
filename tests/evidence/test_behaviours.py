"""OUTPUT_ONLY and IMMUTABLE fields: what callers write into them is not taken."""

import uuid
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from mooring_server.settings import Settings
from support_api import rpcs
from support_calls import RECIPES, Scene
from support_server import HeaderAuth, new_engagement, refused, serving

JUNK_TIME = Timestamp(seconds=1_234_567)


def behaviours(field: FieldDescriptor) -> set[int]:
    return set(field.GetOptions().Extensions[field_behavior_pb2.field_behavior])


def resource_of(method: MethodDescriptor) -> FieldDescriptor | None:
    """The resource that a Create or an Update carries."""
    if not method.name.startswith(("Create", "Update")):
        return None
    return method.input_type.fields_by_name[method.output_type.name.lower()]


def guarded(method: MethodDescriptor) -> Iterator[FieldDescriptor]:
    """The fields of that resource that callers cannot write by this RPC."""
    resource = resource_of(method)
    assert resource is not None
    closed = {field_behavior_pb2.OUTPUT_ONLY}
    if method.name.startswith("Update"):
        closed.add(field_behavior_pb2.IMMUTABLE)
    else:
        closed.add(field_behavior_pb2.IDENTIFIER)
    for field in resource.message_type.fields:
        if behaviours(field) & closed:
            yield field


CASES = [
    pytest.param(rpc, field, id=f"{rpc.rpartition('/')[2]}-{field.name}")
    for rpc, method in rpcs().items()
    if resource_of(method) is not None
    for field in guarded(method)
]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    file = tmp_path_factory.mktemp("behaviours") / "mooring.db"
    with serving(Settings(database=f"sqlite:///{file}", port=0), authenticator=HeaderAuth()) as server:
        owner = server.user("owner")
        engagement = new_engagement(owner, "Own").name
        yield Scene(owner, engagement, lambda: server.user(uuid.uuid4().hex))


def junk(resource: Any, field: FieldDescriptor) -> None:
    """Writes something into a field that it never has."""
    if field.type == field.TYPE_STRING:
        setattr(resource, field.name, "junk")
    elif field.type == field.TYPE_BOOL:
        setattr(resource, field.name, True)
    elif field.type in (field.TYPE_INT64, field.TYPE_INT32):
        setattr(resource, field.name, 4_711)
    elif field.message_type.full_name == "google.protobuf.Timestamp":
        getattr(resource, field.name).CopyFrom(JUNK_TIME)
    else:
        inner = getattr(resource, field.name)
        text = next(each for each in inner.DESCRIPTOR.fields if each.type == each.TYPE_STRING)
        setattr(inner, text.name, "junk")


def value(resource: Any, field: FieldDescriptor) -> Any:
    return getattr(resource, field.name)


@pytest.mark.parametrize(("rpc", "field"), CASES)
def test_guarded_fields_are_not_taken(scene: Scene, rpc: str, field: FieldDescriptor) -> None:
    """A create makes its own value; an update leaves the field as it is, and refuses a mask that names it."""
    method = rpcs()[rpc]
    carrier = resource_of(method)
    assert carrier is not None
    request: Any = RECIPES[rpc].build(scene)
    plain: Message = getattr(request, carrier.name)
    template = type(plain)()
    junk(template, field)
    wanted = value(template, field)

    junk(plain, field)
    answer_class = _message(method)
    if method.name.startswith("Create"):
        answer = answer_class.FromString(scene.owner.raw(rpc, request.SerializeToString()))
        assert value(answer, field) != wanted
        return
    if field.name == "etag":  # an update compares it
        with refused(grpc.StatusCode.ABORTED, "ETAG_MISMATCH"):
            scene.owner.raw(rpc, request.SerializeToString())
    else:
        answer = answer_class.FromString(scene.owner.raw(rpc, request.SerializeToString()))
        assert value(answer, field) != wanted
    request.update_mask.paths.append(field.name)
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD") as refusal:
        scene.owner.raw(rpc, request.SerializeToString())
    assert refusal.fields == ["update_mask"]


def test_figure(figure: Any) -> None:
    """Every resource that can be written has fields to guard."""
    assert {case.values[0] for case in CASES} == {
        rpc for rpc, method in rpcs().items() if resource_of(method) is not None
    }
    figure(f"{len(CASES)} OUTPUT_ONLY and IMMUTABLE fields written", "0 taken")


def _message(method: MethodDescriptor) -> Any:
    return GetMessageClass(method.output_type)

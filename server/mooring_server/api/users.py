"""`mooring.v1.UserService`."""

import grpc
from mooring.v1 import users_pb2

from mooring_server.api.calls import Call
from mooring_server.api.driver import Driver
from mooring_server.api.times import timestamp
from mooring_server.core import users
from mooring_server.core.names import Kind
from mooring_server.store import Tx
from mooring_server.store.records import Context, User


def handler(driver: Driver) -> grpc.GenericRpcHandler:
    """The service."""
    return driver.service(
        users_pb2.DESCRIPTOR.services_by_name["UserService"],
        {"GetCurrentUser": get_current_user, "GetContext": get_context, "OpenContext": open_context},
        checks={"OpenContext": check_open_context},
    )


def get_current_user(tx: Tx, call: Call, request: users_pb2.GetCurrentUserRequest) -> users_pb2.User:
    """The caller's own user."""
    return pack_user(users.get(tx, call.caller))


def get_context(tx: Tx, call: Call, request: users_pb2.GetContextRequest) -> users_pb2.Context:
    """One context."""
    _, context_id = Kind.CONTEXT.ids(request.name)
    return pack_context(users.context(tx, call.caller, context_id))


def check_open_context(request: users_pb2.OpenContextRequest) -> None:
    """Refuses bindings that no notebook has."""
    users.check_bindings(request.kernel_key, request.notebook_key)


def open_context(tx: Tx, call: Call, request: users_pb2.OpenContextRequest) -> users_pb2.OpenContextResponse:
    """The context of a notebook."""
    context, created = users.open_context(tx, call.caller, request.kernel_key, request.notebook_key)
    return users_pb2.OpenContextResponse(context=pack_context(context), created=created)


def pack_user(user: User) -> users_pb2.User:
    """A user as a message."""
    home = user.default_engagement_id
    return users_pb2.User(
        name=Kind.USER.of(user.id),
        display_name=user.display_name,
        email=user.email,
        default_engagement="" if home is None else Kind.ENGAGEMENT.of(home),
        etag=str(user.etag),
        create_time=timestamp(user.create_time),
        update_time=timestamp(user.update_time),
    )


def pack_context(context: Context) -> users_pb2.Context:
    """A context as a message."""
    return users_pb2.Context(
        name=Kind.CONTEXT.of(context.user_id, context.id),
        current_engagement=Kind.ENGAGEMENT.of(context.engagement_id),
        current_session=Kind.SESSION.of(context.engagement_id, context.session_id),
        revision=context.revision,
        create_time=timestamp(context.create_time),
        update_time=timestamp(context.update_time),
    )

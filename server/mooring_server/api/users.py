"""`mooring.v1.UserService`."""

from datetime import timedelta
from typing import Any

import grpc
from mooring.v1 import users_pb2

from mooring_server.api import tokens
from mooring_server.api.calls import Call, masked
from mooring_server.api.driver import Driver
from mooring_server.api.times import timestamp
from mooring_server.core import users
from mooring_server.core.names import DEFAULT_CONTEXT, Kind
from mooring_server.core.policy import own
from mooring_server.store import Tx
from mooring_server.store.records import Context, Session, User


def handler(driver: Driver) -> grpc.GenericRpcHandler:
    """The service."""
    return driver.service(
        users_pb2.DESCRIPTOR.services_by_name["UserService"],
        {
            "GetCurrentUser": get_current_user,
            "GetUser": get_user,
            "UpdateUser": update_user,
            "GetContext": get_context,
            "OpenContext": open_context,
            "ListContexts": list_contexts,
            "DeleteContext": delete_context,
            **tokens.HANDLERS,
        },
        checks={"UpdateUser": edit, "OpenContext": check_open_context, **tokens.CHECKS},
    )


def get_current_user(tx: Tx, call: Call, request: users_pb2.GetCurrentUserRequest) -> users_pb2.User:
    """The caller's own user."""
    return pack_user(users.get(tx, call.caller))


def get_user(tx: Tx, call: Call, request: users_pb2.GetUserRequest) -> users_pb2.User:
    """A user whom the caller knows; of others no more than who they are."""
    (user_id,) = Kind.USER.ids(request.name)
    user = users.find(tx, user_id)
    if call.caller.is_admin or user_id == call.caller.user_id:
        return pack_user(user)
    return users_pb2.User(name=request.name, display_name=user.display_name, email=user.email)


def edit(request: users_pb2.UpdateUserRequest) -> users.Edit:
    """What is to be changed, checked."""
    taken = masked(request, "user", users.UPDATABLE)
    return users.Edit({field: getattr(request.user, field) for field in taken})


def update_user(tx: Tx, call: Call, request: users_pb2.UpdateUserRequest) -> users_pb2.User:
    """A user with new fields."""
    (user_id,) = Kind.USER.ids(request.user.name, "user.name")
    return pack_user(users.update(tx, user_id, request.user.etag, edit(request)))


def get_context(tx: Tx, call: Call, request: users_pb2.GetContextRequest) -> users_pb2.Context:
    """One context."""
    user_id, context_id = Kind.CONTEXT.ids(request.name)
    return pack_context(call, users.context(tx, user_id, context_id))


def list_contexts(
    tx: Tx, call: Call, request: users_pb2.ListContextsRequest
) -> users_pb2.ListContextsResponse:
    """A page of a user's contexts."""
    (user_id,) = Kind.USER.ids(request.parent, "parent")
    page = users.contexts(tx, user_id, call.window(request, request.parent))
    return users_pb2.ListContextsResponse(
        contexts=[pack_context(call, context) for context in page.items],
        next_page_token=call.next_page_token(page.next_key, request.parent),
    )


def delete_context(tx: Tx, call: Call, request: users_pb2.DeleteContextRequest) -> users_pb2.Context:
    """A context that is gone."""
    user_id, context_id = Kind.CONTEXT.ids(request.name)
    return pack_context(call, users.delete_context(tx, user_id, context_id))


def switch(tx: Tx, call: Call, request: Any, session: Session) -> tuple[Session, users_pb2.Context]:
    """What a switch request (context, context_revision) to a session makes current."""
    context_id = DEFAULT_CONTEXT
    if request.context:
        _, context_id = Kind.CONTEXT.ids(own(call.caller, Kind.CONTEXT, request.context, "context"))
    expected = request.context_revision if request.HasField("context_revision") else None
    session, context = users.switch(tx, call.caller, context_id, session, expected)
    return session, pack_context(call, context)


def check_open_context(request: users_pb2.OpenContextRequest) -> None:
    """Refuses bindings that no notebook has."""
    users.check_bindings(request.kernel_key, request.notebook_key)


def open_context(tx: Tx, call: Call, request: users_pb2.OpenContextRequest) -> users_pb2.OpenContextResponse:
    """The context of a notebook."""
    context, created = users.open_context(tx, call.caller, request.kernel_key, request.notebook_key)
    return users_pb2.OpenContextResponse(context=pack_context(call, context), created=created)


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


def pack_context(call: Call, context: Context) -> users_pb2.Context:
    """A context as a message."""
    stays = context.id == DEFAULT_CONTEXT
    goes = context.use_time + timedelta(seconds=call.settings.context_keep_s)
    return users_pb2.Context(
        name=Kind.CONTEXT.of(context.user_id, context.id),
        current_engagement=Kind.ENGAGEMENT.of(context.engagement_id),
        current_session=Kind.SESSION.of(context.engagement_id, context.session_id),
        revision=context.revision,
        create_time=timestamp(context.create_time),
        update_time=timestamp(context.update_time),
        use_time=timestamp(context.use_time),
        expire_time=None if stays else timestamp(goes),
    )

"""The calls of a session's life, as tests make them."""

from typing import Any

from mooring.v1 import sessions_pb2, users_pb2
from support_server import Caller, Server, create


def make(caller: Caller, parent: str, display_name: str = "A", **fields: Any) -> sessions_pb2.Session:
    """A new session; `fields` are the session's."""
    request = create(parent, display_name)
    request.session.MergeFrom(sessions_pb2.Session(**fields))
    return caller.sessions.CreateSession(request)


def clone(caller: Caller, source: str, display_name: str = "Clone", **fields: Any) -> sessions_pb2.Session:
    """A new session that begins with the source's data; `fields` are the request's."""
    request = sessions_pb2.CreateSessionRequest(
        parent=source.partition("/sessions/")[0], source_session=source, **fields
    )
    request.session.display_name = display_name
    return caller.sessions.CreateSession(request)


def get(caller: Caller, name: str) -> sessions_pb2.Session:
    return caller.sessions.GetSession(sessions_pb2.GetSessionRequest(name=name))


def update(caller: Caller, name: str, paths: Any = (), **fields: Any) -> sessions_pb2.Session:
    """`paths` are the mask's, `fields` the session's."""
    request = sessions_pb2.UpdateSessionRequest(session=sessions_pb2.Session(name=name, **fields))
    request.update_mask.paths.extend(paths)
    return caller.sessions.UpdateSession(request)


def delete(caller: Caller, name: str, **fields: Any) -> sessions_pb2.Session:
    return caller.sessions.DeleteSession(sessions_pb2.DeleteSessionRequest(name=name, **fields))


def undelete(caller: Caller, name: str, **fields: Any) -> sessions_pb2.Session:
    return caller.sessions.UndeleteSession(sessions_pb2.UndeleteSessionRequest(name=name, **fields)).session


def archive(caller: Caller, name: str, **fields: Any) -> sessions_pb2.Session:
    return caller.sessions.ArchiveSession(sessions_pb2.ArchiveSessionRequest(name=name, **fields)).session


def unarchive(caller: Caller, name: str, **fields: Any) -> sessions_pb2.Session:
    return caller.sessions.UnarchiveSession(sessions_pb2.UnarchiveSessionRequest(name=name, **fields)).session


def set_default(caller: Caller, name: str, **fields: Any) -> sessions_pb2.Session:
    return caller.sessions.SetDefaultSession(
        sessions_pb2.SetDefaultSessionRequest(name=name, **fields)
    ).session


def switch(caller: Caller, name: str, **fields: Any) -> sessions_pb2.SwitchSessionResponse:
    return caller.sessions.SwitchSession(sessions_pb2.SwitchSessionRequest(name=name, **fields))


def join(server: Server, caller: Caller, engagement: str, role: int) -> None:
    """Makes the caller a member, past the API."""
    user_id = caller.users.GetCurrentUser(users_pb2.GetCurrentUserRequest()).name.split("/")[1]
    server.write(lambda tx: tx.members.put(engagement.split("/")[1], user_id, role))

"""Short calls of users, engagements and members."""

import uuid

from mooring.v1 import engagements_pb2, users_pb2

VIEWER, ANALYST, MANAGER = (
    engagements_pb2.ROLE_VIEWER,
    engagements_pb2.ROLE_ANALYST,
    engagements_pb2.ROLE_MANAGER,
)


def new_request_id():
    return str(uuid.uuid4())


def me(caller):
    return caller.users.GetCurrentUser(users_pb2.GetCurrentUserRequest())


def get_user(caller, name):
    return caller.users.GetUser(users_pb2.GetUserRequest(name=name))


def update_user(caller, mask=(), name="users/me", validate_only=False, request_id="", **fields):
    return caller.users.UpdateUser(
        users_pb2.UpdateUserRequest(
            user=users_pb2.User(name=name, **fields),
            update_mask={"paths": mask},
            validate_only=validate_only,
            request_id=request_id,
        )
    )


def get_context(caller, name="users/me/contexts/default"):
    return caller.users.GetContext(users_pb2.GetContextRequest(name=name))


def open_context(caller, kernel_key="", notebook_key=""):
    return caller.users.OpenContext(
        users_pb2.OpenContextRequest(parent="users/me", kernel_key=kernel_key, notebook_key=notebook_key)
    )


def list_contexts(caller, parent="users/me", **fields):
    return caller.users.ListContexts(users_pb2.ListContextsRequest(parent=parent, **fields))


def delete_context(caller, name, **fields):
    return caller.users.DeleteContext(users_pb2.DeleteContextRequest(name=name, **fields))


def get_engagement(caller, name, **fields):
    return caller.engagements.GetEngagement(engagements_pb2.GetEngagementRequest(name=name, **fields))


def default_engagement(caller):
    return caller.engagements.GetDefaultEngagement(engagements_pb2.GetDefaultEngagementRequest())


def update_engagement(caller, name, mask=(), validate_only=False, request_id="", **fields):
    return caller.engagements.UpdateEngagement(
        engagements_pb2.UpdateEngagementRequest(
            engagement=engagements_pb2.Engagement(name=name, **fields),
            update_mask={"paths": mask},
            validate_only=validate_only,
            request_id=request_id,
        )
    )


def archive(caller, name, **fields):
    request = engagements_pb2.ArchiveEngagementRequest(name=name, **fields)
    return caller.engagements.ArchiveEngagement(request).engagement


def unarchive(caller, name, **fields):
    request = engagements_pb2.UnarchiveEngagementRequest(name=name, **fields)
    return caller.engagements.UnarchiveEngagement(request).engagement


def switch_engagement(caller, name, **fields):
    return caller.engagements.SwitchEngagement(engagements_pb2.SwitchEngagementRequest(name=name, **fields))


def add(manager, engagement, user, role=VIEWER, **fields):
    """Makes a user a member. A user is a caller or an id."""
    member_id = user if isinstance(user, str) else me(user).name.removeprefix("users/")
    return manager.engagements.CreateMember(
        engagements_pb2.CreateMemberRequest(
            parent=engagement, member=engagements_pb2.Member(role=role), member_id=member_id, **fields
        )
    )


def get_member(caller, name):
    return caller.engagements.GetMember(engagements_pb2.GetMemberRequest(name=name))


def list_members(caller, parent, **fields):
    return caller.engagements.ListMembers(engagements_pb2.ListMembersRequest(parent=parent, **fields))


def set_role(caller, name, role, etag="", mask=(), **fields):
    return caller.engagements.UpdateMember(
        engagements_pb2.UpdateMemberRequest(
            member=engagements_pb2.Member(name=name, role=role, etag=etag),
            update_mask={"paths": mask},
            **fields,
        )
    )


def remove(caller, name, **fields):
    return caller.engagements.DeleteMember(engagements_pb2.DeleteMemberRequest(name=name, **fields))

"""The members' part of `mooring.v1.EngagementService`."""

from collections.abc import Mapping

from mooring.v1 import engagements_pb2

from mooring_server.api.calls import Call, masked
from mooring_server.api.driver import Check, Handler
from mooring_server.api.times import timestamp
from mooring_server.core import members
from mooring_server.core.names import Kind
from mooring_server.errors import InvalidArgument
from mooring_server.store import Tx
from mooring_server.store.records import Member, Role

_WIRE_ROLES = {role: engagements_pb2.Role.Value(f"ROLE_{role.name}") for role in Role}
_ROLES: Mapping[int, Role] = {number: role for role, number in _WIRE_ROLES.items()}
_UPDATABLE = ("role",)


def list_members(
    tx: Tx, call: Call, request: engagements_pb2.ListMembersRequest
) -> engagements_pb2.ListMembersResponse:
    """A page of an engagement's members."""
    (engagement_id,) = Kind.ENGAGEMENT.ids(request.parent, "parent")
    page = members.page(tx, engagement_id, call.window(request, request.parent))
    return engagements_pb2.ListMembersResponse(
        members=map(pack_member, page.items),
        next_page_token=call.next_page_token(page.next_key, request.parent),
    )


def get_member(tx: Tx, call: Call, request: engagements_pb2.GetMemberRequest) -> engagements_pb2.Member:
    """One member."""
    engagement_id, user_id = Kind.MEMBER.ids(request.name)
    return pack_member(members.get(tx, engagement_id, user_id))


def draft(request: engagements_pb2.CreateMemberRequest) -> members.Draft:
    """Who is to be made a member, checked; fields that are the server's to set are not looked at."""
    return members.Draft(request.member_id, _role(request.member.role))


def create_member(tx: Tx, call: Call, request: engagements_pb2.CreateMemberRequest) -> engagements_pb2.Member:
    """A new member."""
    (engagement_id,) = Kind.ENGAGEMENT.ids(request.parent, "parent")
    return pack_member(members.create(tx, engagement_id, draft(request)))


def new_role(request: engagements_pb2.UpdateMemberRequest) -> Role:
    """What a member is to be, checked."""
    masked(request, "member", _UPDATABLE)  # whatever it holds, it is about the role
    return _role(request.member.role)


def update_member(tx: Tx, call: Call, request: engagements_pb2.UpdateMemberRequest) -> engagements_pb2.Member:
    """A member with another role."""
    engagement_id, user_id = Kind.MEMBER.ids(request.member.name, "member.name")
    return pack_member(members.update(tx, engagement_id, user_id, request.member.etag, new_role(request)))


def delete_member(tx: Tx, call: Call, request: engagements_pb2.DeleteMemberRequest) -> engagements_pb2.Member:
    """Who is no member any more."""
    engagement_id, user_id = Kind.MEMBER.ids(request.name)
    return pack_member(members.delete(tx, engagement_id, user_id, request.etag))


def pack_member(member: Member) -> engagements_pb2.Member:
    """A member as a message."""
    active = member.last_activity_time
    return engagements_pb2.Member(
        name=Kind.MEMBER.of(member.engagement_id, member.user_id),
        user=Kind.USER.of(member.user_id),
        display_name=member.display_name,
        role=_WIRE_ROLES[member.role],
        etag=str(member.etag),
        create_time=timestamp(member.create_time),
        update_time=timestamp(member.update_time),
        last_activity_time=None if active is None else timestamp(active),
    )


def _role(number: int) -> Role:
    if number not in _ROLES:
        names = ", ".join(role.name for role in Role)
        raise InvalidArgument.field("member.role", f"must be one of {names}")
    return _ROLES[number]


HANDLERS: Mapping[str, Handler] = {
    "ListMembers": list_members,
    "GetMember": get_member,
    "CreateMember": create_member,
    "UpdateMember": update_member,
    "DeleteMember": delete_member,
}
CHECKS: Mapping[str, Check] = {"CreateMember": draft, "UpdateMember": new_role}

"""The methods about sessions: reading, making, changing and putting them away, and what happened to them."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from mooring.v1 import activity_pb2, comparisons_pb2, sessions_pb2

from mooring_widgets.client import decode, decode_comparisons
from mooring_widgets.client.channel import Channel
from mooring_widgets.client.comparisons import Counted, Difference
from mooring_widgets.client.snapshots import Activity, PageOf, Session, Shortcuts, Switched

_SERVICE = "/mooring.v1.SessionService"


class SessionCalls:
    """The part of `MooringClient` that is about sessions."""

    _channel: Channel

    async def get_session(self, name: str) -> Session:
        """One session."""
        return await self._session("GetSession", sessions_pb2.GetSessionRequest(name=name))

    async def list_sessions(
        self,
        engagement: str,
        *,
        page_size: int = 50,
        page_token: str = "",
        skip: int = 0,
        filter: str = "",
        order_by: str = "",
        show_archived: bool = False,
        show_deleted: bool = False,
    ) -> PageOf[Session]:
        """The living sessions of an engagement, by display name unless `order_by` says otherwise.

        Args:
            engagement: The engagement's full name.
            page_size: At most 1,000.
            page_token: Where the page starts.
            skip: How many to pass over from there.
            filter: AIP-160; a bare word is looked for in names and descriptions.
            order_by: `display_name`, `create_time` or `last_activity_time`, and ` desc` to turn it round.
            show_archived: Archived ones too.
            show_deleted: Deleted ones too.

        Raises:
            InvalidArgument: For a wrong filter or order.
        """
        request = sessions_pb2.ListSessionsRequest(
            parent=engagement,
            page_size=page_size,
            page_token=page_token,
            skip=skip,
            filter=filter,
            order_by=order_by,
            show_archived=show_archived,
            show_deleted=show_deleted,
        )
        answer = await self._channel.unary(
            f"{_SERVICE}/ListSessions", request, sessions_pb2.ListSessionsResponse
        )
        return PageOf(
            tuple(map(decode.session, answer.sessions)),
            answer.total_size,
            answer.next_page_token,
            total_at_least=answer.total_size_at_least,
        )

    async def create_session(
        self,
        engagement: str,
        display_name: str,
        *,
        description: str = "",
        type: str = "",
        labels: Mapping[str, str] | None = None,
        parent_session: str = "",
        source_session: str = "",
        session_id: str = "",
    ) -> Session:
        """A new session. Full names: it goes back to `parent_session`, and begins with the data of
        `source_session`, or blank.
        """
        request = sessions_pb2.CreateSessionRequest(
            parent=engagement,
            session=sessions_pb2.Session(
                display_name=display_name,
                description=description,
                type=decode.session_type_value(type),
                labels=labels,
                parent_session=parent_session,
            ),
            source_session=source_session,
            session_id=session_id,
            request_id=str(uuid.uuid4()),
        )
        return await self._session("CreateSession", request)

    async def compare_sessions(self, name: str, other: str) -> Counted:
        """How many assets and dependencies two sessions of an engagement differ in."""
        request = comparisons_pb2.CompareSessionsRequest(name=name, other=other)
        answer = await self._channel.unary(
            f"{_SERVICE}/CompareSessions", request, comparisons_pb2.CompareSessionsResponse
        )
        return decode_comparisons.counted(answer)

    async def list_asset_differences(
        self,
        session: str,
        other: str,
        *,
        kinds: Collection[str] = (),
        page_size: int = 50,
        page_token: str = "",
        filter: str = "",
    ) -> PageOf[Difference]:
        """The assets that two sessions differ in, by display name, those that were added last.

        Args:
            session: The session's full name.
            other: That of the one to hold against it.
            kinds: Of `added`, `removed`, `changed`, `unchanged`; none: all but the last.
            page_size: At most 1,000.
            page_token: Where the page starts.
            filter: AIP-160, of an asset as the session has it, and of those added as the other one does.

        Raises:
            InvalidArgument: For a wrong filter or kind.
        """
        request = comparisons_pb2.ListAssetDifferencesRequest(
            parent=session,
            other=other,
            kinds=decode_comparisons.kind_values(kinds),
            page_size=page_size,
            page_token=page_token,
            filter=filter,
        )
        answer = await self._channel.unary(
            f"{_SERVICE}/ListAssetDifferences", request, comparisons_pb2.ListAssetDifferencesResponse
        )
        items = tuple(map(decode_comparisons.asset_difference, answer.differences))
        return PageOf(items, -1, answer.next_page_token)

    async def list_dependency_differences(
        self,
        session: str,
        other: str,
        *,
        kinds: Collection[str] = (),
        page_size: int = 50,
        page_token: str = "",
        filter: str = "",
    ) -> PageOf[Difference]:
        """The dependencies that two sessions differ in, the oldest first; the arguments are as for assets."""
        request = comparisons_pb2.ListDependencyDifferencesRequest(
            parent=session,
            other=other,
            kinds=decode_comparisons.kind_values(kinds),
            page_size=page_size,
            page_token=page_token,
            filter=filter,
        )
        answer = await self._channel.unary(
            f"{_SERVICE}/ListDependencyDifferences",
            request,
            comparisons_pb2.ListDependencyDifferencesResponse,
        )
        items = tuple(map(decode_comparisons.dependency_difference, answer.differences))
        return PageOf(items, -1, answer.next_page_token)

    async def update_session(
        self,
        name: str,
        *,
        display_name: str | None = None,
        description: str | None = None,
        type: str | None = None,
        labels: Mapping[str, str] | None = None,
        etag: str = "",
    ) -> Session:
        """Changes the fields that are not None; Conflict where `etag` is given and not the session's."""
        session = sessions_pb2.Session(name=name, etag=etag)
        mask = []
        if display_name is not None:
            session.display_name = display_name
            mask.append("display_name")
        if description is not None:
            session.description = description
            mask.append("description")
        if type is not None:
            session.type = decode.session_type_value(type)
            mask.append("type")
        if labels is not None:
            session.labels.update(labels)
            mask.append("labels")
        if not mask:  # an empty mask would mean every field
            raise ValueError("name at least one field to change")
        request = sessions_pb2.UpdateSessionRequest(
            session=session, update_mask=FieldMask(paths=mask), request_id=str(uuid.uuid4())
        )
        return await self._session("UpdateSession", request)

    async def delete_session(self, name: str, *, etag: str = "") -> Session:
        """Deletes a session softly; its display name is free again."""
        request = sessions_pb2.DeleteSessionRequest(name=name, etag=etag, request_id=str(uuid.uuid4()))
        return await self._session("DeleteSession", request)

    async def undelete_session(self, name: str, *, etag: str = "") -> Session:
        """Brings a deleted session back, with its data."""
        request = sessions_pb2.UndeleteSessionRequest(name=name, etag=etag, request_id=str(uuid.uuid4()))
        return await self._wrapped("UndeleteSession", request, sessions_pb2.UndeleteSessionResponse)

    async def archive_session(self, name: str, *, etag: str = "") -> Session:
        """Puts a session away: it can be read, not changed."""
        request = sessions_pb2.ArchiveSessionRequest(name=name, etag=etag, request_id=str(uuid.uuid4()))
        return await self._wrapped("ArchiveSession", request, sessions_pb2.ArchiveSessionResponse)

    async def unarchive_session(self, name: str, *, etag: str = "") -> Session:
        """Takes an archived session up again."""
        request = sessions_pb2.UnarchiveSessionRequest(name=name, etag=etag, request_id=str(uuid.uuid4()))
        return await self._wrapped("UnarchiveSession", request, sessions_pb2.UnarchiveSessionResponse)

    async def set_default_session(self, name: str, *, etag: str = "") -> Session:
        """Makes a session its engagement's default."""
        request = sessions_pb2.SetDefaultSessionRequest(name=name, etag=etag, request_id=str(uuid.uuid4()))
        return await self._wrapped("SetDefaultSession", request, sessions_pb2.SetDefaultSessionResponse)

    async def switch_session(
        self, name: str, *, context: str = "users/me/contexts/default", revision: int | None = None
    ) -> Switched:
        """Makes a session current in a context; Conflict where `revision` is given and not the context's."""
        request = sessions_pb2.SwitchSessionRequest(
            name=name, context=context, context_revision=revision, request_id=str(uuid.uuid4())
        )
        answer = await self._channel.unary(
            f"{_SERVICE}/SwitchSession", request, sessions_pb2.SwitchSessionResponse
        )
        return Switched(decode.session(answer.session), decode.context(answer.context))

    async def list_shortcuts(self, parent: str) -> Shortcuts:
        """The caller's pinned and last visited sessions of an engagement, named in full."""
        request = sessions_pb2.GetShortcutsRequest(name=f"{parent}/shortcuts")
        answer = await self._channel.unary(f"{_SERVICE}/GetShortcuts", request, sessions_pb2.Shortcuts)
        return Shortcuts(tuple(map(decode.session, answer.pinned)), tuple(map(decode.session, answer.recent)))

    async def pin_session(self, name: str) -> Session:
        """Adds a session to the end of the caller's pinned ones; one that is there keeps its place.

        Raises:
            FailedPrecondition: TOO_MANY_PINS, for the 21st of an engagement.
        """
        request = sessions_pb2.PinSessionRequest(name=name, request_id=str(uuid.uuid4()))
        return await self._wrapped("PinSession", request, sessions_pb2.PinSessionResponse)

    async def unpin_session(self, name: str) -> Session:
        """Takes a session from the caller's pinned ones, where it is among them."""
        request = sessions_pb2.UnpinSessionRequest(name=name, request_id=str(uuid.uuid4()))
        return await self._wrapped("UnpinSession", request, sessions_pb2.UnpinSessionResponse)

    async def list_activity(
        self, parent: str, *, page_size: int = 50, page_token: str = "", skip: int = 0, filter: str = ""
    ) -> PageOf[Activity]:
        """Who did what in an engagement or a session, newest first; its `total` is not counted, and -1.

        Raises:
            InvalidArgument: For a wrong filter, which is AIP-160 over `actor`, `kind`, `session`, `resource`
                and `time` (`kind = IMPORTED`).
        """
        request = activity_pb2.ListActivityRequest(
            parent=parent, page_size=page_size, page_token=page_token, skip=skip, filter=filter
        )
        answer = await self._channel.unary(
            f"{_SERVICE}/ListActivity", request, activity_pb2.ListActivityResponse
        )
        return PageOf(tuple(map(decode.activity, answer.activity)), -1, answer.next_page_token)

    async def _session(self, method: str, request: Message) -> Session:
        return decode.session(
            await self._channel.unary(f"{_SERVICE}/{method}", request, sessions_pb2.Session)
        )

    async def _wrapped(self, method: str, request: Message, answer_type: type[Any]) -> Session:
        answer = await self._channel.unary(f"{_SERVICE}/{method}", request, answer_type)
        return decode.session(answer.session)

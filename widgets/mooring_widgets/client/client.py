"""The service's methods as coroutines: names and plain values in, frozen snapshots out.

Every mutation carries a request id, so that a repeated call is harmless; every call has a deadline.
"""

import uuid
from collections.abc import AsyncGenerator, Hashable, Sequence
from pathlib import Path

from mooring.v1 import engagements_pb2, users_pb2

from mooring_widgets.client import decode
from mooring_widgets.client.channel import Channel
from mooring_widgets.client.discovery import DiscoveryCalls
from mooring_widgets.client.merging import MergeCalls
from mooring_widgets.client.moving import MoveCalls
from mooring_widgets.client.sessions import SessionCalls
from mooring_widgets.client.snapshots import (
    Context,
    Engagement,
    PageOf,
    User,
    WatchEvent,
)
from mooring_widgets.client.watching import follow

_USERS = "mooring.v1.UserService"
_ENGAGEMENTS = "mooring.v1.EngagementService"


class MooringClient(SessionCalls, MergeCalls, MoveCalls, DiscoveryCalls):
    """A client of one service. Its coroutines run on the loop that its first call ran on.

    Failures are the exceptions of `mooring_widgets.errors`. `session` and `engagement` arguments are full
    resource names; a page of a list starts at `page_token`, or at the beginning, and passes over `skip`
    items.

    Args:
        address: `https://host[:port]`, `host:port` or `unix:/path`; None: the user's own service, started
            where it does not run.
        token: An API token; empty for none.
        ca: A PEM file with the certificates to trust; empty for those of public authorities.

    Raises:
        InvalidArgument: For an address that is none, a file that cannot be read, and a token that would leave
            this machine in the clear.
    """

    def __init__(self, address: str | None = None, *, token: str = "", ca: str | Path = "") -> None:
        self._channel = Channel(address, token, ca)

    @property
    def address(self) -> str:
        """What it was asked to talk to; `embedded:` and the data folder for the user's own service."""
        return self._channel.label

    @property
    def identity(self) -> Hashable:
        """Equal for clients that talk to the same service as the same caller."""
        return self._channel.endpoint

    def fingerprint(self) -> str:
        """What tells this service and caller from others, and nothing else about them."""
        return self._channel.fingerprint()

    def install_id(self) -> str:
        """The id of the user's data folder. Reads a file; Unavailable where there can be none."""
        return self._channel.install_id()

    async def close(self) -> None:
        """Ends its calls and its connection."""
        await self._channel.close()

    # Users and contexts

    async def get_current_user(self) -> User:
        """The caller."""
        answer = await self._channel.unary(
            f"/{_USERS}/GetCurrentUser", users_pb2.GetCurrentUserRequest(), users_pb2.User
        )
        return decode.user(answer)

    async def get_context(self, name: str) -> Context:
        """A context of the caller: `users/me/contexts/default`, or the name of another."""
        request = users_pb2.GetContextRequest(name=name)
        return decode.context(await self._channel.unary(f"/{_USERS}/GetContext", request, users_pb2.Context))

    async def open_context(self, kernel_key: str = "", notebook_key: str = "") -> Context:
        """The context of a notebook, found by either key or made; a fresh one without keys."""
        request = users_pb2.OpenContextRequest(
            parent="users/me", kernel_key=kernel_key, notebook_key=notebook_key, request_id=_request_id()
        )
        answer = await self._channel.unary(f"/{_USERS}/OpenContext", request, users_pb2.OpenContextResponse)
        return decode.context(answer.context)

    # Engagements

    async def get_engagement(self, name: str) -> Engagement:
        """One engagement."""
        request = engagements_pb2.GetEngagementRequest(name=name)
        return decode.engagement(
            await self._channel.unary(f"/{_ENGAGEMENTS}/GetEngagement", request, engagements_pb2.Engagement)
        )

    async def list_engagements(
        self,
        *,
        page_size: int = 50,
        page_token: str = "",
        skip: int = 0,
        filter: str = "",
        show_archived: bool = False,
    ) -> PageOf[Engagement]:
        """The caller's engagements, by display name; archived ones only where asked for.

        Raises:
            InvalidArgument: For a wrong filter, which is AIP-160; a bare word is looked for in the names.
        """
        request = engagements_pb2.ListEngagementsRequest(
            page_size=page_size,
            page_token=page_token,
            skip=skip,
            filter=filter,
            show_archived=show_archived,
        )
        answer = await self._channel.unary(
            f"/{_ENGAGEMENTS}/ListEngagements", request, engagements_pb2.ListEngagementsResponse
        )
        return PageOf(
            tuple(map(decode.engagement, answer.engagements)),
            answer.total_size,
            answer.next_page_token,
            total_at_least=answer.total_size_at_least,
        )

    async def create_engagement(
        self, display_name: str, *, description: str = "", engagement_id: str = ""
    ) -> Engagement:
        """A new engagement with its default session."""
        request = engagements_pb2.CreateEngagementRequest(
            engagement=engagements_pb2.Engagement(display_name=display_name, description=description),
            engagement_id=engagement_id,
            request_id=_request_id(),
        )
        return decode.engagement(
            await self._channel.unary(
                f"/{_ENGAGEMENTS}/CreateEngagement", request, engagements_pb2.Engagement
            )
        )

    # Changes

    def watch(self, streams: Sequence[str], *, resume_token: str = "") -> AsyncGenerator[WatchEvent, None]:
        """The changes of streams (`engagements/{e}`, `users/me`), for ever: from a token's place, or from now
        on.

        It resumes where it was after a lost connection, with growing pauses between its tries, and says
        `live` False meanwhile. It ends with an exception only where trying again is useless
        (PermissionDenied).
        """
        return follow(self._channel, streams, resume_token)


def _request_id() -> str:
    return str(uuid.uuid4())

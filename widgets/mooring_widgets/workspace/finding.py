"""Finding a session or an engagement by what a person calls it: its name, its id or its full name."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from difflib import get_close_matches
from typing import TypeVar

from mooring_widgets.client import Engagement, MooringClient, PageOf, Session
from mooring_widgets.errors import NotFound, PermissionDenied

Thing = TypeVar("Thing", Session, Engagement)

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_PAGE_SIZE = 1_000
_NEAR_MAX = 3
_COMPARED_MAX = 10_000  # comparing by likeness is slow; beyond this only exact names are looked at


async def find_session(client: MooringClient, engagement: str, wanted: str | Session) -> Session:
    """The session of an engagement with this id or display name, or any by its full name.

    Raises:
        NotFound: Where there is none; `near` has names like it.
    """
    if isinstance(wanted, Session):
        return wanted
    if wanted.startswith(("engagements/", "sessions/")):
        return await client.get_session(wanted)
    if _ID.fullmatch(wanted):
        try:
            return await client.get_session(f"{engagement}/sessions/{wanted}")
        except NotFound:
            pass  # it may be a display name all the same

    async def page(token: str) -> PageOf[Session]:
        return await client.list_sessions(engagement, page_size=_PAGE_SIZE, page_token=token)

    return await _by_display_name(wanted, page, f"session in {engagement}", "SESSION_NOT_FOUND")


async def find_engagement(client: MooringClient, wanted: str | Engagement) -> Engagement:
    """The caller's engagement with this id, display name or full name.

    Raises:
        NotFound: Where there is none; `near` has names like it.
    """
    if isinstance(wanted, Engagement):
        return wanted
    if wanted.startswith("engagements/"):
        return await client.get_engagement(wanted)
    if _ID.fullmatch(wanted):
        try:
            return await client.get_engagement(f"engagements/{wanted}")
        except (NotFound, PermissionDenied):
            pass  # an absent engagement and a foreign one are told alike

    async def page(token: str) -> PageOf[Engagement]:
        return await client.list_engagements(page_size=_PAGE_SIZE, page_token=token)

    return await _by_display_name(wanted, page, "engagement of yours", "ENGAGEMENT_NOT_FOUND")


async def _by_display_name(
    wanted: str, page: Callable[[str], Awaitable[PageOf[Thing]]], what: str, reason: str
) -> Thing:
    names: list[str] = []
    async for thing in _all(page):
        if thing.display_name == wanted:
            return thing
        if len(names) < _COMPARED_MAX:
            names.append(thing.display_name)
    folded = {name.casefold(): name for name in reversed(names)}
    near = [folded[name] for name in get_close_matches(wanted.casefold(), folded, n=_NEAR_MAX)]
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "nothing there has a name like it"
    raise NotFound(f"there is no {what} called {wanted!r}; {hint}", reason=reason, near=near)


async def _all(page: Callable[[str], Awaitable[PageOf[Thing]]]) -> AsyncIterator[Thing]:
    token = ""
    while True:
        part = await page(token)
        for thing in part.items:
            yield thing
        token = part.next_token
        if not token:
            return

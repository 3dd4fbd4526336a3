"""Finding a session or an engagement by what a person calls it: its name, its id or its full name."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from mooring_widgets.client import Engagement, MooringClient, PageOf, Session, id_of
from mooring_widgets.errors import InvalidArgument, NotFound, PermissionDenied, did_you_mean, near_names
from mooring_widgets.queries import quoted

Thing = TypeVar("Thing", Session, Engagement)

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_PAGE_SIZE = 1_000
_LOOKED_AT_MAX = 10_000  # comparing by likeness is slow: of more names the first, and those that share a word
_WORD = re.compile(r"\w")


async def find_session(client: MooringClient, engagement: str, wanted: str | Session) -> Session:
    """The session of an engagement with this id or display name, or any by its full name.

    Raises:
        NotFound: Where there is none; `near` has names like it.
        TypeError: For something that names no session.
    """
    if isinstance(wanted, Session):
        return wanted
    _refuse_nameless(wanted, "session")
    if wanted.startswith(("engagements/", "sessions/")):
        return await client.get_session(wanted)
    if _ID.fullmatch(wanted):
        try:
            return await client.get_session(f"{engagement}/sessions/{wanted}")
        except NotFound:
            pass  # it may be a display name all the same

    async def page(filter: str, token: str) -> PageOf[Session]:
        return await client.list_sessions(
            engagement, page_size=_PAGE_SIZE, page_token=token, filter=filter, show_archived=True
        )

    found = [session async for session in _all(page, f"display_name = {quoted(wanted)}")]
    if found:
        return found[0]
    raise await _not_found(wanted, page, f"session in {engagement}", "SESSION_NOT_FOUND")


def find_listed(pages: Iterable[PageOf[Session]], wanted: str | Session) -> Session | None:
    """The session with this display name, id or full name among those that lists have shown."""
    if isinstance(wanted, Session):
        return wanted
    listed = {session.name: session for page in pages for session in page.items}
    by_id = {id_of(name): session for name, session in listed.items()}
    by_label = {session.display_name: session for session in listed.values()}
    return listed.get(wanted) or by_id.get(wanted) or by_label.get(wanted)


async def find_deleted(client: MooringClient, engagement: str, wanted: str | Session) -> str:
    """The full name of a deleted session of an engagement, by its display name, its id or its full name.

    Raises:
        NotFound: Where there is none; `near` has names like it.
        InvalidArgument: Where several of that name were deleted; the message has their ids.
    """
    if isinstance(wanted, Session):
        return wanted.name
    _refuse_nameless(wanted, "session")
    if "/" in wanted:
        return wanted

    async def page(filter: str, token: str) -> PageOf[Session]:
        return await client.list_sessions(
            engagement, page_size=_PAGE_SIZE, page_token=token, filter=filter, show_deleted=True
        )

    found = [one async for one in _all(page, f"display_name = {quoted(wanted)}") if one.delete_time]
    if len(found) > 1:
        ids = ", ".join(id_of(one.name) for one in found)
        raise InvalidArgument(
            f"{len(found)} sessions called {wanted!r} were deleted; take one by its id: {ids}"
        )
    if found:
        return found[0].name
    gone = {one.name: one.display_name async for one in _all(page, "") if one.delete_time}
    if (name := f"{engagement}/sessions/{wanted}") in gone:
        return name
    near = near_names(wanted, gone.values())
    raise _refusal(wanted, f"deleted session in {engagement}", "SESSION_NOT_FOUND", near)


async def find_engagement(client: MooringClient, wanted: str | Engagement) -> Engagement:
    """The caller's engagement with this id, display name or full name.

    Raises:
        NotFound: Where there is none; `near` has names like it.
        TypeError: For something that names no engagement.
    """
    if isinstance(wanted, Engagement):
        return wanted
    _refuse_nameless(wanted, "engagement")
    if wanted.startswith("engagements/"):
        return await client.get_engagement(wanted)
    if _ID.fullmatch(wanted):
        try:
            return await client.get_engagement(f"engagements/{wanted}")
        except (NotFound, PermissionDenied):
            pass  # an absent engagement and a foreign one are told alike

    async def page(filter: str, token: str) -> PageOf[Engagement]:
        return await client.list_engagements(
            page_size=_PAGE_SIZE, page_token=token, filter=filter, show_archived=True
        )

    found = [engagement async for engagement in _all(page, f"display_name = {quoted(wanted)}")]
    if found:
        return found[0]
    raise await _not_found(wanted, page, "engagement of yours", "ENGAGEMENT_NOT_FOUND")


def _refuse_nameless(wanted: object, kind: str) -> None:
    if not isinstance(wanted, str):
        raise TypeError(f"a {kind} is told by its name, its id or a snapshot, not by {wanted!r}")


async def _not_found(
    wanted: str, page: Callable[[str, str], Awaitable[PageOf[Thing]]], what: str, reason: str
) -> NotFound:
    words = " OR ".join(map(quoted, wanted.split())) or quoted(wanted)
    names = [thing.display_name for thing in (await page(words, "")).items] if _WORD.search(wanted) else []
    names += [thing.display_name async for thing in _all(page, "")]
    return _refusal(wanted, what, reason, near_names(wanted, names))


def _refusal(wanted: str, what: str, reason: str, near: Sequence[str]) -> NotFound:
    hint = did_you_mean(near) or "nothing there has a name like it"
    return NotFound(f"there is no {what} called {wanted!r}; {hint}", reason=reason, near=near)


async def _all(page: Callable[[str, str], Awaitable[PageOf[Thing]]], filter: str) -> AsyncIterator[Thing]:
    token, count = "", 0
    while count < _LOOKED_AT_MAX:
        part = await page(filter, token)
        for thing in part.items:
            yield thing
        count += _PAGE_SIZE
        token = part.next_token
        if not token:
            return

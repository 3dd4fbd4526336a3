"""What the selector's lists ask for: pages of a search, shortcuts, and a session's place in a list."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mooring_widgets import queries
from mooring_widgets.client import Engagement, PageOf, Session, Shortcuts, engagement_of, id_of
from mooring_widgets.errors import InvalidArgument, NotFound
from mooring_widgets.surface import Host

# What a label is written as among searched words: `team:blue`.
_LABEL = re.compile(r"(?<!\S)([a-z][a-z0-9_-]{0,62}):([^\s/]\S*)")
_TYPE = re.compile(r"[a-z_]+")
_LATEST = "last_activity_time desc"
_NEAR = 100


@dataclass(frozen=True, slots=True)
class Listed:
    """Which sessions a list has, and in which order."""

    engagement: str
    filter: str = ""
    order_by: str = ""
    archived: bool = False

    @classmethod
    def of(cls, payload: Mapping[str, Any], user: str) -> "Listed":
        """What the front end's search field and switches ask for; `user` is whose sessions are theirs.

        Raises:
            InvalidArgument: For a type that is none.
        """
        type_ = payload.get("type", "")
        if type_ and not _TYPE.fullmatch(type_):
            raise InvalidArgument(f"there is no session type {type_!r}")
        filter_ = queries.all_of(
            sought(payload.get("search", "")),
            f"creator = {queries.quoted(user)}" if payload.get("mine") else "",
            f"type = {type_.upper()}" if type_ else "",
        )
        return cls(
            payload["engagement"],
            filter_,
            _LATEST if payload.get("latest") else "",
            bool(payload.get("archived")),
        )


def sought(text: str) -> str:
    """The filter of what was typed: `label:value` is that label, everything else words."""
    labels = [f"labels.{key} = {queries.quoted(value)}" for key, value in _LABEL.findall(text)]
    words = _LABEL.sub(" ", text)
    # A text without a letter or digit has no words, which the service would refuse.
    found = queries.searched(" ".join(words.split())) if re.search(r"[^\W_]", words) else ""
    return queries.all_of(found, *labels)


async def sessions_page(host: Host, listed: Listed, offset: int, limit: int) -> dict[str, Any]:
    """Some of a list's sessions."""
    options = queries.sessions(
        host.client,
        listed.engagement,
        offset,
        limit,
        filter=listed.filter,
        order_by=listed.order_by,
        show_archived=listed.archived,
    )
    page: PageOf[Session] = await host.queries.fetch_query(options)
    return _told(page, offset, limit, [session_row(item, user_of(host)) for item in page.items])


async def engagements_page(host: Host, search: str, offset: int, limit: int) -> dict[str, Any]:
    """Some of the caller's engagements."""
    options = queries.engagements(host.client, offset, limit, filter=sought(search))
    page: PageOf[Engagement] = await host.queries.fetch_query(options)
    return _told(page, offset, limit, [engagement_row(item) for item in page.items])


async def shortcuts(host: Host, engagement: str) -> dict[str, Any]:
    """The engagement's default session, and what the caller pinned there and switched to last."""
    found: Shortcuts = await host.queries.fetch_query(queries.shortcuts(host.client, engagement))
    known: Engagement = await host.queries.fetch_query(queries.engagement(host.client, engagement))
    try:
        default = await host.queries.fetch_query(queries.session(host.client, known.default_session))
    except NotFound:
        default = None  # another one was made the default in this moment
    user = user_of(host)
    return {
        "default": None if default is None else session_row(default, user),
        "pinned": [session_row(session, user) for session in found.pinned],
        "recent": [session_row(session, user) for session in found.recent],
    }


async def toggle_pin(host: Host, session: str) -> bool:
    """Pins a session, or takes its pin away; whether it is pinned now."""
    options = queries.shortcuts(host.client, engagement_of(session))
    found: Shortcuts = await host.queries.fetch_query(options)
    if any(pin.name == session for pin in found.pinned):
        await host.work.unpin(session)
        return False
    await host.work.pin(session)
    return True


async def place_of(host: Host, listed: Listed, session: str) -> int:
    """Where a session stands in a list, from 0; -1 where it is not in it.

    The list may be long and has no way to ask that: so it is looked for by halves.
    """
    wanted = _key(await host.queries.fetch_query(queries.session(host.client, session)), listed)
    low, high = 0, (await sessions_page(host, listed, 0, 1))["total"]
    while high - low > _NEAR:
        middle = (low + high) // 2
        page = await host.client.list_sessions(
            listed.engagement,
            page_size=1,
            skip=middle,
            filter=listed.filter,
            order_by=listed.order_by,
            show_archived=listed.archived,
        )
        # Backwards all of an order is turned round, the ids too.
        before = bool(page.items) and (_key(page.items[0], listed) < wanted) != bool(listed.order_by)
        if before:
            low = middle + 1 if page.items[0].name != session else middle
        else:
            high = middle
    near = await sessions_page(host, listed, low, _NEAR + 1)
    return next((low + index for index, row in enumerate(near["items"]) if row["name"] == session), -1)


def user_of(host: Host) -> str:
    """The full name of who is calling: whose context this is."""
    return "/".join(host.current.name.split("/")[:2])


def engagement_row(item: Engagement) -> dict[str, Any]:
    """An engagement as the front end shows it."""
    return {
        "name": item.name,
        "label": item.display_name,
        "session_count": item.session_count,
        "description": item.description,
        "default_session": item.default_session,
    }


def session_row(item: Session, user: str) -> dict[str, Any]:
    """A session as the front end shows it."""
    return {
        "name": item.name,
        "id": id_of(item.name),
        "label": item.display_name,
        "is_default": item.is_default,
        "asset_count": item.asset_count,
        "dependency_count": item.dependency_count,
        "description": item.description,
        "type": item.type,
        "labels": dict(item.labels),
        "creator": id_of(item.creator),
        "mine": item.creator == user,
        "last_activity": item.last_activity_time.isoformat() if item.last_activity_time else "",
        "archived": item.archive_time is not None,
    }


def _told(page: PageOf[Any], offset: int, limit: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A page for the front end. `at_least` while nobody knows how many there are; its end tells."""
    if not page.total_at_least:
        return {"items": rows, "total": page.total, "at_least": False}
    # Of a page that came short nobody may count on more: it would be waited for in vain.
    short = len(rows) < limit
    return {
        "items": rows,
        "total": offset + len(rows) if short else page.total,
        "at_least": bool(page.next_token),
    }


def _key(session: Session, listed: Listed) -> tuple[Any, str]:
    """What a list sorts a session by; equal ones by id."""
    if listed.order_by:
        return (session.last_activity_time or session.create_time, id_of(session.name))
    # As the service folds names. Where it would not be the same, the look around the place does not find it.
    return (unicodedata.normalize("NFKC", session.display_name).casefold(), id_of(session.name))

"""Where commands work: a session of an engagement, on a server or on the user's own service."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mooring import local
from mooring.v1 import sessions_pb2

from mooring_server.cli.client import Client, connected, near
from mooring_server.cli.config import data_folder
from mooring_server.cli.connection import Absent, Refused
from mooring_server.cli.console import ExitCode, Failure

_FULL_NAME = re.compile(r"(engagements/[^/]+)/sessions/[^/]+")


@dataclass(frozen=True, slots=True)
class Place:
    """A session by name or id, in an engagement by name or id (None: the caller's default one).

    `server` None is the user's own service, started if need be.
    """

    session: str
    engagement: str | None = None
    server: str | None = None
    ca: Path | None = None


@contextmanager
def called(place: Place) -> Iterator[Client]:
    """A client of the place's server.

    Raises:
        Failure: no server answers, or a name is no text.
    """
    for name in (place.session, place.engagement or ""):
        if any(unicodedata.category(char) == "Cs" for char in name):  # bytes that the locale cannot decode
            raise Failure(f"the name {name!r} is no text in this terminal's encoding", ExitCode.USAGE)
    with connected(place.server or local.find_or_start(data_folder()), ca=place.ca) as client:
        yield client


@contextmanager
def opened(place: Place) -> Iterator[tuple[Client, sessions_pb2.Session]]:
    """A client, and the session that is there.

    Raises:
        Absent: there is no such engagement or session.
    """
    with called(place) as client:
        session, engagement = look(client, place)
        if session is None:
            names = [one.display_name for one in client.sessions(engagement)]
            raise Absent(f"there is no session {place.session!r}{near(place.session, names)}")
        yield client, session


def look(client: Client, place: Place) -> tuple[sessions_pb2.Session | None, str]:
    """The session, None where there is none, and the name of its engagement.

    Raises:
        Absent: there is no such engagement, or no session of that full name.
    """
    full = _FULL_NAME.fullmatch(place.session)
    home = client.engagement(place.engagement or (full and full[1]))
    found = client.session(home.name, place.session)
    if found is None and full:
        raise Absent(f"there is no session {place.session} in the engagement {home.display_name!r}")
    return found, home.name


def found_or_made(client: Client, place: Place) -> tuple[sessions_pb2.Session, bool]:
    """The session, made where it is not there, and whether it was."""
    found, engagement = look(client, place)
    if found is not None:
        return found, False
    try:
        return client.create_session(engagement, place.session), True
    except Refused as refused:
        if refused.reason != "DISPLAY_NAME_TAKEN":
            raise
        found = client.session(engagement, place.session)  # made by somebody else in between
        if found is None:
            raise
        return found, False

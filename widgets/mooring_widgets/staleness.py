"""Which keys a change makes stale: those of `queries.py`, by their prefixes."""

from collections.abc import Iterator

from mooring_widgets.client import Change
from mooring_widgets.queries import Key, discovery_key


def stale_keys(change: Change) -> Iterator[Key]:
    """The prefixes of the keys that a change makes stale."""
    resource = change.resource
    if resource.startswith("users/"):
        # A switched context is followed by `CurrentContext`, and a visit, nobody says where; tokens are not
        # shown.
        if resource.count("/") == 1:
            yield ("engagements",)
        elif change.kind == "switched":
            yield ("shortcuts",)
        return
    engagement = "/".join(resource.split("/")[:2])
    if resource == f"{engagement}/shortcuts":
        yield ("shortcuts", engagement)
        return
    yield ("activity", engagement, engagement)
    if "/members/" in resource:
        # Who else is a member is not shown; one's own membership is on one's own stream too.
        if change.stream.startswith("users/"):
            yield ("engagement", engagement)
            yield ("engagements",)
        return
    if "/sessions/" not in resource:
        yield ("engagement", engagement)
        yield ("engagements",)
        return
    session = "/".join(resource.split("/")[:4])
    yield ("sessions", engagement)
    yield ("shortcuts", engagement)
    yield ("session", engagement, session)
    yield ("activity", engagement, session)
    if session != resource:  # an asset or a dependency, which its session counts and adds up
        yield discovery_key(session)
        return
    if change.kind in ("created", "deleted", "undeleted"):
        yield ("engagement", engagement)
        yield ("engagements",)
    if change.kind in ("imported", "merged", "reverted"):
        yield discovery_key(session)


def stream_keys(stream: str) -> Iterator[Key]:
    """The prefixes of everything that a stream's changes can make stale."""
    if stream.startswith("engagements/"):
        yield ("sessions", stream)
        yield ("shortcuts", stream)
        yield ("session", stream)
        yield ("discovery", stream)
        yield ("activity", stream)
        yield ("engagement", stream)
    else:
        yield ("shortcuts",)
    yield ("engagements",)

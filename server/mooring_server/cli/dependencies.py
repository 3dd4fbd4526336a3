"""`mooring dependencies`: listed, shown, set and deleted one by one. `reading.py` reads them in bulk."""

import json
from collections.abc import Sequence

from mooring.v1 import dependencies_pb2, sessions_pb2

from mooring_server.cli.assignments import assign, settable
from mooring_server.cli.client import Client
from mooring_server.cli.connection import Absent, request_id
from mooring_server.cli.console import ExitCode, Failure, confirm, say
from mooring_server.cli.places import Place, opened
from mooring_server.cli.plain import enum_name, plain
from mooring_server.cli.record_client import quoted
from mooring_server.cli.reports import place as read_in
from mooring_server.cli.tables import cell, count_line, moment, show_pairs, show_rows, words

_HEADS = ("source", "target", "kind", "port", "protocol", "source process", "target process", "description")
# Together with its ends they are what a dependency is known by: they tell which is meant, and never change.
_IDENTITY = ("kind", "port", "protocol", "source_process", "target_process")
_ENDS = ("source", "target")
_SHOWN_MAX = 5

Ends = tuple[str, str]


def list_dependencies(
    place: Place, *, of: str | None, filter: str, order_by: str, limit: int, as_json: bool
) -> None:
    """Print a session's dependencies, or those of one asset."""
    with opened(place) as (client, session):
        if of is not None:
            name = client.assets.get(session.name, of).name
            ends = f'(source = "{name}" OR target = "{name}")'
            filter = f"({filter}) AND {ends}" if filter else ends
        found = client.dependencies.first(session.name, filter=filter, order_by=order_by, limit=limit)
    page = found.page
    if as_json:
        account = {
            "dependencies": [plain(one) for one in found.items],
            "total_size": page.total_size,
            "total_size_at_least": page.total_size_at_least,
            "data_version": page.data_version,
        }
        say(json.dumps(account))
        return
    if not found.items:
        say(f"{session.display_name} has no {'such ' if filter else ''}dependencies.")
        return
    show_rows(_HEADS, map(_row, found.items), numbers=("port",))
    if line := count_line(len(found.items), page.total_size, page.total_size_at_least, "dependencies"):
        say(line)


def show_dependency(place: Place, ends: Ends, which: Sequence[str], *, as_json: bool) -> None:
    """Print all that is known of a dependency."""
    with opened(place) as (client, session):
        found = _get(client, session, ends, which)
    if as_json:
        say(json.dumps(plain(found)))
        return
    show_pairs([(words(name), text_of(found, name)) for name in settable(found) if name != "attributes"])
    if found.attributes:
        say("\nattributes")
        show_pairs(sorted(found.attributes.items()), indent=2)
    say("")
    show_pairs(
        [
            ("read in", read_in(found.provenance) or "written by hand"),
            ("first seen", moment(found.create_time)),
            ("changed", moment(found.update_time)),
            ("name", found.name),
        ]
    )


def set_dependency(
    place: Place, ends: Ends, assignments: Sequence[str], *, create: bool, as_json: bool
) -> None:
    """Set fields of a dependency, or make it with them.

    Raises:
        Absent: there is no such dependency, and it is not to be made.
        Failure: with status 2, where something is written wrongly.
    """
    _, wanted = _wanted(assignments)
    with opened(place) as (client, session):
        names = _names(client, session, ends)
        found = _find(client, session, ends, names, assignments)
        if found is None and not create:
            raise Absent(f"{_no_such(session, ends)}; --create makes it")
        if found is None:
            done = "made"
            dependency = dependencies_pb2.Dependency(
                name=f"{session.name}/dependencies/{request_id()}", source=names[0], target=names[1]
            )
            fields = [*_ENDS, *assign(dependency, wanted)]
        else:
            dependency = found
            fields = [name for name in assign(dependency, wanted) if name not in _IDENTITY]
            done = "changed" if fields else "as it was"
            if "attributes" not in fields:  # those are replaced as a whole: nobody else's may get lost
                dependency.etag = ""
        if fields:
            dependency = client.dependencies.update(dependency, fields, create=found is None)
    if as_json:
        say(json.dumps(plain(dependency)))
        return
    say(f"{title(dependency)}: {done}")
    show_pairs(
        ((words(name), text_of(dependency, name) or "(none)") for name in fields if name not in _ENDS),
        indent=2,
    )


def delete_dependency(place: Place, ends: Ends, which: Sequence[str], *, yes: bool, as_json: bool) -> None:
    """Delete a dependency.

    Raises:
        Absent: there is no such dependency, or there are several.
        Failure: the answer was no.
    """
    with opened(place) as (client, session):
        found = _get(client, session, ends, which)
        confirm(f"Delete {cell(title(found))} from {cell(session.display_name)}?", yes=yes)
        gone = client.dependencies.delete(found)
    say(json.dumps(plain(gone)) if as_json else f"{title(found)}: deleted")


def _get(
    client: Client, session: sessions_pb2.Session, ends: Ends, which: Sequence[str]
) -> dependencies_pb2.Dependency:
    found = _find(client, session, ends, _names(client, session, ends), which)
    if found is None:
        raise Absent(_no_such(session, ends))
    return found


def _names(client: Client, session: sessions_pb2.Session, ends: Ends) -> Ends:
    """The resource names of both ends."""
    source, target = (client.assets.get(session.name, end).name for end in ends)
    return source, target


def _find(
    client: Client, session: sessions_pb2.Session, ends: Ends, names: Ends, assignments: Sequence[str]
) -> dependencies_pb2.Dependency | None:
    """The one dependency between these ends that is as is said; None where there is none.

    Raises:
        Absent: there are several, or the one of the id has other ends.
        Failure: with status 2, where something is written wrongly.
    """
    wanted_id, others = _wanted(assignments)
    wanted = dependencies_pb2.Dependency()
    assign(wanted, others)
    if wanted_id:
        one = client.dependencies.get(session.name, wanted_id)
        if (one.source, one.target) != names:
            raise Absent(f"the dependency {wanted_id} is another one: {title(one)}")
        return one
    terms = [f'source = "{names[0]}"', f'target = "{names[1]}"']
    terms += [f"{name} = {_term(wanted, name)}" for name in _given(wanted)]
    found = client.dependencies.first(session.name, filter=" AND ".join(terms), limit=_SHOWN_MAX + 1).items
    if len(found) > 1:
        several = "; ".join(_known_by(one) for one in found[:_SHOWN_MAX])
        raise Absent(f"{ends[0]!r} needs {ends[1]!r} in several ways; say which: {several}")
    return found[0] if found else None


def _wanted(assignments: Sequence[str]) -> tuple[str, list[str]]:
    """The id that is wanted, empty where none is, and everything else that is said."""
    ids = [text.removeprefix("id=") for text in assignments if text.startswith("id=")]
    others = [text for text in assignments if not text.startswith("id=")]
    # What is written wrongly is said before anything is called.
    if not set(_ENDS).isdisjoint(assign(dependencies_pb2.Dependency(), others)):
        raise Failure(
            "the ends of a dependency are named before the fields, and never change", ExitCode.USAGE
        )
    return (ids[-1] if ids else ""), others


def _given(wanted: dependencies_pb2.Dependency) -> list[str]:
    return [field.name for field, _ in wanted.ListFields() if field.name in _IDENTITY]


def _term(wanted: dependencies_pb2.Dependency, name: str) -> str:
    value = getattr(wanted, name)
    if name == "kind":
        return enum_name(dependencies_pb2.DependencyKind.DESCRIPTOR, value).upper()
    return quoted(value) if isinstance(value, str) else str(value)


def _known_by(one: dependencies_pb2.Dependency) -> str:
    said = [f"{name}={text_of(one, name).replace(' ', '_')}" for name in _given(one)]
    return " ".join([*said, f"id={one.name.rpartition('/')[2]}"])


def _no_such(session: sessions_pb2.Session, ends: Ends) -> str:
    return f"in {session.display_name!r} {ends[0]!r} does not need {ends[1]!r} so"


def title(one: dependencies_pb2.Dependency) -> str:
    """A dependency as people speak of it: `web-01 → db-01 (flow to port 5432)`."""
    port = f" to port {one.port}" if one.HasField("port") else ""
    return f"{one.source_display_name} → {one.target_display_name} ({text_of(one, 'kind')}{port})"


def _row(one: dependencies_pb2.Dependency) -> tuple[str, ...]:
    return tuple(text_of(one, name) for name in (*_ENDS, *_IDENTITY, "description"))


def text_of(one: dependencies_pb2.Dependency, name: str) -> str:
    """A field as people read it."""
    value = getattr(one, name)
    if name == "kind":
        return words(enum_name(dependencies_pb2.DependencyKind.DESCRIPTOR, value))
    if name == "port":
        return str(value) if one.HasField("port") else ""
    if name == "attributes":
        return ", ".join(f"{key}: {text}" for key, text in sorted(value.items()))
    if name in _ENDS:
        return str(getattr(one, f"{name}_display_name"))
    return str(value)

"""`mooring compare`: two sessions of an engagement, held against each other."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from mooring.v1 import assets_pb2, comparisons_pb2, sessions_pb2

from mooring_server.cli import assets, dependencies
from mooring_server.cli.client import Client, near
from mooring_server.cli.connection import Absent
from mooring_server.cli.console import ExitCode, Failure, say
from mooring_server.cli.places import Place, opened
from mooring_server.cli.plain import enum_name, enum_names, enum_number, plain
from mooring_server.cli.tables import show_rows, words

_KINDS = comparisons_pb2.DifferenceKind.DESCRIPTOR
_COUNTS = ("added", "removed", "changed", "unchanged")
ATTRIBUTE = "attributes."


def compare(
    place: Place, other: str, *, table: str, kinds: Sequence[str], filter: str, limit: int, as_json: bool
) -> None:
    """Print how two sessions differ: the counts, then each asset or dependency with what differs in it.

    Raises:
        Absent: there is no such session.
        Failure: with status 2, for a kind or a table that there is not.
    """
    numbers = [_kind(kind) for kind in kinds]
    if table not in ("assets", "dependencies"):
        raise Failure(f"--table must be assets or dependencies, not {table!r}", ExitCode.USAGE)
    with opened(place) as (client, session):
        against = other_session(client, session, other)
        counts = client.compare(session.name, against.name)
        wanted: Any = {"parent": session.name, "other": against.name, "kinds": numbers, "filter": filter}
        found: Any
        if table == "assets":
            found = client.asset_differences(comparisons_pb2.ListAssetDifferencesRequest(**wanted), limit)
        else:
            request = comparisons_pb2.ListDependencyDifferencesRequest(**wanted)
            found = client.dependency_differences(request, limit)
    if as_json:
        say(json.dumps({**plain(counts), "differences": [plain(each) for each in found.items]}))
        return
    say(f"{session.display_name} → {against.display_name}")
    names = ("assets", "dependencies")
    rows = [(name, *(_count(getattr(counts, name), kind) for kind in _COUNTS)) for name in names]
    show_rows(("", *_COUNTS), rows, numbers=_COUNTS)
    say("")
    if not found.items:
        say("No difference is so." if filter or kinds else f"The {table} do not differ.")
        return
    what = "asset" if table == "assets" else "dependency"
    show_rows(("difference", what, "what"), map(_row, found.items))
    if found.more:
        say(f"the first {len(found.items):,} of them; --limit 0 shows all")


def other_session(client: Client, session: sessions_pb2.Session, wanted: str) -> sessions_pb2.Session:
    """Another session of the same engagement, by its name or id.

    Raises:
        Absent: there is none.
    """
    engagement = session.name.partition("/sessions/")[0]
    found = client.session(engagement, wanted)
    if found is None:
        names = [one.display_name for one in client.sessions(engagement)]
        raise Absent(f"there is no session {wanted!r} beside {session.display_name!r}{near(wanted, names)}")
    return found


def _kind(text: str) -> int:
    number = enum_number(_KINDS, text)
    if number is None:
        raise Failure(f"--kind must be of {', '.join(enum_names(_KINDS))}, not {text!r}", ExitCode.USAGE)
    return number


def _count(counts: comparisons_pb2.DifferenceCounts, kind: str) -> str:
    return f"{getattr(counts, f'{kind}_count'):,}"


def _row(each: Any) -> tuple[str, str, str]:
    kind = enum_name(_KINDS, each.kind)
    if isinstance(each, comparisons_pb2.AssetDifference):
        name = (each.asset if each.HasField("asset") else each.other_asset).display_name
        return kind, name, _changes(each.asset, each.other_asset, each.fields)
    shown = each.dependency if each.HasField("dependency") else each.other_dependency
    changes = _changes(each.dependency, each.other_dependency, each.fields)
    return kind, dependencies.title(shown), changes


def _changes(own: Any, other: Any, fields: Iterable[str]) -> str:
    """`owner: Ann → Bob; cpu cores: 2 → 4`."""
    said = []
    for field in fields:
        before, after = (value_text(one, field) or "(none)" for one in (own, other))
        said.append(f"{words(field.removeprefix(ATTRIBUTE))}: {before} → {after}")
    return "; ".join(said)


def value_text(one: Any, field: str) -> str:
    """A field of an asset or a dependency as people read it; `attributes.{key}` is one attribute."""
    if field.startswith(ATTRIBUTE):
        return str(one.attributes.get(field.removeprefix(ATTRIBUTE), ""))
    text = assets.text_of if isinstance(one, assets_pb2.Asset) else dependencies.text_of
    return text(one, field)

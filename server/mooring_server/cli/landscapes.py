"""`mooring landscape`: what a session's data adds up to."""

import json
from typing import Any

from mooring.v1 import landscape_pb2

from mooring_server.cli.console import say
from mooring_server.cli.places import Place, opened
from mooring_server.cli.plain import plain
from mooring_server.cli.tables import counted, paragraph, show_rows, size, words

TOP = 10
"""How many values of a field people see."""

_SUMS = ("assets", "cores", "memory", "storage")


def show_landscape(place: Place, *, as_json: bool) -> None:
    """Print a session's landscape."""
    with opened(place) as (client, session):
        landscape = client.landscape(session.name)
    if as_json:
        say(json.dumps(plain(landscape)))
        return
    totals = landscape.totals
    say(f"{session.display_name}: {counted(totals.asset_count, 'asset')}{_known(totals)}")
    if not totals.asset_count:
        return
    for group in landscape.groups:
        if any(bucket.value for bucket in group.buckets):
            _print_group(group)
    _print_applications(landscape)
    _print_dependencies(landscape.dependencies)
    _print_completeness(landscape)


def _known(totals: landscape_pb2.LandscapeTotals) -> str:
    """The sums, each with how many assets it is of."""
    said = ""
    for amount, unit, known in (
        (f"{totals.cpu_cores:,g}", " cores", totals.cpu_known_count),
        (size(totals.memory_bytes), " of memory", totals.memory_known_count),
        (size(totals.storage_bytes), " of storage", totals.storage_known_count),
    ):
        if known:
            some = f" (known of {known:,})" if known < totals.asset_count else ""
            said += f"\n  {amount}{unit}{some}"
    return said


def _print_group(group: landscape_pb2.LandscapeGroup) -> None:
    name = words(group.field)
    rows = [(words(one.value) or "not known", *_sums(one.totals)) for one in group.buckets[:TOP]]
    say("")
    show_rows((name, *_SUMS), rows, numbers=_SUMS)
    values = sum(1 for one in group.buckets[:TOP] if one.value)
    _print_more(group.value_count - values)


def _print_applications(landscape: landscape_pb2.Landscape) -> None:
    if not landscape.applications:
        return
    shown = landscape.applications[:TOP]
    say("")
    rows = [(one.application, *_sums(one.totals), _servers(one)) for one in shown]
    show_rows(("application", *_SUMS, "runs on"), rows, numbers=_SUMS)
    _print_more(landscape.application_count - len(shown))


def _print_dependencies(found: landscape_pb2.LandscapeDependencies) -> None:
    if not found.dependency_count:
        return
    kinds = sorted(found.count_by_kind.items(), key=lambda item: (-item[1], item[0]))
    say(
        f"\n{counted(found.dependency_count, 'dependency', 'dependencies')}: "
        + ", ".join(f"{count:,} {words(kind)}" for kind, count in kinds)
    )
    if found.self_count:
        say(f"{found.self_count:,} of an asset on itself")
    if found.isolated_count:
        say(f"{counted(found.isolated_count, 'asset')} without any")
    rows = [
        (one.asset.display_name, f"{one.in_degree:,}", f"{one.out_degree:,}") for one in found.degrees[:TOP]
    ]
    if rows:
        say("")
        show_rows(("most connected", "needed by", "needs"), rows, numbers=("needed by", "needs"))


def _print_completeness(landscape: landscape_pb2.Landscape) -> None:
    total = landscape.totals.asset_count
    if known := [one for one in landscape.completeness if one.known_count]:
        say("")
        rows = [(words(one.field), f"{one.known_count:,}", f"{one.known_count / total:.0%}") for one in known]
        show_rows(("field", "known of", "share"), rows, numbers=("known of", "share"))
    if unknown := [words(one.field) for one in landscape.completeness if not one.known_count]:
        paragraph(f"not known of any: {', '.join(unknown)}")


def _print_more(number: int) -> None:
    if number > 0:
        say(f"… and {number:,} more; --json has them")


def _sums(totals: landscape_pb2.LandscapeTotals) -> tuple[Any, ...]:
    return (
        f"{totals.asset_count:,}",
        f"{totals.cpu_cores:,g}" if totals.cpu_known_count else None,
        size(totals.memory_bytes) if totals.memory_known_count else None,
        size(totals.storage_bytes) if totals.storage_known_count else None,
    )


def _servers(one: landscape_pb2.LandscapeApplication) -> str:
    names = ", ".join(server.display_name for server in one.servers[:2])
    return f"{names}, …" if one.server_count > 2 else names

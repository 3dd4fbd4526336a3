"""`mooring merge` and `mooring merges`: two sessions made one, looked into, and undone."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from google.longrunning import operations_pb2
from mooring.v1 import merges_pb2

from mooring_server.cli.assets import text_of
from mooring_server.cli.client import Client
from mooring_server.cli.comparing import ATTRIBUTE, other_session, value_text
from mooring_server.cli.connection import Absent, by_id
from mooring_server.cli.console import ExitCode, Failure, confirm, remark, say
from mooring_server.cli.history import lost_edits
from mooring_server.cli.merge_client import merge_of
from mooring_server.cli.places import Place, called, opened
from mooring_server.cli.plain import enum_name, enum_names, enum_number, plain
from mooring_server.cli.progress import progress
from mooring_server.cli.tables import cell, counted, moment, short_ids, show_pairs, show_rows, words

_STRATEGIES, _SIDES = merges_pb2.MergeStrategy.DESCRIPTOR, merges_pb2.MergeSide.DESCRIPTOR
_SHOWN = 20
_HEADS = ("merge", "source", "target", "when", "what", "state")


def merge(
    place: Place,
    source: str,
    *,
    strategy: str,
    conflicts: str,
    choices: Sequence[str],
    keep_source: bool,
    preview: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Merge a session into the place's, once it is clear what that does; or only say what it would do.

    Raises:
        Absent: there is no such session.
        Failure: with status 2, for a strategy, side or choice that there is not; the answer was no.
    """
    plan = merges_pb2.MergePlan(
        strategy=_number(_STRATEGIES, "--strategy", strategy),
        conflicts=_number(_SIDES, "--conflicts", conflicts),
        field_choices=[_choice(text) for text in choices],
        keep_source=keep_source,
    )
    with opened(place) as (client, target):
        taken = other_session(client, target, source)
        plan.source = taken.name
        looked = client.merges.preview(target.name, plan)
        if preview and as_json:
            say(json.dumps(plain(looked)))
            return
        if preview or not as_json:
            say(f"{taken.display_name} into {target.display_name}")
            _print_counts(looked.counts)
            _print_conflicts(client, target.name, plan, looked.counts)
        if preview:
            return
        away = "" if keep_source else f" and archive {cell(taken.display_name)}"
        confirm(f"Merge it{away}?", yes=yes)
        done = _run(client, client.merges.start(target.name, plan, looked.digest), shown=not as_json)
        if as_json:
            say(json.dumps(plain(done)))
            return
        id = done.name.rpartition("/")[2]
        say(f"\nMerged; `mooring merges revert {id}` undoes it")


def list_merges(place: Place, *, limit: int, as_json: bool) -> None:
    """Print an engagement's merges, newest first."""
    with called(place) as client:
        engagement = client.engagement(place.engagement)
        found = client.merges.history(engagement.name, limit)
        if as_json:
            say(json.dumps({"merges": [plain(one) for one in found.items], "more": found.more}))
            return
        if not found.items:
            say(f"Nothing was merged in {engagement.display_name}.")
            return
        names = _names(client, engagement.name)
        ids = short_ids(one.name for one in found.items)
        rows = [_row(short, one, names) for short, one in zip(ids, found.items, strict=True)]
        show_rows(_HEADS, rows)
        if found.more:
            say(f"the newest {len(found.items):,}; --limit 0 shows all")


def show_merge(place: Place, wanted: str | None, *, limit: int, as_json: bool) -> None:
    """Print a merge, and the values that it left out."""
    with called(place) as client:
        found = _find(client, place, wanted)
        drops = client.merges.drops(found.name, limit)
        if as_json:
            say(
                json.dumps({**plain(found), "drops": [plain(one) for one in drops.items], "more": drops.more})
            )
            return
        undone = found.HasField("revert_time")
        names = _names(client, found.name.partition("/merges/")[0])
        state = f"undone {moment(found.revert_time)} by {found.reverter}" if undone else ""
        show_pairs(
            [
                ("merge", found.name),
                ("source", names.get(found.source_session, found.source_session)),
                ("target", names.get(found.target_session, found.target_session)),
                ("merged", f"{moment(found.create_time)} by {found.user}"),
                ("", state or ("can be undone" if found.revertible else "")),
                ("strategy", words(enum_name(_STRATEGIES, found.plan.strategy))),
            ]
        )
        _print_counts(found.counts)
        if not drops.items:
            say("\nEvery value of both sides is in the result.")
            return
        say("\nleft out")
        rows = [
            (each.display_name, words(value.field.removeprefix(ATTRIBUTE)), value.target, value.source,
             words(enum_name(_SIDES, value.taken)))
            for each in drops.items
            for value in each.values
        ]  # fmt: skip
        show_rows(("asset or dependency", "field", "target", "source", "taken"), rows)
        if drops.more:
            say(f"of the first {len(drops.items):,}; --limit 0 shows all")


def revert_merge(place: Place, wanted: str | None, *, force: bool, yes: bool, as_json: bool) -> None:
    """Undo a merge, once it is clear what will be lost.

    Raises:
        Failure: it cannot be undone, or edits would be lost without `force`, or the answer was no.
    """
    with called(place) as client:
        found = _find(client, place, wanted, revertible=True)
        edits = lost_edits(client.merges.revert, found.name, force=force)
        names = _names(client, found.name.partition("/merges/")[0])
        source, target = (names.get(name, name) for name in (found.source_session, found.target_session))
        remark(f"This takes back the merge of {source} into {target}, {moment(found.create_time)}.")
        if edits:
            remark(f"{edits}.")
        confirm(f"Undo it in {cell(target)}?", yes=yes)
        reverted = client.merges.revert(found.name, force=force)
        say(json.dumps(plain(reverted)) if as_json else f"{target} is as it was before the merge.")


def _run(client: Client, operation: operations_pb2.Operation, *, shown: bool) -> merges_pb2.Merge:
    """The record of a merge once it is over. An interrupt cancels it on the server."""
    with progress(shown=shown) as on_progress:
        return merge_of(client.operations.finished_or_cancelled(operation, on_progress))


def _print_counts(counts: merges_pb2.MergeCounts) -> None:
    kinds = ("new", "changed", "kept")
    rows = [
        (many, *(f"{getattr(counts, f'{kind}_{one}_count'):,}" for kind in kinds))
        for many, one in (("assets", "asset"), ("dependencies", "dependency"))
    ]
    show_rows(("", *kinds), rows, numbers=kinds)
    names = sorted({*counts.fills, *counts.conflicts})
    if names:
        say("")
        fields = [
            (words(name.removeprefix(ATTRIBUTE)), f"{counts.fills[name]:,}", f"{counts.conflicts[name]:,}")
            for name in names
        ]
        show_rows(("field", "fills", "conflicts"), fields, numbers=("fills", "conflicts"))


def _print_conflicts(
    client: Client, target: str, plan: merges_pb2.MergePlan, counts: merges_pb2.MergeCounts
) -> None:
    if not counts.conflicts:
        return
    request = merges_pb2.ListMergeConflictsRequest(parent=target, plan=plan)
    found = client.merges.conflicts(request, _SHOWN)
    say("")
    rows = [
        (text_of(each.asset, "display_name"), words(one.field.removeprefix(ATTRIBUTE)),
         value_text(each.asset, one.field), value_text(each.source_asset, one.field),
         words(enum_name(_SIDES, one.side)))
        for each in found.items
        for one in each.fields
    ]  # fmt: skip
    show_rows(("conflict", "field", "target", "source", "goes to"), rows)
    if found.more:
        say(f"of the first {counted(len(found.items), 'asset')}")


def _find(client: Client, place: Place, wanted: str | None, *, revertible: bool = False) -> merges_pb2.Merge:
    """The merge that is named; else the newest, or the newest that can be undone."""
    engagement = client.engagement(place.engagement)
    history = client.merges.history(engagement.name, 0).items
    if wanted is not None:
        found: merges_pb2.Merge = by_id(history, wanted, "merge")
        return found
    newest = next((one for one in history if one.revertible or not revertible), None)
    if newest is None:
        what = "no merge can be undone (any more)" if history else "nothing was merged"
        raise Absent(f"{what} in {engagement.display_name!r}")
    return newest


def _names(client: Client, engagement: str) -> dict[str, str]:
    """What an engagement's sessions are called, by their full names."""
    return {one.name: one.display_name for one in client.sessions(engagement, archived=True)}


def _row(short: str, one: merges_pb2.Merge, names: Mapping[str, str]) -> tuple[Any, ...]:
    state = "undone" if one.HasField("revert_time") else "can be undone" if one.revertible else None
    what = f"{one.counts.new_asset_count:,} new, {one.counts.changed_asset_count:,} changed"
    source, target = (names.get(name, name) for name in (one.source_session, one.target_session))
    return short, source, target, moment(one.create_time), what, state


def _number(enum: Any, option: str, text: str) -> Any:
    number = enum_number(enum, text)
    if number is None:
        known = ", ".join(name.replace("_", "-") for name in enum_names(enum))
        raise Failure(f"{option} must be one of {known}, not {text!r}", ExitCode.USAGE)
    return number


def _choice(text: str) -> merges_pb2.FieldChoice:
    field, sign, side = text.rpartition("=")
    if not sign or not field:
        raise Failure(f"--field {text!r} must be like 'owner=source'", ExitCode.USAGE)
    return merges_pb2.FieldChoice(field=field, side=_number(_SIDES, "--field", side))

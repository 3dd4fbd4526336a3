"""`mooring assets`: listed, shown, set and deleted one by one. `reading.py` reads them in bulk."""

import json
from collections.abc import Sequence
from typing import Any

from mooring.v1 import assets_pb2

from mooring_server.cli.assignments import assign, settable
from mooring_server.cli.connection import Absent, Refused, request_id
from mooring_server.cli.console import ExitCode, Failure, confirm, say
from mooring_server.cli.places import Place, opened
from mooring_server.cli.plain import enum_name, plain
from mooring_server.cli.reports import place as read_in
from mooring_server.cli.tables import cell, count_line, counted, moment, show_pairs, show_rows, size, words
from mooring_server.core.names import is_id

_HEADS = ("asset", "type", "environment", "cores", "memory", "operating system", "application", "owner")
_AMOUNTS = ("cores", "memory")


def list_assets(place: Place, *, filter: str, order_by: str, limit: int, as_json: bool) -> None:
    """Print a session's assets."""
    with opened(place) as (client, session):
        found = client.assets.first(session.name, filter=filter, order_by=order_by, limit=limit)
    page = found.page
    if as_json:
        account = {
            "assets": [plain(one) for one in found.items],
            "total_size": page.total_size,
            "total_size_at_least": page.total_size_at_least,
            "data_version": page.data_version,
        }
        say(json.dumps(account))
        return
    if not found.items:
        say(f"No asset of {session.display_name} is so." if filter else f"{session.display_name} is empty.")
        return
    show_rows(_HEADS, map(_row, found.items), numbers=_AMOUNTS)
    if line := count_line(len(found.items), page.total_size, page.total_size_at_least, "assets"):
        say(line)


def show_asset(place: Place, wanted: str, *, as_json: bool) -> None:
    """Print all that is known of an asset."""
    with opened(place) as (client, session):
        asset = client.assets.get(session.name, wanted)
    if as_json:
        say(json.dumps(plain(asset)))
        return
    show_pairs([(words(name), text_of(asset, name)) for name in settable(asset) if name != "attributes"])
    if asset.attributes:
        say("\nattributes")
        show_pairs(sorted(asset.attributes.items()), indent=2)
    say("")
    show_pairs(
        [
            ("read in", read_in(asset.provenance) or "written by hand"),
            ("", "only mentioned: no row is about it" if asset.implied else ""),
            ("first seen", moment(asset.create_time)),
            ("changed", moment(asset.update_time)),
            ("name", asset.name),
        ]
    )


def set_asset(place: Place, wanted: str, assignments: Sequence[str], *, create: bool, as_json: bool) -> None:
    """Set fields of an asset, or make it with them.

    Raises:
        Absent: there is no such asset, and it is not to be made.
        Failure: with status 2, where nothing is to be set, or something is written wrongly.
    """
    assign(assets_pb2.Asset(), assignments)  # what is written wrongly is said before anything is called
    if not (assignments or create):
        raise Failure("set what? Write FIELD=VALUE, such as owner=Sales", ExitCode.USAGE)
    with opened(place) as (client, session):
        found = client.assets.find(session.name, wanted)
        if found is None and not create:
            raise Absent(f"there is no asset {wanted!r} in {session.display_name!r}; --create makes it")
        if found is None:
            wanted = wanted.removeprefix(f"{session.name}/assets/")
            made_id = wanted if is_id(wanted) else request_id()
            asset = assets_pb2.Asset(name=f"{session.name}/assets/{made_id}", display_name=wanted)
            fields = list(dict.fromkeys(["display_name", *assign(asset, assignments)]))
        else:
            asset = found
            fields = assign(asset, assignments)
            if "attributes" not in fields:  # those are replaced as a whole: nobody else's may get lost
                asset.etag = ""
        changed = client.assets.update(asset, fields, create=create) if fields else asset
    if as_json:
        say(json.dumps(plain(changed)))
        return
    say(f"{changed.display_name}: {'made' if found is None else 'changed' if fields else 'as it was'}")
    show_pairs(((words(name), text_of(changed, name) or "(none)") for name in fields), indent=2)


def delete_assets(place: Place, wanted: Sequence[str], *, force: bool, yes: bool, as_json: bool) -> None:
    """Delete assets, once all are found.

    Raises:
        Absent: there is no such asset; nothing was deleted.
        Failure: one has dependencies, and they are not to go too; or the answer was no.
    """
    with opened(place) as (client, session):
        assets = {(asset := client.assets.get(session.name, one)).name: asset for one in wanted}
        names = ", ".join(cell(asset.display_name) for asset in assets.values())
        too = " and their dependencies" if force else ""
        confirm(f"Delete {names}{too} from {cell(session.display_name)}?", yes=yes)
        gone = []
        for asset in assets.values():
            try:
                answer = client.assets.delete(asset, force=force)
            except Refused as refused:
                if refused.reason != "HAS_DEPENDENCIES":
                    raise
                raise Failure(
                    f"{asset.display_name} has dependencies; --force deletes them too [{refused.reason}]"
                ) from None
            gone.append(answer)
            if not as_json:
                links = counted(answer.dependency_count, "dependency", "dependencies")
                say(f"{asset.display_name}: deleted" + (f" with {links}" if answer.dependency_count else ""))
    if as_json:
        deleted = [{"asset": plain(one.asset), "dependency_count": one.dependency_count} for one in gone]
        say(json.dumps({"deleted": deleted}))


def _row(asset: assets_pb2.Asset) -> tuple[Any, ...]:
    amounts = (text_of(asset, "cpu_cores"), text_of(asset, "memory_bytes"))
    return (
        asset.display_name,
        text_of(asset, "type"),
        asset.environment,
        *amounts,
        asset.operating_system,
        asset.application,
        asset.owner,
    )


def text_of(asset: assets_pb2.Asset, name: str) -> str:
    """A field as people read it."""
    value = getattr(asset, name)
    if name == "type":
        return words(enum_name(assets_pb2.AssetType.DESCRIPTOR, value))
    if name == "attributes":
        return ", ".join(f"{key}: {text}" for key, text in sorted(value.items()))
    if name in ("cpu_cores", "memory_bytes", "storage_bytes"):
        if not asset.HasField(name):  # type: ignore[arg-type]
            return ""
        return f"{value:g}" if name == "cpu_cores" else size(value)
    return value if isinstance(value, str) else ", ".join(value)

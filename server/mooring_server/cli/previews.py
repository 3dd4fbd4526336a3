"""What an import would make of a file: as tables, and as plain JSON values."""

from collections.abc import Sequence
from typing import Any

from mooring.v1 import assets_pb2, imports_pb2

from mooring_server.cli.console import say
from mooring_server.cli.plain import enum_name, plain
from mooring_server.cli.reports import print_notes, print_rejected
from mooring_server.cli.tables import cell, show_rows, size, words

ROWS_MAX = 10
"""How many of the first assets and dependencies people see."""

_SAMPLES_MAX = 3
_LIKELY = 0.05
_ASSET_HEADS = ("asset", "type", "host name", "environment", "cores", "memory", "storage", "owner")
_AMOUNTS = ("cores", "memory", "storage")


def preview_account(preview: imports_pb2.PreviewInventoryResponse, file: str) -> dict[str, Any]:
    """The whole preview as plain JSON values."""
    return {"file": file, **plain(preview)}


def print_preview(preview: imports_pb2.PreviewInventoryResponse, file: str) -> None:
    """Print what the file was taken for, where its columns go, its first rows, and what is wrong."""
    titles = {one.kind: one.title for one in preview.candidates}
    what = titles.get(preview.kind)
    said = [f"{cell(file)}: {what} ({preview.kind})" if what else f"{cell(file)}: {preview.kind}"]
    if preview.encoding:
        said.append(f"in {cell(preview.encoding)}")
    say(", ".join(said))
    _print_choices(preview)
    if preview.columns:
        say("")
        rows = [(one.column, _goal(one), _unit(one), _samples(one.samples)) for one in preview.columns]
        show_rows(("column", "goes to", "unit", "such as"), rows)
    if preview.assets:
        say("")
        show_rows(_ASSET_HEADS, map(_asset, preview.assets[:ROWS_MAX]), numbers=_AMOUNTS)
    if preview.dependencies:
        say("")
        links = [
            (one.source, one.target, words(one.kind), one.port if one.HasField("port") else None)
            for one in preview.dependencies[:ROWS_MAX]
        ]
        show_rows(("source", "target", "kind", "port"), links, numbers=("port",))
    say("")
    print_rejected(preview)
    print_notes(preview)
    if any(one.unit_assumed for one in preview.columns):
        say("note: a unit with a ? is named nowhere; --map 'COLUMN=FIELD:UNIT' says it")
    total = f" of {preview.row_total:,}" if preview.HasField("row_total") else ""
    say(f"Looked at {preview.rows_examined:,}{total} rows; nothing was changed.")


def _print_choices(preview: imports_pb2.PreviewInventoryResponse) -> None:
    others = [one for one in preview.candidates if one.kind != preview.kind and one.confidence >= _LIKELY]
    if others:
        kinds = ", ".join(f"{one.kind} ({one.confidence:.0%})" for one in others)
        say(f"It could also be {kinds}: --kind says which.")
    if len(preview.sheets) > 1:
        rest = ", ".join(f"'{cell(one)}'" for one in preview.sheets if one != preview.sheet)
        if preview.sheet:
            say(f"Sheet '{cell(preview.sheet)}'; there is {rest} too: --sheet says which.")
        else:
            say(f"Sheets: {rest}.")


def _goal(column: imports_pb2.ColumnPreview) -> str:
    return column.field or "an attribute"


def _unit(column: imports_pb2.ColumnPreview) -> str:
    return f"{column.unit} ?" if column.unit_assumed else column.unit


def _samples(samples: Sequence[str]) -> str:
    return ", ".join(cell(one) for one in samples[:_SAMPLES_MAX])


def _asset(asset: assets_pb2.Asset) -> tuple[Any, ...]:
    return (
        asset.display_name,
        words(enum_name(assets_pb2.AssetType.DESCRIPTOR, asset.type)),
        asset.hostname,
        asset.environment,
        f"{asset.cpu_cores:g}" if asset.HasField("cpu_cores") else None,
        size(asset.memory_bytes) if asset.HasField("memory_bytes") else None,
        size(asset.storage_bytes) if asset.HasField("storage_bytes") else None,
        asset.owner,
    )

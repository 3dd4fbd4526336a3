"""What the processes that read files and settle merges tell the server.

Lines of JSON, each a tag and what it is about.

Both directions stand here, so that they agree. Records go as lists of their values: there may be millions.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, astuple, fields
from operator import attrgetter
from typing import Any

from mooring_server.core import operations
from mooring_server.core.merges import COUNTERS, Tally
from mooring_server.core.session_files import Manifest
from mooring_server.core.sessions import Draft, SessionType
from mooring_server.core.settling import Portion
from mooring_server.core.staging import Staged
from mooring_server.errors import FieldViolation, InvalidArgument, MooringError
from mooring_server.ingest import AssetRow, ColumnUse, DependencyRow, End, RejectedRow
from mooring_server.ingest.preview import Preview

# Texts go as they are: escaped they would be larger, and slower to read.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_END_VALUES = attrgetter(*(field.name for field in fields(End)))
_LINK_VALUES = attrgetter(*(field.name for field in fields(DependencyRow)))


def to_json(payload: Any) -> bytes:
    """A value as JSON. Half a surrogate pair is a text too."""
    return _ENCODER.encode(payload).encode("utf-8", "surrogatepass")


def to_line(tag: str, payload: Any) -> bytes:
    """A frame, with the end of its line."""
    return to_json([tag, payload]) + b"\n"


def to_line_of(tag: str, items: Iterable[bytes]) -> bytes:
    """The same of a list, whose items are JSON already."""
    return b'["%b",[%b]]\n' % (tag.encode(), b",".join(items))


def from_line(line: bytes) -> tuple[str, Any]:
    """The tag and the JSON value of a frame."""
    tag, payload = json.loads(line)
    return tag, payload


def rejected_to_json(row: RejectedRow) -> list[Any]:
    """A rejected row as a JSON value."""
    return [row.sheet, row.row, row.reason]


def rows_from_json(plain: dict[str, Any]) -> tuple[list[Staged], list[RejectedRow]]:
    """The rows of a frame: assets that are ready to be stored, and what could not be taken."""
    assets = [Staged(tuple(asset), *rest) for asset, *rest in plain["assets"]]
    return assets, [RejectedRow(*row) for row in plain["rejected"]]


def link_to_json(row: DependencyRow) -> list[Any]:
    """A dependency as a JSON value."""
    sheet, number, source, target, *rest = _LINK_VALUES(row)
    return [sheet, number, _END_VALUES(source), _END_VALUES(target), *rest]


def link_from_json(plain: list[Any]) -> DependencyRow:
    """The dependency of `link_to_json`."""
    sheet, number, source, target, *rest = plain
    return DependencyRow(sheet, number, End(*source), End(*target), *rest)


def preview_to_json(preview: Preview) -> dict[str, Any]:
    """A preview as a JSON value."""
    return {
        **asdict(preview),
        "columns": [[astuple(use), texts] for use, texts in preview.columns],
        "dependencies": [link_to_json(row) for row in preview.dependencies],
        "rejected": [rejected_to_json(row) for row in preview.rejected],
    }


def preview_from_json(plain: dict[str, Any]) -> Preview:
    """The preview of `preview_to_json`; lists in the fields of its assets stay lists."""
    return Preview(
        **{
            **plain,
            "candidates": tuple((kind, title, sure) for kind, title, sure in plain["candidates"]),
            "sheets": tuple(plain["sheets"]),
            "columns": tuple((ColumnUse(*use), tuple(texts)) for use, texts in plain["columns"]),
            "assets": tuple(AssetRow(**row) for row in plain["assets"]),
            "dependencies": tuple(map(link_from_json, plain["dependencies"])),
            "rejected": tuple(RejectedRow(*row) for row in plain["rejected"]),
            "notes": tuple(plain["notes"]),
        }
    )


def manifest_to_json(manifest: Manifest) -> dict[str, Any]:
    """A manifest as a JSON value."""
    return asdict(manifest)


def manifest_from_json(plain: dict[str, Any]) -> Manifest:
    """The manifest of `manifest_to_json`."""
    draft = {**plain["draft"], "type": SessionType(plain["draft"]["type"])}
    return Manifest(**{**plain, "draft": Draft(**draft)})


def portion_to_json(portion: Portion) -> list[Any]:
    """A portion of a merge as a JSON value."""
    tally = portion.tally
    counters = {name: dict(getattr(tally, name)) for name in COUNTERS}
    return [portion.after, portion.until, portion.rows, portion.drops, counters, tally.to_source]


def portion_from_json(plain: list[Any]) -> Portion:
    """The portion of `portion_to_json`, but for its rows, which are lists."""
    after, until, rows, drops, counters, to_source = plain
    tally = Tally(**{name: Counter(counts) for name, counts in counters.items()}, to_source=to_source)
    return Portion(after, until, rows, drops, tally)


def failure_to_json(failure: MooringError) -> dict[str, Any]:
    """A failure as a JSON value, with the fields that it names."""
    violations = failure.violations if isinstance(failure, InvalidArgument) else ()
    return {**operations.failure_to_json(failure), "violations": [astuple(each) for each in violations]}


def failure_from_json(plain: dict[str, Any]) -> MooringError:
    """The failure of `failure_to_json`."""
    failure = operations.failure_from_json(plain)
    if isinstance(failure, InvalidArgument):
        failure.violations = tuple(FieldViolation(*each) for each in plain["violations"])
    return failure

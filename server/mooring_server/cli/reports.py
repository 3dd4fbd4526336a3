"""What an import did: as a table, as plain JSON values, and held to its promise."""

from collections.abc import Iterator, Mapping
from typing import Any

from mooring.v1 import assets_pb2, imports_pb2
from rich.table import Table

from mooring_server.cli.console import Failure, say
from mooring_server.cli.plain import plain
from mooring_server.cli.tables import cell, counted, paragraph, show, words

NAMED_MAX = 20
"""How many rejected rows and missing assets are named to people."""


def account(report: imports_pb2.ImportReport, session: str, file: str) -> dict[str, Any]:
    """The report on a file as plain JSON values."""
    return {
        "file": file,
        "session": session,
        "import": getattr(report, "import"),
        "replayed": report.replayed,
        "kind": report.kind,
        "source_rows": report.source_rows,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "joined": report.joined,
        "rejected": [plain(one) for one in report.rejected],
        "implied": report.implied,
        "created_by_type": dict(sorted(report.created_by_type.items())),
        "implied_by_type": dict(sorted(report.implied_by_type.items())),
        "dependencies": {
            "created": report.dependencies_created,
            "updated": report.dependencies_updated,
            "unchanged": report.dependencies_unchanged,
        },
        "missing_count": report.missing_count,
        "missing": [plain(one) for one in report.missing],
        "mapping": dict(sorted(report.mapping.items())),
        "columns": [plain(one) for one in report.columns],
        "notes": list(report.notes),
        "data_version": report.data_version,
    }


def check(report: imports_pb2.ImportReport) -> None:
    """Hold the report to its promise.

    Raises:
        Failure: some rows are not accounted for.
    """
    named = report.created + report.updated + report.unchanged + report.joined + len(report.rejected)
    if named != report.source_rows:
        raise Failure(
            f"the report accounts for {named} of {report.source_rows} rows: the import is in the session, "
            "but please report this as a fault of Mooring"
        )


def print_report(report: imports_pb2.ImportReport) -> None:
    """Print where every row went, and what a reader would want to know."""
    linked = report.dependencies_created + report.dependencies_updated + report.dependencies_unchanged
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("rows in the file", f"{report.source_rows:,}", style="bold", end_section=True)
    made = "an asset or a dependency" if linked else "an asset"
    table.add_row(f"made {made}", f"{report.created:,}")
    table.add_row("changed one", f"{report.updated:,}")
    table.add_row("said the same already", f"{report.unchanged:,}")
    table.add_row("added to another row's", f"{report.joined:,}")
    table.add_row("rejected", f"{len(report.rejected):,}", end_section=True)
    for kind, count in _most_first(report.created_by_type):
        table.add_row(f"new: {words(kind)}", f"{count:,}")
    for kind, count in _most_first(report.implied_by_type):
        table.add_row(f"only mentioned: {words(kind)}", f"{count:,}")
    if report.implied and not report.implied_by_type:
        table.add_row("only mentioned", f"{report.implied:,}")
    if linked:
        table.add_section()
        table.add_row("dependencies: new", f"{report.dependencies_created:,}")
        table.add_row("dependencies: changed", f"{report.dependencies_updated:,}")
        table.add_row("dependencies: known already", f"{report.dependencies_unchanged:,}")
    if report.missing_count:
        table.add_section()
        table.add_row("assets no longer named", f"{report.missing_count:,}")
    show(table)
    print_rejected(report)
    for line in _missing(report):
        say(line)
    print_notes(report)


def print_rejected(report: imports_pb2.ImportReport | imports_pb2.PreviewInventoryResponse) -> None:
    """Print the first rejected rows, each with its reason."""
    for one in report.rejected[:NAMED_MAX]:
        place = f"{one.sheet} row {one.row}" if one.sheet else f"row {one.row}"
        paragraph(f"rejected: {place}: {one.reason}")
    if len(report.rejected) > NAMED_MAX:
        say(f"… and {len(report.rejected) - NAMED_MAX:,} more; --json names them all")


def print_notes(report: imports_pb2.ImportReport | imports_pb2.PreviewInventoryResponse) -> None:
    """Print what else a reader would want to know."""
    for note in report.notes:
        paragraph(f"note: {note}")


def summary(report: imports_pb2.ImportReport) -> str:
    """What an import changed, on one line: `3 new, 2 changed, 1 rejected`."""
    counts = {
        "new": report.created,
        "changed": report.updated,
        "the same": report.unchanged,
        "rejected": rejected_count(report),
    }
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or "nothing"


def rejected_count(report: imports_pb2.ImportReport) -> int:
    """How many rows were rejected, also where they are not listed."""
    named = report.created + report.updated + report.unchanged + report.joined
    return report.source_rows - named


def place(provenance: assets_pb2.Provenance) -> str:
    """Where something was read: `estate.xlsx, sheet vInfo, row 7`; empty for what was written by hand."""
    sheet = provenance.sheet and f"sheet {provenance.sheet}"
    row = f"row {provenance.row}" if provenance.row else ""
    return cell(", ".join(filter(None, (provenance.file, sheet, row))))


def _missing(report: imports_pb2.ImportReport) -> Iterator[str]:
    if not report.missing_count:
        return
    number = report.missing_count
    verb = "is" if number == 1 else "are"
    yield f"{counted(number, 'asset')} of earlier files {verb} not in this one, and still in the session:"
    for one in report.missing[:NAMED_MAX]:
        where = place(one.provenance)
        yield f"  {cell(one.display_name)}" + (f" (last in {where})" if where else "")
    if number > NAMED_MAX:
        more = f"  … and {number - NAMED_MAX:,} more; --json names "
        yield more + ("them all" if number <= len(report.missing) else f"the first {len(report.missing):,}")


def _most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))

"""The benchmark of discovery data: `python loadtests/bench/run.py [--size N]`.

Everything is measured in one run on one machine, and judged as ratios within it:

- an import, from its first byte to its publication, against bare `executemany` of the same rows and indexes;
- the p99 of SessionService during that import against its p99 before;
- an Arrow read, first and again, against sending a ready Arrow file over the same gRPC;
- a landscape of an unchanged version against a read by key;
- the export of the session and the import of that file, against the same `executemany`;
- a merge of as many into as many with half of them in conflict, against plain SQL of the same effect, and the
  p99 of SessionService during it; undoing it and cloning, against creating an empty session;
- the memory of the serving process.

It ends with status 0 only if every ratio holds.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import importing
import landscape
import merging
import moving
import reading
from rich.console import Console
from rich.table import Table

from server import running_server

SETTINGS = {"bulk_rate": "", "read_rate": "", "write_rate": "", "log_level": "warning"}


Row = tuple[str, str, str, str, bool]
"""What, what was measured, the ratio, what it must be, whether it is."""

MEMORY_MAX_MIB = 600


def main() -> int:
    """Run and return the exit status."""
    options = argparse.ArgumentParser(description="Measure imports and bulk reads as ratios within one run.")
    options.add_argument("--size", type=int, default=1_000_000, help="assets (1,000,000)")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="mooring-bench-") as name:
        rows = list(_measured(Path(name), chosen.size))
    table = Table(title=f"{chosen.size:,} assets on SQLite")
    for heading in ("what", "measured", "ratio", "must be", ""):
        table.add_column(heading)
    for what, measured, ratio, bound, holds in rows:
        table.add_row(what, measured, ratio, bound, "holds" if holds else "[red]MISSED[/red]")
    Console(width=150).print(table)
    return 0 if all(row[-1] for row in rows) else 1


def _measured(folder: Path, size: int) -> Iterator[Row]:
    inventory, other = folder / "estate.csv", folder / "other.csv"
    importing.write_inventory(inventory, size)
    merging.write_other_inventory(inventory, other)
    url = f"sqlite:///{folder / 'bench.db'}"
    with running_server(folder, url, SETTINGS) as server:
        imported = importing.measure(server.address, inventory)
        read = reading.measure(server.address, imported.session)
        told = landscape.measure(server.address, imported.session)
        moved = moving.measure(server.address, imported.session, folder)
        merged = merging.measure(server.address, imported.session, other)
    bare_s = importing.baseline_sqlite(folder, inventory)
    yield from _of_import(imported, bare_s)
    yield from _of_reading(read)
    ratio = told["again_s"] / told["key_s"]
    measured = (
        f"{told['again_s'] * 1e3:.1f} ms beside {told['key_s'] * 1e3:.1f} ms; first {told['first_s']:.1f} s"
    )
    yield "landscape of an unchanged version / GetSession", measured, f"{ratio:.2f}", "<= 3", ratio <= 3
    yield from _of_moving(moved, bare_s)
    yield from _of_merge(merged, merging.bare_sqlite(url, merged))
    memory = server.memory_max_bytes / 2**20
    measured = f"{memory:,.0f} MiB; the parser {server.parser_memory_max_bytes / 2**20:,.0f} MiB"
    yield "memory of the server", measured, "", f"< {MEMORY_MAX_MIB} MiB", memory < MEMORY_MAX_MIB


def _of_import(imported: importing.Imported, bare_s: float) -> Iterator[Row]:
    ratio = bare_s / imported.import_s
    rate, bare = imported.rows / imported.import_s, imported.rows / bare_s
    measured = f"{rate:,.0f} rows/s beside {bare:,.0f}; {imported.import_s:,.0f} s"
    yield (
        "import, first byte to published / bare executemany",
        measured,
        f"{ratio:.2f}",
        ">= 0.3",
        ratio >= 0.3,
    )
    yield _of_pulse("import", imported)


def _of_moving(moved: moving.Moved, bare_s: float) -> Iterator[Row]:
    measured = f"{moved.export_s:,.1f} s, {moved.size_bytes / 2**20:,.0f} MiB"
    yield "export of a session", measured, "", "", True
    ratio = bare_s / moved.import_s
    measured = f"{moved.rows / moved.import_s:,.0f} rows/s; {moved.import_s:,.0f} s"
    what = "import of that, first byte to published / bare executemany"
    yield what, measured, f"{ratio:.2f}", ">= 0.3", ratio >= 0.3


def _of_merge(merged: merging.Merged, bare_s: float) -> Iterator[Row]:
    ratio = merged.merge_s / bare_s
    measured = f"{merged.merge_s:,.1f} s beside {bare_s:,.1f}; {merged.conflicts:,} conflicts"
    yield "merge, asked for to published / plain SQL", measured, f"{ratio:.2f}", "<= 2", ratio <= 2
    yield "the same beside 50 calls a second", f"{merged.beside_s:,.1f} s", "", "", True
    yield _of_pulse("merge", merged)
    yield "preview of that merge", f"{merged.preview_s:,.1f} s", "", "", True
    for what, taken_s in (("undoing that merge", merged.revert_s), ("a clone of as many", merged.clone_s)):
        ratio = taken_s / merged.create_s
        measured = f"{taken_s * 1e3:.1f} ms beside {merged.create_s * 1e3:.1f}"
        yield f"{what} / an empty session", measured, f"{ratio:.2f}", "< 5", ratio < 5


def _of_pulse(what: str, work: importing.Imported | merging.Merged) -> Row:
    ratio = work.busy_p99_s / work.idle_p99_s
    measured = f"{work.busy_p99_s * 1e3:.1f} ms beside {work.idle_p99_s * 1e3:.1f} ms idle"
    measured += f"; {work.busy_calls:,} calls"
    return f"p99 of SessionService during the {what} / before", measured, f"{ratio:.2f}", "< 3", ratio < 3


def _of_reading(read: dict[str, float]) -> Iterator[Row]:
    for what, taken_s, least in (("first", read["first_s"], 0.15), ("again", read["again_s"], 0.5)):
        ratio = read["raw_s"] / taken_s
        measured = f"{read['rows'] / taken_s:,.0f} rows/s beside {read['rows'] / read['raw_s']:,.0f}"
        yield (
            f"Arrow read, {what} / sending a ready file",
            measured,
            f"{ratio:.2f}",
            f">= {least}",
            ratio >= least,
        )


if __name__ == "__main__":
    sys.exit(main())

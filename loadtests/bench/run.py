"""The benchmark of discovery data: `python loadtests/bench/run.py [--size N] [--inventory FILE]`.

Everything is measured in one run on one machine, and judged as ratios within it:

- an import, from its first byte to its publication, against bare `executemany` of the same rows and indexes;
- the p99 of SessionService during that import against its p99 before;
- an Arrow read, first and again, against sending a ready Arrow file over the same gRPC;
- a landscape of an unchanged version against a read by key;
- the memory of the serving process.

It ends with status 0 only if every ratio holds.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import grpc
import importing
import landscape
import reading
from rich.console import Console
from rich.table import Table
from server import running_server

SETTINGS = {"bulk_rate": "", "read_rate": "", "write_rate": "", "log_level": "warning"}


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
    for what, measured, ratio, least, holds in rows:
        table.add_row(what, measured, ratio, least, "ok" if holds else "[red]MISSED[/red]")
    Console(width=150).print(table)
    return 0 if all(row[-1] for row in rows) else 1


Row = tuple[str, str, str, str, bool]


def _measured(folder: Path, size: int) -> "Iterator[Row]":
    inventory = folder / "estate.csv"
    importing.write_inventory(inventory, size)
    database = folder / "bench.db"
    with running_server(folder, f"sqlite:///{database}", SETTINGS) as server:
        imported = importing.measure(server.address, inventory)
        yield from _of_import(imported, importing.baseline_sqlite(folder, inventory))
        yield from _of_reading(reading.measure(server.address, imported.session))
        yield from _of_landscape(landscape.measure(server.address, imported.session))
        yield _of_memory(server.memory_max_bytes, server.parser_memory_max_bytes)

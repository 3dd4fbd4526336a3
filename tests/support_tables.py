"""Generated inventories: of every kind, in every format, and what must become of their rows.

`table(seed)` is the same file each time. It knows the fate of each of its rows by rules of its own, which say
what a row is about in a few lines; nothing here asks the readers. Rows are blank, short, long, there twice or
without a name, they repeat the header, stand below titles and above formatted emptiness.
"""

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

from support_cells import (
    BLANK,
    COLUMNS,
    FLOWS,
    FORMATS,
    NAMED,
    TEXT,
    UNKNOWN,
    WORDS,
    Cells,
    Column,
    delimited,
    is_filled,
    named,
    text_of,
    workbook,
)

Place = tuple[str, int]
Said = dict[str, str]
_STATE = ("poweredOn", "False")
KINDS = (*COLUMNS, "rvtools")


@dataclass(frozen=True, slots=True)
class Table:
    """A file, and the fate of its rows in a session without data.

    `rows` are those that are not blank, headers apart. `rejected` are the sheets and numbers of those that
    cannot be taken. `implied` assets are only mentioned.
    """

    seed: int
    kind: str
    format: str
    content: bytes
    rows: int
    created: int
    joined: int
    rejected: frozenset[Place]
    implied: int = 0


def table(seed: int) -> Table:
    """The table of a seed; each kind has its turn."""
    chance = Random(seed)
    kind = KINDS[seed % len(KINDS)]
    return _estate(seed, chance) if kind == "rvtools" else _Single(seed, chance, kind).table()


class _Single:
    """A file with one table."""

    def __init__(self, seed: int, chance: Random, kind: str) -> None:
        self._seed, self._chance, self._kind = seed, chance, kind
        self._format = chance.choice(FORMATS)
        self._is_text = self._format in TEXT
        self._is_named = self._format in NAMED
        self._encoding = chance.choice(list(WORDS)) if self._is_text else "utf-8"
        columns = list(COLUMNS[kind])
        chance.shuffle(columns)
        self._columns = columns
        self._header = [chance.choice(column.names) for column in columns]
        # Its columns are to be told by what they hold, so those hold what they should.
        self._is_headless = kind == "table" and not self._is_named and chance.random() < 0.1
        if self._is_headless:
            parts = ("name", "id", "host")
            self._columns = [Column((), part, c.make) for part in parts for c in columns if c.part == part]
        self._sheet = "" if self._format != "xlsx" else chance.choice(("Inventory", "Tabelle 1"))

    def table(self) -> Table:
        body = self._body()
        above: list[Cells] = []
        if not self._is_named and not self._is_headless:
            above = self._chance.choice(([], [], [["Inventory"], []], [["As of", "2026-01-02"]]))
        start = len(above) + (not self._is_named and not self._is_headless) + 1
        fates = [(number, self._fate(cells)) for number, cells in enumerate(body, start) if is_filled(cells)]
        things = Counter(fate for _, fate in fates if fate is not None)
        # Nothing tells those apart that have no more than their place, and share it.
        crowded = {fate for fate, count in things.items() if fate[0] == "place" and count > 1}
        bad = frozenset((self._sheet, number) for number, fate in fates if fate is None or fate in crowded)
        made = things.keys() - crowded
        ends = {end for fate in made for end in fate[1:3]} if self._kind in FLOWS else ()
        joined = len(fates) - len(made) - len(bad)
        content = self._written(above, body)
        return Table(
            self._seed, self._kind, self._format, content, len(fates), len(made), joined, bad, len(ends)
        )

    def _body(self) -> list[Cells]:
        chance, rows = self._chance, []
        words = WORDS[self._encoding]
        for number in range(
            chance.choice((2, 5, 40)) if self._is_headless else chance.choice((1, 3, 30, 90))
        ):
            cells = [column.make(chance, number) for column in self._columns]
            if not self._is_headless:
                for index, column in enumerate(self._columns):
                    if chance.random() < (0.1 if column.part else 0.2):
                        cells[index] = chance.choice((*UNKNOWN, *BLANK))
                    elif column.part == "name" and chance.random() < 0.3:
                        cells[index] = chance.choice((f"{chance.choice(words)} {number}", number + 1000))
                rows += self._odd_rows(cells, rows)
            rows.append(cells)
        return rows

    def _odd_rows(self, cells: Cells, before: list[Cells]) -> list[Cells]:
        chance, width = self._chance, len(cells)
        match chance.randrange(25):
            case 0:
                return [[""] * width, []]
            case 1:
                return [[chance.choice(BLANK)] * width]
            case 2 if before:
                return [list(chance.choice(before))]
            case 3 if before:  # JSON has its columns from the rows
                del cells[chance.randrange(1, width) :]
            case 4 if self._is_text:
                cells += ["", "over"]
            case 5 if not self._is_named:
                return [list(self._header)]
            case 6:
                return [[chance.choice(UNKNOWN[1:])] * width]
            case 7 if self._format != "xlsx":  # there a formula is its value
                return [["=1+1" if column.part in ("name", "source") else "" for column in self._columns]]
        return []

    def _fate(self, cells: Cells) -> tuple[Any, ...] | None:
        """What a row is about; None where that cannot be told, or the row does not fit."""
        if any(map(text_of, cells[len(self._columns) :])) or cells == self._header:
            return None
        padded = [*map(text_of, cells), *[""] * len(self._columns)]
        said = {
            column.part: "" if text.casefold() in UNKNOWN else text
            for column, text in zip(self._columns, padded, strict=False)
            if column.part
        }
        if self._kind in FLOWS:
            return _flow(said)
        if not said.get("id") and not said.get("host") and said.get("name", "").startswith("="):
            return None
        return _thing(said, self._kind)

    def _written(self, above: list[Cells], body: list[Cells]) -> bytes:
        if self._is_named:
            return named(self._chance, self._format, self._header, body)
        lines = [*above, *([] if self._is_headless else [self._header]), *body]
        if self._format == "xlsx":
            lines = [
                [str(cell) if isinstance(cell, list | dict) else cell for cell in cells] for cells in lines
            ]
            sheets: dict[str, Any] = {self._sheet: lines}
            if self._chance.random() < 0.3:
                sheets = {"About": [["Made by", "a tool"]], **sheets}
            return workbook(sheets, ghost_rows=self._chance.choice((0, 30)))
        codecs = {
            "": ("ascii", "utf-8-sig"),
            "utf-16": ("utf-16", "utf-16-le"),
            "utf-8": ("utf-8", "utf-8-sig"),
        }
        codec = self._chance.choice(codecs.get(self._encoding, (self._encoding,)))
        return delimited(self._chance, self._format, lines).encode(codec)


def _thing(said: Said, kind: str) -> tuple[Any, ...] | None:
    name, host = said.get("name", ""), said.get("host", "").casefold()
    location, details = said.get("location", ""), (said.get("cluster", ""), said.get("tenant", ""))
    if said.get("id"):
        return "id", said["id"].casefold()
    if host:
        return "host", host, "" if name.casefold() in (host, host.partition(".")[0]) else name
    if name:
        return "name", name, location, *details
    if said.get("tag"):
        return "tag", said["tag"], *details
    if said.get("rack") and said.get("position"):
        return "place", *(said[part] for part in ("location", "rack", "position", "type"))
    return None


def _flow(said: Said) -> tuple[Any, ...] | None:
    source, target, port = said["source"], said["target"] or said.get("address", ""), said.get("port", "")
    if not source or not target or port in ("70000", "https"):
        return None
    return "flow", source, target, port, said.get("process", ""), said.get("cable", "")


def _estate(seed: int, chance: Random) -> Table:
    """An RVTools export: machines, their parts, and their hosts."""
    estate = _Estate(chance)
    lines = estate.sheets["vInfo"]
    rows = sum(sum(map(is_filled, each)) - 1 for each in estate.sheets.values())
    if len(estate.sheets) == 1 and chance.random() < 0.5:
        format_, content = ",", delimited(chance, ",", lines).encode()
        rejected = {("", row) for _, row in estate.rejected}
    else:
        format_, content = "xlsx", workbook(estate.sheets, ghost_rows=chance.choice((0, 20)))
        rejected = estate.rejected
    joined = rows - estate.made - len(rejected)
    implied = len(estate.mentioned)
    return Table(seed, "rvtools", format_, content, rows, estate.made, joined, frozenset(rejected), implied)


class _Estate:
    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.sheets: dict[str, list[Cells]] = {}
        self.rejected: set[Place] = set()
        self.mentioned: set[str] = set()
        self.made = 0
        self._copies: Counter[str] = Counter()
        self._hosts = [f"esx-{number}.corp.example" for number in range(5)]
        self._list(chance.choice((1, 5, 60)))
        for sheet, column in (
            ("vDisk", "Capacity MiB"),
            ("vPartition", "Consumed MB"),
            ("vNetwork", "Network"),
        ):
            if chance.random() < 0.5:
                self._detail(sheet, column)
        if chance.random() < 0.7:
            self._run()

    def _add(self, sheet: str, *cells: Any, taken: bool = True) -> None:
        self.sheets[sheet].append([*cells])
        if not taken:
            self.rejected.add((sheet, len(self.sheets[sheet])))

    def _list(self, count: int) -> None:
        chance = self._chance
        size = chance.choice(("Provisioned MB", "Provisioned MiB"))
        header = ["VM", "Powerstate", "Template", "CPUs", "Memory", size, "Datacenter", "Host", "VM ID", None]
        self.sheets["vInfo"] = [header]
        for number in range(count):
            host = chance.choice((*self._hosts, "", None))
            sizes = 2, 4096, chance.choice((1024, -1, "n/a"))
            for _ in range(1 + (chance.random() < 0.05)):
                self._add("vInfo", f"vm {number}", *_STATE, *sizes, "DC", host, f"vm-{number}", None)
                self._copies[f"vm {number}"] += 1
            self.mentioned |= {host} if host else set()
            if chance.random() < 0.05:
                self._add("vInfo", "", *_STATE, 1, taken=False)
            if chance.random() < 0.05:
                self._add("vInfo", None, " ")
        self.made = count

    def _detail(self, sheet: str, column: str) -> None:
        """Rows that say by name or by id which machine they are about, which may not be listed."""
        self.sheets[sheet] = [["VM", "Powerstate", "Template", column, "Datacenter", "VM ID"]]
        for _ in range(len(self._copies)):
            name, id = self._chance.choice((*self._copies, "gone", "")), ""
            if name.startswith("vm ") and self._chance.random() < 0.3:
                shown, id = "renamed", name.replace(" ", "-")
            else:
                shown = name
            # Which of two that are alike it is about, nothing tells.
            is_taken = name != "" and self._copies[name] < 2
            self._add(sheet, shown, *_STATE, self._chance.choice((7, "x", None)), "DC", id, taken=is_taken)
            if is_taken:
                self.made += not self._copies[name]
                self._copies[name] = 1

    def _run(self) -> None:
        self.sheets["vHost"] = [["Host", "Datacenter", "CPU Model", "# Cores", "# Memory"]]
        for host in self._chance.sample(self._hosts, 3):
            for _ in range(1 + (self._chance.random() < 0.1)):
                self._add("vHost", host, "DC", "Xeon", 16, 1024)
            self.made += 1
            self.mentioned.discard(host)
        self._add("vHost", "", "DC", taken=False)

"""XLSX -> sheets, without trusting the file.

python-calamine keeps a sheet as a dense grid and ends the whole process where that does not fit into
memory: a workbook of 5 KB with a cell in each far corner asks for 500 GB. So the XML is looked through
before calamine sees it: how large the parts are, how far the cells reach, and how much text they refer to.
Calamine then reads a copy that holds just the parts that were looked at.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import IO
from xml.parsers import expat

from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum

from mooring_server.ingest.limits import Limits, damage_reported, unreadable
from mooring_server.ingest.values import cell_text

_CHUNK_BYTES = 2**18
_PARTS_MAX = 10_000
_EXPORTED_SESSION = {"manifest.json", "assets.parquet"}
_DAMAGED = (
    "the file is a damaged or incomplete workbook; copy it once more, or open it in a spreadsheet program "
    "and save it again as .xlsx"
)


class Workbook:
    """The worksheets of an XLSX file. One sheet's cells are in memory at a time.

    A cell that holds a formula has the value that it had when the file was saved; `formula_count` says how
    many there are.

    Raises InvalidArgument (UNREADABLE_INVENTORY) and ResourceExhausted when it is made.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        with damage_reported(_DAMAGED):
            checked = io.BytesIO()
            with (
                zipfile.ZipFile(path) as archive,
                zipfile.ZipFile(checked, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy,
            ):
                _copy_parts(archive, copy, limits)
            with zipfile.ZipFile(checked) as copy:
                self.formula_count = _check_parts(copy, limits)
            checked.seek(0)
            self._calamine = CalamineWorkbook.from_object(checked)
            names = [
                sheet.name for sheet in self._calamine.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet
            ]
        self._loaded: tuple[str, CalamineSheet] | None = None
        self.sheets = [WorkbookSheet(self, name) for name in names]

    def load(self, name: str) -> CalamineSheet:
        """A sheet with its cells; kept until another one is asked for."""
        if self._loaded is None or self._loaded[0] != name:
            self._loaded = None
            self._loaded = (name, self._calamine.get_sheet_by_name(name))
        return self._loaded[1]


class WorkbookSheet:
    """A sheet of a workbook."""

    is_named = False

    def __init__(self, workbook: Workbook, name: str) -> None:
        self.name = name
        self._workbook = workbook

    @cached_property
    def row_total(self) -> int:
        """How many rows are not blank."""
        return sum(1 for _ in self.rows())

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row that is not blank, with its number; all as long as the widest."""
        with damage_reported(_DAMAGED):
            sheet = self._workbook.load(self.name)
            if sheet.start is None:
                return
            top, left = sheet.start
            # iter_rows() is lazy, but leaves out as many rows at the end as are blank at the start.
            rows = sheet.iter_rows() if top == 0 else iter(sheet.to_python())
            indent = [""] * (left if top else 0)
            for number, row in enumerate(rows, start=top + 1):
                if row.count("") == len(row):
                    continue  # a million blank rows are no rarity
                cells = [*indent, *map(cell_text, row)]
                if any(cells):
                    yield number, cells


def _copy_parts(archive: zipfile.ZipFile, copy: zipfile.ZipFile, limits: Limits) -> None:
    parts = [
        part for part in archive.infolist()
        if part.filename == "[Content_Types].xml" or part.filename.startswith(("xl/", "_rels/"))
        if part.filename.endswith((".xml", ".rels"))
    ]  # fmt: skip
    names = {part.filename.casefold() for part in parts}
    if _EXPORTED_SESSION.issubset(archive.namelist()):
        raise unreadable(
            "the file is an exported session; `mooring sessions import` makes a session of it, "
            "in a notebook ws.import_session"
        )
    if "xl/workbook.xml" not in names:
        raise unreadable(
            "the file is a zip archive, but no .xlsx workbook; save the inventory as .xlsx or CSV"
        )
    if len(names) < len(parts) or len(parts) > _PARTS_MAX:
        raise unreadable(_DAMAGED)
    limits.check_expanded_size(sum(part.file_size for part in parts))
    for part in parts:
        # zipfile never gives more bytes than the directory declares, so the sum above holds.
        with archive.open(part) as source, copy.open(part.filename, "w") as target:
            while chunk := source.read(_CHUNK_BYTES):
                target.write(chunk)


def _check_parts(copy: zipfile.ZipFile, limits: Limits) -> int:
    """Looks through all parts; answers how many formulas there are."""
    survey = _Survey(limits)
    # The texts first, since cells refer to them. Names are not trusted further: any part may be a sheet.
    for part in sorted(copy.namelist(), key=lambda name: name.casefold() != "xl/sharedstrings.xml"):
        with copy.open(part) as source:
            survey.add(source)
    return survey.formula_count


class _Survey:
    """How far the cells of each part reach, and how much text they hold or refer to.

    Its handlers run three times a cell, so they are short, and there is none for the ends of elements.
    """

    def __init__(self, limits: Limits) -> None:
        self.formula_count = 0
        self._limits = limits
        self._text_lengths: list[int] = []
        self._text_size = 0
        self._cell_total = 0
        self._parts_with_texts = 0

    def add(self, source: IO[bytes]) -> None:
        """Looks through the XML of one part."""
        self._row = self._column = 0
        self._top, self._bottom, self._right = 2**31, 0, 0
        self._is_reference = self._in_value = self._has_texts = False
        self._value = ""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse
        parser.ParseFile(source)
        self._refer()
        self._parts_with_texts += self._has_texts
        if self._parts_with_texts > 1:
            self._refuse()
        if self._right:
            self._limits.check_columns(self._right)
            self._cell_total += (self._bottom - self._top + 1) * self._right
            self._limits.check_cells(self._cell_total)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._value:
            self._refer()
        self._in_value = False
        match name.rpartition(":")[2]:
            case "c":
                self._is_reference = attributes.get("t") == "s"
                self._place(attributes.get("r"))
            case "v" | "is" | "f":
                # Cells that are merely formatted have none of these, and calamine leaves them out as well.
                self._in_value = self._is_reference
                if self._row > self._bottom:
                    self._bottom = self._row
                if self._row < self._top:
                    self._top = self._row
                if self._column > self._right:
                    self._right = self._column
                # A chart has formulas as well, but no cells.
                self.formula_count += name[-1] == "f" and self._column > 0
            case "row":
                self._row = int(attributes["r"]) if "r" in attributes else self._row + 1
                self._column = 0
            case "si":
                self._has_texts = True
                self._text_lengths.append(0)

    def _text(self, data: str) -> None:
        if self._in_value:
            self._value += data
        elif self._has_texts:
            self._text_lengths[-1] += len(data)

    def _refer(self) -> None:
        if self._value:
            self._text_size += self._text_lengths[int(self._value)]
            self._value = ""
            self._limits.check_expanded_size(self._text_size)

    def _place(self, reference: str | None) -> None:
        if reference is None:
            self._column += 1
            return
        letters = reference.rstrip("0123456789")
        self._column = _column_number(letters)
        self._row = int(reference[len(letters) :])

    def _refuse(self, *_: object) -> None:
        raise unreadable(_DAMAGED)


@lru_cache
def _column_number(letters: str) -> int:
    """1 for A, 27 for AA; ValueError for what is no column."""
    if not re.fullmatch("[A-Z]{1,3}", letters):
        raise ValueError(letters)
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number

"""XLSX through XlsxWriter, which writes row by row to a file beside."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from chargeamps.usage.writers.rows import Document, Row

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_IN_A_SHEET = 1_000_000
MONEY, WIDTHS = "0.00", {"session": 38, "notes": 60, "charger": 24, "person": 20}


class XlsxFile:
    """A workbook at a path; sheets follow each other where one is full."""

    def __init__(self, path: str, document: Document) -> None:
        folder = str(Path(path).parent)
        options = {"constant_memory": True, "tmpdir": folder, "strings_to_formulas": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(path, options)
        self._document = document
        self._bold = self._book.add_format({"bold": True})
        self._money = self._book.add_format({"num_format": MONEY})
        self._sheet: Any = None
        self._row = self._sheets = 0
        self._add_sheet()

    def add(self, row: Row) -> None:
        if self._row > ROWS_IN_A_SHEET:
            self._add_sheet()
        for column, cell in enumerate(row):
            if cell is None or cell == "":
                continue
            if isinstance(cell, Decimal):
                self._sheet.write_number(self._row, column, float(cell), self._money)
            elif isinstance(cell, int):
                self._sheet.write_number(self._row, column, cell)
            else:
                # Always as text, whatever it looks like.
                self._sheet.write_string(self._row, column, cell)
        self._row += 1

    def close(self) -> None:
        about = self._book.add_worksheet("About")
        question = self._document.question
        for line, text in enumerate(
            (
                self._document.title,
                f"{question.first_day} to {question.last_day}, {question.time_zone}",
                self._document.rule,
                f"Written {self._document.written.isoformat(timespec='seconds')}",
            )
        ):
            about.write_string(line, 0, text)
        self._book.close()

    def _add_sheet(self) -> None:
        self._sheets += 1
        self._sheet = self._book.add_worksheet("Charging" if self._sheets == 1 else f"Charging {self._sheets}")
        self._sheet.freeze_panes(1, 0)
        for column, name in enumerate(self._document.columns):
            self._sheet.set_column(column, column, WIDTHS.get(name, 18))
            self._sheet.write_string(0, column, name, self._bold)
        self._row = 1

"""CSV (RFC 4180, UTF-8 with a mark, so that spreadsheets read it right) and JSON."""

import csv
import io
import json
from collections.abc import Sequence
from decimal import Decimal

from chargeamps.usage.writers.rows import Document, Row


class CsvWriter:
    content_type = "text/csv; charset=utf-8"

    def __init__(self, document: Document) -> None:
        self._document = document

    def begin(self) -> bytes:
        return b"\xef\xbb\xbf" + self.rows([self._document.columns], 0)

    def rows(self, rows: Sequence[Row], written: int) -> bytes:
        out = io.StringIO()
        csv.writer(out, lineterminator="\r\n").writerows(
            ["" if cell is None else f"{cell:f}" if isinstance(cell, Decimal) else cell for cell in row] for row in rows
        )
        return out.getvalue().encode()

    def end(self) -> bytes:
        return b""


class JsonWriter:
    """``{period, rule, total, written, rows: [{column: value}]}``."""

    content_type = "application/json"

    def __init__(self, document: Document) -> None:
        self._document = document

    def begin(self) -> bytes:
        question = self._document.question
        head = {
            "period": {
                "first_day": question.first_day.isoformat(),
                "last_day": question.last_day.isoformat(),
                "time_zone": question.time_zone,
                "group": question.group,
            },
            "rule": self._document.rule,
            "total": self._document.total,
            "written": self._document.written.isoformat(),
        }
        return (json.dumps(head)[:-1] + ', "rows": [\n').encode()

    def rows(self, rows: Sequence[Row], written: int) -> bytes:
        texts = [
            json.dumps(
                {
                    name: f"{cell:f}" if isinstance(cell, Decimal) else cell
                    for name, cell in zip(self._document.columns, row, strict=True)
                }
            )
            for row in rows
        ]
        return ((",\n" if written and texts else "") + ",\n".join(texts)).encode()

    def end(self) -> bytes:
        return b"\n]}\n"

"""A statement as PDF 1.4, a page at a time. Two built-in fonts and lines are all that a table needs."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT, MARGIN = 842, 595, 40  # A4 across, in points
LINE, SIZE = 13, 8.5
# Widths of Helvetica's characters in thousandths of the size, 32 to 126 (Adobe font metrics); others count as 556.
_WIDTHS = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556,) * 10,
    *(278, 278, 584, 584, 584, 556, 1015),
    *(667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833),
    *(722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611),
    *(278, 278, 278, 469, 556, 333),
    *(556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833),
    *(556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500),
    *(334, 260, 334, 584),
)


@dataclass(frozen=True, slots=True)
class Column:
    heading: str
    width: float
    right: bool = False


@dataclass(slots=True)
class Statement:
    """Writes a document of one table; yields its bytes as pages are full."""

    title: str
    lines: Sequence[str]
    columns: Sequence[Column]
    footer: str
    _offsets: list[int] = field(default_factory=list)
    _pages: list[int] = field(default_factory=list)
    _length: int = 0
    _content: list[str] = field(default_factory=list)
    _y: float = 0.0

    def begin(self) -> bytes:
        self._offsets = [0, 0, 0, 0, 0]  # the catalogue, the pages and the fonts come last
        self._new_page(first=True)
        return self._out(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")

    def row(self, cells: Sequence[str], *, bold: bool = False) -> bytes:
        """Add a row; what comes back is the page that became full, or nothing."""
        done = b""
        if self._y < MARGIN + 2 * LINE:
            done = self._finish_page()
            self._new_page(first=False)
        x = float(MARGIN)
        for column, cell in zip(self.columns, cells, strict=True):
            text = _fitted(cell, column.width - 4, bold=bold)
            self._text(x + (column.width - 4 - _width(text) if column.right else 0), self._y, text, bold=bold)
            x += column.width
        self._y -= LINE
        return done

    def end(self) -> bytes:
        out = self._finish_page()
        kids = " ".join(f"{number} 0 R" for number in self._pages)
        fixed = (
            "<< /Type /Catalog /Pages 2 0 R >>",
            f"<< /Type /Pages /Count {len(self._pages)} /Kids [{kids}] >>",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
        )
        for number, body in enumerate(fixed, 1):
            self._offsets[number] = self._length
            out += self._out(f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1"))
        table = self._length
        lines = ["xref", f"0 {len(self._offsets)}", "0000000000 65535 f "]
        lines += [f"{offset:010d} 00000 n " for offset in self._offsets[1:]]
        lines += ["trailer", f"<< /Size {len(self._offsets)} /Root 1 0 R >>", "startxref", str(table), "%%EOF", ""]
        return out + self._out("\n".join(lines).encode("ascii"))

    def _new_page(self, *, first: bool) -> None:
        self._content, self._y = [], float(HEIGHT - MARGIN)
        if first:
            self._text(MARGIN, self._y - 8, self.title, bold=True, size=16)
            self._y -= 32
            for line in self.lines:
                self._text(MARGIN, self._y, line)
                self._y -= LINE
            self._y -= LINE / 2
        self.row([column.heading for column in self.columns], bold=True)
        level = self._y + LINE - 4
        self._content.append(f"0.5 w {MARGIN} {level:.1f} m {WIDTH - MARGIN} {level:.1f} l S")
        self._y -= 3

    def _finish_page(self) -> bytes:
        self._text(MARGIN, MARGIN - 12, f"{self.footer}   Page {len(self._pages) + 1}", size=7)
        stream = zlib.compress("\n".join(self._content).encode("latin-1"))
        number = len(self._offsets)
        head = f"{number} 0 obj\n<< /Length {len(stream)} /Filter /FlateDecode >>\nstream\n".encode("ascii")
        self._offsets.append(self._length)
        out = self._out(head + stream + b"\nendstream\nendobj\n")
        self._offsets.append(self._length)
        page = (
            f"{number + 1} 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents {number} 0 R"
            " /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>\nendobj\n"
        )
        self._pages.append(number + 1)
        return out + self._out(page.encode("ascii"))

    def _text(self, x: float, y: float, text: str, *, bold: bool = False, size: float = SIZE) -> None:
        encoded = text.encode("cp1252", "replace").decode("latin-1")
        escaped = encoded.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        self._content.append(f"BT /F{2 if bold else 1} {size} Tf {x:.1f} {y:.1f} Td ({escaped}) Tj ET")

    def _out(self, data: bytes) -> bytes:
        self._length += len(data)
        return data


def _width(text: str) -> float:
    return sum(_WIDTHS[ord(c) - 32] if 32 <= ord(c) <= 126 else 556 for c in text) * SIZE / 1000


def _fitted(text: str, width: float, *, bold: bool) -> str:
    limit = width / (1.08 if bold else 1.0)
    if _width(text) <= limit:
        return text
    while text and _width(text + "…") > limit:
        text = text[:-1]
    return text + "…"


def pages(statement: Statement, rows: Iterator[Sequence[str]]) -> Iterator[bytes]:
    """All of a statement's bytes."""
    yield statement.begin()
    for row in rows:
        if data := statement.row(row):
            yield data
    yield statement.end()

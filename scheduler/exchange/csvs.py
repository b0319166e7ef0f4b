"""Bytes of a list as CSV -> its filled rows, whichever program of which country wrote it.

Offices save lists as UTF-8, as UTF-16 (“Unicode text”), or as Windows-1258, with ; or tab or
comma between cells.  Which it is shows in the bytes; a guess that could be wrong is refused.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from scheduler.exchange import refusals
from scheduler.exchange.faults import Cell
from scheduler.exchange.grids import MOST_COLUMNS, MOST_ROWS, Grid
from scheduler.exchange.layout import HEADER_WITHIN, LAYOUTS
from scheduler.exchange.words import letters

LONGEST_CELL = 131_072  # letters, at which Python's own reader stops

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_WINDOWS = "cp1258"
_SEPARATORS = (";", "\t", ",")
_BREAK = re.compile(r"\r\n|\r|\n")
_BREAK_BYTES = re.compile(rb"\r\n|\r|\n")
# Vietnamese letters as UTF-8 has them; in Windows-1258 these bytes make no word.
_UTF8 = re.compile(rb"\xe1[\xba\xbb][\x80-\xbf]|\xc3[\x80-\xbf]|\xc4[\x80-\xbf]|\xc6[\xa0-\xb0]")
_HEADINGS = frozenset().union(*(layout.names for layout in LAYOUTS))


def grid(data: bytes) -> Grid:
    """The table of a CSV, its rows numbered as a spreadsheet numbers them, its cells all texts.

    Raises UnreadableError with the reason and what to do.
    """
    said = unicodedata.normalize("NFC", _text(data))
    if (place := said.find("\0")) >= 0:
        raise refusals.error(refusals.NO_TEXT, line=_line(said[:place]))
    separator = max(_SEPARATORS, key=lambda mark: _known_headings(said, mark))
    rows = tuple(_filled(said, separator))
    if not rows:
        raise refusals.error(refusals.EMPTY)
    return Grid("", rows)


def _text(data: bytes) -> str:
    for mark, coding in _MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], coding)
    if coding := _unmarked_utf16(data):
        return _decoded(data, coding)
    try:
        return data.decode()
    except UnicodeDecodeError:
        _check_one_coding(data)
        return _decoded(data, _WINDOWS)


def _decoded(data: bytes, coding: str) -> str:
    try:
        return data.decode(coding)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(coding, "ignore")
        raise refusals.error(refusals.MIXED, line=_line(before)) from error


def _unmarked_utf16(data: bytes) -> str:
    """Every second byte of UTF-16 is NUL where the letters are plain, and none of the others."""
    first, second = data[::2].count(0), data[1::2].count(0)
    if first == 0 and second > len(data) / 8:
        return "utf-16-le"
    return "utf-16-be" if second == 0 and first > len(data) / 8 else ""


def _check_one_coding(data: bytes) -> None:
    """Refuse the first line that is not written as the first one with a marked letter is."""
    first: bool | None = None
    for number, line in enumerate(_BREAK_BYTES.split(data), start=1):
        if line.isascii():
            continue
        modern = _is_utf8(line)
        first = modern if first is None else first
        if modern != first or (not modern and _UTF8.search(line)):
            raise refusals.error(refusals.MIXED, line=number)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _line(before: str) -> int:
    return len(_BREAK.findall(before)) + 1


def _known_headings(said: str, separator: str) -> tuple[int, int]:
    """How many names of our columns one row has, and how many cells, at the best."""
    best = (0, 0)
    with suppress(csv.Error):  # the wrong separator makes nonsense of quotation marks
        for line in islice(_lines(said, separator), HEADER_WITHIN):
            known = sum(letters(cell) in _HEADINGS for cell in line)
            best = max(best, (known, len(line)))
    return best


def _filled(said: str, separator: str) -> Iterator[tuple[int, tuple[Cell, ...]]]:
    number = 0
    try:
        for number, line in enumerate(_lines(said, separator), start=1):
            filled = [index for index, cell in enumerate(line) if cell.strip()]
            if not filled:
                continue
            if number > MOST_ROWS or filled[-1] >= MOST_COLUMNS:
                raise refusals.error(refusals.TOO_LONG, rows=MOST_ROWS, columns=MOST_COLUMNS)
            yield number, tuple(cell or None for cell in line[: filled[-1] + 1])
    except csv.Error as error:
        raise refusals.error(refusals.UNQUOTED, row=number + 1, most=LONGEST_CELL) from error


def _lines(said: str, separator: str) -> Iterator[list[str]]:
    """Strict: a mark that is not closed would swallow every row below it."""
    return csv.reader(io.StringIO(said, newline=""), delimiter=separator, strict=True)

"""Texts of workbooks: read clean, written safely, compared without case, marks and spaces."""

import re
import unicodedata
from datetime import date, datetime, time

from scheduler.domain import names

# Cells that a spreadsheet would take for a formula are written with a ' before them, and so are
# those that have one already: who takes one away again finds what was there.
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
# What no spreadsheet can hold, nor XML.
_UNFIT = re.compile("[\0-\x08\v\f\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_SHOWN = 60


def letters(value: object) -> str:
    """The letters and digits of a text alone: “Số tiết / tuần” is “sotiettuan”."""
    return re.sub(r"[^0-9a-z]", "", names.fold(str(value)))


def shown(cell: object) -> str:
    """A cell as a sentence quotes it."""
    said = written(cell)
    return said if len(said) <= _SHOWN else said[: _SHOWN - 1] + "…"


def written(cell: object) -> str:
    """A cell as text: composed letters, single spaces, no control characters."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, datetime | date):
        return f"{cell.day:02d}/{cell.month:02d}/{cell.year}"
    if isinstance(cell, time):
        return f"{cell:%H:%M}"
    said = str(cell)
    if said.startswith("'") and _FORMULA.match(said, 1):
        said = said[1:]
    clean = "".join(c for c in said if c.isprintable() or c.isspace())
    return " ".join(unicodedata.normalize("NFC", clean).split())


def guarded(value: str) -> str:
    """A text for a cell: what a spreadsheet would take for a formula gets a ' before it.

    `written` reads it back.
    """
    fit = _UNFIT.sub(lambda unfit: " " if unfit[0].isspace() else "", value)
    said = unicodedata.normalize("NFC", fit)
    return f"'{said}" if _FORMULA.match(said) else said

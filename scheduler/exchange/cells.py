"""What single cells hold: numbers, names, codes, mail addresses, telephones, levels."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, time
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

from scheduler.domain.people import HalfDay, Level
from scheduler.errors import text
from scheduler.exchange.faults import Cell, UnreadableError
from scheduler.exchange.words import letters

LEVEL_WORDS = {
    Level.PRIMARY: "TH",
    Level.LOWER_SECONDARY: "THCS",
    Level.UPPER_SECONDARY: "THPT",
}
HALF_DAY_WORDS = {HalfDay.MORNING: "Sáng", HalfDay.AFTERNOON: "Chiều", HalfDay.EVENING: "Tối"}
_LEVELS = {letters(word): level for level, word in LEVEL_WORDS.items()}
_HALF_DAYS = {letters(word): half_day for half_day, word in HALF_DAY_WORDS.items()}
# Cells that a spreadsheet would take for a formula are written with a ' before them, and so are
# those that have one already: who takes one away again finds what was there.
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
# What no spreadsheet can hold, nor XML.
_UNFIT = re.compile("[\0-\x08\v\f\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_SHOWN = 60


def shown(cell: Cell) -> str:
    """A cell as a sentence quotes it."""
    said = written(cell)
    return said if len(said) <= _SHOWN else said[: _SHOWN - 1] + "…"


def written(cell: Cell) -> str:
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


def words(most: int) -> Callable[[Cell], str]:
    """A text of at most so many letters."""

    def parse(cell: Cell) -> str:
        said = written(cell)
        if len(said) > most:
            raise UnreadableError(
                text(
                    "The text “{found}” has {length} letters; at most {most} fit. Shorten it.",
                    found=shown(cell),
                    length=len(said),
                    most=most,
                )
            )
        return said

    return parse


def code(cell: Cell) -> str:
    """The code of a school or term, in capitals: YB01."""
    said = words(20)(cell).upper()
    if re.search(r"[\s,;]", said):
        raise UnreadableError(
            text("The code “{found}” has a space or comma in it. Write it as YB01.", found=said)
        )
    return said


def codes(cell: Cell) -> tuple[str, ...]:
    """Codes of schools, separated by commas; each once, in order."""
    parts = (part.strip() for part in re.split(r"[,;\n]", str(cell)))
    return tuple(sorted({code(part) for part in parts if part}))


def whole(least: int, most: int) -> Callable[[Cell], int]:
    """A whole number within bounds."""

    def parse(cell: Cell) -> int:
        said = written(cell)
        number = int(said) if re.fullmatch(r"-?[0-9]{1,9}", said) else None
        if number is None or isinstance(cell, bool) or not least <= number <= most:
            raise UnreadableError(
                text(
                    "“{found}” is not a whole number from {least} to {most}. Correct the number.",
                    found=shown(cell),
                    least=least,
                    most=most,
                )
            )
        return number

    return parse


def mail(cell: Cell) -> str:
    """A mail address in small letters; it is not asked whether anybody reads it."""
    said = written(cell)
    try:
        found = validate_email(said, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise UnreadableError(
            text(
                "“{found}” is not a mail address. Write one address, for example"
                " ten@truong.edu.vn.",
                found=shown(cell),
            )
        ) from error
    return found.normalized.lower()


def phone(cell: Cell) -> str:
    """A telephone number as written; a number cell has lost its first 0 and gets it back."""
    said = written(cell)
    if not isinstance(cell, str) and re.fullmatch(r"[1-9][0-9]{8}", said):
        return f"0{said}"
    if len(said) > 40 or not re.search(r"[0-9]", said):
        raise UnreadableError(
            text(
                "“{found}” is not a telephone number. Write for example 0912345678.",
                found=shown(cell),
            )
        )
    return said


def level(cell: Cell) -> Level:
    found = _LEVELS.get(letters(cell))
    if found is None:
        raise UnreadableError(
            text(
                "“{found}” is not a school level. Write TH, THCS or THPT.",
                found=shown(cell),
            )
        )
    return found


def levels(cell: Cell) -> tuple[Level, ...]:
    """School levels, separated by commas, in the order of school life."""
    parts = [part for part in re.split(r"[,;&+\n]", str(cell)) if part.strip()]
    if not parts:
        level(cell)
    return tuple(sorted({level(part) for part in parts}, key=list(Level).index))


def half_day(cell: Cell) -> HalfDay:
    found = _HALF_DAYS.get(letters(cell))
    if found is None:
        raise UnreadableError(
            text("“{found}” is not a half-day. Write Sáng, Chiều or Tối.", found=shown(cell))
        )
    return found


def zone(cell: Cell) -> str:
    said = written(cell)
    if said not in available_timezones():
        raise UnreadableError(
            text(
                "“{found}” is not a known time zone. Write for example Asia/Ho_Chi_Minh.",
                found=shown(cell),
            )
        )
    return said

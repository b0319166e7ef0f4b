"""What single cells hold: numbers, names, codes, mail addresses, telephones, levels."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

from scheduler.domain import names
from scheduler.domain.people import HalfDay, Level
from scheduler.errors import text
from scheduler.exchange.faults import Cell, UnreadableError
from scheduler.exchange.words import letters, shown, written

LEVEL_WORDS = {
    Level.PRIMARY: "TH",
    Level.LOWER_SECONDARY: "THCS",
    Level.UPPER_SECONDARY: "THPT",
}
HALF_DAY_WORDS = {HalfDay.MORNING: "Sáng", HalfDay.AFTERNOON: "Chiều", HalfDay.EVENING: "Tối"}
# Whatever else offices call the levels; a cell may say several.
_LEVEL_NAMES = {
    Level.PRIMARY: ("TH", "Tiểu học", "cấp 1", "cấp I", "C1", "1", "Primary", "Primary school"),
    Level.LOWER_SECONDARY: (
        *("THCS", "Trung học cơ sở", "cấp 2", "cấp II", "C2", "2"),
        *("Lower secondary", "Secondary", "Middle school"),
    ),
    Level.UPPER_SECONDARY: (
        *("THPT", "Trung học phổ thông", "cấp 3", "cấp III", "C3", "3"),
        *("Upper secondary", "High school"),
    ),
}
_LEVELS = {letters(name): level for level, called in _LEVEL_NAMES.items() for name in called}
_HALF_DAY_NAMES = {
    HalfDay.MORNING: ("Sáng", "Buổi sáng", "S", "Morning"),
    HalfDay.AFTERNOON: ("Chiều", "Buổi chiều", "C", "Afternoon"),
    HalfDay.EVENING: ("Tối", "Buổi tối", "Evening"),
}
_HALF_DAYS = {letters(name): half for half, called in _HALF_DAY_NAMES.items() for name in called}
_BETWEEN = re.compile(r"[,;&+/\n]|\bv[aà]\b|\band\b", re.IGNORECASE)
# What may stand behind a number without changing it, by its letters.
_UNITS = "tiet|tiet/tuan|tiet/ngay|phong|phut|hs|hoc sinh|em|p|lessons?|rooms?|minutes?|pupils?"
_NUMBER = re.compile(rf"(?:tiet\s*)?(-?[0-9]{{1,9}})(?:[.,]0{{1,2}})?(?:\s*(?:{_UNITS}))?")
_ROUNDED = re.compile(r"[0-9][.,][0-9]+e\+?[0-9]+", re.IGNORECASE)


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


def school(cell: Cell) -> str:
    """A school by its code or its name, as written; `references` finds which one it is."""
    return words(200)(cell)


def schools(cell: Cell) -> tuple[str, ...]:
    """Schools by code or name, separated by commas; each once, in the order written."""
    said = unicodedata.normalize("NFC", written(cell) if not isinstance(cell, str) else cell)
    found = (school(part) for part in re.split(r"[,;\n]", said) if part.strip())
    return tuple(dict.fromkeys(found))


def whole(least: int, most: int) -> Callable[[Cell], int]:
    """A whole number within bounds."""

    def parse(cell: Cell) -> int:
        said = written(cell)
        found = _NUMBER.fullmatch(names.fold(said))
        number = int(found[1]) if found else None
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
    """A telephone number as written; one that a spreadsheet took for a number gets its 0 back."""
    said = written(cell)
    if re.fullmatch(r"[35789][0-9]{8}|2[0-9]{8,9}", said):
        return f"0{said}"
    if len(said) > 40 or not re.search(r"[0-9]", said) or _ROUNDED.fullmatch(said):
        raise UnreadableError(
            text(
                "“{found}” is not a telephone number. Write for example 0912345678.",
                found=shown(cell),
            )
        )
    return said


def level(cell: Cell) -> Level:
    found = _LEVELS.get(letters(written(cell)))
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
    said = unicodedata.normalize("NFC", cell) if isinstance(cell, str) else written(cell)
    parts = [part for part in _BETWEEN.split(said) if part.strip()]
    if not parts:
        level(cell)
    return tuple(sorted({level(part) for part in parts}, key=list(Level).index))


def write_levels(values: Iterable[Level]) -> str:
    return ", ".join(LEVEL_WORDS[level] for level in values)


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

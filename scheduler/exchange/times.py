"""Days and times of day in workbooks, both ways.

    days      20/11/2023; 09/12/2023-15/12/2023; 9-15/12/2023; 20/11/23; ngày 20 tháng 11 năm 2023
    times     07:30, 7h30, 7 giờ 30, 7h, 7.30, 1:30 CH, 7:30 AM

The day comes before the month; Excel's own dates and times are understood as well.  Times are
minutes since midnight.  What weeks repeat is `weekly`'s.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from openpyxl.utils.datetime import from_excel

from scheduler.domain import names
from scheduler.domain.intervals import MINUTES_A_DAY, DaySpan, minute_of
from scheduler.errors import Text, text
from scheduler.exchange.faults import Cell, UnreadableError
from scheduler.exchange.words import shown

FIRST_YEAR, LAST_YEAR = 2000, 2100
_SERIALS = (36_526, 73_415)  # Excel's numbers for the days of these years
_LONGEST_SPAN = 366

DATE = (
    r"\d{1,2}\s*/\s*\d{1,2}\s*/\s*(?:\d{4}|\d{2})(?!\d)"
    r"|\d{1,2}\s*\.\s*\d{1,2}\s*\.\s*(?:\d{4}|\d{2})(?!\d)"
    r"|\d{1,2}\s*-\s*\d{1,2}\s*-\s*\d{4}(?!\d)|\d{4}-\d{1,2}-\d{1,2}(?!\d)"
    r"|\d{1,2} thang \d{1,2},? nam \d{4}"
)
CLOCK = (
    r"\d{1,2}(?::\d{2}(?::00)?|\.\d{2}|\s?[hg]\s?\d{2}|\s?gio\s?\d{2}|\s?gio|\s?[hg])(?![\d:])"
    r"(?:\s?phut|p(?!m)|['’])?(?:\s?(?:am|pm|sa|ch)\b)?"
)
TO = r"\s*(?:-|–|—|→|~|den het|den|toi)\s*"
# “Thu 7:30” is Thursday: a number that goes on as a time of day is no weekday's.
WEEKDAY = (
    r"(?:cn|chu nhat|t\s*[2-7]|thu\s*[2-7](?!\d|[:.]\d|[hg])|thu\s*(?:hai|ba|tu|nam|sau|bay)"
    r"|(?:mon|tue|wed|thu|fri|sat|sun)(?:s|r|rs|nes|ur)?(?:day)?)(?![a-z])"
)
_WEEKDAYS = ("hai", "ba", "tu", "nam", "sau", "bay")
_ENGLISH_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# What may stand around a day: its weekday, which must be right, and words in brackets, which say
# why it is free, and not of what days or hours else.
_MORE = r"(?![^()]*\b(?:tru|den|tu ngay|sang|chieu|toi|tiet|except|only|until|morning|afternoon)\b)"
_DRESSED = re.compile(
    rf"(?:(?P<weekday>{WEEKDAY}),?\s*)?(?:ngay\s*)?(?P<day>{DATE})(?:[t ]00:00(?::00)?)?"
    rf"(?:\s*\({_MORE}[^()0-9/]*[^()/]*\))?"
)
_SPAN = re.compile(
    rf"(?:tu\s*)?(?:ngay\s*)?(?P<first>{DATE}|\d{{1,2}}(?:[/.-]\d{{1,2}})?){TO}(?:ngay\s*)?"
    rf"(?P<last>{DATE})(?:\s*\({_MORE}[^()]*\))?"
)
_HALVES = {"am": 0, "sa": 0, "pm": 12, "ch": 12}
_NOON = 12


def day(cell: Cell) -> date:
    """One day: an Excel date, its bare number, or day/month/year as text."""
    if isinstance(cell, datetime):
        return _in_range(cell.date(), cell)
    if isinstance(cell, date):
        return _in_range(cell, cell)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _from_serial(cell)
    dressed = _DRESSED.fullmatch(names.fold(str(cell)))
    if dressed is None:
        raise UnreadableError(_not_a_day(cell))
    found = _dated(dressed["day"], cell)
    if dressed["weekday"] and weekday(dressed["weekday"]) != found.weekday():
        raise UnreadableError(
            text(
                "The weekday in “{found}” is not that of the day. Correct one of them.",
                found=shown(cell),
            )
        )
    return found


def _dated(said: str, cell: Cell) -> date:
    numbers = [int(part) for part in re.findall(r"\d+", said)]
    year, month, number = numbers if re.match(r"\d{4}", said) else reversed(numbers)
    try:
        return _in_range(date(year if year > 99 else FIRST_YEAR + year, month, number), cell)
    except ValueError as error:
        raise UnreadableError(
            text(
                "The calendar has no day {found}. Write day/month/year, for example 30/09/2023.",
                found=shown(cell),
            )
        ) from error


def clock(cell: Cell) -> int:
    """A time of day in minutes: an Excel time, a share of a day, 07:30, 7h30 or 7h."""
    if isinstance(cell, datetime | time):
        return minute_of(cell)
    if isinstance(cell, timedelta):
        return _minutes(cell.total_seconds() / 60, cell)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _minutes(round(cell * MINUTES_A_DAY) if 0 <= cell <= 1 else -1, cell)
    said = names.fold(str(cell))
    if not re.fullmatch(CLOCK, said):
        raise UnreadableError(_not_a_time(cell))
    hour, minute = (int(part) for part in (*re.findall(r"\d+", said), "0")[:2])
    half = _HALVES.get(said[-2:])
    if half is not None:
        hour = hour % _NOON + half if 1 <= hour <= _NOON else -1
    return _minutes(hour * 60 + minute if minute < 60 and hour >= 0 else -1, cell)


def says_half(said: str) -> bool:
    """Whether a folded time of day says its half of the day: 1:30 CH."""
    return said[-2:] in _HALVES


def spans(cell: Cell) -> tuple[DaySpan, ...]:
    """Days and ranges of days, in the order written."""
    if not isinstance(cell, str):
        only = day(cell)
        return (DaySpan(only, only),)
    return tuple(_span(part) for part in parts(cell, r"[;,\n](?![^()]*\))"))


def days(cell: Cell) -> tuple[date, ...]:
    """Single days, ranges counted out; each once, in order of time."""
    return tuple(sorted({one for span in spans(cell) for one in span.days()}))


def write_day(value: date) -> str:
    return f"{value.day:02d}/{value.month:02d}/{value.year}"


def write_spans(values: Iterable[DaySpan]) -> str:
    return "; ".join(
        write_day(span.first_day)
        if span.first_day == span.last_day
        else f"{write_day(span.first_day)}-{write_day(span.last_day)}"
        for span in values
    )


def write_days(values: Iterable[date]) -> str:
    return "; ".join(map(write_day, values))


def parts(cell: Cell, separators: str) -> list[str]:
    """The filled parts of a cell with several values, as they are written."""
    said = unicodedata.normalize("NFC", str(cell))
    return [part.strip() for part in re.split(separators, said) if part.strip()]


def weekday(said: str) -> int:
    """Monday is 0; of what WEEKDAY matched."""
    if said.startswith("c"):
        return 6
    if said[-1].isdigit():
        return int(said[-1]) - 2
    vietnamese = next((n for n, word in enumerate(_WEEKDAYS) if said.endswith(word)), None)
    return _ENGLISH_DAYS.index(said[:3]) if vietnamese is None else vietnamese


def is_weekday(said: str) -> bool:
    """Whether folded words name a weekday and nothing else."""
    return re.fullmatch(WEEKDAY, said) is not None


def _span(part: str) -> DaySpan:
    both = _SPAN.fullmatch(names.fold(part))
    if both is None:
        only = day(part)
        return DaySpan(only, only)
    last = _dated(both["last"], part)
    first = _dated(_completed(both["first"], last), part)
    if last < first:
        raise UnreadableError(last_before_first(part))
    if (last - first).days > _LONGEST_SPAN:
        raise UnreadableError(
            text("“{found}” is longer than a year. Correct the years.", found=shown(part))
        )
    return DaySpan(first, last)


def _completed(first: str, last: date) -> str:
    """The first day of a range with the month and year that it leaves to the last one."""
    numbers = re.findall(r"\d+", first)
    if len(numbers) > 2:
        return first
    month = numbers[1] if len(numbers) == 2 else last.month
    return f"{numbers[0]}/{month}/{last.year}"


def last_before_first(part: str) -> Text:
    return text(
        "In “{found}” the last day is before the first. Swap or correct them.", found=shown(part)
    )


def _from_serial(number: float) -> date:
    if not _SERIALS[0] <= number <= _SERIALS[1]:
        raise UnreadableError(_not_a_day(number))
    found = from_excel(number)
    return found.date() if isinstance(found, datetime) else _in_range(found, number)


def _in_range(value: date, cell: Cell) -> date:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise UnreadableError(_not_a_day(cell))
    return value


def _minutes(minutes: float, cell: Cell) -> int:
    if not 0 <= minutes <= MINUTES_A_DAY:
        raise UnreadableError(_not_a_time(cell))
    return int(minutes)


def _not_a_day(cell: Cell) -> Text:
    return text(
        "“{found}” is not a day. Write day/month/year, for example 30/09/2023.", found=shown(cell)
    )


def _not_a_time(cell: Cell) -> Text:
    return text("“{found}” is not a time of day. Write for example 07:30.", found=shown(cell))

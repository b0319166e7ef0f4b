"""The grammar of days and times in workbooks, both ways.

    days      20/11/2023; 09/12/2023-15/12/2023
    windows   T2 07:30-11:30; T5 13:10-16:15 (từ 16/10/2023) (đến 31/12/2023) (khi cần)
    slots     T3 sáng tiết 2, T5 07:55-08:30; also T3 sáng 2, Tue morning period 2

T2 is Monday … T7 Saturday, CN Sunday; English weekdays and Excel's own dates and times are
understood as well.
Minutes are minutes since midnight.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from openpyxl.utils.datetime import from_excel

from scheduler.domain import names
from scheduler.domain.availability import Window
from scheduler.domain.intervals import MINUTES_A_DAY, DaySpan, clock_text, minute_of
from scheduler.domain.people import HalfDay
from scheduler.errors import Text, text
from scheduler.exchange.cells import HALF_DAY_WORDS, shown
from scheduler.exchange.faults import Cell, UnreadableError

FIRST_YEAR, LAST_YEAR = 2000, 2100
_SERIALS = (36_526, 73_415)  # Excel's numbers for the days of these years
_LONGEST_SPAN = 366

_DATE = r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{4}-\d{1,2}-\d{1,2}"
_CLOCK = r"\d{1,2}(?::\d{2}|[hg]\d{2}|[hg])"
_TO = r"\s*(?:-|–|—|den)\s*"
# “Thu 7:30” is Thursday: a number that goes on as a time of day is no weekday's.
_WEEKDAY = (
    r"cn|chu nhat|t\s*[2-7]|thu\s*[2-7](?![\d:hg])|thu\s*(?:hai|ba|tu|nam|sau|bay)"
    r"|(?:mon|tue|wed|thu|fri|sat|sun)(?:s|r|rs|nes|ur)?(?:day)?"
)
_WEEKDAYS = ("hai", "ba", "tu", "nam", "sau", "bay")
_ENGLISH_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HALF_DAYS = {
    "sang": HalfDay.MORNING,
    "chieu": HalfDay.AFTERNOON,
    "toi": HalfDay.EVENING,
    "morning": HalfDay.MORNING,
    "afternoon": HalfDay.AFTERNOON,
    "evening": HalfDay.EVENING,
}
# A comma between the parts of one slot divides nothing.
_BETWEEN_SLOTS = (
    r"[;\n]|,(?!\s*(?:s[aá]ng|chi[eề]u|t[oố]i|ti[eế]t|morning|afternoon|evening|period)\b)"
)

_SPAN = re.compile(rf"({_DATE}){_TO}({_DATE})")
_WINDOW = re.compile(
    rf"(?P<day>{_WEEKDAY})\s*[,:]?\s*(?P<start>{_CLOCK}){_TO}(?P<end>{_CLOCK})"
    rf"(?P<notes>(?:\s*\([^()]*\))*)"
)
_NOTE = re.compile(r"\(([^()]*)\)")
_LIMITS = re.compile(rf"(?:tu (?:ngay )?({_DATE}))?\s*(?:den (?:ngay )?({_DATE}))?")
_PERIOD = re.compile(
    rf"({_WEEKDAY})\s*,?\s*({'|'.join(_HALF_DAYS)})\s*,?\s*(?:tiet|period)?\s*(\d{{1,2}})"
)
_TIMED = re.compile(rf"({_WEEKDAY})\s*({_CLOCK}){_TO}({_CLOCK})")


@dataclass(frozen=True, slots=True)
class WishedSlot:
    """A slot as a school writes it: a weekday and a period of its bell times."""

    weekday: int
    half_day: HalfDay
    number: int


@dataclass(frozen=True, slots=True)
class TimedSlot:
    """A slot by the clock."""

    weekday: int
    start: int
    end: int


def day(cell: Cell) -> date:
    """One day: an Excel date, its bare number, or day/month/year as text."""
    if isinstance(cell, datetime):
        return _in_range(cell.date(), cell)
    if isinstance(cell, date):
        return _in_range(cell, cell)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _from_serial(cell)
    said = names.fold(str(cell))
    if not re.fullmatch(_DATE, said):
        raise UnreadableError(_not_a_day(cell))
    numbers = [int(part) for part in re.split(r"[/.-]", said)]
    year, month, number = numbers if len(said.split("-")[0]) == 4 else reversed(numbers)
    try:
        return _in_range(date(year, month, number), cell)
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
    if not re.fullmatch(_CLOCK, said):
        raise UnreadableError(_not_a_time(cell))
    hour, minute = (int(part or 0) for part in re.split(r"[:hg]", said))
    return _minutes(hour * 60 + minute if minute < 60 else -1, cell)


def spans(cell: Cell) -> tuple[DaySpan, ...]:
    """Days and ranges of days, in the order written."""
    if not isinstance(cell, str):
        only = day(cell)
        return (DaySpan(only, only),)
    return tuple(_span(part) for part in _parts(cell, r"[;,\n]"))


def days(cell: Cell) -> tuple[date, ...]:
    """Single days, ranges counted out; each once, in order of time."""
    return tuple(sorted({one for span in spans(cell) for one in span.days()}))


def windows(cell: Cell) -> tuple[Window, ...]:
    """Weekly free windows in the order written."""
    return tuple(_window(part) for part in _parts(cell, r"[;\n]|,(?=\s*[tTcC])"))


def slots(cell: Cell) -> tuple[WishedSlot | TimedSlot, ...]:
    """Weekly slots in the order written."""
    return tuple(_slot(part) for part in _parts(cell, _BETWEEN_SLOTS))


def write_day(value: date) -> str:
    return f"{value.day:02d}/{value.month:02d}/{value.year}"


def write_spans(values: Iterable[DaySpan]) -> str:
    return "; ".join(
        write_day(span.first_day)
        if span.first_day == span.last_day
        else f"{write_day(span.first_day)}-{write_day(span.last_day)}"
        for span in values
    )


def write_windows(values: Iterable[Window]) -> str:
    return "; ".join(map(_write_window, values))


def write_slots(values: Iterable[WishedSlot | TimedSlot]) -> str:
    return ", ".join(map(_write_slot, values))


def weekday_word(weekday: int) -> str:
    """T2 for Monday … CN for Sunday."""
    return "CN" if weekday == 6 else f"T{weekday + 2}"


def _parts(cell: Cell, separators: str) -> list[str]:
    said = unicodedata.normalize("NFC", str(cell))
    parts = re.split(separators, said, flags=re.IGNORECASE)
    return [part.strip() for part in parts if part.strip()]


def _span(part: str) -> DaySpan:
    both = _SPAN.fullmatch(names.fold(part))
    if both is None:
        only = day(part)
        return DaySpan(only, only)
    first, last = day(both[1]), day(both[2])
    if last < first:
        raise UnreadableError(
            text("In “{found}” the last day is before the first. Swap or correct them.", found=part)
        )
    if (last - first).days > _LONGEST_SPAN:
        raise UnreadableError(
            text("“{found}” is longer than a year. Correct the years.", found=part)
        )
    return DaySpan(first, last)


def _window(part: str) -> Window:
    found = _WINDOW.fullmatch(names.fold(part))
    if found is None:
        raise UnreadableError(
            text(
                "“{found}” is not a free time. Write the weekday and two times, for example"
                " T2 07:30-11:30; T2 is Monday, CN is Sunday.",
                found=shown(part),
            )
        )
    start, end = _clocks(found["start"], found["end"], part)
    first_day, last_day, if_needed = _notes(found["notes"], part)
    return Window(_weekday(found["day"]), start, end, first_day, last_day, if_needed)


def _notes(notes: str, part: str) -> tuple[date | None, date | None, bool]:
    first_day: date | None = None
    last_day: date | None = None
    if_needed = False
    for note in _NOTE.findall(notes):
        said = note.strip()
        limits = _LIMITS.fullmatch(said)
        if said in ("khi can", "neu can"):
            if_needed = True
        elif limits and said:
            first_day = day(limits[1]) if limits[1] else first_day
            last_day = day(limits[2]) if limits[2] else last_day
        else:
            raise UnreadableError(
                text(
                    "The note in “{found}” is not understood. Write (từ 16/10/2023),"
                    " (đến 31/12/2023) or (khi cần).",
                    found=shown(part),
                )
            )
    if first_day and last_day and last_day < first_day:
        raise UnreadableError(
            text("In “{found}” the last day is before the first. Swap or correct them.", found=part)
        )
    return first_day, last_day, if_needed


def _slot(part: str) -> WishedSlot | TimedSlot:
    said = names.fold(part)
    if period := _PERIOD.fullmatch(said):
        return WishedSlot(_weekday(period[1]), _HALF_DAYS[period[2]], int(period[3]))
    if timed := _TIMED.fullmatch(said):
        return TimedSlot(_weekday(timed[1]), *_clocks(timed[2], timed[3], part))
    raise UnreadableError(
        text(
            "“{found}” is not a slot. Write the weekday, the half-day and the period, for example"
            " T3 sáng tiết 2.",
            found=shown(part),
        )
    )


def _clocks(start: str, end: str, part: str) -> tuple[int, int]:
    begins, ends = clock(start), clock(end)
    if ends <= begins:
        raise UnreadableError(
            text("In “{found}” the end is not after the start. Correct the times.", found=part)
        )
    return begins, ends


def _weekday(said: str) -> int:
    if said.startswith("c"):
        return 6
    if said[-1].isdigit():
        return int(said[-1]) - 2
    vietnamese = next((n for n, word in enumerate(_WEEKDAYS) if said.endswith(word)), None)
    return _ENGLISH_DAYS.index(said[:3]) if vietnamese is None else vietnamese


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


def _write_window(window: Window) -> str:
    words = [
        weekday_word(window.weekday),
        f"{clock_text(window.start)}-{clock_text(window.end)}",
        f"(từ {write_day(window.first_day)})" if window.first_day else "",
        f"(đến {write_day(window.last_day)})" if window.last_day else "",
        "(khi cần)" if window.if_needed else "",
    ]
    return " ".join(word for word in words if word)


def _write_slot(slot: WishedSlot | TimedSlot) -> str:
    if isinstance(slot, TimedSlot):
        return f"{weekday_word(slot.weekday)} {clock_text(slot.start)}-{clock_text(slot.end)}"
    half_day = HALF_DAY_WORDS[slot.half_day].lower()
    return f"{weekday_word(slot.weekday)} {half_day} tiết {slot.number}"

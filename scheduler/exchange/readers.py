"""Rows of the five tables -> entries of the roster, as far as a row alone can tell."""

from dataclasses import dataclass
from datetime import date

from scheduler.domain.availability import Pledge, Window
from scheduler.domain.imports import Contact, SchoolEntry, TeacherEntry, TermEntry
from scheduler.domain.intervals import DaySpan, clock_text
from scheduler.domain.people import BellPeriod, HalfDay, Level, level_of_class
from scheduler.domain.requests import MOST_A_WEEK, PRIORITIES
from scheduler.errors import text
from scheduler.exchange import cells, layout, times, weekly
from scheduler.exchange.faults import Cell, Row, UnreadableError
from scheduler.exchange.weekly import TimedSlot, WishedSlot
from scheduler.exchange.words import letters

# Stands in for what a cell failed to say; such a row is never taken over.
NO_DAY = date(times.FIRST_YEAR, 1, 1)
_DEFAULT_ZONE = "Asia/Ho_Chi_Minh"
_NO_LEVELS: tuple[Level, ...] = ()
_NO_WINDOWS: tuple[Window, ...] = ()
_NO_SPANS: tuple[DaySpan, ...] = ()
_NO_DAYS: tuple[date, ...] = ()
_NO_CODES: tuple[str, ...] = ()
_Slots = tuple[WishedSlot | TimedSlot, ...]
_NO_SLOTS: _Slots = ()


@dataclass(frozen=True, slots=True)
class Bell:
    """One row of bell times."""

    school_code: str
    period: BellPeriod


@dataclass(frozen=True, slots=True)
class Ask:
    """One row of requests; `slots` by rank, from the first choice on."""

    school_code: str
    class_name: str
    number: int
    pupils: int
    lessons_per_week: int
    first_day: date
    last_day: date
    priority: int
    slots: tuple[_Slots, ...]


def school(row: Row) -> SchoolEntry:
    """A receiving school without its bell times."""
    return SchoolEntry(
        code=row.need(layout.CODE, cells.code, ""),
        name=row.need(layout.SCHOOL_NAME, cells.words(200), ""),
        district=row.need(layout.SCHOOL_DISTRICT, cells.words(100), ""),
        level=row.need(
            layout.SCHOOL_LEVEL, cells.level, Level.PRIMARY, cells.LEVEL_WORDS.__getitem__
        ),
        rooms=row.need(layout.ROOMS, cells.whole(1, 100), 1, str),
        contacts=_contacts(row),
    )


def bell(row: Row) -> Bell:
    start = row.need(layout.START, times.clock, 0, clock_text)
    end = row.need(layout.END, times.clock, 1, clock_text)
    if row.sound and end <= start:
        row.fault(
            layout.END,
            text(
                "The period ends at {end}, not after its start at {start}. Correct the times.",
                end=clock_text(end),
                start=clock_text(start),
            ),
        )
    period = BellPeriod(
        half_day=row.need(
            layout.HALF_DAY,
            cells.half_day,
            HalfDay.MORNING,
            cells.HALF_DAY_WORDS.__getitem__,
        ),
        number=row.need(layout.PERIOD, cells.whole(1, 12), 1, str),
        start=start,
        end=end,
    )
    return Bell(row.need(layout.CODE, cells.school, ""), period)


def term(row: Row) -> TermEntry:
    first_day, last_day = _from_until(row)
    return TermEntry(
        code=row.need(layout.TERM_CODE, cells.words(40), ""),
        name=row.need(layout.TERM_NAME, cells.words(200), ""),
        first_day=first_day,
        last_day=last_day,
        gap_minutes=row.need(layout.REST, cells.whole(0, 240), 0, str),
        zone=row.take(layout.ZONE, cells.zone, _DEFAULT_ZONE),
        holidays=_holidays(row, first_day, last_day),
    )


def closed(row: Row) -> DaySpan:
    """Days without lessons; without a last day it is one."""
    first = row.need(layout.FIRST_DAY, times.day, NO_DAY, times.write_day)
    last = row.take(layout.LAST_DAY, times.day, first, times.write_day)
    _check_order(row, first, last)
    return DaySpan(first, max(first, last))


def teacher(row: Row) -> TeacherEntry:
    pledge = Pledge(
        levels=row.need(layout.LEVELS, cells.levels, _NO_LEVELS, cells.write_levels),
        max_per_day=row.need(layout.A_DAY, cells.whole(1, 20), 1, str),
        max_per_week=row.need(layout.A_WEEK, cells.whole(1, 60), 1, str),
        max_total=row.need(layout.A_TERM, cells.whole(1, 1000), 1, str),
        windows=row.take(layout.FREE, weekly.windows, _NO_WINDOWS, weekly.write_windows),
        absences=row.take(layout.AWAY, times.spans, _NO_SPANS, times.write_spans),
        wishes=row.take(layout.WISHES, cells.schools, _NO_CODES),
    )
    return TeacherEntry(
        email=row.need(layout.MAIL, cells.mail, ""),
        name=row.need(layout.TEACHER_NAME, cells.words(200), ""),
        phone=row.take(layout.PHONE, cells.phone, "", str),
        school=row.need(layout.HOME_SCHOOL, cells.words(200), ""),
        district=row.need(layout.HOME_DISTRICT, cells.words(100), ""),
        pledge=pledge,
    )


def ask(row: Row) -> Ask:
    class_name, number = row.need(layout.CLASS, _class_name, ("", 1), _write_class)
    first_day, last_day = _from_until(row)
    return Ask(
        school_code=row.need(layout.CODE, cells.school, ""),
        class_name=class_name,
        number=number,
        pupils=row.take(layout.PUPILS, cells.whole(0, 200), 0, str),
        lessons_per_week=row.need(layout.PER_WEEK, cells.whole(1, MOST_A_WEEK), 1, str),
        first_day=first_day,
        last_day=last_day,
        priority=row.need(layout.PRIORITY, cells.whole(PRIORITIES[0], PRIORITIES[-1]), 1, str),
        slots=(
            row.need(layout.SLOTS[0], weekly.slots, _NO_SLOTS, weekly.write_slots),
            *(
                row.take(column, weekly.slots, _NO_SLOTS, weekly.write_slots)
                for column in layout.SLOTS[1:]
            ),
        ),
    )


def _contacts(row: Row) -> tuple[Contact, ...]:
    """The contact of a school, or nobody when all three cells are empty."""
    filled = [row.value(column) for column in (layout.CONTACT, layout.MAIL, layout.PHONE)]
    if not any(cell is not None for cell in filled):
        return ()
    contact = Contact(
        email=row.need(layout.MAIL, cells.mail, ""),
        name=row.need(layout.CONTACT, cells.words(200), ""),
        phone=row.take(layout.PHONE, cells.phone, "", str),
    )
    return (contact,)


def _from_until(row: Row) -> tuple[date, date]:
    first_day = row.need(layout.FIRST_DAY, times.day, NO_DAY, times.write_day)
    last_day = row.need(layout.LAST_DAY, times.day, NO_DAY, times.write_day)
    _check_order(row, first_day, last_day)
    return first_day, last_day


def _check_order(row: Row, first_day: date, last_day: date) -> None:
    if NO_DAY not in (first_day, last_day) and last_day < first_day:
        row.fault(
            layout.LAST_DAY,
            text(
                "The last day, {last}, is before the first, {first}. Swap or correct them.",
                last=last_day,
                first=first_day,
            ),
        )


def _holidays(row: Row, first_day: date, last_day: date) -> tuple[date, ...]:
    found = row.take(layout.HOLIDAYS, times.days, _NO_DAYS, times.write_days)
    outside = [day for day in found if not first_day <= day <= last_day]
    if outside and row.sound:
        row.fault(
            layout.HOLIDAYS,
            text(
                "Holidays outside the term, {first} to {last}: {days}. Correct or delete them.",
                first=first_day,
                last=last_day,
                days=tuple(outside),
            ),
        )
    return found


def bare_class(said: str) -> str:
    """The name of a class without the word for it: of “Lớp 3A”, 3A."""
    word, _, rest = said.partition(" ")
    return rest.strip() if letters(word) in ("lop", "class") and rest.strip() else said


def _class_name(cell: Cell) -> tuple[str, int]:
    """The class and which of its requests this is: “3A”, or “3A#2” for its second."""
    said = cells.words(40)(cell)
    name, _, number = bare_class(said).partition("#")
    name = name.strip()
    if level_of_class(name) is None:
        raise UnreadableError(
            text(
                "The class “{found}” does not begin with its grade, 1 to 12. Write for example 7B.",
                found=said,
            )
        )
    return name, cells.whole(1, 99)(number) if number else 1


def _write_class(found: tuple[str, int]) -> str:
    name, number = found
    return name if number == 1 else f"{name}#{number}"

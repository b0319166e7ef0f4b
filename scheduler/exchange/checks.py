"""What rows of the files say against each other: doubles, clashes of names, of bells, of zones."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from itertools import pairwise
from typing import TypeVar

from scheduler.domain.intervals import clock_text
from scheduler.domain.people import BellPeriod
from scheduler.errors import text
from scheduler.exchange import layout
from scheduler.exchange.faults import Row
from scheduler.exchange.workbooks import Batch, Found

T = TypeVar("T")


def doubles(batch: Batch) -> None:
    """Everything is told once."""
    _once(batch.terms, layout.TERM_CODE, lambda term: term.code)
    _once(batch.schools, layout.CODE, lambda school: school.code)
    _once(batch.teachers, layout.MAIL, lambda teacher: teacher.email)
    _once(
        batch.bells,
        layout.PERIOD,
        lambda bell: (bell.school_code, bell.period.half_day, bell.period.number),
    )
    _once(batch.asks, layout.CLASS, lambda ask: (ask.school_code, ask.class_name, ask.number))


def _once(entries: list[Found[T]], column: str, key: Callable[[T], Hashable]) -> None:
    """Note every sound row that tells what an earlier one told already."""
    first: dict[Hashable, Row] = {}
    for found in entries:
        if not found.row.sound:
            continue
        before = first.setdefault(key(found.entry), found.row)
        if before is found.row:
            continue
        if column == layout.CLASS:
            what = text(
                "This class has a request already: {place}. Delete one of the two; a second"
                " request of a class is written with #2, for example 7B#2.",
                place=before.place,
            )
        else:
            what = text(
                "“{found}” is there already: {place}. Delete one of the two rows.",
                found=str(found.row.value(column)),
                place=before.place,
            )
        found.row.fault(column, what)


def zones(batch: Batch) -> None:
    """A programme has one time zone."""
    for found in batch.terms[1:]:
        first = batch.terms[0].entry
        if found.row.sound and found.entry.zone != first.zone:
            what = text(
                "Another term has the time zone {zone}. Write the same for all.", zone=first.zone
            )
            found.row.fault(layout.ZONE, what)


def people(batch: Batch) -> None:
    """One mail address is one person, with one name and telephone in all lists."""
    told: dict[str, tuple[tuple[str, str], Row]] = {}
    for email, said, row, column in _told(batch):
        before, where = told.setdefault(email, (said, row))
        if before != said:
            what = text(
                "{email} belongs to {name} with telephone “{phone}” at {place}. Write the same"
                " name and telephone, or another address.",
                email=email,
                name=before[0],
                phone=before[1],
                place=where.place,
            )
            row.fault(column, what)


def _told(batch: Batch) -> list[tuple[str, tuple[str, str], Row, str]]:
    contacts = [
        (contact.email, (contact.name, contact.phone), found.row, layout.CONTACT)
        for found in batch.schools
        if found.row.sound
        for contact in found.entry.contacts
    ]
    teachers = [
        (
            found.entry.email,
            (found.entry.name, found.entry.phone),
            found.row,
            layout.TEACHER_NAME,
        )
        for found in batch.teachers
        if found.row.sound
    ]
    return contacts + teachers


def overlaps(batch: Batch) -> None:
    """Two periods of a school never ring at the same time."""
    by_school: dict[str, list[tuple[BellPeriod, Row]]] = defaultdict(list)
    for found in batch.bells:
        if found.row.sound:
            by_school[found.entry.school_code].append((found.entry.period, found.row))
    for bells in by_school.values():
        bells.sort(key=lambda item: (item[0].start, item[0].end))
        for (before, _), (after, row) in pairwise(bells):
            if after.start < before.end:
                what = text(
                    "The period begins at {start}, before another ends at {end}. Correct the"
                    " times.",
                    start=clock_text(after.start),
                    end=clock_text(before.end),
                )
                row.fault(layout.START, what)


def bells_there(batch: Batch, bells: Mapping[str, list[BellPeriod]]) -> None:
    """Every school of the files has bell times."""
    for found in batch.schools:
        if found.row.sound and not bells.get(found.entry.code):
            what = text(
                "School {code} has no bell times. Add its periods to the sheet Khung giờ.",
                code=found.entry.code,
            )
            found.row.fault(layout.CODE, what)

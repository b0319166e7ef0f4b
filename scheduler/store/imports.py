"""A programme's roster out of the database, and the changes of an import into it.

Few statements, each for many rows: an import holds the write lock while it runs.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.domain.access import Role
from scheduler.domain.imports import (
    ClassEntry,
    Contact,
    RequestEntry,
    Roster,
    SchoolEntry,
    TeacherEntry,
    TermEntry,
)
from scheduler.domain.requests import NewRequest, Request
from scheduler.domain.terms import Term
from scheduler.store import availability, people, requests, terms
from scheduler.store.tables import grants, holidays, persons, programmes
from scheduler.store.tables import terms as term_table


def roster(db: Session, programme_id: int, term: Term | None) -> Roster:
    """Everything held of a programme, pledges and requests those of one term.

    A constant number of queries.  Withdrawn requests are part of it, marked as such.
    """
    schools = _schools(db, programme_id)
    return Roster(
        terms=_terms(db, programme_id),
        schools=schools,
        teachers=_teachers(db, programme_id, term),
        classes=_classes(db, programme_id),
        requests=_requests(db, term) if term else (),
    )


def _terms(db: Session, programme_id: int) -> tuple[TermEntry, ...]:
    mine = term_table.c.programme_id == programme_id
    days: dict[int, list[Any]] = defaultdict(list)
    for row in db.execute(select(holidays).join(term_table).where(mine).order_by(holidays.c.day)):
        days[row.term_id].append(row.day)
    query = (
        select(term_table, programmes.c.zone)
        .join(programmes)
        .where(mine)
        .order_by(term_table.c.first_day, term_table.c.id)
    )
    return tuple(
        TermEntry(
            code=row.code,
            name=row.name,
            first_day=row.first_day,
            last_day=row.last_day,
            gap_minutes=row.gap_minutes,
            zone=row.zone,
            holidays=tuple(days[row.id]),
        )
        for row in db.execute(query)
    )


def _schools(db: Session, programme_id: int) -> tuple[SchoolEntry, ...]:
    contacts = _contacts(db, programme_id)
    return tuple(
        SchoolEntry(
            code=school.code,
            name=school.name,
            district=school.district,
            level=school.level,
            rooms=school.rooms,
            contacts=tuple(contacts[school.id]),
            periods=school.periods,
        )
        for school in terms.schools(db, programme_id)
    )


def _contacts(db: Session, programme_id: int) -> dict[int, list[Contact]]:
    """Who speaks for each school, the first named first."""
    found: dict[int, list[Contact]] = defaultdict(list)
    query = (
        select(grants.c.school_id, persons)
        .join(persons, grants.c.person_id == persons.c.id)
        .where(grants.c.programme_id == programme_id, grants.c.role == Role.SCHOOL)
        .order_by(grants.c.id)
    )
    for row in db.execute(query):
        found[row.school_id].append(Contact(row.email, row.name, row.phone))
    return found


def _teachers(db: Session, programme_id: int, term: Term | None) -> tuple[TeacherEntry, ...]:
    pledges = availability.pledges(db, term.id) if term else {}
    return tuple(
        TeacherEntry(
            email=teacher.email,
            name=teacher.name,
            phone=teacher.phone,
            school=teacher.school.name,
            district=teacher.school.district,
            pledge=pledges.get(teacher.id),
        )
        for teacher in people.teachers(db, programme_id)
    )


def _classes(db: Session, programme_id: int) -> tuple[ClassEntry, ...]:
    codes = {school.id: school.code for school in terms.schools(db, programme_id)}
    return tuple(
        ClassEntry(codes[room.school_id], room.name, room.level, room.pupils)
        for room in terms.classes_of(db, programme_id)
    )


def _requests(db: Session, term: Term) -> tuple[RequestEntry, ...]:
    alive = _entries(requests.of_term(db, term.id), withdrawn=False)
    return (*alive, *_entries(requests.withdrawn(db, term.id), withdrawn=True))


def _entries(found: Iterable[Request], *, withdrawn: bool) -> Iterable[RequestEntry]:
    for request in found:
        ask = NewRequest(
            class_name=request.class_name,
            lessons_per_week=request.lessons_per_week,
            first_day=request.first_day,
            last_day=request.last_day,
            priority=request.priority,
            slots=tuple(sorted(request.slots, key=lambda slot: slot.rank)),
        )
        yield RequestEntry(request.school_code, request.number, ask, withdrawn)

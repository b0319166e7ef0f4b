"""Writing the changes of an import: each noun in a few statements, children after their parents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from scheduler.domain.access import Role
from scheduler.domain.imports import (
    Changes,
    ClassEntry,
    Contact,
    PeriodEntry,
    RequestEntry,
    Roster,
    SchoolEntry,
    TeacherEntry,
    TermEntry,
)
from scheduler.domain.people import TeacherId
from scheduler.domain.requests import NewRequest
from scheduler.domain.terms import ProgrammeId
from scheduler.store import accounts, availability, bulk, requests
from scheduler.store.tables import (
    classes,
    donor_schools,
    grants,
    holidays,
    periods,
    persons,
    programmes,
    receiving_schools,
    teachers,
    terms,
)

_Ids = dict[Any, int]


@dataclass(frozen=True, slots=True)
class Import:
    """What an import writes with: the programme, whoever imports, the language of new people."""

    db: Session
    programme_id: int
    now: datetime
    by: int | None
    language: str


def add_programme(db: Session, code: str, name: str, zone: str, now: datetime) -> ProgrammeId:
    added = db.scalar(
        insert(programmes)
        .values(code=code, name=name, zone=zone, created_at=now)
        .returning(programmes.c.id)
    )
    return ProgrammeId(int(added or 0))


def take_over(work: Import, changes: Changes, wanted: Roster, term_code: str | None) -> None:
    """Write the changes; pledges and requests go to the term of that code."""
    _write_terms(work, changes.terms.new, changes.terms.changed)
    people = _write_people(work, changes)
    _write_schools(work, changes.schools.new, changes.schools.changed)
    schools = _ids(work, receiving_schools, "code")
    _write_contacts(work, changes.schools.both, schools, people)
    _write_periods(work, changes.periods.both, wanted.schools, schools)
    term_id = _ids(work, terms, "code").get(term_code, 0)
    _write_teachers(work, changes, people)
    _write_pledges(work, changes.teachers.both, term_id)
    rooms = _write_classes(work, changes.classes.new, changes.classes.changed, schools)
    _write_requests(work, changes, term_id, rooms)


def _ids(work: Import, table: Table, *names: str) -> _Ids:
    """The ids of a programme's rows by one column, or by several as a tuple."""
    columns = [table.c[name] for name in names]
    query = select(table.c.id, *columns).where(table.c.programme_id == work.programme_id)
    return {row[1] if len(names) == 1 else tuple(row[1:]): row[0] for row in work.db.execute(query)}


def _write_terms(work: Import, new: Sequence[TermEntry], changed: Sequence[TermEntry]) -> None:
    if not new and not changed:
        return
    zone = (*new, *changed)[0].zone
    bulk.change(work.db, programmes, [{"id": work.programme_id, "zone": zone}])
    bulk.add(
        work.db, terms, [{"programme_id": work.programme_id, **_term_row(term)} for term in new]
    )
    ids = _ids(work, terms, "code")
    bulk.change(work.db, terms, [{"id": ids[term.code], **_term_row(term)} for term in changed])
    bulk.forget(work.db, holidays, "term_id", [ids[term.code] for term in changed])
    days = [
        {"term_id": ids[term.code], "day": day}
        for term in (*new, *changed)
        for day in term.holidays
    ]
    bulk.add(work.db, holidays, days)


def _term_row(term: TermEntry) -> dict[str, Any]:
    return {
        "code": term.code,
        "name": term.name,
        "first_day": term.first_day,
        "last_day": term.last_day,
        "gap_minutes": term.gap_minutes,
    }


def _write_people(work: Import, changes: Changes) -> _Ids:
    """Add or rename the persons whom the changes name; their ids by mail address."""
    told: dict[str, Contact] = {}
    for school in changes.schools.both:
        told.update((contact.email, contact) for contact in school.contacts)
    for one in changes.teachers.both:
        told[one.email] = Contact(one.email, one.name, one.phone)
    known = {row.email: row for row in work.db.execute(select(persons)) if row.email in told}
    new = [contact for email, contact in told.items() if email not in known]
    bulk.add(work.db, persons, [_person_row(work, contact) for contact in new])
    others = grants.c.programme_id != work.programme_id
    elsewhere = set(work.db.scalars(select(grants.c.person_id).where(others)))
    renamed = [
        {"id": row.id, "name": told[email].name, "phone": told[email].phone}
        for email, row in known.items()
        # whom another programme knows, no list of this one may rename
        if (row.name, row.phone) != (told[email].name, told[email].phone)
        and row.id not in elsewhere
    ]
    bulk.change(work.db, persons, renamed)
    query = select(persons.c.email, persons.c.id)
    return {row.email: row.id for row in work.db.execute(query) if row.email in told}


def _person_row(work: Import, contact: Contact) -> dict[str, Any]:
    return {
        "email": contact.email,
        "name": contact.name,
        "phone": contact.phone,
        "language": work.language,
        "active": True,
        "reminders": True,
        "created_at": work.now,
    }


def _write_schools(
    work: Import, new: Sequence[SchoolEntry], changed: Sequence[SchoolEntry]
) -> None:
    rows = [{"programme_id": work.programme_id, **_school_row(school)} for school in new]
    bulk.add(work.db, receiving_schools, rows)
    if changed:
        ids = _ids(work, receiving_schools, "code")
        bulk.change(
            work.db, receiving_schools, [{"id": ids[s.code], **_school_row(s)} for s in changed]
        )


def _school_row(school: SchoolEntry) -> dict[str, Any]:
    return {
        "code": school.code,
        "name": school.name,
        "district": school.district,
        "level": school.level,
        "rooms": school.rooms,
    }


def _write_contacts(work: Import, schools: Sequence[SchoolEntry], ids: _Ids, people: _Ids) -> None:
    """A school's contact in the workbook takes the place of the one it named before.

    The former one loses the role: a mistyped address may be somebody else's.  Contacts whom a
    coordinator added besides keep it.
    """
    query = (
        select(grants.c.id, grants.c.school_id, grants.c.person_id)
        .where(grants.c.programme_id == work.programme_id, grants.c.role == Role.SCHOOL)
        .order_by(grants.c.id)
    )
    held: dict[int, list[Any]] = {}
    for row in work.db.execute(query):
        held.setdefault(row.school_id, []).append(row)
    added: bulk.Rows = []
    replaced: bulk.Rows = []
    for school in schools:
        before = held.get(ids[school.code], [])
        for contact in school.contacts:
            person_id = people[contact.email]
            if any(row.person_id == person_id for row in before):
                continue
            if before:
                replaced.append({"id": before[0].id, "person_id": person_id})
            else:
                added.append(_grant(work, person_id, Role.SCHOOL, school_id=ids[school.code]))
    bulk.change(work.db, grants, replaced)
    bulk.add(work.db, grants, added)
    accounts.renew_soon(work.db, [row["person_id"] for row in (*replaced, *added)])


def _grant(
    work: Import,
    person_id: int,
    role: Role,
    *,
    teacher_id: int | None = None,
    school_id: int | None = None,
) -> dict[str, Any]:
    return {
        "person_id": person_id,
        "role": role,
        "programme_id": work.programme_id,
        "teacher_id": teacher_id,
        "school_id": school_id,
    }


def _write_periods(
    work: Import, changed: Sequence[PeriodEntry], schools: Sequence[SchoolEntry], ids: _Ids
) -> None:
    """Bell times of a school are replaced as a whole: two periods may swap their times."""
    codes = {bell.school_code for bell in changed}
    bulk.forget(work.db, periods, "school_id", [ids[code] for code in codes])
    rows = [
        {
            "school_id": ids[school.code],
            "half_day": bell.half_day,
            "number": bell.number,
            "start_minute": bell.start,
            "end_minute": bell.end,
        }
        for school in schools
        if school.code in codes
        for bell in school.periods
    ]
    bulk.add(work.db, periods, rows)


def _write_teachers(work: Import, changes: Changes, people: _Ids) -> None:
    homes = _ids(work, donor_schools, "name", "district")
    missing = [donor for donor in changes.donor_schools.new if tuple(donor) not in homes]
    bulk.add(
        work.db,
        donor_schools,
        [
            {"programme_id": work.programme_id, "name": name, "district": district}
            for name, district in missing
        ],
    )
    homes = _ids(work, donor_schools, "name", "district")
    new = [_teacher_row(work, one, homes, people) for one in changes.teachers.new]
    bulk.add(work.db, teachers, new)
    ids = _ids(work, teachers, "person_id")
    moved = [
        {"id": ids[people[one.email]], "donor_school_id": homes[one.school, one.district]}
        for one in changes.teachers.changed
    ]
    bulk.change(work.db, teachers, moved)
    roles = [
        _grant(work, row["person_id"], Role.TEACHER, teacher_id=ids[row["person_id"]])
        for row in new
    ]
    bulk.add(work.db, grants, roles)
    accounts.renew_soon(work.db, [row["person_id"] for row in roles])


def _teacher_row(work: Import, one: TeacherEntry, homes: _Ids, people: _Ids) -> dict[str, Any]:
    return {
        "programme_id": work.programme_id,
        "person_id": people[one.email],
        "donor_school_id": homes[one.school, one.district],
    }


def _write_pledges(work: Import, some: Sequence[TeacherEntry], term_id: int) -> None:
    query = (
        select(persons.c.email, teachers.c.id)
        .join(persons, teachers.c.person_id == persons.c.id)
        .where(teachers.c.programme_id == work.programme_id)
    )
    owners = {row.email: TeacherId(row.id) for row in work.db.execute(query)}
    given = {owners[one.email]: one.pledge for one in some if one.pledge}
    availability.save(work.db, term_id, given)


def _write_classes(
    work: Import, new: Sequence[ClassEntry], changed: Sequence[ClassEntry], schools: _Ids
) -> _Ids:
    """The ids of all classes of the programme by school code and name."""
    bulk.add(
        work.db,
        classes,
        [
            {
                "school_id": schools[room.school_code],
                "name": room.name,
                "level": room.level,
                "pupils": room.pupils,
            }
            for room in new
        ],
    )
    ids = _class_ids(work)
    bulk.change(
        work.db,
        classes,
        [
            {"id": ids[room.school_code, room.name], "level": room.level, "pupils": room.pupils}
            for room in changed
        ],
    )
    return ids


def _class_ids(work: Import) -> _Ids:
    query = (
        select(classes.c.id, receiving_schools.c.code, classes.c.name)
        .join(receiving_schools)
        .where(receiving_schools.c.programme_id == work.programme_id)
    )
    return {(row.code, row.name): row.id for row in work.db.execute(query)}


def _write_requests(
    work: Import, changes: Changes, term_id: int, rooms: dict[tuple[str, str], int]
) -> None:
    def keyed(entries: Sequence[RequestEntry]) -> dict[tuple[int, int], NewRequest]:
        return {
            (rooms[one.school_code, one.ask.class_name], one.number): one.ask for one in entries
        }

    requests.add_all(work.db, term_id, keyed(changes.requests.new), work.now, work.by)
    requests.change_all(work.db, term_id, keyed(changes.requests.changed))

"""The people of a programme as a list: four queries, however many they are."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from scheduler.domain.access import Actor
from scheduler.domain.departures import Held
from scheduler.domain.people import PersonId
from scheduler.store import roles
from scheduler.store.tables import donor_schools, persons, sessions, teachers
from scheduler.store.visibility import visible_to


@dataclass(frozen=True, slots=True)
class Entry:
    """A person with all roles, also those elsewhere; `left`: the donor schools of who taught here
    and left, by name; `seen_at`: of the newest session."""

    id: PersonId
    name: str
    email: str
    language: str
    active: bool
    roles: tuple[Held, ...]
    left: tuple[str, ...]
    seen_at: datetime | None


def of_actor(db: Session, actor: Actor, person_id: PersonId | None = None) -> tuple[Entry, ...]:
    """The people the actor may see, or one of them, in order of their names' letters."""
    mine = [visible_to(actor, persons), persons.c.erased_at.is_(None)]
    if person_id is not None:
        mine.append(persons.c.id == person_id)
    return _read(db, *mine)


def _read(db: Session, *which: ColumnElement[bool]) -> tuple[Entry, ...]:
    rows = db.execute(select(persons).where(*which).order_by(persons.c.name, persons.c.id)).all()
    ids = [PersonId(row.id) for row in rows]
    held: dict[int, tuple[Held, ...]] = defaultdict(tuple)
    for each in roles.of_people(db, ids):
        held[each.person_id] += (each,)
    seen = (
        select(sessions.c.person_id, func.max(sessions.c.seen_at))
        .where(sessions.c.person_id.in_(ids))
        .group_by(sessions.c.person_id)
    )
    seen_at = {row[0]: row[1] for row in db.execute(seen)}
    gone = _left(db, ids)
    return tuple(
        Entry(
            id=PersonId(row.id),
            name=row.name,
            email=row.email,
            language=row.language,
            active=row.active,
            roles=held[row.id],
            left=gone[row.id],
            seen_at=seen_at.get(row.id),
        )
        for row in rows
    )


def _left(db: Session, ids: list[PersonId]) -> dict[int, tuple[str, ...]]:
    query = (
        select(teachers.c.person_id, donor_schools.c.name)
        .join(donor_schools, teachers.c.donor_school_id == donor_schools.c.id)
        .where(teachers.c.person_id.in_(ids), teachers.c.left_at.is_not(None))
        .order_by(teachers.c.id)
    )
    found: dict[int, tuple[str, ...]] = defaultdict(tuple)
    for person_id, school in db.execute(query):
        found[person_id] += (school,)
    return found


def phones(db: Session, ids: list[PersonId]) -> dict[int, str]:
    """The telephone numbers of those of these people who gave one; their right to be seen was
    asked before."""
    query = select(persons.c.id, persons.c.phone).where(
        persons.c.id.in_(ids), persons.c.phone != ""
    )
    return {row.id: row.phone for row in db.execute(query)}

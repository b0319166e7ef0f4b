"""How many lessons donor schools pledged for a term, and since when their teachers are here."""

from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from scheduler.domain.people import DonorSchool, DonorSchoolId, TeacherId
from scheduler.store.tables import donor_schools, lessons, persons, school_pledges, teachers


def of_term(db: Session, term_id: int) -> dict[DonorSchoolId, int]:
    """Pledges by school; a school that made none of its own is absent."""
    rows = db.execute(select(school_pledges).where(school_pledges.c.term_id == term_id))
    return {DonorSchoolId(row.donor_school_id): row.lessons for row in rows}


def lock(db: Session, school_id: DonorSchoolId) -> None:
    """Let nobody else pledge for this school until the transaction ends."""
    mine = donor_schools.c.id == school_id
    db.execute(select(donor_schools.c.id).where(mine).with_for_update())


def keep(db: Session, school_id: DonorSchoolId, term_id: int, count: int) -> int | None:
    """Take over what a locked school pledges; what it pledged before, None: nothing."""
    mine = (school_pledges.c.donor_school_id == school_id) & (school_pledges.c.term_id == term_id)
    before: int | None = db.scalar(select(school_pledges.c.lessons).where(mine))
    if before is None:
        row = {"donor_school_id": school_id, "term_id": term_id, "lessons": count}
        db.execute(insert(school_pledges).values(row))
    else:
        db.execute(update(school_pledges).where(mine).values(lessons=count))
    return before


def schools(db: Session, programme_id: int) -> tuple[DonorSchool, ...]:
    """The donor schools of a programme by name."""
    mine = donor_schools.c.programme_id == programme_id
    query = select(donor_schools).where(mine)
    rows = db.execute(query.order_by(donor_schools.c.name, donor_schools.c.district))
    return tuple(DonorSchool(DonorSchoolId(row.id), row.name, row.district) for row in rows)


def here_since(db: Session, term_id: int, programme_id: int) -> dict[TeacherId, datetime]:
    """When each teacher came to the programme: when they were entered, or their first lesson of
    the term where that was earlier.
    """
    first = (
        select(lessons.c.teacher_id, func.min(lessons.c.starts_at).label("at"))
        .where(lessons.c.term_id == term_id)
        .group_by(lessons.c.teacher_id)
        .subquery()
    )
    rows = db.execute(
        select(teachers.c.id, persons.c.created_at, first.c.at)
        .join(persons, teachers.c.person_id == persons.c.id)
        .outerjoin(first, first.c.teacher_id == teachers.c.id)
        .where(teachers.c.programme_id == programme_id)
    )
    return {
        TeacherId(row.id): min(row.created_at, row.at) if row.at else row.created_at for row in rows
    }

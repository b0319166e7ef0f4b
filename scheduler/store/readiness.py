"""What the teachers of a programme have said about a term: one query."""

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session

from scheduler.domain.people import DonorSchool, DonorSchoolId, PersonId
from scheduler.domain.readiness import Answer, stand
from scheduler.domain.terms import Term
from scheduler.store.tables import availability, donor_schools, persons, pledges, teachers


def of_term(db: Session, term: Term) -> tuple[Answer, ...]:
    """Everybody who teaches and has not left, by name."""
    free = exists().where(availability.c.pledge_id == pledges.c.id)
    mine = and_(pledges.c.teacher_id == teachers.c.id, pledges.c.term_id == term.id)
    query = (
        select(
            persons.c.id,
            persons.c.name,
            persons.c.language,
            persons.c.mail_fault,
            donor_schools.c.id.label("school_id"),
            donor_schools.c.name.label("school"),
            donor_schools.c.district,
            pledges.c.confirmed_at,
            free.label("free"),
        )
        .select_from(teachers)
        .join(persons, teachers.c.person_id == persons.c.id)
        .join(donor_schools, teachers.c.donor_school_id == donor_schools.c.id)
        .outerjoin(pledges, mine)
        .where(
            teachers.c.programme_id == term.programme_id,
            teachers.c.left_at.is_(None),
            persons.c.active.is_(True),
        )
        .order_by(persons.c.name, persons.c.id)
    )
    return tuple(
        Answer(
            person_id=PersonId(row.id),
            name=row.name,
            school=DonorSchool(DonorSchoolId(row.school_id), row.school, row.district).label,
            language=row.language,
            lost=row.mail_fault is not None,
            stand=stand(free=bool(row.free), confirmed=row.confirmed_at is not None),
        )
        for row in db.execute(query)
    )

"""Pairs of units of a programme, and the lessons between them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import Row, case, delete, func, insert, select, update
from sqlalchemy.orm import Session

from scheduler.domain.lessons import LessonState
from scheduler.domain.partnerships import Binding, Partnership, PartnershipId, Terms
from scheduler.domain.people import DonorSchoolId, SchoolId
from scheduler.store.tables import (
    classes,
    lessons,
    partnerships,
    teachers,
)


@dataclass(frozen=True, slots=True)
class Between:
    """Lessons of a donor school's teachers at a receiving school: held, and still to come."""

    held: int
    ahead: int


def of_programme(db: Session, programme_id: int) -> tuple[Partnership, ...]:
    """By the names of both units."""
    query = select(partnerships).where(partnerships.c.programme_id == programme_id)
    order = (partnerships.c.donor_unit, partnerships.c.receiving_unit)
    return tuple(map(_partnership, db.execute(query.order_by(*order))))


def get(db: Session, partnership_id: int, programme_id: int) -> Partnership | None:
    mine = partnerships.c.id == partnership_id, partnerships.c.programme_id == programme_id
    row = db.execute(select(partnerships).where(*mine)).first()
    return _partnership(row) if row else None


def add(db: Session, programme_id: int, told: Terms) -> PartnershipId:
    values = {"programme_id": programme_id, **asdict(told)}
    made = db.execute(insert(partnerships).values(values).returning(partnerships.c.id))
    return PartnershipId(made.scalar_one())


def change(db: Session, partnership_id: int, told: Terms) -> None:
    mine = partnerships.c.id == partnership_id
    db.execute(update(partnerships).where(mine).values(asdict(told)))


def remove(db: Session, partnership_id: int) -> None:
    """Its joint sessions must have gone."""
    db.execute(delete(partnerships).where(partnerships.c.id == partnership_id))


def lessons_between(db: Session, term_id: int) -> Mapping[tuple[DonorSchoolId, SchoolId], Between]:
    """Of a term; what was called off or not held is in neither count.  One query."""
    held = case((lessons.c.state == LessonState.HELD, 1), else_=0)
    ahead = case((lessons.c.state.in_((LessonState.SCHEDULED, LessonState.COVER)), 1), else_=0)
    query = (
        select(
            teachers.c.donor_school_id,
            classes.c.school_id,
            func.sum(held).label("held"),
            func.sum(ahead).label("ahead"),
        )
        .join(teachers, lessons.c.teacher_id == teachers.c.id)
        .join(classes, lessons.c.class_id == classes.c.id)
        .where(lessons.c.term_id == term_id)
        .group_by(teachers.c.donor_school_id, classes.c.school_id)
    )
    return {
        (DonorSchoolId(row.donor_school_id), SchoolId(row.school_id)): Between(
            int(row.held), int(row.ahead)
        )
        for row in db.execute(query)
    }


def _partnership(row: Row[tuple[object, ...]]) -> Partnership:
    return Partnership(
        PartnershipId(row.id),
        Terms(
            donor_unit=row.donor_unit,
            receiving_unit=row.receiving_unit,
            lessons_pledged=row.lessons_pledged,
            joint_sessions_pledged=row.joint_sessions_pledged,
            binding=Binding(row.binding),
        ),
    )

"""Whether what a first visit asks for is there."""

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from scheduler.domain.people import PersonId, SchoolId, TeacherId
from scheduler.store.tables import (
    availability,
    classes,
    feed_links,
    periods,
    pledges,
    push_devices,
    reminder_choices,
    requests,
)


def of_teacher(
    db: Session, person_id: PersonId, teacher_id: TeacherId, term_id: int
) -> tuple[bool, bool, bool]:
    """Free times of the term, a calendar link, choices of reminders or a device."""
    pledged = exists().where(
        availability.c.pledge_id == pledges.c.id,
        pledges.c.teacher_id == teacher_id,
        pledges.c.term_id == term_id,
    )
    chosen = exists().where(reminder_choices.c.person_id == person_id)
    device = exists().where(push_devices.c.person_id == person_id)
    return _told(db, pledged, _linked(person_id), chosen | device)


def of_school(
    db: Session, person_id: PersonId, school_id: SchoolId, term_id: int
) -> tuple[bool, bool, bool]:
    """Bell times, a request of the term, a calendar link."""
    bells = exists().where(periods.c.school_id == school_id)
    asked = exists().where(
        requests.c.class_id == classes.c.id,
        classes.c.school_id == school_id,
        requests.c.term_id == term_id,
        requests.c.withdrawn_at.is_(None),
    )
    return _told(db, bells, asked, _linked(person_id))


def _linked(person_id: PersonId) -> ColumnElement[bool]:
    return exists().where(feed_links.c.person_id == person_id, feed_links.c.revoked_at.is_(None))


def _told(
    db: Session, first: ColumnElement[bool], second: ColumnElement[bool], third: ColumnElement[bool]
) -> tuple[bool, bool, bool]:
    one, two, three = db.execute(select(first, second, third)).one()
    return bool(one), bool(two), bool(three)

"""Published lessons: reading them as values, and carrying out what a publication changes."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, CompoundSelect, Row, exists, func, select, true, union
from sqlalchemy.orm import Session

from scheduler.domain.access import Actor, Role
from scheduler.domain.baskets import Part
from scheduler.domain.intervals import Interval
from scheduler.domain.lessons import Cause, Handover, Lesson, LessonId, LessonState
from scheduler.domain.people import PersonId
from scheduler.domain.plans import Placement, placed
from scheduler.domain.requests import RequestId
from scheduler.store import bells, history
from scheduler.store.bells import Bells
from scheduler.store.tables import (
    classes,
    confirmations,
    donor_schools,
    grants,
    handovers,
    lessons,
    persons,
    programmes,
    receiving_schools,
    teachers,
    terms,
)
from scheduler.store.visibility import visible_to

_SELECT = (
    select(
        lessons,
        classes.c.name.label("class_name"),
        classes.c.school_id,
        classes.c.meeting_url.label("class_meeting_url"),
        receiving_schools.c.name.label("school_name"),
        receiving_schools.c.district.label("school_district"),
        persons.c.id.label("person_id"),
        persons.c.name.label("teacher_name"),
        donor_schools.c.name.label("donor_school"),
        programmes.c.zone,
        programmes.c.meeting_url.label("programme_meeting_url"),
        terms.c.programme_id,
    )
    .join(classes, lessons.c.class_id == classes.c.id)
    .join(receiving_schools, classes.c.school_id == receiving_schools.c.id)
    .join(teachers, lessons.c.teacher_id == teachers.c.id)
    .join(persons, teachers.c.person_id == persons.c.id)
    .join(donor_schools, teachers.c.donor_school_id == donor_schools.c.id)
    .join(terms, lessons.c.term_id == terms.c.id)
    .join(programmes, terms.c.programme_id == programmes.c.id)
)


def find(
    db: Session,
    *,
    term_id: int | None = None,
    programme_id: int | None = None,
    teacher_id: int | None = None,
    class_id: int | None = None,
    school_id: int | None = None,
    donor_school_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    ids: Collection[int] | None = None,
    of_people: Collection[int] | None = None,
    seen_by: Actor | None = None,
) -> tuple[Lesson, ...]:
    """Lessons in order of time, cancelled ones too; two queries, however many there are.

    `since` leaves out what has ended by then, `until` what starts then or later.  `of_people`:
    those that one of these people gives, or whose school one of them speaks for; `seen_by`: those
    that the actor may see.
    """
    equal = (
        (lessons.c.term_id, term_id),
        (terms.c.programme_id, programme_id),
        (lessons.c.teacher_id, teacher_id),
        (lessons.c.class_id, class_id),
        (classes.c.school_id, school_id),
        (teachers.c.donor_school_id, donor_school_id),
    )
    where: list[ColumnElement[bool]] = [col == value for col, value in equal if value is not None]
    if since is not None:
        where.append(lessons.c.ends_at > since)
    if until is not None:
        where.append(lessons.c.starts_at < until)
    if ids is not None:
        where.append(lessons.c.id.in_(list(ids)))
    if of_people is not None:
        where.append(lessons.c.id.in_(_concerning(of_people, since, until)))
    if seen_by is not None:
        where.append(visible_to(seen_by, lessons))
    rows = db.execute(_SELECT.where(*where).order_by(*_IN_TIME)).all()
    rung = bells.find(db, {row.school_id for row in rows})
    return tuple(_lesson(row, rung) for row in rows)


_IN_TIME = (lessons.c.starts_at, lessons.c.id)


def of_teacher(
    db: Session,
    teacher_id: int | None,
    person_id: int,
    *,
    term_id: int | None = None,
    within: tuple[datetime, datetime] | None = None,
) -> tuple[tuple[Lesson, ...], frozenset[LessonId]]:
    """A teacher's lessons in order of time, and those that the person confirmed as they stand: two
    queries.  `within`: those that touch this span."""
    confirmed = exists().where(
        confirmations.c.lesson_id == lessons.c.id,
        confirmations.c.sequence == lessons.c.sequence,
        confirmations.c.person_id == person_id,
    )
    mine = _SELECT.add_columns(confirmed.label("confirmed"))
    mine = mine.where(lessons.c.teacher_id == teacher_id)
    if term_id is not None:
        mine = mine.where(lessons.c.term_id == term_id)
    if within is not None:
        mine = mine.where(lessons.c.ends_at > within[0], lessons.c.starts_at < within[1])
    rows = db.execute(mine.order_by(*_IN_TIME)).all()
    rung = bells.find(db, {row.school_id for row in rows})
    sure = frozenset(LessonId(row.id) for row in rows if row.confirmed)
    return tuple(_lesson(row, rung) for row in rows), sure


def _concerning(
    people: Collection[int], since: datetime | None, until: datetime | None
) -> CompoundSelect[Any]:
    """The numbers of lessons, by two indexes: told as "one or the other", PostgreSQL would read the
    lessons of all programmes."""
    span = [] if since is None else [lessons.c.ends_at > since]
    span += [] if until is None else [lessons.c.starts_at < until]
    giving = select(teachers.c.id).where(teachers.c.person_id.in_(list(people)))
    hosting = select(classes.c.id).where(
        classes.c.school_id.in_(
            select(grants.c.school_id).where(
                grants.c.role == Role.SCHOOL, grants.c.person_id.in_(list(people))
            )
        )
    )
    mine = lessons.c.teacher_id.in_(giving), lessons.c.class_id.in_(hosting)
    return union(*(select(lessons.c.id).where(each, *span) for each in mine))


def at_school(
    db: Session, school_id: int, term_id: int, since: datetime, until: datetime, rung: Bells
) -> tuple[tuple[Lesson, ...], dict[PersonId, str]]:
    """The lessons at one school whose bells are known, as `find` has them, and the telephone
    numbers of those of their teachers who gave one; one query."""
    mine = (
        lessons.c.term_id == term_id,
        classes.c.school_id == school_id,
        lessons.c.ends_at > since,
        lessons.c.starts_at < until,
    )
    query = _SELECT.add_columns(persons.c.phone).where(*mine)
    rows = db.execute(query.order_by(*_IN_TIME)).all()
    phones = {PersonId(row.person_id): row.phone for row in rows if row.phone}
    return tuple(_lesson(row, rung) for row in rows), phones


def get(db: Session, lesson_id: int) -> Lesson | None:
    return next(iter(find(db, ids=[lesson_id])), None)


def first_after(db: Session, programme_id: int, at: datetime) -> datetime | None:
    """When the next lesson of the programme begins that is not called off."""
    query = (
        select(func.min(lessons.c.starts_at))
        .join(terms, lessons.c.term_id == terms.c.id)
        .where(
            terms.c.programme_id == programme_id,
            lessons.c.starts_at > at,
            lessons.c.state != LessonState.CANCELLED,
        )
    )
    found: datetime | None = db.scalar(query)
    return found


def by_join_token(db: Session, token: str) -> Lesson | None:
    found = db.scalar(select(lessons.c.id).where(lessons.c.join_token == token))
    return None if found is None else get(db, found)


def handovers_of(
    db: Session, teacher_id: int, since: datetime, until: datetime
) -> tuple[Handover, ...]:
    """What somebody else took over from this teacher, by the times that the teacher knew."""
    rows = db.execute(
        select(handovers).where(
            handovers.c.teacher_id == teacher_id,
            handovers.c.ends_at > since,
            handovers.c.starts_at < until,
        )
    ).all()
    known = {lesson.id: lesson for lesson in find(db, ids=[row.lesson_id for row in rows])}
    return tuple(_handover(row, known[row.lesson_id]) for row in rows)


def handed_over(
    db: Session, known: Mapping[LessonId, Lesson]
) -> dict[tuple[LessonId, PersonId], Handover]:
    """What each former teacher of these lessons knew of them, by lesson and person."""
    query = (
        select(handovers, teachers.c.person_id)
        .join(teachers, handovers.c.teacher_id == teachers.c.id)
        .where(handovers.c.lesson_id.in_(list(known)))
    )
    return {
        (LessonId(row.lesson_id), PersonId(row.person_id)): _handover(row, known[row.lesson_id])
        for row in db.execute(query)
    }


def _handover(row: Row[Any], lesson: Lesson) -> Handover:
    return Handover(
        lesson=lesson,
        teacher_id=row.teacher_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        sequence=row.sequence,
        changed_at=row.changed_at,
    )


def placements(
    db: Session, term_id: int, within: Interval | None = None, part: Part | None = None
) -> dict[Placement, LessonId]:
    """The timetable in force as the plan's own values: every lesson that is not cancelled, of those
    that begin within the given time and lie in the part."""
    row = lessons.c
    begins = true() if within is None else row.starts_at.between(within.start, within.end)
    found = db.execute(
        select(
            row.id, row.request_id, row.teacher_id, row.starts_at, row.ends_at, programmes.c.zone
        )
        .join(terms, row.term_id == terms.c.id)
        .join(programmes, terms.c.programme_id == programmes.c.id)
        .where(row.term_id == term_id, row.state != LessonState.CANCELLED, begins, _in(part))
    )
    return {
        placed(
            each.request_id, each.teacher_id, Interval(each.starts_at, each.ends_at), each.zone
        ): (LessonId(each.id))
        for each in found.all()
    }


def _in(part: Part | None) -> ColumnElement[bool]:
    if part is None:
        return true()
    there = select(classes.c.id).where(classes.c.school_id.in_(part.schools))
    return lessons.c.class_id.in_(there) | lessons.c.teacher_id.in_(part.teachers)


def called_off(
    db: Session, term_id: int, *, undoing: bool = False
) -> frozenset[tuple[RequestId, date]]:
    """The requests and days of lessons that somebody called off, with a reason, for that day.

    To who is `undoing` publications, what one of them called off does not count.
    """
    spared = lessons.c.id.not_in(history.by_publications()) if undoing else true()
    rows = db.execute(
        select(lessons.c.request_id, lessons.c.starts_at, programmes.c.zone)
        .join(terms, lessons.c.term_id == terms.c.id)
        .join(programmes, terms.c.programme_id == programmes.c.id)
        .where(
            lessons.c.term_id == term_id,
            lessons.c.state == LessonState.CANCELLED,
            lessons.c.cancel_reason != "",
            spared,
        )
    )
    return frozenset(
        (row.request_id, row.starts_at.astimezone(ZoneInfo(row.zone)).date()) for row in rows
    )


def _lesson(row: Row[Any], bells: Bells) -> Lesson:
    bell = bells.at(row.school_id, row.starts_at.astimezone(ZoneInfo(row.zone)))
    return Lesson(
        id=row.id,
        uid=row.uid,
        join_token=row.join_token,
        programme_id=row.programme_id,
        request_id=row.request_id,
        class_id=row.class_id,
        class_name=row.class_name,
        school_id=row.school_id,
        school_name=row.school_name,
        school_district=row.school_district,
        teacher_id=row.teacher_id,
        teacher_name=row.teacher_name,
        teacher_person_id=row.person_id,
        donor_school=row.donor_school,
        state=LessonState(row.state),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        zone=row.zone,
        half_day=bell.half_day if bell else None,
        period=bell.number if bell else None,
        sequence=row.sequence,
        created_at=row.created_at,
        changed_at=row.changed_at,
        moved_from=row.moved_from,
        cancel_reason=row.cancel_reason,
        cancelled_by=row.cancelled_by,
        meeting_url=row.meeting_url or row.class_meeting_url or row.programme_meeting_url,
        cause=Cause(row.cause) if row.cause else None,
        merged_into_id=row.merged_into_id,
    )

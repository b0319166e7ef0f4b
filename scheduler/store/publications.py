"""What each publication did, and the timetable as it stood at some instant, from the history."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Over, Row, case, func, select
from sqlalchemy.orm import Session, aliased

from scheduler.domain.intervals import Interval
from scheduler.domain.lessons import LessonId, LessonState
from scheduler.domain.people import ClassId, TeacherId
from scheduler.domain.plans import Placement, PlanId, PlanOrigin, PublicationId, placed
from scheduler.domain.requests import RequestId
from scheduler.domain.terms import TermId
from scheduler.store.tables import (
    classes,
    lesson_history,
    lessons,
    persons,
    plans,
    programmes,
    publications,
    receiving_schools,
    requests,
    teachers,
    terms,
)


@dataclass(frozen=True, slots=True)
class Publication:
    """`by`: who published it, empty: the system.  `undoes`: the publication that it put back."""

    id: PublicationId
    term_id: TermId
    plan_id: PlanId
    at: datetime
    by: str
    origin: PlanOrigin
    note: str
    undoes: PublicationId | None


@dataclass(frozen=True, slots=True)
class Step:
    """What a publication did to one lesson: where it was and came to be, None: it did not take
    place.  `stands`: nobody has changed it since."""

    publication_id: PublicationId
    lesson_id: LessonId
    request_id: RequestId
    before: Placement | None
    after: Placement | None
    stands: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """To how many lessons a publication did alike: whether they took place before it, take place
    after it, and at the same time."""

    publication_id: PublicationId
    was: bool
    is_: bool
    same_time: bool
    lessons: int


@dataclass(frozen=True, slots=True)
class Then:
    """A lesson as it stood at some instant."""

    lesson_id: LessonId
    class_id: ClassId
    class_name: str
    school_name: str
    teacher_id: TeacherId
    teacher_name: str
    state: LessonState
    starts_at: datetime
    ends_at: datetime
    sequence: int


_SELECT = (
    select(
        publications,
        plans.c.origin,
        plans.c.note,
        func.coalesce(persons.c.name, "").label("by_name"),
    )
    .join(plans, publications.c.plan_id == plans.c.id)
    .outerjoin(persons, publications.c.published_by == persons.c.id)
)


def get(db: Session, publication_id: int) -> Publication | None:
    row = db.execute(_SELECT.where(publications.c.id == publication_id)).first()
    return None if row is None else _publication(row)


def of_term(db: Session, term_id: int) -> tuple[Publication, ...]:
    """All of a term, the newest first."""
    query = _SELECT.where(publications.c.term_id == term_id).order_by(publications.c.id.desc())
    return tuple(map(_publication, db.execute(query)))


def steps(db: Session, term_id: int, publication_id: int | None = None) -> tuple[Step, ...]:
    """What the term's publications did to its lessons, or what one of them did, in order."""
    own = lesson_history.c
    each = select(
        own.id,
        own.lesson_id,
        own.publication_id,
        *(own[name].label(name) for name in _SEEN),
        *(_before(own[name]).label(f"{name}_before") for name in _SEEN),
        lessons.c.request_id,
        lessons.c.term_id,
        lessons.c.state.label("state_now"),
        lessons.c.sequence.label("sequence_now"),
    )
    each = each.join(lessons, own.lesson_id == lessons.c.id).where(lessons.c.term_id == term_id)
    if publication_id is not None:  # the others' rows are read as far as their lessons go
        other = lesson_history.alias("other")
        touched = select(other.c.lesson_id).where(other.c.publication_id == publication_id)
        each = each.where(own.lesson_id.in_(touched))
    row = each.subquery()
    query = (
        select(row, programmes.c.zone)
        .join(terms, row.c.term_id == terms.c.id)
        .join(programmes, terms.c.programme_id == programmes.c.id)
        .where(row.c.publication_id.is_not(None))
        .order_by(row.c.id)
    )
    if publication_id is not None:
        query = query.where(row.c.publication_id == publication_id)
    return tuple(map(_step, db.execute(query)))


def tallies(db: Session, term_id: int) -> tuple[Tally, ...]:
    """What the term's publications did to its lessons, counted in the database."""
    own, last = lesson_history.c, lesson_history.alias("last").c
    former = select(func.max(last.id)).where(last.lesson_id == own.lesson_id, last.id < own.id)
    before = lesson_history.alias("before")
    facts = (
        select(
            own.publication_id,
            _yes(before.c.state != LessonState.CANCELLED).label("was"),
            _yes(own.state != LessonState.CANCELLED).label("is_"),
            _yes((own.starts_at == before.c.starts_at) & (own.ends_at == before.c.ends_at)).label(
                "same_time"
            ),
        )
        .join(publications, own.publication_id == publications.c.id)
        .outerjoin(before, before.c.id == former.scalar_subquery())
        .where(publications.c.term_id == term_id)
        .subquery()
    )
    query = select(facts, func.count().label("lessons")).group_by(*facts.c)
    return tuple(
        Tally(
            PublicationId(row.publication_id),
            bool(row.was),
            bool(row.is_),
            bool(row.same_time),
            row.lessons,
        )
        for row in db.execute(query)
    )


def _yes(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """1 where it is so; 0 where it is not, and where nothing is known."""
    return case((condition, 1), else_=0)


def _before(column: Column[Any]) -> Over[Any]:
    """What it was in the lesson's version before this one."""
    own = lesson_history.c
    return func.lag(column, type_=column.type).over(partition_by=own.lesson_id, order_by=own.id)


_SEEN = ("state", "teacher_id", "starts_at", "ends_at", "sequence")


def classes_of(db: Session, ids: Iterable[RequestId]) -> dict[RequestId, int]:
    """Which class each of these requests is for."""
    query = select(requests.c.id, requests.c.class_id).where(requests.c.id.in_(set(ids)))
    return {RequestId(row.id): row.class_id for row in db.execute(query)}


def timetable_at(db: Session, term_id: int, at: datetime) -> tuple[Then, ...]:
    """Every lesson of the term that was there at an instant, called off or not, by time."""
    own = lesson_history.c
    newest = (
        select(func.max(own.id))
        .join(lessons, own.lesson_id == lessons.c.id)
        .where(lessons.c.term_id == term_id, own.at <= at)
        .group_by(own.lesson_id)
    )
    giver = aliased(persons)
    query = (
        select(
            lesson_history,
            lessons.c.class_id,
            classes.c.name.label("class_name"),
            receiving_schools.c.name.label("school_name"),
            giver.c.name.label("teacher_name"),
        )
        .join(lessons, own.lesson_id == lessons.c.id)
        .join(classes, lessons.c.class_id == classes.c.id)
        .join(receiving_schools, classes.c.school_id == receiving_schools.c.id)
        .join(teachers, own.teacher_id == teachers.c.id)
        .join(giver, teachers.c.person_id == giver.c.id)
        .where(own.id.in_(newest))
        .order_by(own.starts_at, own.lesson_id)
    )
    return tuple(map(_then, db.execute(query)))


def _publication(row: Row[Any]) -> Publication:
    return Publication(
        id=row.id,
        term_id=row.term_id,
        plan_id=row.plan_id,
        at=row.published_at,
        by=row.by_name,
        origin=PlanOrigin(row.origin),
        note=row.note,
        undoes=row.undoes_id,
    )


def _step(row: Row[Any]) -> Step:
    took_place = row.state_before not in (None, LessonState.CANCELLED)
    takes_place = row.state != LessonState.CANCELLED
    return Step(
        publication_id=row.publication_id,
        lesson_id=row.lesson_id,
        request_id=row.request_id,
        before=_placed(row, "_before") if took_place else None,
        after=_placed(row, "") if takes_place else None,
        stands=(row.state, row.sequence) == (row.state_now, row.sequence_now),
    )


def _placed(row: Row[Any], when: str) -> Placement:
    seen = {name: getattr(row, f"{name}{when}") for name in _SEEN}
    span = Interval(seen["starts_at"], seen["ends_at"])
    return placed(row.request_id, seen["teacher_id"], span, row.zone)


def _then(row: Row[Any]) -> Then:
    return Then(
        lesson_id=row.lesson_id,
        class_id=row.class_id,
        class_name=row.class_name,
        school_name=row.school_name,
        teacher_id=row.teacher_id,
        teacher_name=row.teacher_name,
        state=LessonState(row.state),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        sequence=row.sequence,
    )

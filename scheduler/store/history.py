"""The history of lessons: how each stood after each change.  Only ever added to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, literal, select
from sqlalchemy.orm import Session

from scheduler.domain.intervals import Interval
from scheduler.domain.lessons import Deed, LessonId, LessonState
from scheduler.domain.people import PersonId, TeacherId
from scheduler.store import webhook_events
from scheduler.store.tables import lesson_history, lessons, persons, teachers

_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Version:
    """A lesson as it stood from `at` on.  `by`: who made it so, empty: the system, and `by_id`."""

    lesson_id: LessonId
    at: datetime
    deed: Deed
    by: str
    reason: str
    publication_id: int | None
    state: LessonState
    teacher_id: TeacherId
    teacher_name: str
    starts_at: datetime
    ends_at: datetime
    sequence: int
    by_id: PersonId | None


def note(
    db: Session,
    ids: Collection[LessonId],
    deed: Deed,
    by: PersonId | None,
    now: datetime,
    *,
    reason: str = "",
    publication_id: int | None = None,
) -> None:
    """Keep these lessons as they stand now, inside the transaction that changed them; programs
    are told what became of them."""
    wanted = sorted(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        standing = select(
            lessons.c.id,
            literal(now, lesson_history.c.at.type),
            literal(deed.value),
            literal(by, lesson_history.c.person_id.type),
            literal(reason),
            literal(publication_id, lesson_history.c.publication_id.type),
            *(lessons.c[name] for name in _COPIED),
        ).where(lessons.c.id.in_(wanted[start : start + _AT_ONCE]))
        names = ["lesson_id", "at", "deed", "person_id", "reason", "publication_id", *_COPIED]
        db.execute(insert(lesson_history).from_select(names, standing.order_by(lessons.c.id)))
    webhook_events.lessons_changed(db, wanted, now)


_COPIED = ("state", "teacher_id", "starts_at", "ends_at", "sequence")


def of_lesson(db: Session, lesson_id: LessonId) -> tuple[Version, ...]:
    """All that became of one lesson, the oldest first."""
    rows = db.execute(_SELECT.where(lesson_history.c.lesson_id == lesson_id).order_by(_ORDER))
    return tuple(map(_version, rows))


def as_of(db: Session, ids: Sequence[LessonId], at: datetime) -> dict[LessonId, Version]:
    """How each of these lessons stood at an instant; those that were not there yet are absent."""
    newest = (
        select(func.max(lesson_history.c.id))
        .where(lesson_history.c.lesson_id.in_(list(ids)), lesson_history.c.at <= at)
        .group_by(lesson_history.c.lesson_id)
    )
    rows = db.execute(_SELECT.where(lesson_history.c.id.in_(newest)))
    return {LessonId(row.lesson_id): _version(row) for row in rows}


def done_for(
    db: Session,
    reason: str,
    deeds: Collection[Deed],
    within: Interval,
    teacher_id: TeacherId | None = None,
) -> frozenset[LessonId]:
    """The lessons of that time, of one teacher or all, to which one of these was done for exactly
    this reason."""
    query = select(lesson_history.c.lesson_id).where(
        lesson_history.c.deed.in_([deed.value for deed in deeds]),
        lesson_history.c.reason == reason,
        lesson_history.c.starts_at < within.end,
        lesson_history.c.ends_at > within.start,
    )
    if teacher_id is not None:
        query = query.where(lesson_history.c.teacher_id == teacher_id)
    return frozenset(map(LessonId, db.scalars(query)))


def by_publications() -> Select[Any]:
    """The lessons that are as a publication made them: nobody changed them since."""
    newest = select(func.max(lesson_history.c.id)).group_by(lesson_history.c.lesson_id)
    return select(lesson_history.c.lesson_id).where(
        lesson_history.c.id.in_(newest), lesson_history.c.publication_id.is_not(None)
    )


_ORDER = lesson_history.c.id
_GIVERS = persons.alias("givers")
_SELECT = (
    select(
        lesson_history,
        func.coalesce(persons.c.name, "").label("by_name"),
        _GIVERS.c.name.label("teacher_name"),
    )
    .join(teachers, lesson_history.c.teacher_id == teachers.c.id)
    .join(_GIVERS, teachers.c.person_id == _GIVERS.c.id)
    .outerjoin(persons, lesson_history.c.person_id == persons.c.id)
)


def _version(row: Row[Any]) -> Version:
    return Version(
        lesson_id=LessonId(row.lesson_id),
        at=row.at,
        deed=Deed(row.deed),
        by=row.by_name,
        reason=row.reason,
        publication_id=row.publication_id,
        state=LessonState(row.state),
        teacher_id=TeacherId(row.teacher_id),
        teacher_name=row.teacher_name,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        sequence=row.sequence,
        by_id=row.person_id,
    )

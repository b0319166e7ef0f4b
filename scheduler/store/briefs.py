"""What teachers wrote about their lessons for whoever teaches the class next."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain.briefs import Brief, Written
from scheduler.domain.lessons import Lesson, LessonId, LessonState
from scheduler.domain.people import PersonId
from scheduler.store.tables import briefs, lessons, persons

_UNTAUGHT = (LessonState.CANCELLED, LessonState.NOT_HELD)
_SELECT = (
    select(briefs, persons.c.name.label("by_name"), lessons.c.starts_at)
    .join(persons, briefs.c.written_by == persons.c.id)
    .join(lessons, briefs.c.lesson_id == lessons.c.id)
)


def save(db: Session, lesson_id: LessonId, brief: Brief, by: PersonId, now: datetime) -> None:
    """Keep a brief instead of what was written of this lesson before."""
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    values = {**asdict(brief), "written_by": by, "written_at": now}
    new = dialect.insert(briefs).values(lesson_id=lesson_id, **values)
    db.execute(new.on_conflict_do_update(index_elements=["lesson_id"], set_=values))


def of_lesson(db: Session, lesson_id: LessonId) -> Written | None:
    row = db.execute(_SELECT.where(briefs.c.lesson_id == lesson_id)).first()
    return _written(row) if row else None


def before(db: Session, lesson: Lesson) -> Written | None:
    """The last brief of the same class from a lesson before this one that was given."""
    row = db.execute(_before(lesson)).first()
    return _written(row) if row else None


def around(db: Session, lesson: Lesson) -> tuple[Written | None, Written | None]:
    """What `of_lesson` and `before` tell of it, in one query."""
    last = _before(lesson).with_only_columns(lessons.c.id).scalar_subquery()
    rows = db.execute(_SELECT.where((lessons.c.id == lesson.id) | (lessons.c.id == last)))
    found = {row.lesson_id: _written(row) for row in rows}
    own = found.pop(lesson.id, None)
    return own, next(iter(found.values()), None)


def _before(lesson: Lesson) -> Select[Any]:
    return (
        _SELECT.where(
            lessons.c.class_id == lesson.class_id,
            lessons.c.starts_at < lesson.starts_at,
            lessons.c.state.not_in(_UNTAUGHT),
        )
        .order_by(lessons.c.starts_at.desc(), lessons.c.id.desc())
        .limit(1)
    )


def _written(row: Row[Any]) -> Written:
    brief = Brief(row.unit, row.pages, row.done, row.next)
    return Written(LessonId(row.lesson_id), brief, row.by_name, row.written_at, row.starts_at)

"""Who said that they are in a lesson's room; the first of a side counts."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain.lessons import LessonId
from scheduler.domain.people import PersonId
from scheduler.domain.reminders import Side
from scheduler.store.tables import check_ins


def add(db: Session, lesson_id: LessonId, side: Side, by: PersonId, at: datetime) -> bool:
    """Note that a side is there; False when it was already."""
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    new = dialect.insert(check_ins).values(lesson_id=lesson_id, side=side, person_id=by, at=at)
    once = new.on_conflict_do_nothing(index_elements=["lesson_id", "side"])
    return db.execute(once.returning(check_ins.c.at)).first() is not None


def of_lessons(db: Session, ids: Collection[LessonId]) -> dict[LessonId, dict[Side, datetime]]:
    """When each side of these lessons came; every lesson asked for is there."""
    rows = db.execute(select(check_ins).where(check_ins.c.lesson_id.in_(list(ids))))
    found: defaultdict[LessonId, dict[Side, datetime]] = defaultdict(dict)
    for row in rows:
        found[LessonId(row.lesson_id)][Side(row.side)] = row.at
    return {lesson: found[lesson] for lesson in ids}

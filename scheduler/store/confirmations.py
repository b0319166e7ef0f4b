"""Who said of a lesson, as it stood: I will be there."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain.lessons import LessonId
from scheduler.domain.people import PersonId
from scheduler.store.tables import confirmations, lessons


def of_people(db: Session, people: Collection[PersonId]) -> frozenset[tuple[LessonId, PersonId]]:
    """What these people confirmed of lessons that have not changed since."""
    rows = db.execute(
        select(confirmations.c.lesson_id, confirmations.c.person_id)
        .join(lessons, confirmations.c.lesson_id == lessons.c.id)
        .where(
            confirmations.c.person_id.in_(list(people)),
            confirmations.c.sequence == lessons.c.sequence,
        )
    )
    return frozenset((LessonId(row.lesson_id), PersonId(row.person_id)) for row in rows)


def add(db: Session, lesson_id: LessonId, sequence: int, person_id: PersonId, at: datetime) -> bool:
    """Note a confirmation; False when it was there already."""
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    new = dialect.insert(confirmations).values(
        lesson_id=lesson_id, sequence=sequence, person_id=person_id, at=at
    )
    names = ["lesson_id", "sequence", "person_id"]
    made = db.execute(
        new.on_conflict_do_nothing(index_elements=names).returning(confirmations.c.id)
    )
    return made.first() is not None


def remove(db: Session, lesson_id: LessonId, sequence: int, person_id: PersonId) -> bool:
    """Take a confirmation back; False when there was none."""
    gone = db.execute(
        delete(confirmations)
        .where(
            confirmations.c.lesson_id == lesson_id,
            confirmations.c.sequence == sequence,
            confirmations.c.person_id == person_id,
        )
        .returning(confirmations.c.id)
    )
    return gone.first() is not None

"""What the two sides said of lessons, and the state that this puts a lesson in."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain import lessons as rules
from scheduler.domain.lessons import Cause, Lesson, LessonId, LessonState, Move
from scheduler.domain.people import PersonId
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Filed, Report
from scheduler.errors import Conflict
from scheduler.store.tables import lessons, persons, reports, terms

_Filed = dict[Side, Filed]


def of_lessons(db: Session, ids: Collection[LessonId]) -> dict[LessonId, _Filed]:
    """The reports of these lessons by side; every lesson asked for is there."""
    rows = db.execute(
        select(reports, persons.c.name.label("by_name"))
        .join(persons, reports.c.reported_by == persons.c.id)
        .where(reports.c.lesson_id.in_(list(ids)))
        .order_by(reports.c.id)
    )
    found: defaultdict[LessonId, _Filed] = defaultdict(dict)
    for row in rows:
        cause = Cause(row.cause) if row.cause else None
        said = Report(row.held, row.minutes_late, cause, row.note)
        side, by = Side(row.side), PersonId(row.reported_by)
        found[LessonId(row.lesson_id)][side] = Filed(side, said, by, row.by_name, row.reported_at)
    return {lesson: found[lesson] for lesson in ids}


def save(
    db: Session, lesson_id: LessonId, side: Side, said: Report, by: PersonId, now: datetime
) -> None:
    """Keep what a side says instead of what it said before."""
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    values = {
        "held": said.held,
        "minutes_late": said.minutes_late,
        "cause": said.cause or "",
        "note": said.note,
        "reported_by": by,
        "reported_at": now,
    }
    new = dialect.insert(reports).values(lesson_id=lesson_id, side=side, **values)
    db.execute(new.on_conflict_do_update(index_elements=["lesson_id", "side"], set_=values))


def remove(db: Session, lesson_id: LessonId, side: Side) -> bool:
    """Forget what a side says; False when it says nothing."""
    mine = delete(reports).where(reports.c.lesson_id == lesson_id, reports.c.side == side)
    return db.execute(mine.returning(reports.c.id)).first() is not None


def decide(db: Session, lesson: Lesson, move: Move, cause: Cause | None) -> LessonState:
    """Put the lesson where the move leads.  No sequence rises: calendars do not show it.

    Raises Conflict where the move cannot happen.
    """
    state = rules.after(lesson.state, move)
    if state is None:
        raise Conflict("This lesson has changed. Look at it again.")
    db.execute(
        update(lessons)
        .where(lessons.c.id == lesson.id, lessons.c.state == lesson.state)
        .values(state=state, cause=_kept(cause))
    )
    return state


def correct(db: Session, lesson: Lesson, cause: Cause | None) -> None:
    """Another cause of a lesson that stays as it is."""
    db.execute(update(lessons).where(lessons.c.id == lesson.id).values(cause=_kept(cause)))


def _kept(cause: Cause | None) -> str:
    return cause.value if cause else ""


def unsettled(
    db: Session, programmes: Collection[int], alone_since: datetime
) -> tuple[LessonId, ...]:
    """Lessons whose sides disagree, or of which one alone has told, before that instant."""
    undecided = lessons.c.state.in_((LessonState.SCHEDULED, LessonState.COVER))
    told = exists().where(
        reports.c.lesson_id == lessons.c.id, reports.c.reported_at < alone_since
    )  # of both sides a verdict would have come
    query = (
        select(lessons.c.id)
        .join(terms, lessons.c.term_id == terms.c.id)
        .where(
            terms.c.programme_id.in_(list(programmes)),
            or_(lessons.c.state == LessonState.DISPUTED, undecided & told),
        )
        .order_by(lessons.c.starts_at, lessons.c.id)
    )
    return tuple(LessonId(found) for found in db.scalars(query))


def silent(db: Session, programme_id: int, ended_before: datetime) -> tuple[LessonId, ...]:
    """Lessons that ended before that instant and of which neither side has told anything."""
    told = exists().where(reports.c.lesson_id == lessons.c.id)
    query = (
        select(lessons.c.id)
        .join(terms, lessons.c.term_id == terms.c.id)
        .where(
            terms.c.programme_id == programme_id,
            lessons.c.state.in_((LessonState.SCHEDULED, LessonState.COVER)),
            lessons.c.ends_at < ended_before,
            ~told,
        )
        .order_by(lessons.c.starts_at, lessons.c.id)
    )
    return tuple(LessonId(found) for found in db.scalars(query))

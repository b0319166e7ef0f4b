"""The record for those who run a programme: who did what, and how a lesson stood on a day."""

from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.domain import access, audits
from scheduler.domain.access import Action, Actor
from scheduler.domain.intervals import end_of, midnight
from scheduler.domain.lessons import Lesson, LessonId
from scheduler.errors import Invalid, text
from scheduler.services import lessons, programmes
from scheduler.services.context import Context
from scheduler.store import audit_search as rows
from scheduler.store import terms
from scheduler.store.audit_search import Entry, Wanted
from scheduler.store.history import Version

PAGE = 50
LONGEST_WORDS = 80


@dataclass(frozen=True, slots=True)
class Search:
    """What a coordinator looks for; days are whole ones of the programme's zone."""

    who: str = ""
    action: str = ""
    subject: str = ""
    subject_id: int | None = None
    first_day: date | None = None
    last_day: date | None = None
    words: str = ""
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the record, newest first.  `older`: where the next page begins, None: no more."""

    zone: str
    entries: tuple[Entry, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class LessonThen:
    """A lesson as it is, all that became of it, and how it stood at the end of a day; None: it
    was not there yet."""

    lesson: Lesson
    then: Version | None
    versions: tuple[Version, ...]


def find(ctx: Context, actor: Actor, search: Search) -> Found:
    """Raises NotAllowed for who may not see the record, Invalid for days in the wrong order."""
    programme_id = programmes.own(actor)
    access.require(actor, Action.SEE_RECORD, programme_id)
    if search.first_day and search.last_day and search.last_day < search.first_day:
        fault = text("The last day lies before the first.")
        raise Invalid(fault, fields={"last_day": fault})
    with ctx.reading() as db:
        zone = terms.programme(db, programme_id).zone
        wanted = _wanted(search, zone)
        found = rows.find(db, audits.reader(actor), wanted, PAGE + 1)
    older = found[PAGE - 1].line.id if len(found) > PAGE else None
    return Found(zone, found[:PAGE], older)


def _wanted(search: Search, zone: str) -> Wanted:
    return Wanted(
        who=search.who,
        action=search.action,
        subject=search.subject,
        subject_id=search.subject_id,
        since=midnight(search.first_day, zone) if search.first_day else None,
        until=midnight(search.last_day + timedelta(days=1), zone) if search.last_day else None,
        words=search.words,
        before=search.before,
    )


def lesson_on(ctx: Context, actor: Actor, lesson_id: LessonId, day: date) -> LessonThen:
    """How a lesson stood at the end of that day where it is taught; raises NotFound."""
    access.require(actor, Action.SEE_RECORD, programmes.own(actor))
    lesson = lessons.visible_lesson(ctx, actor, lesson_id)
    then = lessons.as_of(ctx, actor, lesson_id, end_of(day, lesson.zone))
    return LessonThen(lesson, then, lessons.history(ctx, actor, lesson_id))

"""What waits for a coordinator: lessons that need cover or a verdict, changes that nobody saw, and
joint sessions of which nobody has noted who came."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.domain import access
from scheduler.domain import sightings as changes
from scheduler.domain.access import Action, Actor
from scheduler.domain.joint_sessions import JointSession
from scheduler.domain.lessons import Lesson, LessonId
from scheduler.domain.people import Person
from scheduler.domain.reminders import Side
from scheduler.domain.reports import ALONE_TOO_LONG, Filed, Waiting
from scheduler.services import cover, programmes, reports
from scheduler.services.context import Context
from scheduler.services.cover import Search
from scheduler.store import joint_sessions, lessons, recipients, sightings
from scheduler.store import reports as report_rows
from scheduler.store.database import Session

AHEAD = timedelta(days=7)  # how soon a change is to be seen by whom it concerns
REMEMBERED = timedelta(days=14)  # so long people know who came to a joint session


class Kind(StrEnum):
    """Why a lesson waits for a coordinator."""

    COVER = "cover"
    DISPUTED = "disputed"  # its two sides differ
    ONE_SIDED = "one_sided"  # for days one side alone has told
    SILENT = "silent"  # for days nobody has told anything
    UNSEEN = "unseen"  # its teacher has not said to have seen what changed


_KINDS = {Waiting.DISPUTED: Kind.DISPUTED, Waiting.ONE_SIDED: Kind.ONE_SIDED}


@dataclass(frozen=True, slots=True)
class Decision:
    """A lesson and why it waits; `due`: until when something should have been done.  `search` and
    `filed` where the kind has them; `whom`: who has not seen a change."""

    kind: Kind
    lesson: Lesson
    due: datetime
    search: Search | None = None
    filed: Mapping[Side, Filed] | None = None
    whom: Person | None = None


@dataclass(frozen=True, slots=True)
class Waits:
    """Everything that waits, the oldest deadline first, but the `silent` ones: they are counted.
    `unnoted`: joint sessions that are over, the oldest first."""

    found: tuple[Decision, ...]
    silent: int
    unnoted: tuple[JointSession, ...]


def waiting(ctx: Context, actor: Actor) -> Waits:
    """What waits now; as many queries for many as for one.

    Raises NotFound for who coordinates nothing.
    """
    searches = [_covered(each) for each in cover.searches(ctx, actor)]
    found = [*searches, *_asked(ctx, actor), *_unseen_changes(ctx, actor)]
    with ctx.reading() as db:
        silent = len(_silent(ctx, db, actor))
        unnoted = _unnoted(ctx, db, actor)
    found.sort(key=lambda each: (each.due, each.lesson.starts_at, each.lesson.id))
    return Waits(tuple(found), silent, unnoted)


def unreported(ctx: Context, actor: Actor) -> tuple[Decision, ...]:
    """The lessons that are over and of which it is not settled how they went, the oldest first."""
    asked = _asked(ctx, actor)
    with ctx.reading() as db:
        silent = _found(db, _silent(ctx, db, actor))
    quiet = [Decision(Kind.SILENT, each, _told_by(each)) for each in silent]
    return tuple(sorted((*asked, *quiet), key=lambda x: (x.lesson.starts_at, x.lesson.id)))


def _asked(ctx: Context, actor: Actor) -> list[Decision]:
    return [
        Decision(_KINDS[each.why], each.lesson, _told_by(each.lesson), filed=each.filed)
        for each in reports.open_questions(ctx, actor)
    ]


def _silent(ctx: Context, db: Session, actor: Actor) -> tuple[LessonId, ...]:
    programme_id = programmes.own(actor)
    access.require(actor, Action.SETTLE_LESSON, programme_id)
    return report_rows.silent(db, programme_id, ctx.now() - ALONE_TOO_LONG)


def _unnoted(ctx: Context, db: Session, actor: Actor) -> tuple[JointSession, ...]:
    now = ctx.now()
    return joint_sessions.unnoted(db, programmes.own(actor), now - REMEMBERED, now)


def _told_by(lesson: Lesson) -> datetime:
    return lesson.ends_at + ALONE_TOO_LONG


def _covered(search: Search) -> Decision:
    """Due when the wave is over: then nobody has taken it yet."""
    begins, next_at = search.lesson.starts_at, search.call.look_at
    due = min(begins, next_at) if next_at else begins
    return Decision(Kind.COVER, search.lesson, due, search=search)


def _unseen_changes(ctx: Context, actor: Actor) -> Iterable[Decision]:
    programme_id, now = programmes.own(actor), ctx.now()
    with ctx.reading() as db:
        stories = sightings.of_programme(db, programme_id, now, now + AHEAD)
        readers = {
            turns[-1].lesson_id: reader
            for reader, turns, seen in stories
            if changes.unseen(turns, reader, seen) is not None
        }
        people = recipients.people(db, set(readers.values())) if readers else {}
        found = _found(db, readers)
    return [
        Decision(Kind.UNSEEN, each, each.starts_at, whom=people.get(readers[each.id]))
        for each in found
    ]


def _found(db: Session, ids: Collection[LessonId]) -> tuple[Lesson, ...]:
    return lessons.find(db, ids=ids) if ids else ()

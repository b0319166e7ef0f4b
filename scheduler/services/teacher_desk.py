"""What a volunteer finds on the first page beside the lessons: what to read, tell and answer."""

from dataclasses import dataclass

from scheduler.domain import cover, reports
from scheduler.domain.access import Actor
from scheduler.domain.briefs import Brief, Written
from scheduler.domain.candidates import Obstacle
from scheduler.domain.cover import Offer, Ranked
from scheduler.domain.lessons import Lesson, LessonId
from scheduler.domain.reminders import Side
from scheduler.errors import Text, text
from scheduler.services import offers
from scheduler.services.context import Context
from scheduler.services.lessons import TeacherHome
from scheduler.services.words import obstacle_words, report_words
from scheduler.store import briefs, candidates
from scheduler.store import reports as report_rows
from scheduler.store.database import Session

MOST_TO_TELL = 3


@dataclass(frozen=True, slots=True)
class Past:
    """A lesson that is over; `told`: what its teacher said of it, which can still be changed."""

    lesson: Lesson
    told: Text | None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A lesson that the reader is asked to give; `why`: what speaks for them, and what they should
    know before they say yes."""

    offer: Offer
    lesson: Lesson
    why: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """`own`: what is written of the next lesson; `last`: of the lesson of its class before it."""

    own: Brief
    last: Brief
    past: tuple[Past, ...]
    invitations: tuple[Invitation, ...]


def desk(ctx: Context, actor: Actor, home: TeacherHome) -> Desk:
    """What belongs to these lessons of the actor's; looking changes nothing."""
    own, last = _briefs(ctx, home.next) if home.next else (None, None)
    return Desk(
        own=own.brief if own else Brief(),
        last=last.brief if last else Brief(),
        past=_past(ctx, home),
        invitations=_invitations(ctx, actor),
    )


def _briefs(ctx: Context, lesson: Lesson) -> tuple[Written | None, Written | None]:
    with ctx.reading() as db:
        return briefs.around(db, lesson)


def _past(ctx: Context, home: TeacherHome) -> tuple[Past, ...]:
    """The newest lessons that wait for the teacher's word, or for the school's."""
    now = ctx.now()
    open_ = [lesson for lesson in home.past if reports.closed(lesson, now) is None]
    if not open_:
        return ()
    with ctx.reading() as db:
        filed = report_rows.of_lessons(db, [lesson.id for lesson in open_])
    told = {key: report_words(each[Side.TEACHER].report) for key, each in filed.items()
            if Side.TEACHER in each}  # fmt: skip
    found = [Past(lesson, told.get(lesson.id)) for lesson in reversed(open_)]
    waiting_first = sorted(found, key=lambda each: each.told is not None)
    return tuple(waiting_first[:MOST_TO_TELL])


def to_report(ctx: Context, home: TeacherHome) -> frozenset[LessonId]:
    """The lessons that are over and wait for their teacher's word."""
    now = ctx.now()
    open_ = [lesson.id for lesson in home.past if reports.closed(lesson, now) is None]
    if not open_:
        return frozenset()
    with ctx.reading() as db:
        filed = report_rows.of_lessons(db, open_)
    return frozenset(key for key in open_ if Side.TEACHER not in filed[key])


def _invitations(ctx: Context, actor: Actor) -> tuple[Invitation, ...]:
    waiting = offers.waiting(ctx, actor)
    if not waiting:
        return ()
    with ctx.reading() as db:
        return tuple(
            Invitation(offer, lesson, _why(ctx, db, offer, lesson)) for offer, lesson in waiting
        )


def _why(ctx: Context, db: Session, offer: Offer, lesson: Lesson) -> tuple[Text, ...]:
    need = candidates.need(db, lesson)
    found = candidates.find(db, need.term, need.want, ctx.now(), among=[offer.teacher_id])
    ranked = cover.rank(found, need.want, lesson.teacher_id, need.donor_school_id)
    return _reasons(ranked[0]) if ranked else ()


def _reasons(who: Ranked) -> tuple[Text, ...]:
    """In favour first; then what is in the way, if a coordinator asked all the same."""
    free = Obstacle.NOT_AVAILABLE not in who.obstacles and not who.if_needed
    said = (
        (who.knows_class, text("You have taught this class before.")),
        (free, text("You said that you are free at this time.")),
        (who.if_needed, text("You said that you come at this time if needed.")),
        (who.same_school, text("Its teacher is a colleague at your school.")),
        (who.wished, text("You wished for this school.")),
        (who.ask_first, text("We could not read your own calendar for this time.")),
    )
    against = (
        text("To consider: {why}. You decide.", why=obstacle_words(each)) for each in who.obstacles
    )
    return (*(words for holds, words in said if holds), *against)

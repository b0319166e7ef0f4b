"""Whether calendars keep up: for the coordinator, who then writes to the others."""

from scheduler.domain import access, subscriptions
from scheduler.domain.access import Action, Actor
from scheduler.domain.lessons import Lesson
from scheduler.domain.subscriptions import Standing, Subscriber
from scheduler.services import programmes
from scheduler.services.context import Context
from scheduler.store import subscriptions as store


def health(ctx: Context, actor: Actor) -> dict[Standing, tuple[Subscriber, ...]]:
    """Everybody with lessons to come in the coordinator's programme, by standing.

    When a link was last read lags by up to a minute.  Raises NotFound for anybody else.
    """
    programme_id = programmes.own(actor)
    access.require(actor, Action.SEE_PROGRAMME, programme_id)
    now = ctx.now()
    with ctx.reading() as db:
        found = store.subscribers(db, programme_id, now)
    return subscriptions.by_standing(found, now)


def teacher_would_miss(ctx: Context, lesson: Lesson) -> bool:
    """Whether a change made now would hardly be in the teacher's calendar before the lesson."""
    with ctx.reading() as db:
        links = store.of_teachers(db, [lesson.teacher_id])[lesson.teacher_id]
    return subscriptions.would_miss(links, lesson.starts_at, ctx.now())

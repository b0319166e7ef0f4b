"""Whom the tasks of teachers are about, and what the database holds of them."""

from datetime import date, timedelta

from scheduler.domain import reports as report_rules
from scheduler.domain.access import Actor
from scheduler.domain.answers import Excuse, Reason, Reply
from scheduler.domain.availability import Pledge
from scheduler.domain.calendars import FeedLink
from scheduler.domain.choices import Choices
from scheduler.domain.lessons import Lesson
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Report
from scheduler.services import answers, swap_partners, teacher_desk
from scheduler.store import (
    availability,
    choices,
    feed_links,
    lessons,
    offers,
    recipients,
    terms,
)
from scheduler.store import reports as report_rows
from tests.journeys.stage import (
    Stage,
    Visit,
    ahead,
    untold,
)


def offered(stage: Stage) -> tuple[Lesson, Actor]:
    """A lesson whose teacher is ill, and one who is asked to give it."""
    for _ in range(20):
        ill, own = with_lessons(stage, days=3)
        lesson = next(x for x in own if x.starts_at > stage.ctx.now() + timedelta(days=3))
        excuse = Excuse(Reason.SICK)
        answers.reply(stage.ctx, answers.of_actor(ill, lesson.id), Reply.CANNOT, excuse)
        with stage.ctx.reading() as db:
            made = offers.of_lesson(db, lesson.id)
            asked = recipients.of_teachers(db, [x.teacher_id for x in made])
        people = {asked[x.teacher_id].person_id for x in made}
        for actor in stage.house.teachers:
            if actor.person_id in people and actor.person_id not in stage.house.met:
                stage.house.met.add(actor.person_id)
                return lesson, actor
    raise AssertionError("nobody was asked to stand in")


def swapping(stage: Stage) -> tuple[Actor, Lesson, Lesson]:
    for _ in range(20):
        me, own = with_lessons(stage, days=3)
        for lesson in own:
            if lesson.starts_at < stage.ctx.now() + timedelta(days=3):
                continue
            for partner in swap_partners.of_lesson(stage.ctx, me, lesson.id)[:10]:
                with stage.ctx.reading() as db:
                    other = lessons.get(db, partner.lesson_id)
                if other and other.teacher_person_id not in stage.house.met:
                    stage.house.met.add(other.teacher_person_id)
                    return me, lesson, other
    raise AssertionError("nobody could swap")


def with_lessons(stage: Stage, days: float = 0.2) -> tuple[Actor, list[Lesson]]:
    """A teacher whose next lesson is hours away and within the week of reminders."""
    now, near = stage.ctx.now(), stage.ctx.now() + timedelta(days=7.5)

    def fits(own: list[Lesson]) -> bool:
        ahead_ = [x for x in own if x.ends_at > now]
        found = ahead(now, ahead_)
        soon = bool(ahead_) and ahead_ == found and found[0].starts_at < near
        return soon and bool(ahead(now, found, days))

    me = stage.teacher(fits)
    return me, ahead(now, lessons_of(stage, me))


def with_untold(stage: Stage) -> tuple[Actor, Lesson]:
    """A lesson that waits for its teacher's word, among no more than the first page lists."""
    now, most = stage.ctx.now(), teacher_desk.MOST_TO_TELL
    closes = now - report_rules.CLOSES_AFTER

    def fits(own: list[Lesson]) -> bool:
        waiting = [x for x in own if closes < x.ends_at < now]
        return bool(untold(now, own)) and len(waiting) <= most

    me = stage.teacher(fits)
    return me, untold(now, lessons_of(stage, me))[-1]


def lessons_of(stage: Stage, me: Actor) -> list[Lesson]:
    with stage.ctx.reading() as db:
        return list(lessons.find(db, teacher_id=teacher_id(me)))


def teacher_of(stage: Stage, lesson: Lesson) -> Actor:
    return next(x for x in stage.house.teachers if x.person_id == lesson.teacher_person_id)


def teacher_id(me: Actor) -> int:
    return next(int(g.teacher_id) for g in me.grants if g.teacher_id is not None)


def term_id(v: Visit) -> int:
    with v.ctx.reading() as db:
        term = terms.find(db, None)
    assert term is not None
    return term.id


def pledge_of(v: Visit) -> Pledge:
    with v.ctx.reading() as db:
        found = availability.pledge(db, term_id(v), teacher_id(v.actor))
    assert found is not None
    return found


def days_away(v: Visit) -> list[date]:
    """The first days of what the teacher wrote down."""
    with v.ctx.reading() as db:
        own = availability.own(db, term_id(v), teacher_id(v.actor))
    return [each.span.first_day for each in own.away]


def links_of(v: Visit) -> list[FeedLink]:
    with v.ctx.reading() as db:
        return list(feed_links.of_person(db, v.actor.person_id))


def report_of(v: Visit, lesson: Lesson) -> Report:
    with v.ctx.reading() as db:
        return report_rows.of_lessons(db, [lesson.id])[lesson.id][Side.TEACHER].report


def choices_of(v: Visit) -> Choices:
    with v.ctx.reading() as db:
        return choices.of(db, [v.actor.person_id])[v.actor.person_id]

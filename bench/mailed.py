"""The pages of the demo that people reach by a link in a mail or on a paper."""

from datetime import timedelta

from scheduler.domain.access import Actor, Role
from scheduler.domain.answers import Excuse, Reason, Reply
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.people import PersonId
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Report
from scheduler.services import (
    accounts,
    answers,
    certificates,
    checkins,
    links,
    reports,
    sides,
    swap_partners,
    swaps,
)
from scheduler.services.context import Context
from scheduler.store import accounts as account_rows
from scheduler.store import lessons, offers, recipients

HELD = Report(held=True)


def pages(ctx: Context) -> dict[str, str]:
    """Their addresses by name, each in the state in which its reader has something to do, and as it
    is afterwards.  Changes the demo: call it once."""
    return {**_offers(ctx), **_swaps(ctx), **_reports(ctx), **_check_ins(ctx), **_papers(ctx)}


def speak(ctx: Context, language: str) -> None:
    """Let all people read this language."""
    with ctx.transaction() as db:
        for role in Role:
            for person in account_rows.with_role(db, role):
                account_rows.set_language(db, person.person_id, language)


def _teachers(ctx: Context) -> tuple[Actor, ...]:
    return accounts.people_with(ctx, Role.TEACHER)


def _of(ctx: Context, teacher: Actor) -> tuple[Lesson, ...]:
    with ctx.reading() as db:
        found = lessons.find(db, teacher_id=teacher.grants[0].teacher_id)
    return tuple(x for x in found if x.state is LessonState.SCHEDULED)


def _offers(ctx: Context) -> dict[str, str]:
    """One that is open, of the first lesson for which somebody can be asked."""
    for teacher in _teachers(ctx):
        ahead = [x for x in _of(ctx, teacher) if x.starts_at > ctx.now() + timedelta(days=3)]
        if not ahead:
            continue
        asked = answers.of_actor(teacher, ahead[0].id)
        answers.reply(ctx, asked, Reply.CANNOT, Excuse(Reason.SICK))
        with ctx.reading() as db:
            made = offers.of_lesson(db, ahead[0].id)
        if made:
            return {"offer": links.offer_url(ctx, made[0].id, ahead[0].ends_at)}
    return {}


def _swaps(ctx: Context) -> dict[str, str]:
    for teacher in _teachers(ctx):
        for lesson in _of(ctx, teacher):
            if lesson.starts_at < ctx.now() + timedelta(days=3):
                continue
            partners = swap_partners.of_lesson(ctx, teacher, lesson.id)
            if not partners:
                continue
            words = "Hôm đó trường em họp phụ huynh, cô đổi giúp em với ạ."
            made = swaps.ask(ctx, teacher, lesson.id, partners[0].lesson_id, words)
            with ctx.reading() as db:
                asked = recipients.of_teachers(db, [made.swap.asked_id])[made.swap.asked_id]
            return {
                "swap": links.swap_url(ctx, made.swap, asked.person_id),
                "swap-own": links.swap_url(ctx, made.swap, teacher.person_id),
            }
    return {}


def _reports(ctx: Context) -> dict[str, str]:
    """Of a teacher and of a school that nobody told yet, and of one that both have told."""
    past = _past(ctx, _recent(ctx))
    both = {Side.TEACHER: past[0].teacher_person_id, Side.SCHOOL: _contact(ctx, past[0])}
    for side, person in both.items():
        speaker = sides.Speaker(past[0].id, side, person)
        reports.report(ctx, speaker, HELD)
    return {
        "report-teacher": links.report_url(ctx, past[1], Side.TEACHER, past[1].teacher_person_id),
        "report-school": links.report_url(ctx, past[1], Side.SCHOOL, _contact(ctx, past[1])),
        "report-settled": links.report_url(ctx, past[0], Side.TEACHER, both[Side.TEACHER]),
    }


def _recent(ctx: Context) -> Actor:
    """A teacher who gave two lessons that can still be reported."""
    return next(each for each in _teachers(ctx) if len(_past(ctx, each)) > 1)


def _past(ctx: Context, teacher: Actor) -> list[Lesson]:
    told = ctx.now() - timedelta(days=10)
    return [x for x in _of(ctx, teacher) if told < x.ends_at < ctx.now()]


def _contact(ctx: Context, lesson: Lesson) -> PersonId:
    with ctx.reading() as db:
        return next(iter(recipients.of_schools(db, [lesson.school_id])[lesson.school_id]))


def _check_ins(ctx: Context) -> dict[str, str]:
    """Of a lesson that goes on or begins next (a slow machine is later): one side is there."""
    now = ctx.now()
    with ctx.reading() as db:
        found = lessons.find(db, since=now - timedelta(hours=1), until=now + timedelta(days=1))
    near = next(x for x in found if x.state is LessonState.SCHEDULED and x.ends_at > now)
    contact = _contact(ctx, near)
    checkins.check_in(ctx, sides.Speaker(near.id, Side.SCHOOL, contact))
    return {
        "check-in": links.check_in_url(ctx, near, Side.TEACHER, near.teacher_person_id),
        "check-in-done": links.check_in_url(ctx, near, Side.SCHOOL, contact),
    }


def _papers(ctx: Context) -> dict[str, str]:
    with ctx.reading() as db:
        held = next(x for x in lessons.find(db) if x.state is LessonState.HELD)
    issued = certificates.issue(ctx, accounts.operator(ctx), held.teacher_id)
    return {
        "verify": certificates.address(ctx, issued),
    }

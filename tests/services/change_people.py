"""What teachers and schools do with lessons; also too late, twice, and what is not theirs."""

import random
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.answers import Excuse, Reason
from scheduler.domain.answers import Reply as Answer
from scheduler.domain.cover import Reply, Standing
from scheduler.domain.lessons import Cause, Lesson
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Report
from scheduler.domain.swaps import Reply as SwapReply
from scheduler.domain.swaps import SwapEnd
from scheduler.errors import NotFound
from scheduler.services import (
    answers,
    cover,
    lessons,
    offers,
    pins,
    reports,
    sides,
    swap_partners,
    swaps,
)
from scheduler.store import tables
from tests.services.change_model import EVERY
from tests.services.change_world import World

LIVE = ("scheduled", "cover")
OVER = ("scheduled", "cover", "held", "not_held", "disputed")


def wait(world: World, r: random.Random) -> None:
    minutes = r.choice((3, 9, 16, 16, 45, 60, 180, 600, 1440, 2000))
    world.clock.forward(minutes=minutes + r.random())
    world.may_break = EVERY  # a pin that ends with a day no longer excuses its lesson


def _reply(world: World, r: random.Random, said: Answer, *states: str) -> None:
    lesson = world.some(r, *states)
    if lesson is None:
        return
    actor = world.office.teachers[lesson.teacher_id]
    for _ in range(r.choice((1, 1, 2))):
        asked = answers.of_actor(actor, lesson.id)
        answers.reply(world.ctx, asked, said, Excuse(r.choice(list(Reason))))


def cannot(world: World, r: random.Random) -> None:
    _reply(world, r, Answer.CANNOT, "scheduled")


def confirm(world: World, r: random.Random) -> None:
    _reply(world, r, Answer.CONFIRM, *LIVE)


def take_back(world: World, r: random.Random) -> None:
    _reply(world, r, Answer.UNDO, "cover")


def reply(world: World, r: random.Random) -> None:
    """Any offer ever made: open, answered, lapsed, or of a call that is over."""
    with world.ctx.reading() as db:
        row = tables.offers
        known = db.execute(sa.select(row.c.id, row.c.teacher_id, row.c.ended_at)).all()
    fresh = [x for x in known if x.ended_at is None]
    among = fresh if fresh and r.random() < 0.8 else known
    if not among:
        return
    offer = r.choice(sorted(among, key=lambda x: x.id))
    said = r.choice((Reply.ACCEPT, Reply.ACCEPT, Reply.ACCEPT, Reply.DECLINE, Reply.LATER))
    before = offers.question(world.ctx, offer.id)
    done = offers.reply(world.ctx, offer.id, said, "Bận")
    if said is Reply.ACCEPT and before.open:
        assert done.standing is Standing.YOURS
        assert (done.lesson.teacher_id, done.lesson.state) == (offer.teacher_id, "scheduled")
    if not before.open:
        assert (done.lesson, done.standing) == (before.lesson, before.standing)
    assert offers.reply(world.ctx, offer.id, said, "Bận").standing is done.standing


def meddle(world: World, r: random.Random) -> None:
    """Who was not asked, or has no part in it, finds nothing there."""
    lesson = world.some(r, *LIVE)
    if lesson is None:
        return
    ctx, office = world.ctx, world.office
    asked = {x.teacher_id for x in cover.board(ctx, office.coordinator, lesson.id).offers}
    others = sorted(office.teachers.keys() - asked - {lesson.teacher_id})
    with pytest.raises(NotFound):
        lessons.call_off(ctx, office.stranger, lesson.id, "Bão")
    with pytest.raises(NotFound):
        pins.put(ctx, office.stranger, [lesson.id], "Giữ")
    if others:
        actor = office.teachers[others[0]]
        with pytest.raises(NotFound):
            answers.reply(ctx, answers.of_actor(actor, lesson.id), Answer.CANNOT)
        with pytest.raises(NotFound):
            offers.reply_for(ctx, office.coordinator, lesson.id, others[0], Reply.ACCEPT)


# -- swaps


def swap(world: World, r: random.Random) -> None:
    given = world.some(r, *LIVE)
    if given is None:
        return
    actor = world.office.teachers[given.teacher_id]
    fits = swap_partners.of_lesson(world.ctx, actor, given.id)
    wanted = r.choice(fits).lesson_id if fits and r.random() < 0.8 else _other(world, r, given)
    if wanted is not None:
        made = [swaps.ask(world.ctx, actor, given.id, wanted).swap.id for _ in range(2)]
        assert made[0] == made[1]


def _other(world: World, r: random.Random, given: Lesson) -> int | None:
    found = world.some(r, *LIVE)
    return None if found is None or found.id == given.id else found.id


def answer_swap(world: World, r: random.Random) -> None:
    """Any proposal ever made, answered by one of its two, or by somebody else."""
    with world.ctx.reading() as db:
        known = db.execute(sa.select(tables.swaps).order_by(tables.swaps.c.id)).all()
    fresh = [x for x in known if x.ended_at is None]
    among = fresh if fresh and r.random() < 0.8 else known
    if not among:
        return
    found = r.choice(among)
    parties = (found.asker_id, found.asked_id)
    third = r.choice([t for t in world.office.teachers if t not in parties])
    with pytest.raises(NotFound):
        swaps.answer(world.ctx, _party(world, found, third), SwapReply.ACCEPT)
    with pytest.raises(NotFound):
        swaps.answer(world.ctx, _party(world, found, found.asker_id), SwapReply.ACCEPT)
    said = r.choice((*[SwapReply.ACCEPT] * 3, SwapReply.DECLINE, SwapReply.WITHDRAW))
    who = found.asker_id if said is SwapReply.WITHDRAW else found.asked_id
    done = swaps.answer(world.ctx, _party(world, found, who), said)
    if said is SwapReply.ACCEPT and found.ended_at is None and done.end is SwapEnd.AGREED:
        with world.ctx.reading() as db:
            row = tables.lessons
            both = dict(db.execute(sa.select(row.c.id, row.c.teacher_id)).all())
        assert (both[found.given_id], both[found.wanted_id]) == parties[::-1]
    assert swaps.answer(world.ctx, _party(world, found, who), said).end is done.end


def _party(world: World, found, teacher: int) -> swaps.Asked:
    return swaps.of_actor(world.office.teachers[teacher], found.id)


# -- afterwards


def report(world: World, r: random.Random) -> None:
    lesson = world.some(r, *OVER, ahead=False)
    if lesson is None:
        return
    for side in r.choice(((Side.TEACHER,), (Side.SCHOOL,), tuple(Side), tuple(Side))):
        teacher = side is Side.TEACHER
        actor = (world.office.teachers[lesson.teacher_id] if teacher
                 else world.office.schools[lesson.school_id])  # fmt: skip
        held = r.random() < 0.7
        said = Report(held, cause=None if held else r.choice(list(Cause)))
        reports.report(world.ctx, sides.of_actor(world.ctx, actor, lesson.id, side), said)


def settle(world: World, r: random.Random) -> None:
    lesson = world.some(r, *OVER, "cancelled", ahead=r.random() < 0.1)
    if lesson is None:
        return
    held = r.random() < 0.6
    made = reports.Settlement(held, None if held else r.choice(list(Cause)), "Đã gọi điện")
    reports.settle(world.ctx, world.office.coordinator, lesson.id, made)


def account(world: World, r: random.Random) -> None:
    """One of the last two teachers comes or goes."""
    teacher = r.choice(sorted(world.office.teachers)[-2:])
    reader = world.readers[world.office.teachers[teacher].person_id]
    world.turn(reader.id, on=not reader.on)


def rush(world: World, r: random.Random) -> None:
    """To shortly before, or into, the next lesson."""
    lesson = world.some(r, *LIVE)
    if lesson is not None:
        ahead = lesson.starts_at - world.clock.now()
        near = timedelta(minutes=r.choice((-5, 5, 25, 40, 100, 170)))
        if timedelta() < ahead - near < timedelta(days=3):
            world.clock.at += ahead - near
            world.may_break = EVERY

"""What coordinators do with lessons and plans."""

import random
from datetime import timedelta

from scheduler.domain.baskets import Add, Alter, CallOff, Time
from scheduler.domain.disruptions import Absence, Choice, Closure, Way
from scheduler.domain.intervals import DaySpan
from scheduler.domain.plans import Placement
from scheduler.domain.runs import WHOLE, Scope
from scheduler.errors import Stale
from scheduler.services import (
    acceptances,
    baskets,
    cover,
    disruptions,
    lessons,
    pins,
    plans,
    publications,
    runs,
)
from scheduler.store import runs as run_rows
from tests.services.change_model import AWAY, CLOSED, EVERY, PROMISES
from tests.services.change_people import LIVE
from tests.services.change_world import DAY, LAST, LENGTH, SLOTS, STARTS, World, pick

# -- plans


def publish(world: World, r: random.Random) -> None:
    """A draft that breaks no rule anew."""
    world.publish(world.save(_altered(world, r)))


def look(world: World, r: random.Random) -> None:
    """A draft is previewed, and left lying on the desk."""
    plan = world.save(_altered(world, r))
    world.seen = plans.preview(world.ctx, world.office.coordinator, plan), world.later()


def publish_seen(world: World, r: random.Random) -> None:
    """What lies on the desk is published: exactly what was seen, or nothing."""
    if world.seen is None:
        return
    (preview, was), world.seen = world.seen, None
    now, actor = world.later(), world.office.coordinator
    world.may_break = EVERY  # of what has changed beside the timetable a draft knows nothing
    try:
        diff = plans.publish(world.ctx, actor, preview.plan.id, preview.fingerprint)
    except Stale:
        assert now != was or world.today >= min((p.day for p in was), default=LAST) - DAY
        raise
    assert (diff, now) == (preview.diff, was)


def _altered(world: World, r: random.Random) -> set[Placement]:
    wanted = world.placements()
    for _ in range(r.choice((1, 2, 3))):
        ahead = sorted(p for p in wanted if p.day > world.today)
        what = r.choice(("add", "add", "drop", "move", "restaff", "restaff"))
        old = pick(r, ahead) if what != "add" else None
        new = _new(world, r, old, what)
        if new is None and old is None:
            continue
        other = (wanted - {old}) | ({new} if new else set())
        days = [(p.request_id, p.day) for p in other]
        if len(set(days)) == len(days) and not world.new_faults(wanted, other):
            wanted = other
    return wanted


def _new(world: World, r: random.Random, old: Placement | None, what: str) -> Placement | None:
    teacher = r.choice(sorted(world.office.teachers))
    if old is not None and what == "drop":
        return None
    if old is not None and what == "restaff":
        return Placement(old.request_id, old.day, old.start, old.end, teacher)
    weekday, start = r.choice(SLOTS)
    monday = world.today - timedelta(days=world.today.weekday())
    day = monday + r.choice((0, 1, 1, 2, 3)) * 7 * DAY + weekday * DAY
    if not world.today < day <= LAST:
        return old
    request = old.request_id if old else r.choice(world.office.requests)
    return Placement(request, day, start, start + LENGTH, old.teacher_id if old else teacher)


def run(world: World, r: random.Random) -> None:
    """The engine looks for something better for a moment; some, or all, of it is published."""
    ctx, actor = world.ctx, world.office.coordinator
    scope = r.choice((WHOLE, Scope(most_lessons=2), Scope(most_teachers=1)))
    with ctx.transaction() as db:
        asked = run_rows.add(
            db, term_id=world.office.term, asked_by=actor.person_id, now=ctx.now(),
            seconds=0.05, seed=r.randrange(99), scope=scope,
        )  # fmt: skip
    done = runs.work_here(ctx, asked)
    assert done is not None
    assert done.error is None
    preview = plans.preview(ctx, actor, done.plan_id)
    plan = done.plan_id
    if preview.lines and r.random() < 0.4:
        lines = sorted(line.id for line in preview.lines)
        plan = acceptances.accept(ctx, actor, plan, r.sample(lines, r.randint(1, len(lines))))
    world.publish(plan)


def undo(world: World, r: random.Random) -> None:
    """One of the last publications is put back, as far as it still stands."""
    ctx, actor = world.ctx, world.office.coordinator
    told = publications.of_term(ctx, actor, world.office.term)[:4]
    if told:
        done = publications.undo(ctx, actor, r.choice(told).publication.id)
        world.may_break = frozenset(problem.what.msgid for problem in done.broken)
        world.publish(done.plan_id)


def basket(world: World, r: random.Random) -> None:
    """A few changes by hand: what shows no clash becomes a draft, and that is published."""
    ctx, actor, moves = world.ctx, world.office.coordinator, {}
    for number in range(r.choice((1, 1, 2, 3))):
        lesson = world.some(r, *LIVE)
        teacher = r.choice(sorted(world.office.teachers))
        what = r.choice(("teacher", "time", "both", "off", "new"))
        day = world.today + r.randrange(1, 15) * DAY
        start = r.choice(STARTS)
        time = Time(day, start, start + LENGTH)
        if what == "new":
            moves[-number] = Add(r.choice(world.office.requests), time, teacher)
        elif lesson is not None and what == "off":
            moves[lesson.id] = CallOff(lesson.id, "Thi học kỳ")
        elif lesson is not None:
            moves[lesson.id] = Alter(
                lesson.id, None if what == "time" else teacher, None if what == "teacher" else time
            )
    if moves:
        plan = baskets.draft(ctx, actor, world.office.term, list(moves.values()), "Bằng tay")
        world.publish(plan)


# -- cover


def ask(world: World, r: random.Random) -> None:
    lesson = world.some(r, "scheduled")
    if lesson is not None:
        cover.ask(world.ctx, world.office.coordinator, lesson.id, "Cô ốm")


def offer(world: World, r: random.Random) -> None:
    lesson = world.some(r, "cover")
    if lesson is not None:
        teacher = r.choice(sorted(world.office.teachers))
        cover.offer(world.ctx, world.office.coordinator, lesson.id, teacher)


def take(world: World, r: random.Random) -> None:
    """Somebody agreed by telephone, perhaps to more than was promised."""
    lesson = world.some(r, *LIVE, "cover")
    if lesson is not None:
        world.may_break = PROMISES
        teacher = r.choice(sorted(world.office.teachers))
        cover.take(world.ctx, world.office.coordinator, lesson.id, teacher, "Qua điện thoại")


def close(world: World, r: random.Random) -> None:
    lesson = world.some(r, "cover")
    if lesson is not None:
        cover.close(world.ctx, world.office.coordinator, lesson.id)


def asking(world: World, r: random.Random) -> None:
    """Whether teachers are asked by themselves."""
    cover.automatic(world.ctx, world.office.coordinator, on=r.random() < 0.7)


# -- absences, closures, storms


def disrupt(world: World, r: random.Random) -> None:
    """Entered and met in one step; perhaps some lessons otherwise than proposed."""
    ctx, actor = world.ctx, world.office.coordinator
    lesson, asked = world.some(r, *LIVE), world.asked()
    who = lesson.teacher_id if lesson else r.choice(sorted(world.office.teachers))
    if asked and r.random() < 0.4:  # somebody who may still answer that they stand in
        lesson, who = r.choice(asked)
    first = lesson.starts_at.date() if lesson and r.random() < 0.7 else world.today
    span = DaySpan(first, min(LAST, first + r.choice((0, 0, 1, 6)) * DAY))
    schools = sorted(world.office.schools)
    if r.random() < 0.5:
        met: Absence | Closure = Absence(who, span, "Đi công tác")
        actor = r.choice((actor, world.office.teachers[who]))
    else:
        hit = r.choice((tuple(schools), (schools[0],), (schools[1],)))
        met = Closure(hit, span, "Bão số 4")
        actor = world.office.schools[hit[0]] if len(hit) == 1 and r.random() < 0.5 else actor
    seen = disruptions.preview(ctx, actor, met)
    chosen = {}
    for line in seen.lines:
        if r.random() < 0.2:
            chosen[line.lesson.id] = Choice(r.choice((Way.LEAVE, Way.CALL_OFF)))
    world.may_break = AWAY if isinstance(met, Absence) else CLOSED
    disruptions.apply(ctx, actor, met, seen.fingerprint, chosen)
    world.disruptions.append(met)


def withdraw(world: World, r: random.Random) -> None:
    if world.disruptions:
        gone = world.disruptions.pop(r.randrange(len(world.disruptions)))
        disruptions.withdraw(world.ctx, world.office.coordinator, gone)


# -- one lesson


def pin(world: World, r: random.Random) -> None:
    lesson = world.some(r, *LIVE)
    if lesson is not None:
        world.may_break = EVERY  # a former pin may have ended later
        until = r.choice((None, world.today + r.randrange(10) * DAY))
        pins.put(world.ctx, world.office.coordinator, [lesson.id], "Giữ nguyên", until)


def unpin(world: World, r: random.Random) -> None:
    found = pins.of_term(world.ctx, world.office.coordinator, world.office.term)
    if found:
        world.may_break = EVERY  # what it excused
        pins.remove(world.ctx, world.office.coordinator, [r.choice(found).lesson.id])


def call_off(world: World, r: random.Random) -> None:
    lesson = world.some(r, *LIVE)
    if lesson is not None:
        who = world.office.schools[lesson.school_id] if r.random() < 0.5 else None
        lessons.call_off(world.ctx, who or world.office.coordinator, lesson.id, "Bão")

"""Whatever comes between, on small terms by chance: no rule of the engine is newly broken.

The engine's verifier, which shares no line with the rules here, reads each term before and after.
"""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import greedy
from scheduler.domain import disruptions
from scheduler.domain.availability import Window
from scheduler.domain.busy import Availability, BusyTime
from scheduler.domain.candidates import Booked, Candidate
from scheduler.domain.disruptions import Absence, Choice, Closure, Way
from scheduler.domain.intervals import DaySpan, dated
from scheduler.domain.openings import Situation, Volunteer
from scheduler.domain.people import Level
from scheduler.domain.plans import Placement
from scheduler.domain.requests import Request, Slot
from scheduler.domain.terms import Term
from scheduler.matching import problem, verify
from scheduler.matching.plan import Plan, PlannedLesson
from scheduler.matching.problem import CurrentLesson, Instance, Span
from tests.effort import examples
from tests.matching import make

ZONE = "Asia/Ho_Chi_Minh"


@dataclass(frozen=True)
class World:
    """The same term in the engine's words and in ours; lessons have the place in its plan as id."""

    instance: Instance
    lessons: tuple[PlannedLesson, ...]
    situation: Situation
    disruption: Absence | Closure

    @property
    def hit(self):
        """The lessons ahead that it concerns, in order of time."""
        return [
            n for n, x in enumerate(self.lessons)
            if x.day > self.today and x.day in self.disruption.span and self.whose(x)
        ]  # fmt: skip

    @property
    def today(self):
        return self.situation.term.today(self.situation.now)

    def whose(self, lesson):
        if isinstance(self.disruption, Absence):
            return lesson.teacher == self.instance.teachers[self.disruption.teacher_id].id
        request = next(x for x in self.instance.requests if x.id == lesson.request)
        schools = [self.instance.schools[n].id for n in self.disruption.school_ids]
        return request.school in schools


def world(seed):
    """A term, and something that comes between on the day of one of its lessons, if it has any."""
    rng, instance = Random(seed), make.Chance(seed).first_run()
    if rng.randrange(4):
        instance = replace(instance, teachers=tuple(map(generous, instance.teachers)))
    lessons = tuple(
        sorted(greedy.plan(instance).lessons, key=lambda x: (x.day, x.start, x.request))
    )
    aim = rng.choice(lessons) if lessons else None
    first = aim.day if aim else instance.term.first_day
    today = first - timedelta(days=rng.randint(1, 9))
    span = DaySpan(first, first + timedelta(days=rng.choice((0, 0, 0, 1, 6))))
    return World(
        instance, lessons, situation(instance, lessons, today), chosen(rng, instance, span, aim)
    )


def generous(teacher):
    """By chance alone hardly anybody could stand in."""
    whole_days = tuple(problem.Window(weekday, 400, 1000) for weekday in range(5))
    return replace(teacher, levels=make.LEVELS, available=teacher.available + whole_days)


def chosen(rng, instance, span, aim):
    teachers = [x.id for x in instance.teachers]
    if aim and rng.randrange(2):
        return Absence(teachers.index(aim.teacher), span, "Ốm")
    schools = range(len(instance.schools))
    if aim is None or rng.randrange(2):
        return Closure(tuple(schools), span, "Bão")
    home = next(x.school for x in instance.requests if x.id == aim.request)
    return Closure(tuple(n for n in schools if instance.schools[n].id == home), span, "Bão")


def situation(instance, lessons, today):
    term = Term(
        1, 1, "T", "T", instance.term.first_day, instance.term.last_day, instance.gap_minutes, ZONE,
        tuple(instance.term.holidays),
    )  # fmt: skip
    requests = {x.id: request(instance, n) for n, x in enumerate(instance.requests)}
    teachers = {x.id: n for n, x in enumerate(instance.teachers)}
    standing = {
        n: Placement(requests[x.request].id, x.day, x.start, x.end, teachers[x.teacher])
        for n, x in enumerate(lessons)
    }
    return Situation(
        term=term,
        requests={x.id: x for x in requests.values()},
        rooms={n: school.rooms for n, school in enumerate(instance.schools)},
        closed={n: tuple(map(span, school.closed)) for n, school in enumerate(instance.schools)},
        volunteers={n: volunteer(x, n, standing) for n, x in enumerate(instance.teachers)},
        standing=standing,
        pinned=frozenset(),
        now=datetime.combine(today, time(12), ZoneInfo(ZONE)),
    )


def span(found):
    return DaySpan(found.first_day, found.last_day)


def request(instance, n):
    x = instance.requests[n]
    schools = [school.id for school in instance.schools]
    names = sorted({(r.school, r.class_name) for r in instance.requests})
    return Request(
        n, schools.index(x.school), x.school, names.index((x.school, x.class_name)), x.class_name,
        Level(x.level), 30, 1, x.lessons_per_week, x.first_day, x.last_day, x.priority,
        tuple(Slot(s.weekday, s.start, s.end, s.rank) for s in x.slots),
    )  # fmt: skip


def volunteer(x, n, standing):
    times = tuple(BusyTime(dated(b.day, b.start, b.end, ZONE), False) for b in x.busy)
    booked = tuple(
        Booked(dated(p.day, p.start, p.end, ZONE), p.day, lesson)
        for lesson, p in standing.items()
        if p.teacher_id == n
    )
    who = Candidate(
        teacher_id=n, person_id=n, name=x.id, donor_school_id=1, donor_school="HN",
        levels=frozenset(map(Level, x.levels)), max_per_day=x.max_per_day,
        max_per_week=x.max_per_week, max_total=x.max_total,
        windows=tuple(
            Window(w.weekday, w.start, w.end, w.first_day, w.last_day, w.if_needed)
            for w in x.available
        ),
        absences=tuple(map(span, x.unavailable)), busy=tuple(t.span for t in times),
        calendar=Availability.FREE, booked=booked, total=len(booked), wishes=frozenset(),
        wishes_any=False, class_lessons=0, asked_at=None,
    )  # fmt: skip
    return Volunteer(who, None, times)


def afterwards(world, done):
    """The instance with what came between, and the plan without what looks for cover."""
    there = {each.lesson_id: each for each in done}
    pins = disruptions.detached(world.disruption, done, world.situation)
    standing = []
    for n, lesson in enumerate(world.lessons):
        made = there.get(n)
        if made and made.way in (Way.CALL_OFF, Way.COVER):
            continue
        after = made.after if made else None
        now = lesson if after is None else PlannedLesson(
            lesson.request, after.day, after.start, after.end,
            world.instance.teachers[after.teacher_id].id,
        )  # fmt: skip
        standing.append(
            CurrentLesson(now.request, now.day, now.start, now.end, now.teacher, n in pins)
        )
    instance = replace(
        disrupted(world),
        current=tuple(standing),
        freeze_before=world.today + timedelta(days=1),
    )
    plan = Plan(tuple(PlannedLesson(x.request, x.day, x.start, x.end, x.teacher) for x in standing))
    return instance, plan


def disrupted(world):
    """The engine's instance with the closed days or the absence."""
    known, what = world.instance, world.disruption
    more = Span(what.span.first_day, what.span.last_day)
    if isinstance(what, Absence):
        teachers = [replace(x, unavailable=(*x.unavailable, more)) if n == what.teacher_id else x
                    for n, x in enumerate(known.teachers)]  # fmt: skip
        return replace(known, teachers=tuple(teachers))
    schools = [replace(x, closed=(*x.closed, more)) if n in what.school_ids else x
               for n, x in enumerate(known.schools)]  # fmt: skip
    return replace(known, schools=tuple(schools))


def is_short(seed):
    """Terms of hundreds of weeks say nothing more here, and cost a second each."""
    chance = make.Chance(seed)
    return (chance.last - chance.first).days < 60


seeds = st.integers(0, 10**6).filter(is_short)


@settings(max_examples=examples(30))
@given(seeds)
def test_proposals_break_no_rule_of_the_engine(seed):
    here = world(seed)
    assert verify.verify(here.instance, Plan(here.lessons)).violations == ()
    made = disruptions.proposals(here.disruption, here.hit, here.situation)
    assert [each.lesson_id for each in made] == here.hit  # none lost
    assert disruptions.decided(here.disruption, made, {}, here.situation) == made
    assert verify.verify(*afterwards(here, made)).violations == ()


@pytest.mark.soak
@settings(max_examples=examples(2000))
@given(seeds)
def test_proposals_break_no_rule_of_the_engine_ever(seed):
    test_proposals_break_no_rule_of_the_engine.hypothesis.inner_test(seed)


@settings(max_examples=examples(15))
@given(seeds)
def test_some_called_off_by_hand_leave_the_rest_as_proposed(seed):
    here, rng = world(seed), Random(seed)
    made = disruptions.proposals(here.disruption, here.hit, here.situation)
    choices = {n: Choice(Way.CALL_OFF) for n in here.hit if rng.randrange(2)}
    done = disruptions.decided(here.disruption, made, choices, here.situation)
    assert [x for x in done if x.lesson_id not in choices] == [
        x for x in made if x.lesson_id not in choices
    ]
    assert {x.way for x in done if x.lesson_id in choices} <= {Way.CALL_OFF}
    assert verify.verify(*afterwards(here, done)).violations == ()


def test_chance_brings_every_way():
    """The laws above would say little of a world in which nothing moves."""
    ways = []
    for seed in filter(is_short, range(50)):
        here = world(seed)
        made = disruptions.proposals(here.disruption, here.hit, here.situation)
        ways.extend(each.way for each in made)
    assert min(ways.count(way) for way in (Way.COVER, Way.MOVE, Way.CALL_OFF)) >= 3

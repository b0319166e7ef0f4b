"""Runs that start from the timetable in force: from a day on, within a budget, by load."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from scheduler.domain.answers import Excuse, Reason, Reply
from scheduler.domain.lessons import LessonState
from scheduler.domain.plans import Effect, PlanOrigin
from scheduler.domain.runs import Scope
from scheduler.errors import Invalid
from scheduler.locale import Language, translate
from scheduler.services import answers, lessons, pins, plans, runs, weights
from scheduler.services.weights import DEFAULTS
from scheduler.store import lessons as lesson_rows
from scheduler.store import plans as plan_rows
from tests.planning import WEDNESDAY, draft, publish, timetable

EVEN = replace(DEFAULTS, load=5000, unmet=10000, changed_teacher=1, handover=1, extra_teacher=1)
ALL = [
    (request, WEDNESDAY + timedelta(days=7 * week + after), 505 - 55 * after, "teacher1")
    for week in range(12)
    for request, after in (("request_7A", 0), ("request_8B", 1))
]  # in each of twelve weeks both lessons by one teacher


def run(ctx, cast, scope=None, seconds=1.0):
    actor = cast.actors["coordinator"]
    asked = runs.start(ctx, actor, cast["term"], seconds, 1, *([scope] if scope else []))
    done = runs.work_here(ctx, asked)
    assert done.error is None
    return plans.preview(ctx, actor, done.plan_id)


@pytest.fixture
def even(ctx, cast):
    """One teacher gives everything, and the programme wants the load even above all."""
    weights.choose(ctx, cast.actors["coordinator"], cast["programme"], EVEN)
    publish(ctx, cast, draft(ctx, cast, *ALL))


@pytest.mark.usefixtures("even")
def test_a_run_shares_the_load_of_the_timetable_in_force(ctx, cast):
    seen = run(ctx, cast)
    with ctx.reading() as db:
        given = [p.teacher_id for p in plan_rows.placements(db, seen.plan.id)]
    loads = sorted(given.count(cast[f"teacher{n}"]) for n in (1, 2))
    assert loads == [13, 13]


@pytest.mark.usefixtures("even")
def test_a_budget_of_changes_is_kept_and_told(ctx, cast):
    seen = run(ctx, cast, Scope(most_lessons=3, most_teachers=1))
    assert seen.effect == Effect(filled=2, changed=3, teachers=1)
    assert seen.scope == Scope(None, 3, 1)
    assert [translate(each, Language.EN) for each in seen.words] == [
        "Fills 2 gaps, changes 3 lessons of one teacher.",
        "At most 3 lessons of one teacher may change.",
    ]
    none = run(ctx, cast, Scope(most_lessons=0))
    assert none.effect == Effect(filled=2, changed=0, teachers=0)


@pytest.mark.usefixtures("even")
def test_a_run_from_a_day_on_leaves_all_before_it(ctx, cast):
    first = date(2023, 11, 8)
    seen = run(ctx, cast, Scope(from_day=first))
    days = [p.day for c in seen.diff.changes for p in (c.before, c.after) if p]
    assert min(days) >= first
    assert (seen.plan.from_day, seen.plan.origin) == (first, PlanOrigin.RUN)
    assert "Changes nothing before 08/11/2023." in [translate(x, Language.EN) for x in seen.words]
    publish(ctx, cast, seen.plan.id)
    with ctx.reading() as db:
        early = [p for p in lesson_rows.placements(db, cast["term"]) if p.day < first]
    assert {p.teacher_id for p in early} == {cast["teacher1"]}


def test_a_draft_from_a_day_on_brings_nothing_back_before_it(ctx, cast, clock):
    """What changed after the draft was made stays as it is before its day."""
    publish(ctx, cast, draft(ctx, cast, *ALL))
    seen = run(ctx, cast, Scope(from_day=date(2023, 11, 8)))
    other = [(*each[:3], "teacher2") if n < 4 else each for n, each in enumerate(ALL)]
    publish(ctx, cast, draft(ctx, cast, *other))
    diff = plans.preview(ctx, cast.actors["coordinator"], seen.plan.id).diff
    assert all(p.day >= date(2023, 11, 8) for c in diff.changes for p in (c.before, c.after) if p)


@pytest.mark.usefixtures("even")
def test_a_pinned_lesson_stays_whatever_a_run_would_like(ctx, cast):
    ids = [lesson.id for lesson in timetable(ctx, cast)]
    pins.put(ctx, cast.actors["coordinator"], ids, "đã hẹn với cô hiệu trưởng")
    seen = run(ctx, cast)
    assert (seen.effect, seen.pinned) == (Effect(filled=2, changed=0, teachers=0), ())


def test_what_was_called_off_stays_off_and_is_counted_as_missing(ctx, cast):
    coordinator = cast.actors["coordinator"]
    publish(ctx, cast, draft(ctx, cast, *ALL))
    off = timetable(ctx, cast)[0]
    lessons.call_off(ctx, coordinator, off.id, "Thi giữa kỳ")
    seen = run(ctx, cast)
    assert (seen.plan.taught, seen.plan.requested) == (25, 26)
    assert seen.plan.terms["unmet"] > 1000
    assert seen.plan.lower_bound <= seen.plan.cost
    assert seen.effect == Effect(filled=2, changed=0, teachers=0)
    publish(ctx, cast, seen.plan.id)
    live = [x for x in timetable(ctx, cast) if x.state is not LessonState.CANCELLED]
    assert off.starts_at not in [x.starts_at for x in live if x.class_name == off.class_name]


def test_a_lesson_that_looks_for_cover_counts_as_it_stands(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, *ALL))
    first = timetable(ctx, cast)[0]
    ill = Excuse(Reason.SICK)
    answers.reply(ctx, answers.of_actor(cast.actors["teacher1"], first.id), Reply.CANNOT, ill)
    seen = run(ctx, cast)
    assert seen.effect == Effect(filled=2, changed=0, teachers=0)
    publish(ctx, cast, seen.plan.id)
    again = next(x for x in timetable(ctx, cast) if x.id == first.id)
    assert (again.state, again.sequence) == (LessonState.COVER, 0)


@pytest.mark.parametrize(
    ("scope", "field"),
    [
        (Scope(most_lessons=-1), "most_lessons"),
        (Scope(most_lessons=100_001), "most_lessons"),
        (Scope(most_teachers=-1), "most_teachers"),
        (Scope(from_day=date(2023, 10, 2)), "from_day"),  # today
        (Scope(from_day=date(2024, 1, 1)), "from_day"),  # the term is over
    ],
)
def test_an_odd_scope_is_refused(ctx, cast, scope, field):
    publish(ctx, cast, draft(ctx, cast, *ALL))
    with pytest.raises(Invalid) as refused:
        runs.start(ctx, cast.actors["coordinator"], cast["term"], 1.0, 1, scope)
    assert list(refused.value.fields) == [field]


def test_a_budget_needs_a_published_timetable(ctx, cast):
    with pytest.raises(Invalid) as refused:
        run(ctx, cast, Scope(most_lessons=1))
    assert "Nothing is published" in str(refused.value.fields["most_lessons"])
    seen = run(ctx, cast, Scope(from_day=date(2023, 11, 8)))
    assert min(c.after.day for c in seen.diff.changes) >= date(2023, 11, 8)

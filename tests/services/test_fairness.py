"""Fairness over a window of weeks: teachers, donor schools and receiving schools."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from scheduler.domain.intervals import DaySpan
from scheduler.domain.lessons import Cause, LessonState
from scheduler.errors import Conflict, Invalid, NotFound
from scheduler.services import fairness
from scheduler.store import tables
from tests import outcomes

NOVEMBER_15 = date(2023, 11, 15)


def shares(spread):
    return {share.name: share for share in spread.shares}


@pytest.fixture
def autumn(ctx, cast):
    return outcomes.autumn(ctx, cast)


def test_teachers_are_measured_by_their_own_limits_for_these_weeks(ctx, cast, autumn, clock):
    (a, b, c, d, *_), _ = autumn
    outcomes.hold(ctx, a)
    outcomes.end(ctx, [b], LessonState.NOT_HELD, cause=Cause.CLASS.value)
    outcomes.end(ctx, [c], LessonState.NOT_HELD, cause=Cause.TEACHER.value)
    clock.forward(days=10)
    found = fairness.figures(ctx, cast.actors["coordinator"], 4, date(2023, 10, 25))
    assert found.days == DaySpan(date(2023, 10, 2), date(2023, 10, 29))
    first, second = (shares(found.teachers)[f"Cô teacher{n}"] for n in (1, 2))
    assert first.due == second.due == Fraction(40 * 4, 13)  # of 40 in 13 weeks
    assert (first.given, first.outside, first.planned) == (1, 1, 1)
    assert (second.given, second.outside, second.planned) == (0, 0, 2)
    assert d.starts_at > ctx.now()


def test_a_class_that_does_not_come_costs_its_teacher_and_their_school_nothing(
    ctx, cast, autumn, clock
):
    (a, *rest), _ = autumn
    outcomes.hold(ctx, a, *rest)
    clock.forward(days=70)
    before = fairness.figures(ctx, cast.actors["coordinator"], 12)
    outcomes.end(ctx, [a], LessonState.NOT_HELD, cause=Cause.CLASS.value)
    after = fairness.figures(ctx, cast.actors["coordinator"], 12)
    for name in ("Cô teacher1", "Cô teacher2"):
        assert shares(before.teachers)[name].ratio == shares(after.teachers)[name].ratio
    assert before.donor_schools.middle == after.donor_schools.middle
    assert shares(before.schools)["THCS A"].ratio == shares(after.schools)["THCS A"].ratio
    assert shares(after.schools)["THCS A"].given == 8


def test_who_came_in_november_owes_nothing_for_october(ctx, cast, autumn):
    persons, lessons = tables.persons, tables.lessons
    came = datetime(2023, 11, 7, tzinfo=UTC)  # a Tuesday: the first whole week is the next one
    with ctx.transaction() as db:
        mine = persons.c.id == cast["person_teacher2"]
        db.execute(persons.update().where(mine).values(created_at=came))
    look = (ctx, cast.actors["coordinator"], 7, NOVEMBER_15)
    # Two lessons in October show that she was there before her account: from 4 October on.
    assert shares(fairness.figures(*look).teachers)["Cô teacher2"].due == Fraction(40 * 6, 13)
    with ctx.transaction() as db:
        own = lessons.c.teacher_id == cast["teacher2"]
        db.execute(lessons.update().where(own).values(teacher_id=cast["teacher1"]))
    found = shares(fairness.figures(*look).teachers)
    assert found["Cô teacher2"].due == Fraction(40, 13)
    assert found["Cô teacher1"].due == Fraction(40 * 7, 13)


def test_receiving_schools_are_measured_by_what_they_asked_for(ctx, cast, autumn, clock):
    (a, b, *_), (f, g) = autumn
    outcomes.hold(ctx, a, b, f)
    outcomes.end(ctx, [g], LessonState.CANCELLED, cancel_reason="ghép", merged_into_id=b.id)
    clock.forward(days=20)
    found = shares(fairness.figures(ctx, cast.actors["coordinator"], 3).schools)
    assert found["THCS A"].due == found["THCS B"].due == 3  # one a week
    assert (found["THCS A"].given, found["THCS A"].planned) == (2, 1)
    assert found["THCS A"].coverage == Fraction(2, 3)
    assert (found["THCS B"].given, found["THCS B"].planned) == (2, 0)


def test_a_donor_school_is_measured_by_its_own_pledge_else_its_teachers(ctx, cast, autumn):
    actor = cast.actors["coordinator"]
    (share,) = fairness.figures(ctx, actor, 13, date(2023, 12, 31)).donor_schools.shares
    assert (share.name, share.due, share.planned) == ("THCS Ái Mộ (Long Biên)", 80, 11)
    fairness.pledge(ctx, actor, " thcs  ái mộ ", 26)
    (share,) = fairness.figures(ctx, actor, 13, date(2023, 12, 31)).donor_schools.shares
    assert share.due == 26
    (share,) = fairness.figures(ctx, actor, 2, date(2023, 10, 15)).donor_schools.shares
    assert share.due == 4


def test_a_pledge_is_kept_once_and_on_record(ctx, cast):
    actor = cast.actors["coordinator"]
    for count in (20, 20, 30):
        fairness.pledge(ctx, actor, "THCS Ái Mộ (Long Biên)", count)
    with ctx.reading() as db:
        kept = db.execute(tables.school_pledges.select()).all()
        audits = db.execute(tables.audits.select().where(tables.audits.c.action == "pledge")).all()
    assert [row.lessons for row in kept] == [30]
    assert [(row.before, row.after) for row in audits] == [
        ({"lessons": None}, {"lessons": 20}), ({"lessons": 20}, {"lessons": 30}),
    ]  # fmt: skip


def test_a_name_that_two_schools_have_must_be_told_with_its_district(ctx, cast):
    with ctx.transaction() as db:
        db.execute(
            tables.donor_schools.insert().values(
                programme_id=cast["programme"], name="THCS Ái Mộ", district="Hoàn Kiếm"
            )
        )
    actor = cast.actors["coordinator"]
    with pytest.raises(Conflict, match="Hoàn Kiếm"):
        fairness.pledge(ctx, actor, "THCS Ái Mộ", 20)
    assert fairness.pledge(ctx, actor, "THCS Ái Mộ (Hoàn Kiếm)", 20).district == "Hoàn Kiếm"
    with pytest.raises(NotFound):
        fairness.pledge(ctx, actor, "THCS Không Có", 20)
    for count in (-1, 100_001):
        with pytest.raises(Invalid):
            fairness.pledge(ctx, actor, "THCS Ái Mộ (Hoàn Kiếm)", count)


def test_only_the_programmes_coordinator_sees_and_pledges(ctx, cast):
    for name in ("teacher1", "schoolA", "stranger"):
        with pytest.raises(NotFound):
            fairness.figures(ctx, cast.actors[name])
        with pytest.raises(NotFound):
            fairness.pledge(ctx, cast.actors[name], "THCS Ái Mộ", 1)
    for weeks in (0, 61):
        with pytest.raises(Invalid):
            fairness.figures(ctx, cast.actors["coordinator"], weeks)

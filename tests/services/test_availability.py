"""A teacher says when she can teach: what she sees, saves, copies and takes back."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.availability import Fit, Wanted, Window
from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import HalfDay, Level
from scheduler.domain.weeks import Choice, Ease
from scheduler.errors import Conflict, Invalid, NotFound, Stale
from scheduler.services import availability
from scheduler.services.availability import Wish
from scheduler.store import availability as rows
from scheduler.store import tables
from tests.cast import FIRST, LAST
from tests.planning import A1, WEDNESDAY, draft, publish
from tests.standins import put

MORNING, AFTERNOON, EVENING = HalfDay
TODAY = date(2023, 10, 2)
OLD = [Window(n, 420, 690) for n in range(5)]


@pytest.fixture
def lan(cast):
    return cast.actors["teacher1"]


def wish(desk, week=None, days=None, wanted=None, **more):
    return Wish(week or {}, days or desk.days, replace(desk.pledge, **more),
                wanted or desk.own.wanted)  # fmt: skip


def save(ctx, actor, week=None, seen=None, **more):
    desk = availability.desk(ctx, actor)
    availability.save(ctx, actor, wish(desk, week, **more), seen or desk.fingerprint)


def kept(ctx, cast, who="teacher1", term="term"):
    with ctx.reading() as db:
        return rows.pledge(db, cast[term], cast[who])


def deeds(ctx):
    with ctx.reading() as db:
        query = sa.select(tables.audits).where(tables.audits.c.action == "set_availability")
        return db.execute(query.order_by(tables.audits.c.id)).all()


def autumn(ctx, cast, windows=((0, 800), (1, 800))):
    """The term before, with a promise for its afternoons."""
    with ctx.transaction() as db:
        term = put(
            db, "terms", programme_id=cast["programme"], code="HK0", name="Học kỳ hè",
            first_day=FIRST - timedelta(days=120), last_day=FIRST - timedelta(days=20),
            gap_minutes=10,
        )  # fmt: skip
        pledge = put(
            db, "pledges", teacher_id=cast["teacher1"], term_id=term, max_per_day=1,
            max_per_week=2, max_total=16,
        )  # fmt: skip
        put_row = tables.pledge_levels.insert().values(pledge_id=pledge, level="primary")
        db.execute(put_row)
        for weekday, start in windows:
            put(
                db, "availability", pledge_id=pledge, weekday=weekday, start_minute=start,
                end_minute=start + 120, if_needed=False,
                first_day=FIRST - timedelta(days=100),
            )  # fmt: skip
    cast.ids["summer"] = term
    return term


def nothing(ctx, cast):
    """As for somebody new: no promise for this term."""
    with ctx.transaction() as db:
        row = tables.pledges.c
        here = (row.teacher_id == cast["teacher1"]) & (row.term_id == cast["term"])
        mine = sa.select(row.id).where(here)
        for table in (tables.availability, tables.pledge_levels):
            db.execute(table.delete().where(table.c.pledge_id.in_(mine)))
        db.execute(tables.pledges.delete().where(here))


def test_the_desk_shows_the_week_and_who_it_fits(ctx, cast, lan):
    desk = availability.desk(ctx, lan)
    assert [half.half_day for half in desk.halves] == [MORNING, EVENING]
    assert desk.week[0, MORNING].ease is Ease.YES
    assert desk.week[5, MORNING].ease is Ease.NO
    assert desk.days == DaySpan(TODAY, LAST)
    assert (desk.fit, desk.new, desk.undo, desk.former) == (Fit(2, 2), False, False, None)


def test_a_changed_half_day_is_kept_from_today_on_and_the_rest_to_the_minute(ctx, cast, lan, clock):
    clock.forward(days=7)
    monday = TODAY + timedelta(days=7)
    save(ctx, lan, {(0, MORNING): Choice(Ease.NO), (6, EVENING): Choice(Ease.MAYBE)})
    (morning, _) = availability.desk(ctx, lan).halves
    assert morning.span == (450, 605)
    assert sorted(kept(ctx, cast).windows, key=repr) == sorted(
        [
            Window(0, 420, 690, None, TODAY + timedelta(days=6)),
            Window(0, 420, 450, monday),
            Window(0, 605, 690, monday),
            *OLD[1:],
            Window(6, 1140, 1260, monday, None, if_needed=True),
        ],
        key=repr,
    )
    week = availability.desk(ctx, lan).week
    assert (week[0, MORNING].ease, week[6, EVENING].ease) == (Ease.NO, Ease.MAYBE)


def test_saving_confirms_and_the_second_tap_does_nothing(ctx, cast, lan, clock):
    assert availability.desk(ctx, lan).own.confirmed_at is None
    save(ctx, lan)
    assert availability.desk(ctx, lan).own.confirmed_at == ctx.now()
    seen = availability.desk(ctx, lan)
    asked = wish(seen, {(0, MORNING): Choice(Ease.NO)}, wanted=Wanted.MORE)
    availability.save(ctx, lan, asked, seen.fingerprint)
    availability.save(ctx, lan, asked, seen.fingerprint)
    assert len(deeds(ctx)) == 2
    assert availability.desk(ctx, lan).own.wanted is Wanted.MORE


def test_an_older_page_is_refused_and_changes_nothing(ctx, cast, lan):
    old = availability.desk(ctx, lan)
    save(ctx, lan, {(0, MORNING): Choice(Ease.NO)})
    before = kept(ctx, cast)
    with pytest.raises(Stale):
        availability.save(ctx, lan, wish(old, {(1, MORNING): Choice(Ease.NO)}), old.fingerprint)
    assert kept(ctx, cast) == before


def test_days_away_survive_a_save(ctx, cast, lan):
    span = DaySpan(WEDNESDAY, WEDNESDAY)
    with ctx.transaction() as db:
        rows.go_away(db, cast["term"], cast["teacher1"], span, "tập huấn")
    save(ctx, lan, {(0, MORNING): Choice(Ease.NO)}, max_per_week=3)
    assert [(x.span, x.reason) for x in availability.desk(ctx, lan).away] == [(span, "tập huấn")]


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("max_per_day", {"max_per_day": 0}),
        ("max_total", {"max_total": 1001}),
        ("levels", {"levels": ()}),
        ("wishes", {"wishes": ("Z",)}),
        ("first_day", {"days": DaySpan(FIRST - timedelta(days=1), LAST)}),
        ("last_day", {"days": DaySpan(LAST, FIRST)}),
    ],
)
def test_what_cannot_be_is_said_at_its_field(ctx, cast, lan, field, more):
    with pytest.raises(Invalid) as fault:
        save(ctx, lan, **more)
    assert set(fault.value.fields) == {field}
    assert deeds(ctx) == []


def test_a_published_lesson_outside_the_new_hours_stays_and_is_named(ctx, cast, lan):
    publish(ctx, cast, draft(ctx, cast, A1))
    assert availability.desk(ctx, lan).outside == ()
    save(ctx, lan, {(2, MORNING): Choice(Ease.NO)})
    desk = availability.desk(ctx, lan)
    assert len(desk.outside) == 1
    assert desk.outside == desk.lessons


def test_the_line_follows_the_choices_before_they_are_saved(ctx, cast, lan):
    desk = availability.desk(ctx, lan)
    gone = {(weekday, MORNING): Choice(Ease.NO) for weekday in range(7)}
    assert availability.fit(ctx, lan, wish(desk, gone)) == Fit(0, 0)
    assert availability.fit(ctx, lan, wish(desk)) == Fit(2, 2)
    assert availability.fit(ctx, lan, wish(desk, levels=(Level.PRIMARY,))) == Fit(0, 0)
    assert kept(ctx, cast).windows == tuple(OLD)


def test_the_last_term_is_offered_copied_and_taken_back(ctx, cast, lan):
    term = autumn(ctx, cast, ((0, 1140), (1, 1140)))
    assert availability.desk(ctx, lan).former is None
    nothing(ctx, cast)
    desk = availability.desk(ctx, lan)
    assert (desk.former.name, desk.former.places) == ("Học kỳ hè", ((0, EVENING), (1, EVENING)))
    assert (desk.new, desk.pledge.levels) == (True, (Level.PRIMARY,))
    for _ in range(2):
        availability.copy_from(ctx, lan, term)
    assert [(w.weekday, w.start, w.first_day) for w in kept(ctx, cast).windows] == [
        (0, 1140, None), (1, 1140, None),
    ]  # fmt: skip
    assert kept(ctx, cast).max_total == 16
    assert len(deeds(ctx)) == 1
    desk = availability.desk(ctx, lan)
    assert (desk.former, desk.undo) == (None, True)
    availability.undo(ctx, lan, desk.fingerprint)
    assert kept(ctx, cast).windows == ()


def test_a_save_is_taken_back_to_the_minute_unless_something_came_after(ctx, cast, lan):
    before = kept(ctx, cast)
    save(ctx, lan, {(0, MORNING): Choice(Ease.NO)}, max_total=8, wishes=("A",), wanted=Wanted.FEWER)
    desk = availability.desk(ctx, lan)
    with pytest.raises(Stale):
        availability.undo(ctx, lan, "other")
    availability.undo(ctx, lan, desk.fingerprint)
    assert kept(ctx, cast) == before
    save(ctx, lan, max_total=8)
    with ctx.transaction() as db:  # as an import does
        rows.save(db, cast["term"], {cast["teacher1"]: replace(before, max_total=9)})
    desk = availability.desk(ctx, lan)
    assert not desk.undo
    with pytest.raises(Stale):
        availability.undo(ctx, lan, desk.fingerprint)


def test_only_an_own_earlier_term_is_copied_and_never_over_given_hours(ctx, cast, lan):
    term = autumn(ctx, cast)
    with pytest.raises(Conflict):
        availability.copy_from(ctx, lan, term)
    with pytest.raises(NotFound):
        availability.copy_from(ctx, lan, cast["term"])
    with pytest.raises(NotFound):
        availability.copy_from(ctx, cast.actors["teacher2"], term)


@pytest.mark.parametrize("who", ["schoolA", "coordinator", "stranger"])
def test_who_teaches_nothing_has_no_hours(ctx, cast, who):
    with pytest.raises(NotFound):
        availability.desk(ctx, cast.actors[who])


def test_one_teachers_hours_are_not_anothers(ctx, cast, lan):
    before = kept(ctx, cast, "teacher2")
    save(ctx, lan, {(0, MORNING): Choice(Ease.NO)}, max_total=8)
    assert kept(ctx, cast, "teacher2") == before


def test_when_the_term_is_over_nothing_is_taken(ctx, cast, lan, clock):
    clock.forward(days=(LAST - TODAY).days + 1)
    with pytest.raises(Conflict):
        save(ctx, lan)


def test_of_two_windows_that_save_at_once_one_is_told(ctx, cast, lan):
    desk = availability.desk(ctx, lan)
    asked = [wish(desk, {(day, MORNING): Choice(Ease.NO)}) for day in (0, 1)]

    def send(one):
        try:
            availability.save(ctx, lan, one, desk.fingerprint)
        except Stale:
            return "stale"
        return "saved"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(send, asked)) == ["saved", "stale"]
    week = availability.desk(ctx, lan).week
    assert {week[day, MORNING].ease for day in (0, 1)} == {Ease.YES, Ease.NO}
    assert len(deeds(ctx)) == 1

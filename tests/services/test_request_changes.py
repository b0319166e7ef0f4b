"""Changing what a school asked for: by hand, by a fix of the timetable, and taking it back."""

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest

from scheduler.domain import mending as moves
from scheduler.domain import requests as rules
from scheduler.domain import rooms
from scheduler.domain.audits import Line
from scheduler.domain.availability import Pledge, Window
from scheduler.domain.people import Level
from scheduler.domain.plans import Fix, FixKind, Gap
from scheduler.domain.requests import Slot
from scheduler.errors import Conflict, Invalid, NotFound, Stale
from scheduler.services import mending, plans, requests, supply
from scheduler.store import audits, availability, tables
from tests.cast import FIRST, LAST, gather, minutes
from tests.web import cast_desk as desk
from tests.web.cast_desk import WED

MONDAY = WED - timedelta(days=2)
EARLY, MIDDLE, LATE = minutes("07:30"), minutes("08:25"), minutes("09:20")
MORE = Fix(FixKind.SLOT, 1, weekday=4, start=MIDDLE, end=MIDDLE + 45, free=2)
MAKE_UP = Fix(FixKind.MAKE_UP, 1, day=date(2023, 10, 12), start=EARLY, end=EARLY + 45)
WINDOW = Fix(FixKind.WINDOW, 1, weekday=4, start=MIDDLE, end=MIDDLE + 45)


@pytest.fixture
def cast(ctx, clock):
    return gather(ctx)


@pytest.fixture
def school(cast):
    return cast.actors["schoolA"]


@pytest.fixture
def gap(ctx, cast):
    """7A lacks a lesson in the published timetable, which knows three ways out."""
    return publish(ctx, cast, MORE, MAKE_UP, WINDOW)


def publish(ctx, cast, *fixes: Fix) -> None:
    gap = Gap(cast["request_7A"], MONDAY, 1, {"free": 1}, (), fixes)
    plan_id = desk.draft(ctx, cast, desk.at(cast, WED), gaps=(gap,))
    who = cast.actors["coordinator"]
    plans.publish(ctx, who, plan_id, plans.preview(ctx, who, plan_id).fingerprint)


def only(ctx, cast):
    (found,) = desk.asked(ctx, cast)
    return found


def written(ctx, action: str) -> list[Line]:
    with ctx.reading() as db:
        query = tables.audits.select().where(tables.audits.c.action == action)
        return [audits.line_of(row) for row in db.execute(query)]


# -- by hand


def test_a_request_is_changed_and_the_record_says_from_what_to_what(ctx, cast, school):
    before = only(ctx, cast)
    slots = (Slot(1, EARLY, EARLY + 45, 0), Slot(3, LATE, LATE + 45, 1))
    new = replace(rules.as_asked(before), lessons_per_week=2, priority=3, slots=slots)
    requests.change(ctx, school, before.id, new, rules.seen_as(before))
    assert rules.as_asked(only(ctx, cast)) == new
    (line,) = written(ctx, "change_request")
    assert (line.before["lessons_per_week"], line.after["lessons_per_week"]) == (1, 2)
    assert line.after["slots"] == [[1, EARLY, EARLY + 45, 0], [3, LATE, LATE + 45, 1]]


def test_a_change_sent_twice_is_one_change(ctx, cast, school):
    before = only(ctx, cast)
    new = replace(rules.as_asked(before), priority=3)
    for _ in range(2):
        requests.change(ctx, school, before.id, new, rules.seen_as(before))
    assert len(written(ctx, "change_request")) == 1


def test_a_change_thought_out_on_what_is_no_more_is_refused(ctx, cast, school):
    before = only(ctx, cast)
    seen, asked = rules.seen_as(before), rules.as_asked(before)
    requests.change(ctx, school, before.id, replace(asked, priority=3), seen)
    with pytest.raises(Stale):
        requests.change(ctx, school, before.id, replace(asked, priority=2), seen)
    assert only(ctx, cast).priority == 3


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"lessons_per_week": 6}, "slots"),
        ({"slots": ()}, "slots"),
        ({"priority": 9}, "priority"),
        ({"first_day": FIRST - timedelta(days=1)}, "first_day"),
        ({"class_name": "8B"}, "class_name"),
    ],
)
def test_a_change_is_held_to_the_rules_of_every_request(ctx, cast, school, wrong, field):
    before = only(ctx, cast)
    new = replace(rules.as_asked(before), **wrong)
    with pytest.raises(Invalid) as caught:
        requests.change(ctx, school, before.id, new, rules.seen_as(before))
    assert set(caught.value.fields) == {field}
    assert only(ctx, cast) == before


@pytest.mark.parametrize("who", ["teacher1", "schoolB", "stranger"])
def test_to_a_stranger_no_request_can_be_changed_mended_or_asked_again(ctx, cast, gap, who):
    before, actor = only(ctx, cast), cast.actors[who]
    new, seen = replace(rules.as_asked(before), priority=3), rules.seen_as(before)
    for attempt in (
        lambda: requests.change(ctx, actor, before.id, new, seen),
        lambda: requests.restore(ctx, actor, before.id),
        lambda: requests.get(ctx, actor, before.id),
        lambda: mending.remedy(ctx, actor, before.id, FixKind.SLOT),
        lambda: mending.take(ctx, actor, before.id, FixKind.SLOT, seen),
        lambda: mending.undo(ctx, actor, before.id, FixKind.SLOT),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert only(ctx, cast) == before


def test_what_was_taken_back_cannot_be_changed(ctx, cast, school):
    before = only(ctx, cast)
    requests.withdraw(ctx, school, before.id)
    new = replace(rules.as_asked(before), priority=3)
    with pytest.raises(Conflict):
        requests.change(ctx, school, before.id, new, rules.seen_as(before))


# -- taken back, and asked again


def test_what_was_taken_back_is_asked_again_until_a_run_has_heard_of_it(ctx, cast, school, clock):
    before = only(ctx, cast)
    desk.add_run(ctx, cast, "cancelled", ctx.now())
    clock.forward(minutes=1)
    requests.withdraw(ctx, school, before.id)
    shown = requests.desk(ctx, school, cast["A"])
    assert (shown.lines, shown.withdrawn) == ((), (before,))
    for _ in range(2):
        requests.restore(ctx, school, before.id)
    assert only(ctx, cast) == before
    assert len(written(ctx, "restore")) == 1
    requests.withdraw(ctx, school, before.id)
    clock.forward(minutes=1)
    desk.add_run(ctx, cast, "cancelled", ctx.now())
    assert requests.desk(ctx, school, cast["A"]).withdrawn == ()
    with pytest.raises(Conflict):
        requests.restore(ctx, school, before.id)
    assert desk.asked(ctx, cast) == ()


def test_what_was_asked_anew_meanwhile_is_not_asked_twice(ctx, cast, school):
    before = only(ctx, cast)
    requests.withdraw(ctx, school, before.id)
    requests.submit(ctx, school, cast["A"], rules.as_asked(before))
    with pytest.raises(Conflict):
        requests.restore(ctx, school, before.id)
    assert len(desk.asked(ctx, cast)) == 1


# -- a fix of the timetable


def test_a_fix_adds_its_time_as_the_last_choice_as_the_engine_tried_it(ctx, cast, school, gap):
    before = only(ctx, cast)
    shown = mending.remedy(ctx, school, before.id, FixKind.SLOT)
    for _ in range(2):
        mending.take(ctx, school, before.id, FixKind.SLOT, shown.seen)
    last = max(slot.rank for slot in before.slots) + 1
    assert only(ctx, cast).slots == (*before.slots, Slot(4, MIDDLE, MIDDLE + 45, last))
    (line,) = requests.desk(ctx, school, cast["A"]).lines
    assert line.mended == {FixKind.SLOT}
    assert len(written(ctx, "change_request")) == 1


def test_a_fix_is_undone_once_and_leaves_no_trace_but_the_record(ctx, cast, school, gap):
    before = only(ctx, cast)
    shown = mending.remedy(ctx, school, before.id, FixKind.SLOT)
    mending.take(ctx, school, before.id, FixKind.SLOT, shown.seen)
    for _ in range(2):
        mending.undo(ctx, school, before.id, FixKind.SLOT)
    assert only(ctx, cast) == before
    assert len(written(ctx, "change_request")) == 2


def test_a_make_up_lesson_is_a_request_of_one_lesson_on_its_day(ctx, cast, school, gap):
    before = only(ctx, cast)
    shown = mending.remedy(ctx, school, before.id, FixKind.MAKE_UP)
    for _ in range(2):
        mending.take(ctx, school, before.id, FixKind.MAKE_UP, shown.seen)
    kept, extra = desk.asked(ctx, cast)
    assert kept == before
    assert (extra.first_day, extra.last_day, extra.lessons_per_week) == (MAKE_UP.day,) * 2 + (1,)
    assert extra.slots == (Slot(3, EARLY, EARLY + 45, 0),)
    for _ in range(2):
        mending.undo(ctx, school, before.id, FixKind.MAKE_UP)
    assert only(ctx, cast) == before


def test_a_make_up_lesson_is_not_asked_for_a_day_that_is_over(ctx, cast, school, gap, clock):
    before = only(ctx, cast)
    shown = mending.remedy(ctx, school, before.id, FixKind.MAKE_UP)
    clock.forward(days=30)
    with pytest.raises(Conflict):
        mending.take(ctx, school, before.id, FixKind.MAKE_UP, shown.seen)
    assert only(ctx, cast) == before


def test_what_wants_somebody_else_is_no_schools_to_take(ctx, cast, school, gap):
    with pytest.raises(NotFound):
        mending.take(ctx, school, cast["request_7A"], FixKind.WINDOW, "")


def test_a_fix_of_an_older_timetable_or_request_is_refused(ctx, cast, school, gap):
    before = only(ctx, cast)
    seen = mending.remedy(ctx, school, before.id, FixKind.SLOT).seen
    publish(ctx, cast, replace(MORE, weekday=3))
    with pytest.raises(Stale):
        mending.take(ctx, school, before.id, FixKind.SLOT, seen)
    seen = mending.remedy(ctx, school, before.id, FixKind.SLOT).seen
    new = replace(rules.as_asked(before), priority=3)
    requests.change(ctx, school, before.id, new, rules.seen_as(before))
    with pytest.raises(Stale):
        mending.take(ctx, school, before.id, FixKind.SLOT, seen)
    assert only(ctx, cast).slots == before.slots


def test_two_who_take_a_fix_up_at_once_add_one_time(ctx, cast, school, gap):
    before = only(ctx, cast)
    seen = {kind: mending.remedy(ctx, school, before.id, kind).seen for kind in moves.OWN}
    for kind in moves.OWN:
        go = threading.Barrier(2)

        def press(kind=kind, go=go) -> None:
            go.wait()
            mending.take(ctx, school, before.id, kind, seen[kind])

        both = [threading.Thread(target=press) for _ in range(2)]
        for each in both:
            each.start()
        for each in both:
            each.join()
        mending.undo(ctx, school, before.id, kind)
        assert only(ctx, cast) == before


# -- rooms and volunteers


def test_a_period_is_full_when_most_weeks_have_all_its_rooms_taken(ctx, cast, school):
    weeks = [WED + timedelta(days=7 * n) for n in range(13)]
    plan_id = desk.draft(ctx, cast, *(desk.at(cast, day) for day in weeks[:7]))
    who = cast.actors["coordinator"]
    plans.publish(ctx, who, plan_id, plans.preview(ctx, who, plan_id).fingerprint)
    shown = requests.desk(ctx, school, cast["A"])
    one_room = replace(shown.school, rooms=1)
    assert rooms.full(shown.ahead, one_room, shown.days_ahead) == {(2, EARLY): ("7A",)}
    assert rooms.full(shown.ahead[1:], one_room, shown.days_ahead) == {}
    assert rooms.full(shown.ahead, replace(one_room, rooms=2), shown.days_ahead) == {}
    shown = replace(shown, school=one_room)
    assert shown.full() == {(2, EARLY): ("7A",)}
    assert shown.full(only(ctx, cast)) == {}


def test_the_freest_period_counts_teachers_of_the_level_whose_windows_hold_it(ctx, cast, school):
    level = Level.LOWER_SECONDARY
    windows = (Window(1, MIDDLE, MIDDLE + 45), Window(1, MIDDLE - 5, LATE), Window(3, 0, 60))
    with ctx.transaction() as db:
        db.execute(tables.availability.delete())
        pledge = Pledge((level,), 1, 1, 5, windows)
        short = replace(pledge, windows=(replace(windows[0], last_day=FIRST),))
        given = {cast["teacher1"]: pledge, cast["teacher2"]: short}
        availability.save(db, cast["term"], given)
    found = supply.best(ctx, school, cast["A"], "7A")
    assert (found.weekday, found.period.start, found.free, found.level) == (1, MIDDLE, 2, level)
    later = supply.best(ctx, school, cast["A"], "7A", (FIRST + timedelta(days=1), LAST))
    assert later.free == 1
    with pytest.raises(NotFound):
        supply.best(ctx, cast.actors["schoolB"], cast["A"])

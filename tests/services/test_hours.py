"""A school changes its hours: what follows them, what cannot, and what stays as it was."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.domain.hours import Fate, Hours
from scheduler.domain.intervals import dated
from scheduler.domain.lessons import LessonState
from scheduler.domain.people import BellPeriod, HalfDay
from scheduler.domain.requests import Slot
from scheduler.errors import Conflict, Invalid, NotFound, Stale
from scheduler.services import cover, hours
from scheduler.store import lessons, requests, tables, terms
from tests.cast import minutes
from tests.effort import examples
from tests.planning import WEDNESDAY, draft, publish, timetable

MONDAY = date(2023, 10, 9)
WEEK = timedelta(days=7)
THIS = ("request_7A", WEDNESDAY, 450, "teacher1")
NEXT = ("request_7A", WEDNESDAY + WEEK, 450, "teacher1")


def bells(*starts, length=45):
    return tuple(
        BellPeriod(HalfDay.MORNING, n, minutes(start), minutes(start) + length)
        for n, start in enumerate(starts, 1)
    )


LATER = bells("07:40", "08:35", "09:30")
NEW = Hours(LATER, 1, MONDAY, "Giờ mùa đông")


@pytest.fixture
def two(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, THIS, NEXT))
    return timetable(ctx, cast)


def change(ctx, cast, new=NEW, fates=None, who="schoolA"):
    actor = cast.actors[who]
    seen = hours.preview(ctx, actor, cast["A"], new)
    return hours.apply(ctx, actor, cast["A"], new, seen.fingerprint, fates)


def starts(ctx, cast):
    return [(f"{x.starts_at:%d %H:%M}", x.period, x.sequence) for x in timetable(ctx, cast)]


def test_lessons_from_the_day_on_follow_their_period_and_those_before_stay(ctx, cast, two):
    seen = hours.preview(ctx, cast.actors["schoolA"], cast["A"], NEW)
    assert [(x.lesson.id, x.after.start, x.why) for x in seen.lines] == [(two[1].id, 460, None)]
    assert (seen.requests, seen.told) == (1, ("Cô teacher1",))
    change(ctx, cast)
    # 07:30 in Hà Nội is half past midnight in UTC; the lesson of this week keeps its name.
    assert starts(ctx, cast) == [("04 00:30", 1, 0), ("11 00:40", 1, 1)]


def test_what_a_class_asks_for_follows_the_bells(ctx, cast, two):
    change(ctx, cast)
    with ctx.reading() as db:
        (asked,) = requests.of_school(db, cast["term"], cast["A"])
        school = terms.school(db, cast["A"])
        (other,) = requests.of_school(db, cast["term"], cast["B"])
    assert {slot.start for slot in asked.slots} == {460, 515, 570}
    assert school.periods == LATER
    assert {slot.start for slot in other.slots} == {450, 505, 560}


def test_asking_twice_is_asking_once(ctx, cast, two):
    seen = hours.preview(ctx, cast.actors["schoolA"], cast["A"], NEW)
    for _ in range(2):
        hours.apply(ctx, cast.actors["schoolA"], cast["A"], NEW, seen.fingerprint)
    assert starts(ctx, cast)[1] == ("11 00:40", 1, 1)
    rows = tables.audits
    with ctx.reading() as db:
        count = sa.select(sa.func.count()).where(rows.c.action == "set_hours")
        assert db.scalar(count) == 1


def test_what_changed_since_the_preview_is_looked_at_again(ctx, cast, two):
    actor = cast.actors["schoolA"]
    seen = hours.preview(ctx, actor, cast["A"], NEW)
    cover.ask(ctx, cast.actors["coordinator"], two[1].id, "ốm")
    with pytest.raises(Stale):
        hours.apply(ctx, actor, cast["A"], NEW, seen.fingerprint)
    assert starts(ctx, cast)[1] == ("11 00:30", 1, 0)


def test_a_teacher_who_cannot_come_then_is_asked_about_and_nothing_is_guessed(ctx, cast, two):
    early = replace(NEW, periods=bells("06:30", "08:35", "09:30"))
    (line,) = hours.preview(ctx, cast.actors["schoolA"], cast["A"], early).asked
    assert line.fates == (Fate.COVER, Fate.KEEP, Fate.CALL_OFF)
    with pytest.raises(Invalid) as refused:
        change(ctx, cast, early)
    assert set(refused.value.fields) == {f"fate-{two[1].id}"}
    assert starts(ctx, cast)[1] == ("11 00:30", 1, 0)


@pytest.mark.parametrize(
    ("fate", "start", "state"),
    [
        (Fate.KEEP, "00:30", LessonState.SCHEDULED),
        (Fate.COVER, "23:30", LessonState.COVER),
        (Fate.CALL_OFF, "00:30", LessonState.CANCELLED),
    ],
)
def test_each_lesson_that_cannot_follow_becomes_what_was_chosen(ctx, cast, two, fate, start, state):
    early = replace(NEW, periods=bells("06:30", "08:35", "09:30"))
    change(ctx, cast, early, {two[1].id: fate})
    lesson = timetable(ctx, cast)[-1]
    assert (f"{lesson.starts_at:%H:%M}", lesson.state) == (start, state)


def test_a_teacher_in_another_lesson_then_cannot_move_along_at_all(ctx, cast):
    other = ("request_8B", WEDNESDAY + WEEK, 505, "teacher1")
    publish(ctx, cast, draft(ctx, cast, NEXT, other))
    late = replace(NEW, periods=bells("08:00", "08:50", "09:40"))
    (line,) = hours.preview(ctx, cast.actors["schoolA"], cast["A"], late).asked
    assert line.fates == (Fate.KEEP, Fate.CALL_OFF)


def test_two_lessons_are_not_put_into_one_room(ctx, cast):
    """The first stays where the second one moves to."""
    second_class(ctx, cast)
    other = ("request_7B", WEDNESDAY + WEEK, 505, "teacher2")
    publish(ctx, cast, draft(ctx, cast, NEXT, other))
    early = replace(NEW, periods=bells("06:20", "07:45", "09:30"))
    (line,) = hours.preview(ctx, cast.actors["schoolA"], cast["A"], early).asked
    before = starts(ctx, cast)
    with pytest.raises(Conflict):
        change(ctx, cast, early, {line.lesson.id: Fate.KEEP})
    assert starts(ctx, cast) == before


def test_a_lesson_kept_at_its_old_time_is_left_alone_by_plans(ctx, cast, two):
    early = replace(NEW, periods=bells("06:30", "08:35", "09:30"))
    change(ctx, cast, early, {two[1].id: Fate.KEEP})
    with ctx.reading() as db:
        pinned = set(db.scalars(sa.select(tables.pins.c.lesson_id)))
    assert pinned == {two[0].id, two[1].id}  # and the one of this week, whose time is gone too


def test_a_lesson_that_looks_for_cover_is_asked_about(ctx, cast, two):
    cover.ask(ctx, cast.actors["coordinator"], two[1].id, "ốm")
    (line,) = hours.preview(ctx, cast.actors["schoolA"], cast["A"], NEW).asked
    assert line.fates[0] is Fate.COVER
    change(ctx, cast, NEW, {two[1].id: Fate.COVER})
    lesson = timetable(ctx, cast)[-1]
    assert (f"{lesson.starts_at:%H:%M}", lesson.state) == ("00:40", LessonState.COVER)


def test_a_period_that_classes_ask_for_is_not_taken_away_under_them(ctx, cast):
    with ctx.transaction() as db:
        db.execute(tables.request_slots.delete().where(tables.request_slots.c.start_minute != 450))
    with pytest.raises(Invalid) as refused:
        change(ctx, cast, replace(NEW, periods=bells("07:30", "08:25", "09:20")[1:]))
    assert set(refused.value.fields) == {"periods"}


def second_class(ctx, cast):
    """Class 7B of school A, which asks for the first two periods of Wednesdays."""
    with ctx.transaction() as db:
        new = tables.classes.insert().values(
            school_id=cast["A"], name="7B", level="lower_secondary", pupils=30
        )
        cast.ids["7B"] = db.execute(new).inserted_primary_key[0]
        asked = tables.requests.insert().values(
            class_id=cast["7B"], term_id=cast["term"], number=1, lessons_per_week=1,
            first_day=date(2023, 10, 2), last_day=date(2023, 12, 31), priority=1,
            created_at=ctx.now(),
        )  # fmt: skip
        cast.ids["request_7B"] = db.execute(asked).inserted_primary_key[0]
        slots = [
            {"request_id": cast["request_7B"], "weekday": 2, "start_minute": start,
             "end_minute": start + 45, "rank": 0}
            for start in (450, 505)
        ]  # fmt: skip
        db.execute(tables.request_slots.insert(), slots)


def test_rooms_that_lessons_stand_in_are_not_given_up(ctx, cast):
    second_class(ctx, cast)
    with ctx.transaction() as db:
        terms.set_rooms(db, cast["A"], 2)
    publish(ctx, cast, draft(ctx, cast, NEXT, ("request_7B", NEXT[1], 450, "teacher2")))
    same = replace(NEW, periods=bells("07:30", "08:25", "09:20"))
    with pytest.raises(Invalid) as refused:
        change(ctx, cast, same)
    assert set(refused.value.fields) == {"rooms"}


WRONG = (
    (replace(NEW, from_day=date(2023, 10, 2)), "from_day"),
    (replace(NEW, from_day=date(2024, 3, 1)), "from_day"),
    (replace(NEW, rooms=0), "rooms"),
    (replace(NEW, reason=" "), "reason"),
    (replace(NEW, periods=()), "periods"),
    (replace(NEW, periods=bells("07:30", "08:00")), "start-morning-2"),
    (replace(NEW, periods=bells("07:30", length=5)), "end-morning-1"),
)


def test_hours_that_cannot_be_are_refused_at_their_field(ctx, cast):
    for new, field in WRONG:
        with pytest.raises(Invalid) as refused:
            hours.preview(ctx, cast.actors["schoolA"], cast["A"], new)
        assert field in refused.value.fields


def test_bells_do_not_change_ahead_of_a_change_that_is_still_to_come(ctx, cast, two):
    change(ctx, cast)
    again = replace(NEW, periods=bells("07:45", "08:40"), from_day=MONDAY - timedelta(days=3))
    with pytest.raises(Invalid) as refused:
        hours.preview(ctx, cast.actors["schoolA"], cast["A"], again)
    assert set(refused.value.fields) == {"from_day"}


def test_changing_back_brings_lessons_requests_and_names_back(ctx, cast, two):
    change(ctx, cast)
    change(ctx, cast, replace(NEW, periods=bells("07:30", "08:25", "09:20")))
    assert starts(ctx, cast) == [("04 00:30", 1, 0), ("11 00:30", 1, 2)]
    with ctx.reading() as db:
        (asked,) = requests.of_school(db, cast["term"], cast["A"])
    assert {slot.start for slot in asked.slots} == {450, 505, 560}


def test_hours_are_nobody_elses(ctx, cast):
    for who in ("schoolB", "stranger", "teacher1"):
        with pytest.raises(NotFound):
            hours.preview(ctx, cast.actors[who], cast["A"], NEW)
        with pytest.raises(NotFound):
            hours.apply(ctx, cast.actors[who], cast["A"], NEW, "x")


def test_the_record_says_what_the_bells_were(ctx, cast, two):
    change(ctx, cast)
    rows = tables.audits
    with ctx.reading() as db:
        line = db.execute(sa.select(rows).where(rows.c.action == "set_hours")).one()
    assert line.before["periods"][0] == "morning 1 07:30–08:15"
    assert line.after["periods"][0] == "morning 1 07:40–08:25"
    assert line.after["follow"] == 1


def put_back(ctx, cast):
    """Three weeks of three classes as no school has changed its hours yet."""
    if not timetable(ctx, cast):
        second_class(ctx, cast)
        days = [WEDNESDAY + n * WEEK for n in range(3)]
        wanted = (("request_7A", 450, "teacher1"), ("request_8B", 505, "teacher1"),
                  ("request_7B", 505, "teacher2"))  # fmt: skip
        placed = [(asked, day, start, who) for asked, start, who in wanted for day in days]
        publish(ctx, cast, draft(ctx, cast, *placed))
    first = bells("07:30", "08:25", "09:20")
    with ctx.transaction() as db:
        for name in ("pins", "offers", "cover_calls", "former_periods"):
            db.execute(getattr(tables, name).delete())
        db.execute(tables.periods.delete().where(tables.periods.c.school_id == cast["A"]))
        school = terms.school(db, cast["A"])
        terms.set_bells(db, school, first, FAR)
        db.execute(tables.former_periods.delete())
        slots = {cast["request_7A"]: (450, 505, 560), cast["request_7B"]: (450, 505)}
        rows = {
            asked: [Slot(2, start, start + 45, 0) for start in starts]
            for asked, starts in slots.items()
        }
        requests.set_slots(db, rows)
        db.execute(tables.lessons.update().values(state="cancelled"))
        for lesson in lessons.find(db, term_id=cast["term"]):
            start = 450 if lesson.class_id == cast["7A"] else 505
            day = WEDNESDAY + WEEK * ((lesson.id - 1) % 3)
            span = dated(day, start, start + 45, lesson.zone)
            mine = tables.lessons.update().where(tables.lessons.c.id == lesson.id)
            db.execute(mine.values(state="scheduled", starts_at=span.start, ends_at=span.end))


FAR = date(2023, 12, 1)


def _overlaps(found):
    live = [x for x in found if x.state is not LessonState.CANCELLED]
    for one in live:
        for other in live:
            if one.id < other.id and one.interval.overlaps(other.interval):
                yield one, other


@given(
    first=st.integers(min_value=6 * 60 + 40, max_value=8 * 60),
    gaps=st.lists(st.integers(min_value=0, max_value=40), min_size=2, max_size=2),
    length=st.integers(min_value=30, max_value=50),
    ahead=st.integers(min_value=1, max_value=21),
    pick=st.sampled_from([Fate.COVER, Fate.KEEP, Fate.CALL_OFF]),
)
@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_class_room_or_teacher_is_in_two_lessons_and_nothing_before_the_day_changes(
    ctx, cast, first, gaps, length, ahead, pick
):
    put_back(ctx, cast)
    before = {x.id: x for x in timetable(ctx, cast)}
    at, made = first, []
    for n, gap in enumerate((*gaps, 0), 1):
        made.append(BellPeriod(HalfDay.MORNING, n, at, at + length))
        at += length + gap
    new = Hours(tuple(made), 1, date(2023, 10, 2) + timedelta(days=ahead), "thử")
    actor = cast.actors["schoolA"]
    try:
        seen = hours.preview(ctx, actor, cast["A"], new)
        fates = {x.lesson.id: pick if pick in x.fates else x.fates[0] for x in seen.asked}
        hours.apply(ctx, actor, cast["A"], new, seen.fingerprint, fates)
    except (Invalid, Conflict):
        assert {x.id: x for x in timetable(ctx, cast)} == before
        return
    after = timetable(ctx, cast)
    for one, other in _overlaps(after):
        assert one.teacher_id != other.teacher_id
        assert one.school_id != other.school_id  # the schools have one room each
    for lesson in after:
        if lesson.starts_at.date() < new.from_day - timedelta(days=1):
            assert lesson == before[lesson.id]

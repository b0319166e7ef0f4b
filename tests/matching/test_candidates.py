"""Who could teach when, as masks over weeks: the table that the kernel reads."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.errors import Invalid
from scheduler.matching.candidates import table
from scheduler.matching.plan import Plan, PlannedLesson
from scheduler.matching.problem import (
    Appointment,
    CurrentLesson,
    Instance,
    Request,
    School,
    Slot,
    Span,
    Term,
    Window,
)
from scheduler.matching.table import GONE, Calendar, Table, number, weeks_of
from scheduler.matching.verify import RULES, Books, asked
from tests.effort import examples

from . import make

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
RULES_1_AND_3 = {
    "A lesson stands on a slot of its request",
    "A lesson lies within the days of its request, and not on a holiday",
    "A school that is closed has no lessons",
    "A teacher is qualified for the level",
    "A teacher is available for the whole lesson",
    "A teacher who is away gives no lessons",
    "A teacher with another engagement gives no lesson then",
}


def bits(mask: int, weeks: int = 4) -> str:
    """The weeks of a mask, the first one first."""
    return f"{mask:0{weeks}b}"[::-1]


def masks(**changes: object) -> list[tuple[str, str]]:
    """The only slot's candidates: weeks in which they could teach, and those only if needed."""
    found = table(make.instance(**changes))
    needed = found.candidate_if_needed
    return [
        (
            bits(number(found.candidate_weeks[row])),
            bits(number(needed[row]) if needed is not None else 0),
        )
        for row in found.candidates_of(0)
    ]


def only(**changes: object) -> dict[str, object]:
    return {"teachers": (make.teacher(**changes),)}


def weeks(name: str, **changes: object) -> str:
    """The mask of the only slot by that name."""
    return bits(number(getattr(table(make.instance(**changes)), name)[0]))


# -- teachers


def test_a_teacher_is_a_candidate_in_the_weeks_of_his_windows():
    assert masks() == [("1111", "0000")]
    assert masks(**only(levels=("upper_secondary",))) == []
    assert masks(**only(available=(Window(0, 455, 690),))) == []
    assert masks(**only(available=(Window(1, 420, 690),))) == []
    late = Window(0, 420, 690, first_day=make.MONDAY + DAY)
    assert masks(**only(available=(late,))) == [("0111", "0000")]
    early = replace(late, first_day=None, last_day=make.MONDAY + WEEK)
    assert masks(**only(available=(early,))) == [("1100", "0000")]
    assert masks(**only(available=(early, late))) == [("1111", "0000")]
    never = replace(late, first_day=make.MONDAY + 9 * WEEK)
    assert masks(**only(available=(never,))) == []


def test_a_window_must_hold_the_whole_lesson():
    halves = (Window(0, 420, 470), Window(0, 470, 690))
    assert masks(**only(available=halves)) == []
    exact = (Window(0, 450, 485), Window(0, 420, 690))
    assert masks(**only(available=exact)) == [("1111", "0000")]


def test_if_needed_counts_only_where_no_other_window_holds_the_lesson():
    late = Window(0, 420, 690, first_day=make.MONDAY + DAY)
    asked_for = Window(0, 440, 500, if_needed=True)
    assert masks(**only(available=(asked_for,))) == [("1111", "1111")]
    assert masks(**only(available=(asked_for, late))) == [("1111", "1000")]
    assert masks(**only(available=(late, asked_for))) == [("1111", "1000")]
    short = Window(0, 440, 460)
    assert masks(**only(available=(asked_for, short))) == [("1111", "1111")]


def test_who_is_away_or_busy_is_no_candidate_that_week():
    away = Span(make.MONDAY + DAY, make.MONDAY + WEEK)
    assert masks(**only(unavailable=(away,))) == [("1011", "0000")]
    busy = (Appointment(make.MONDAY + WEEK, 480, 500), Appointment(make.MONDAY, 485, 500))
    assert masks(**only(busy=busy)) == [("1011", "0000")]
    elsewhere = (Appointment(make.MONDAY - WEEK, 0, 1440), Appointment(make.MONDAY + DAY, 0, 1440))
    assert masks(**only(busy=elsewhere)) == [("1111", "0000")]
    needed = Window(0, 420, 690, if_needed=True)
    assert masks(**only(busy=busy, available=(needed,))) == [("1011", "1011")]


def test_candidates_of_a_kind_stand_in_the_order_of_the_teachers():
    people = tuple(make.teacher(name) for name in ("lan", "mai", "hoa"))
    away = replace(people[1], unavailable=(Span(make.MONDAY, make.MONDAY + 9 * WEEK),))
    found = table(make.instance(teachers=(people[0], away, people[2])))
    assert found.candidate_teacher.tolist() == [0, 2]


def test_slots_of_one_weekday_level_and_time_share_their_candidates():
    requests = (make.request(), make.request("A/2"), make.request("A/3", level="lower_secondary"))
    found = table(make.instance(requests=requests))
    assert found.slot_kind.tolist() == [0, 0, 1]
    assert [len(found.candidates_of(slot)) for slot in range(3)] == [1, 1, 0]


def test_wishes_name_schools_by_number_and_unknown_ones_by_none():
    wishes = ("YB2", "elsewhere", "YB2", "nowhere")
    people = (make.teacher(), make.teacher("mai", preferred_schools=wishes))
    found = table(make.instance(teachers=people, schools=(School("YB1", 1), School("YB2", 1))))
    assert found.wish_first.tolist() == [0, 0, 2]
    assert found.wish_school.tolist() == [-1, 1]


# -- requests and their slots


def asked_for(**changes: object) -> dict[str, object]:
    return {"requests": (make.request(**changes),)}


def test_holidays_closed_days_and_the_request_s_own_days_take_weeks_away():
    week = [make.MONDAY + n * WEEK for n in range(4)]
    last = week[3] + 6 * DAY
    assert weeks("slot_eligible") == "1111"
    assert weeks("slot_eligible", term=Term(week[0], last, frozenset({week[1]}))) == "1011"
    assert weeks("slot_eligible", term=Term(week[0] + DAY, last)) == "0111"
    assert weeks("slot_eligible", schools=(School("YB1", 1, (Span(week[2], last),)),)) == "1100"
    assert weeks("slot_eligible", **asked_for(first_day=week[1], last_day=week[2])) == "0110"
    assert weeks("slot_eligible", **asked_for(first_day=last + DAY, last_day=last + DAY)) == "0000"


def test_past_days_and_days_of_lessons_that_stay_are_not_open():
    assert weeks("slot_weeks", freeze_before=make.MONDAY + DAY) == "0111"
    assert weeks("slot_weeks", freeze_before=make.MONDAY) == "1111"
    assert weeks("slot_weeks", freeze_before=make.MONDAY - 9 * WEEK) == "1111"
    assert weeks("slot_weeks", freeze_before=make.MONDAY + 9 * WEEK) == "0000"
    pin = make.current(2, pinned=True, start=600, end=640)  # another time, the same day
    assert weeks("slot_weeks", current=(pin,)) == "1101"
    assert weeks("slot_eligible", current=(pin,)) == "1111"
    assert weeks("slot_weeks", current=(make.current(2),)) == "1111"


def test_lessons_in_force_are_found_by_their_slot():
    people = (make.teacher(), make.teacher("mai"))
    current = (
        make.current(0, "mai"),
        make.current(1, "gone"),
        make.current(2, pinned=True),
        make.current(3, start=451),
        make.current(9),
    )
    found = table(make.instance(teachers=people, current=current))
    assert found.slot_current is not None
    assert found.slot_current.tolist() == [[1, GONE, -1, -1]]
    assert (found.standing_week.tolist(), found.standing_teacher.tolist()) == ([2], [0])
    assert table(make.instance(teachers=people, current=current[2:3])).slot_current is None


def test_a_slot_given_twice_is_one_slot_of_its_first_rank():
    slots = (Slot(0, 450, 485, 2), Slot(0, 450, 485, 0), Slot(0, 450, 490, 1))
    found = table(make.instance(**asked_for(slots=slots, lessons_per_week=9)))
    assert found.slot_rank.tolist() == [2, 1]
    assert found.request_places.tolist() == [1]


def test_numbers_too_large_for_the_kernel_are_cut():
    people = (make.teacher(max_per_day=10**30, max_per_week=10**30, max_total=10**30),)
    found = table(make.instance(teachers=people, gap_minutes=10**30))
    assert found.teacher_total.tolist() == [2**31 - 1]
    assert found.gap_minutes == 1440


def test_an_instance_with_nobody_and_nothing_is_an_empty_table():
    nobody = table(make.instance(teachers=()))
    assert (nobody.teachers, len(nobody.candidates_of(0))) == (0, 0)
    nothing = table(make.instance(requests=()))
    assert (nothing.requests, nothing.slots, nothing.places) == (0, 0, 0)
    assert table(make.instance(requests=(make.request(slots=()),))).places == 0


# -- the calendar


@pytest.mark.parametrize(("long", "words"), [(63, 1), (64, 1), (65, 2), (128, 2), (129, 16)])
def test_masks_are_as_wide_as_the_term_asks(long, words):
    found = table(make.long(long))
    assert (found.words, found.candidate_weeks.shape) == (words, (2, words))
    assert number(found.candidate_weeks[0]) == (1 << long) - 1


def test_a_term_of_more_weeks_than_any_mask_is_refused():
    assert table(make.long(1024)).words == 16
    with pytest.raises(Invalid) as caught:
        table(make.long(1025))
    assert [str(p) for p in caught.value.problems] == ["term: is longer than 1024 weeks"]


def test_weeks_of_long_terms_are_counted_past_sixty_three():
    calendar = Calendar(make.MONDAY, 200)
    assert calendar.masks(make.MONDAY + 150 * WEEK, make.MONDAY + 150 * WEEK)[0] == 1 << 150


@settings(max_examples=examples(80))
@given(first=st.integers(-20, 50), length=st.integers(0, 40), weeks=st.integers(1, 6))
def test_masks_hold_exactly_the_days_of_a_span(first, length, weeks):
    calendar = Calendar(date(2023, 9, 11), weeks)
    start = calendar.monday + first * DAY
    found = calendar.masks(start, start + length * DAY)
    days = {calendar.day(week, wd) for wd in range(7) for week in weeks_of(found[wd])}
    spanned = {start + n * DAY for n in range(length + 1)}
    assert days == {day for day in spanned if 0 <= (day - calendar.monday).days < 7 * weeks}


# -- the naive reading


def lessons(instance: Instance, found: Table, slot: int) -> list[PlannedLesson]:
    """One of every teacher in every week, on the slot."""
    request = instance.requests[found.slot_request[slot]].id
    start, end = int(found.slot_start[slot]), int(found.slot_end[slot])
    days = [found.calendar.day(w, int(found.slot_weekday[slot])) for w in some(found)]
    return [
        PlannedLesson(request, day, start, end, t.id) for day in days for t in instance.teachers
    ]


def some(found: Table) -> list[int]:
    """All weeks of a short term, those at the borders of a long one."""
    long, borders = found.calendar.weeks, (0, 1, 62, 63, 64, 65, 127, 128, 129)
    return [w for w in range(long) if long < 10 or w in borders or w >= long - 2]


def bits_of(found: Table, name: str) -> set[tuple[int, int, int]]:
    """Slot, teacher and week of every candidate's bit, of days on which the class is there."""
    column = getattr(found, name)
    return {
        (slot, int(found.candidate_teacher[row]), week)
        for slot in range(found.slots)
        for row in (found.candidates_of(slot) if column is not None else ())
        for week in weeks_of(number(column[row] & found.slot_eligible[slot]))
    }


@settings(max_examples=examples(60))
@given(seed=st.integers(0, 2**32))
def test_a_bit_is_set_iff_that_lesson_breaks_no_rule_of_time_and_place(seed):
    instance = replace(make.by_chance(seed), current=(), freeze_before=None)
    found = table(instance)
    free, needed = bits_of(found, "candidate_weeks"), bits_of(found, "candidate_if_needed")
    numbers = {t.id: n for n, t in enumerate(instance.teachers)}
    pairs = [(slot, x) for slot in range(found.slots) for x in lessons(instance, found, slot)]
    books = Books(instance, Plan(tuple(x for _, x in pairs)))
    broken = {id(x) for name in RULES_1_AND_3 for (x,) in RULES[name](books)}
    for slot, lesson in pairs:
        bit = slot, numbers[lesson.teacher], found.calendar.week(lesson.day)
        assert (bit in free) == (id(lesson) not in broken), lesson
        if bit in free:
            assert (bit in needed) == all(w.if_needed for w in books.windows(lesson))


def open_days(instance: Instance, request: Request) -> set[date]:
    school = next(s for s in instance.schools if s.id == request.school)
    days = (
        instance.term.first_day + n * DAY
        for n in range((instance.term.last_day - instance.term.first_day).days + 1)
    )
    return {
        day
        for day in days
        if request.first_day <= day <= request.last_day
        and day not in instance.term.holidays
        and not any(span.holds(day) for span in school.closed)
    }


@settings(max_examples=examples(60))
@given(seed=st.integers(0, 2**32))
def test_needs_days_and_lessons_in_force_are_those_of_a_naive_reading(seed):
    instance = make.by_chance(seed)
    found = table(instance)
    schools = {school.id: school for school in instance.schools}
    fixed = [x for x in instance.current if instance.is_fixed(x)]
    assert found.request_need.tolist() == [
        asked(instance, r, schools[r.school]) for r in instance.requests
    ]
    for slot in range(found.slots):
        request = instance.requests[found.slot_request[slot]]
        days = [found.calendar.day(w, int(found.slot_weekday[slot])) for w in some(found)]
        eligible = weeks_of(number(found.slot_eligible[slot]))
        open_weeks = weeks_of(number(found.slot_weeks[slot]))
        there = open_days(instance, request)
        taken = {x.day for x in fixed if x.request == request.id}
        for week, day in zip(some(found), days, strict=True):
            assert (week in eligible) == (day in there)
            is_open = day in there and not instance.is_past(day) and day not in taken
            assert (week in open_weeks) == is_open
            in_force = current_at(instance, request, day, int(found.slot_start[slot]))
            if found.slot_current is not None:
                assert found.slot_current[slot, week] == in_force
            else:
                assert in_force == -1


def current_at(instance: Instance, request: Request, day: date, start: int) -> int:
    """The number of the teacher of a lesson in force that may change."""
    numbers = {t.id: n for n, t in enumerate(instance.teachers)}
    at = [x for x in movable(instance) if (x.request, x.day, x.start) == (request.id, day, start)]
    return numbers.get(at[0].teacher, GONE) if at else -1


def movable(instance: Instance) -> list[CurrentLesson]:
    return [x for x in instance.current if not instance.is_fixed(x)]


@settings(max_examples=examples(60))
@given(seed=st.integers(0, 2**32))
def test_rows_of_a_table_add_up(seed):
    found = table(make.by_chance(seed))
    assert found.kind_first[-1] == len(found.candidate_teacher) == len(found.candidate_weeks)
    assert found.candidate_weeks.any(axis=1).all()
    assert found.request_slots_first[-1] == found.slots
    assert found.slot_standing_first[-1] == len(found.standing_week)
    assert (found.slot_weeks & ~found.slot_eligible == 0).all()
    assert sorted(found.school_requests.tolist()) == list(range(found.requests))
    weighted = found.request_need * found.request_priority
    of_school = np.bincount(
        found.request_school, weights=weighted, minlength=len(found.school_rooms)
    )
    assert found.school_wanted.tolist() == of_school.tolist()

"""The difference between a draft and the timetable, and its fingerprint."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.plan_changes import chosen, fitting, lines, reversed_, with_changes
from scheduler.domain.plans import (
    Change,
    ChangeKind,
    Effect,
    Placement,
    PlanId,
    budget_words,
    diff,
    effect,
    fingerprint,
)

MONDAY = date(2023, 10, 2)


def at(day: int, start: int, teacher: int, request: int = 1) -> Placement:
    return Placement(request, MONDAY + timedelta(days=day), start, start + 45, teacher)


@st.composite
def timetables(draw: st.DrawFn) -> frozenset[Placement]:
    """At most one lesson of a request a day, as the database holds it."""
    days = draw(
        st.dictionaries(
            st.tuples(st.integers(1, 3), st.integers(0, 20)),
            st.tuples(st.sampled_from([420, 480, 540]), st.integers(1, 3)),
            max_size=20,
        )
    )
    return frozenset(
        at(day, start, teacher, request) for (request, day), (start, teacher) in days.items()
    )


def test_diff_names_each_kind_of_change():
    kept, moved, restaffed, dropped = at(0, 420, 1), at(7, 420, 1), at(14, 420, 1), at(21, 420, 1)
    added = at(28, 420, 2)
    found = diff([kept, moved, restaffed, dropped], [kept, at(8, 480, 1), at(14, 420, 2), added])
    assert found.kept == 1
    assert set(found.changes) == {
        Change(ChangeKind.MOVED, moved, at(8, 480, 1)),
        Change(ChangeKind.RESTAFFED, restaffed, at(14, 420, 2)),
        Change(ChangeKind.DROPPED, dropped, None),
        Change(ChangeKind.ADDED, None, added),
    }


def test_diff_follows_a_lesson_through_a_move_only_inside_its_week():
    found = diff([at(4, 420, 1)], [at(7, 420, 1)])
    assert {change.kind for change in found.changes} == {ChangeKind.DROPPED, ChangeKind.ADDED}


@given(timetables(), timetables())
def test_applying_the_difference_gives_the_draft(old, new):
    found = diff(old, new)
    gone = {change.before for change in found.changes if change.before}
    come = {change.after for change in found.changes if change.after}
    assert (old - gone) | come == new
    assert found.kept == len(old - gone)


@given(timetables(), timetables())
def test_nothing_changes_twice(old, new):
    changes = diff(old, new).changes
    before = [change.before for change in changes if change.before]
    after = [change.after for change in changes if change.after]
    assert len(set(before)) == len(before)
    assert len(set(after)) == len(after)


@given(timetables(), timetables())
def test_a_fingerprint_knows_the_draft_and_both_sides(old, new):
    added = {at(40, 600, 9)}
    name = fingerprint(PlanId(1), diff(old, new))
    assert name == fingerprint(PlanId(1), diff(sorted(old), sorted(new, reverse=True)))
    assert name != fingerprint(PlanId(2), diff(old, new))
    assert name != fingerprint(PlanId(1), diff(old | added, new))
    assert name != fingerprint(PlanId(1), diff(old, new | added))
    assert name != fingerprint(PlanId(1), diff(old | added, new | added))


@given(timetables(), timetables(), timetables())
def test_of_one_draft_each_timetable_has_a_fingerprint_of_its_own(draft, now, then):
    same = fingerprint(PlanId(1), diff(now, draft)) == fingerprint(PlanId(1), diff(then, draft))
    assert same == (now == then)


CLASSES = {1: 1, 2: 1, 3: 3}  # two requests are one class's


@given(timetables(), timetables())
def test_all_changes_of_a_difference_lead_there_and_reversed_they_lead_back(now, then):
    changes = diff(now, then).changes
    assert set(with_changes(now, changes)) == then
    back = [reversed_(change.before, change.after) for change in changes]
    assert set(with_changes(then, back)) == now
    assert [reversed_(change.before, change.after) for change in back] == list(changes)


@given(timetables(), timetables())
def test_the_lines_of_a_difference_are_named_alike_in_every_part_of_it(now, then):
    changes = diff(now, then).changes
    names = lines(changes).keys()
    assert chosen(changes, names) == changes
    for name in names:
        part = chosen(changes, [name])
        assert lines(diff(now, with_changes(now, part)).changes).keys() == {name}


def overlaps(placements):
    """Pairs of lessons that one teacher, one class or one request would have at once."""
    found = set()
    for one in placements:
        for other in placements:
            same_time = one.start < other.end and other.start < one.end
            shared = one.teacher_id == other.teacher_id or (
                CLASSES[one.request_id] == CLASSES[other.request_id]
            )
            if one < other and one.day == other.day and same_time and shared:
                found.add((one, other))
    return found


@given(timetables(), timetables())
def test_changes_that_fit_add_no_clash_to_a_timetable(now, then):
    fits = fitting(now, diff(now, then).changes, CLASSES)
    assert overlaps(with_changes(now, fits)) <= overlaps(now)
    assert set(fits) <= set(diff(now, then).changes)


def test_a_change_whose_place_is_taken_by_one_that_stays_is_left_out():
    lesson, taken = at(0, 420, 1), at(0, 440, 2, request=3)
    assert fitting([lesson, taken], [Change(ChangeKind.RESTAFFED, lesson, at(0, 420, 2))], {}) == ()
    given_away = Change(ChangeKind.RESTAFFED, taken, at(0, 440, 1, request=3))
    swap = (Change(ChangeKind.RESTAFFED, lesson, at(0, 420, 2)), given_away)
    assert fitting([lesson, taken], swap, {}) == swap


def test_a_difference_in_words_counts_gaps_lessons_and_their_teachers():
    now = [at(0, 420, 1), at(7, 420, 1), at(14, 420, 2)]
    found = effect(diff(now, [at(0, 420, 2), at(8, 420, 1), at(28, 420, 3)]))
    assert found == Effect(filled=1, changed=3, teachers=2)
    assert str(found.words) == "Fills one gap, changes 3 lessons of 2 teachers."
    assert [
        str(budget_words(*budget)) for budget in ((6, 4), (1, None), (None, 1), (None, None))
    ] == [
        "At most 6 lessons of 4 teachers may change.",
        "At most one lesson may change.",
        "Lessons of at most one teacher may change.",
        "None",
    ]

"""The difference between a draft and the timetable, and its fingerprint."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.plans import Change, ChangeKind, Placement, PlanId, diff, fingerprint

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
    name = fingerprint(PlanId(1), old, new)
    assert name == fingerprint(PlanId(1), sorted(old), sorted(new, reverse=True))
    assert name != fingerprint(PlanId(2), old, new)
    assert name != fingerprint(PlanId(1), old | {at(40, 600, 9)}, new)
    assert name != fingerprint(PlanId(1), old, new | {at(40, 600, 9)})

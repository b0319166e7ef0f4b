"""The history of a run, thinned without losing its shape."""

from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.runs import MOST_POINTS, Point, thinned

points = st.lists(
    st.builds(Point, st.floats(0, 3600), st.floats(0, 1e6), st.floats(0, 1e6)), max_size=90
)


@given(points)
def test_a_history_keeps_its_ends_and_order_and_no_more_than_it_may(found):
    kept = thinned(found)
    assert len(kept) == min(len(found), MOST_POINTS)
    assert [p for p in found if p in kept][:1] == list(kept[:1])
    assert kept[-1:] == tuple(found[-1:])
    rest = iter(found)
    assert all(any(p is other for other in rest) for p in kept)


def test_points_on_a_straight_line_go_first():
    flat = [Point(n, 100, 0) for n in range(5)]
    fall = [Point(5, 50, 0), Point(6, 20, 0)]
    assert thinned([*flat, *fall], 4) == (flat[0], flat[4], *fall)

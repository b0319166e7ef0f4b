"""The course of a run as a picture: inside its frame, whatever the figures are."""

import re

from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.runs import Point
from scheduler.web import charts
from scheduler.web.charts import course

figures = st.floats(0, 1e9)
histories = st.lists(
    st.builds(Point, st.floats(0, 3600), figures, figures), min_size=2, max_size=60
)


def pairs(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](\S+) (\S+)", path)]


def test_one_point_is_no_picture():
    assert course([Point(1, 100, 50)], 10) is None


@given(histories)
def test_everything_lies_inside_the_frame(history):
    history = sorted(history, key=lambda p: p.elapsed)
    drawn = course(history, history[-1].elapsed)
    for x, y in (*pairs(drawn.cost), *pairs(drawn.bound), drawn.end):
        assert charts.LEFT <= x <= charts.RIGHT
        assert charts.TOP <= y <= charts.BOTTOM
    assert len(drawn.costs) <= 12
    assert len(drawn.seconds) <= 12


def test_a_cost_that_falls_goes_down_and_the_first_plan_in_the_making_is_cut_off():
    history = [Point(0, 4_000_000, 0), Point(1, 300, 0), Point(5, 200, 100), Point(10, 100, 90)]
    drawn = course(history, 10)
    heights = [y for _, y in pairs(drawn.cost)]
    assert heights == sorted(heights)
    assert heights[0] == charts.TOP
    assert [tick.value for tick in drawn.seconds] == [0, 2, 4, 6, 8, 10]


def test_a_bound_proved_at_the_end_is_drawn_from_the_start():
    drawn = course([Point(0, 300, 0), Point(5, 200, 0), Point(10, 200, 100)], 10)
    (x1, y1), (x2, y2) = pairs(drawn.bound)
    assert (x1, x2) == (charts.LEFT, charts.RIGHT)
    assert y1 == y2 > drawn.end[1]

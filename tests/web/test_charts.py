"""Pictures of a run and of shares: inside their frames, whatever the figures are."""

import re
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.fairness import Share, spread
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
    assert [tick.value for tick in drawn.seconds] == [0, 5, 10]


def test_a_bound_proved_at_the_end_is_drawn_from_the_start():
    drawn = course([Point(0, 300, 0), Point(5, 200, 0), Point(10, 200, 100)], 10)
    (x1, y1), (x2, y2) = pairs(drawn.bound)
    assert (x1, x2) == (charts.LEFT, charts.RIGHT)
    assert y1 == y2 > drawn.end[1]


# -- who has how much of what was due


def a_share(n: int, counted: int, due: int) -> Share:
    return Share(n, f"School {n}", counted, 0, 0, Fraction(due))


def test_bars_stand_from_the_smallest_to_the_largest_and_none_leaves_its_row():
    found = charts.bars(spread([a_share(1, 12, 10), a_share(2, 5, 10), a_share(3, 9, 10)]))
    assert found is not None
    assert [bar.share.id for bar in found.bars] == [2, 3, 1]
    assert [bar.width for bar in found.bars] == [150, 270, charts.BAR_WIDTH]  # 12 of 10 is all
    assert [bar.low for bar in found.bars] == [True, False, False]
    assert found.middle == charts.BAR_LEFT + 270
    assert found.height == 3 * charts.ROW


def test_there_are_no_bars_where_nothing_was_due():
    assert charts.bars(spread([a_share(1, 0, 0)])) is None


def test_columns_count_everybody_once():
    ratios = [Fraction(n, 100) for n in (0, 9, 10, 49, 50, 99, 100, 130)]
    found = charts.columns(ratios)
    assert sum(column.count for column in found) == len(ratios)
    counts = {column.least: column.count for column in found if column.count}
    assert counts == {0: 2, 10: 1, 40: 1, 50: 1, 90: 1, 100: 2}
    assert [column.least for column in found if column.low] == [0, 10, 20, 30, 40]
    assert max(column.height for column in found) == charts.COLUMN_HEIGHT
    assert all(column.height == 0 for column in charts.columns([]))


# -- the strip of a day

spans = st.lists(
    st.tuples(st.integers(0, 1380), st.integers(1, 60)).map(lambda at: (at[0], at[0] + at[1])),
    min_size=1, max_size=60,
).map(sorted)  # fmt: skip


@given(spans, st.integers(0, 1439))
def test_no_two_lessons_of_a_strip_lie_on_each_other(found, now):
    drawn = charts.strip(found, now)
    assert len(drawn.bars) == len(found)
    for bar in drawn.bars:
        assert charts.MARGIN <= bar.x <= bar.x + bar.width <= charts.WIDE - charts.MARGIN + 0.1
        assert charts.HEAD <= bar.y < drawn.foot
    for n, (bar, (start, end)) in enumerate(zip(drawn.bars, found, strict=True)):
        for other, (begins, ends) in zip(drawn.bars[:n], found[:n], strict=True):
            assert other.y != bar.y or ends <= start or end <= begins


def test_a_strip_spans_whole_hours_and_marks_the_present_minute():
    drawn = charts.strip([(475, 510), (485, 520), (615, 650)], 540)
    assert [hour.value for hour in drawn.hours] == [7, 8, 9, 10, 11]
    assert [bar.y for bar in drawn.bars] == [charts.HEAD, charts.HEAD + charts.GAP, charts.HEAD]
    assert drawn.now == drawn.hours[2].at
    assert charts.strip([(475, 510)], 900).now is None

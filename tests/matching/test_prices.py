"""Each price of PROBLEM.md."""

import pytest

from scheduler.matching import prices
from scheduler.matching.prices import Prices

P = Prices()


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (prices.unmet(P, 0, 10), 0),
        (prices.unmet(P, 2, 10), 1000 * (2 + 4 / 10)),
        (prices.unmet(P, 0, 0), 0),
        (prices.handover(P, None, "lan"), 0),
        (prices.handover(P, "lan", "lan"), 0),
        (prices.handover(P, "lan", "mai"), 60),
        (prices.extra_teacher(P, 0), 0),
        (prices.extra_teacher(P, 1), 0),
        (prices.extra_teacher(P, 3), 60),
        (prices.rank(P, 2), 10),
        (prices.if_needed(P, True), 15),
        (prices.if_needed(P, False), 0),
        (prices.not_preferred(P, "YB1", ("YB2",)), 10),
        (prices.not_preferred(P, "YB1", ("YB2", "YB1")), 0),
        (prices.not_preferred(P, "YB1", ()), 0),
        (prices.load(P, 5, 10), 25),
        (prices.load(P, 0, 0), 0),
        (prices.change(P, True, True), 0),
        (prices.change(P, True, False), 80),
        (prices.change(P, False, False), 120),
    ],
)
def test_a_price_is_that_of_the_problem(cost, expected):
    assert cost == pytest.approx(expected)


def test_a_missing_lesson_hurts_more_where_more_are_missing():
    steps = [prices.unmet(P, n + 1, 10) - prices.unmet(P, n, 10) for n in range(10)]
    assert steps == sorted(steps)
    assert steps[0] >= P.unmet

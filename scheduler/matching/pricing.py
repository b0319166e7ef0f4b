"""What a plan costs more with one lesson at another time or with another teacher.

By the same prices as the whole plan is, and without looking at the whole of it: only the lessons of
its request and the loads of two teachers count.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from scheduler.matching import prices as price
from scheduler.matching.prices import Prices


class Given(NamedTuple):
    """A lesson of a request; minutes since midnight."""

    day: date
    start: int
    teacher: Hashable


@dataclass(frozen=True, slots=True)
class Terms:
    """What a lesson is to whoever gives it.  `rank`: of its slot, None beside all slots; `others`:
    how many lessons the teacher gives besides, in the term."""

    rank: int | None
    if_needed: bool
    beside_wishes: bool  # at a school that is none of those the teacher prefers
    others: int
    max_total: int


def dearer(
    prices: Prices, series: Sequence[Given], was: Given, now: Given, terms: tuple[Terms, Terms]
) -> float:
    """What it costs more that `was`, a lesson in force of the series, becomes `now`; `terms` are of
    both.  Rules are not looked at."""
    before, after = terms
    rest = [each for each in series if each != was]
    cost = _series(prices, [*rest, now]) - _series(prices, [*rest, was])
    cost += _alone(prices, after) - _alone(prices, before)
    if was.teacher != now.teacher:
        cost += _one_more(prices, after) - _one_more(prices, before)
    same_time = (was.day, was.start) == (now.day, now.start)
    return cost + price.change(prices, same_time, was.teacher == now.teacher)


def _series(prices: Prices, lessons: Iterable[Given]) -> float:
    """The cost of who gives the lessons of one request."""
    in_order = sorted(lessons, key=lambda each: (each.day.weekday(), each.start, each.day))
    cost = price.extra_teacher(prices, len({each.teacher for each in in_order}))
    for one, following in pairwise(in_order):
        same_slot = (one.day.weekday(), one.start) == (following.day.weekday(), following.start)
        before = str(one.teacher) if same_slot else None
        cost += price.handover(prices, before, str(following.teacher))
    return cost


def _alone(prices: Prices, terms: Terms) -> float:
    cost = price.if_needed(prices, terms.if_needed)
    cost += price.rank(prices, terms.rank or 0)
    return cost + (prices.not_preferred if terms.beside_wishes else 0.0)


def _one_more(prices: Prices, terms: Terms) -> float:
    """What this lesson adds to the load of its teacher."""
    loads = (price.load(prices, n, terms.max_total) for n in (terms.others + 1, terms.others))
    with_it, without = loads
    return with_it - without

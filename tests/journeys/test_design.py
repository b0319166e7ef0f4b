"""The parts of the pages as a browser lays them out: what the living page shows, nothing hides."""

import pytest

from scheduler.web.pages.design import HERE
from tests.journeys.trip import Look, Trip

pytestmark = pytest.mark.browser

DESK = Look(1280, "light", "vi")
# The lines of the week grid that lie over the next day.
_OVER = """() => [...document.querySelectorAll('.wk td')].filter(cell =>
  [...cell.querySelectorAll('a')].some(line =>
    line.getBoundingClientRect().right > cell.getBoundingClientRect().right + 1))
  .map(cell => cell.textContent)"""


def test_a_long_name_in_the_week_grid_is_cut_and_lies_over_no_other_day(trip: Trip) -> None:
    stop = next(each for each in trip.tour.once if each.path == HERE)
    page = trip.visit(stop, DESK)
    assert page.locator(".wk td a").count() > 10
    assert page.evaluate(_OVER) == []


def test_the_toast_opens_over_the_page_without_a_script(trip: Trip) -> None:
    stop = next(each for each in trip.tour.once if each.path == HERE)
    page = trip.visit(stop, DESK, script=False)
    toast = page.locator(".toast")
    assert not toast.is_visible()
    page.locator("details:has(.toast) > summary").click()
    page.evaluate("scrollTo(0, 0)")
    assert toast.is_visible()
    box, size = toast.bounding_box(), page.viewport_size
    assert box is not None
    assert size is not None
    assert 0 < box["y"] < size["height"]

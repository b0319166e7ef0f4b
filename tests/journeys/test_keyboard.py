"""Every main page by the keyboard alone: all is reached, focus is seen, nothing holds it."""

import pytest

from bench.tour import Stop
from tests.journeys import keyboard
from tests.journeys.trip import Look, Trip

pytestmark = pytest.mark.browser

MAIN = (
    "/sign-in", "/teacher", "/teacher/lessons", "/calendar", "/school", "/school/requests",
    "/coordinator",
)  # fmt: skip
DESK = Look(1280, "light", "vi")


@pytest.mark.parametrize("path", MAIN)
def test_tab_reaches_everything_and_focus_is_seen(trip: Trip, path: str) -> None:
    trip.speak("vi")
    page = trip.visit(_stop(trip, path), DESK)
    assert keyboard.walk(page) == keyboard.Walk([], [], trapped=False)


@pytest.mark.parametrize("path", ["/teacher", "/school", "/coordinator"])
def test_the_skip_link_leads_into_the_page(trip: Trip, path: str) -> None:
    page = trip.visit(_stop(trip, path), DESK)
    assert keyboard.skips(page)


def _stop(trip: Trip, path: str) -> Stop:
    return next(stop for stop in trip.tour.once if stop.path == path)

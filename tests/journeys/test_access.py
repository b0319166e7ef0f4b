"""Every page there is can be used by everybody: axe-core finds nothing, and nothing sticks out."""

from collections.abc import Iterator
from itertools import product

import pytest

from bench.tour import Stop
from tests.journeys import axe
from tests.journeys.trip import DESK, PHONE, Look, Trip

pytestmark = pytest.mark.browser

LOOKS = [Look(*each) for each in product((360, 1280), ("light", "dark"), ("vi", "en"))]


def test_every_page_of_the_route_table_has_somebody_who_is_shown_it(trip: Trip) -> None:
    told = [f"{path}: nobody is shown it; give bench.tour an example" for path in trip.tour.lacking]
    assert not told, "\n".join(told)
    assert len(trip.tour.once) > 60  # what looks at every page must meet them


@pytest.mark.soak  # two minutes, and a minute and a half
def test_nothing_is_wrong_with_any_page_on_a_phone(trip: Trip) -> None:
    """And it neither scrolls sideways at 320 px nor with text twice as large at 360."""
    found = list(_faults(trip, trip.tour.once, PHONE, room=True))
    assert not found, "\n".join(found)


@pytest.mark.soak
def test_nothing_is_wrong_with_any_page_on_a_dark_desk(trip: Trip) -> None:
    found = list(_faults(trip, trip.tour.once, DESK))
    assert not found, "\n".join(found)


@pytest.mark.soak
@pytest.mark.parametrize(
    "look", LOOKS, ids=lambda look: f"{look.width}-{look.scheme}-{look.language}"
)
def test_nothing_is_wrong_with_any_page_for_any_reader(trip: Trip, look: Look) -> None:
    found = list(_faults(trip, trip.tour.stops, look, room=look.width == PHONE.width))
    assert not found, "\n".join(found)


def _faults(
    trip: Trip, stops: tuple[Stop, ...], look: Look, *, room: bool = False
) -> Iterator[str]:
    trip.speak(look.language)
    for stop in stops:
        page = trip.visit(stop, look)
        found = axe.violations(page)
        if room:
            found += axe.sticking_out(page, 320) + axe.sticking_out(page, 360, text="200%")
        yield from (f"{stop.path} for {stop.reader}: {each}" for each in found)

"""Days of a wall as instants, whatever the zone does with its hours."""

from datetime import date
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain import zones
from scheduler.domain.intervals import end_of, midnight

# Before 2015 islands skipped whole days: those neither begin nor end.
DAYS = st.dates(date(2015, 1, 1), date(2099, 12, 31))


@given(DAYS, st.sampled_from(sorted(zones.known())))
def test_a_day_holds_its_first_and_last_instant_and_none_beside_them(day, zone):
    def on(instant):
        return instant.astimezone(ZoneInfo(zone)).date()

    begins, ends = midnight(day, zone), end_of(day, zone)
    assert (on(begins), on(ends)) == (day, day)
    assert on(begins - begins.resolution) < day < on(ends + ends.resolution)

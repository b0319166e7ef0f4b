"""A zone in two yearly rules tells the same time as the zone itself, or is not told at all."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from scheduler.domain import zones
from scheduler.domain.zones import Observance, ZoneRules

NO_RULE = {"Africa/Casablanca", "Africa/El_Aaiun", "Asia/Gaza", "Asia/Hebron"}  # 2026 and 2027


def begins(part: Observance, year: int) -> datetime:
    """The instant in UTC at which a part of a zone begins in a year."""
    assert part.yearly is not None
    return (part.yearly.in_year(year) - part.before).replace(tzinfo=UTC)


def told(rules: ZoneRules, at: datetime) -> timedelta:
    """The offset at an instant, as a reader of the rules finds it."""
    if rules.daylight is None:
        return rules.standard.offset
    parts = (rules.standard, rules.daylight)
    years = (at.year - 1, at.year, at.year + 1)
    began = [(begins(x, y), x.offset) for x in parts for y in years if begins(x, y) <= at]
    return max(began)[1]


def moments(zone: str) -> list[datetime]:
    """Each hour near a change of offset in 2026 and 2027, and each tenth day."""
    found = [datetime(2026, 1, 1, 0, 30, tzinfo=UTC) + timedelta(days=10 * n) for n in range(73)]
    info = ZoneInfo(zone)
    for n in range(729):
        day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)
        if (
            day.astimezone(info).utcoffset()
            != (day + timedelta(days=1)).astimezone(info).utcoffset()
        ):
            found += [day + timedelta(hours=h, minutes=m) for h in range(25) for m in (0, 29, 59)]
    return found


def test_only_zones_without_a_yearly_rule_have_none():
    assert {z for z in available_timezones() if zones.rules(z, 2026, 2027) is None} == NO_RULE


@pytest.mark.parametrize(
    "zone",
    [
        "Asia/Ho_Chi_Minh", "America/New_York", "Australia/Lord_Howe", "Europe/Dublin",
        "Africa/Cairo", "Asia/Beirut", "America/St_Johns", "Pacific/Chatham", "America/Santiago",
        "Asia/Kathmandu", "Antarctica/Troll", "America/Nuuk", "Pacific/Auckland", "UTC",
    ],
)  # fmt: skip
def test_the_rules_tell_the_time_of_the_zone(zone):
    rules = zones.rules(zone, 2026, 2027)
    info = ZoneInfo(zone)
    assert rules is not None
    wrong = [at for at in moments(zone) if told(rules, at) != at.astimezone(info).utcoffset()]
    assert wrong == []


def test_a_zone_that_changed_its_rule_between_the_years_has_none():
    assert zones.rules("Asia/Almaty", 2024, 2025) is None  # left +06 on 1 March 2024
    assert zones.rules("Asia/Almaty", 2025, 2026) == zones.rules("Asia/Almaty", 2025, 2025)


def test_a_zone_without_summer_time_has_one_part():
    rules = zones.rules("Asia/Ho_Chi_Minh", 2023, 2024)
    seven = timedelta(hours=7)
    epoch = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock's
    assert rules == ZoneRules("Asia/Ho_Chi_Minh", Observance(epoch, seven, seven, "+07"))

"""Public holidays of a country, by its calendar: proposed to who enters the days of a term.

The moon's among them are reckoned, not fetched; what a government moves in one year is known as far
as the library behind it knows that year.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import holidays

from scheduler.domain.intervals import DaySpan
from scheduler.services.context import Context

_LANGUAGES = {"vi": "vi", "en": "en_US"}


@dataclass(frozen=True, slots=True)
class PublicHoliday:
    """A day without school, with its name by language."""

    day: date
    names: Mapping[str, str]


def within(ctx: Context, days: DaySpan) -> tuple[PublicHoliday, ...]:
    """Those of the country of this installation, in order; none of a country that is not known."""
    country, years = (
        ctx.settings.country.upper(),
        range(days.first_day.year, days.last_day.year + 1),
    )
    if country not in holidays.list_supported_countries():
        return ()
    named = {
        ours: holidays.country_holidays(country, years=years, language=theirs)
        for ours, theirs in _LANGUAGES.items()
    }
    found = sorted(day for day in named["en"] if days.first_day <= day <= days.last_day)
    return tuple(
        PublicHoliday(day, {ours: names[day] for ours, names in named.items()}) for day in found
    )

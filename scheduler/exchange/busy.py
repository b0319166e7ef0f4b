"""Read when a teacher is busy out of a calendar that anybody may have written.

A process of its own does it, which can be ended: a few lines of a calendar can ask for years of
work.  Titles, places and guests never leave that process.
"""

from datetime import datetime

from scheduler.domain.busy import (
    MOST_IN_ALL,
    MOST_OF_ONE_EVENT,
    BusyChoices,
    BusyReading,
    BusyTime,
)
from scheduler.domain.intervals import Interval
from scheduler.errors import Invalid, Text, text
from scheduler.exchange import child

SECONDS = 9.0
_MOST_BYTES = 4_000_000  # of the answer; ten thousand busy times need a quarter of it

_TROUBLES = {
    "broken": text("The calendar breaks off or is put together wrongly."),
    "too often": text("An event of the calendar repeats every hour or more often."),
    "too many of one": text(
        "An event of the calendar happens more than {most} times.", most=MOST_OF_ONE_EVENT
    ),
    "too many": text("The calendar holds more than {most} events.", most=MOST_IN_ALL),
}
_BEYOND = text("The calendar is too large or too tangled to be read.")


class Unreadable(Invalid):
    """No busy times came out of this calendar; the sentence says why."""


def read(
    body: bytes, *, zone: str, reach: Interval, choices: BusyChoices, own_domain: str
) -> BusyReading:
    """The busy times inside `reach`, for a teacher whose clock is that of `zone`.

    `own_domain` ends the UIDs of our own lessons.  Takes at most 10 seconds.  Raises Unreadable.
    """
    order = {
        "zone": zone,
        "start": reach.start.isoformat(),
        "end": reach.end.isoformat(),
        "all_day": choices.all_day,
        "shown_free": choices.shown_free,
        "own_domain": own_domain,
    }
    try:
        answer = child.asked(
            "scheduler.exchange.busy_child", order, body, seconds=SECONDS, most=_MOST_BYTES
        )
    except child.Lost:
        raise Unreadable(_BEYOND) from None
    if "trouble" in answer:
        raise Unreadable(_words_for(answer["trouble"]))
    times = tuple(
        BusyTime(Interval(datetime.fromisoformat(start), datetime.fromisoformat(end)), soft)
        for start, end, soft in answer.pop("times")
    )
    return BusyReading(times, **answer)


def _words_for(trouble: str) -> Text:
    return _TROUBLES.get(trouble, _BEYOND)

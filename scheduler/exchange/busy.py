"""Read when a teacher is busy out of a calendar that anybody may have written.

A process of its own does it, which can be ended: a few lines of a calendar can ask for years of
work.  Titles, places and guests never leave that process.
"""

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import scheduler
from scheduler.domain.busy import (
    MOST_IN_ALL,
    MOST_OF_ONE_EVENT,
    BusyChoices,
    BusyReading,
    BusyTime,
)
from scheduler.domain.intervals import Interval
from scheduler.errors import Invalid, Text, text

SECONDS = 9.0

_HOUSE = str(Path(scheduler.__file__).parent.parent)
_CHILD = (sys.executable, "-P", "-m", "scheduler.exchange.busy_child")
# No other setting of ours: the child shall not know the house's secrets.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONTZPATH", "SYSTEMROOT")

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
    answer = _asked(json.dumps(order).encode() + b"\n" + body)
    if "trouble" in answer:
        raise Unreadable(_words_for(answer["trouble"]))
    times = tuple(
        BusyTime(Interval(datetime.fromisoformat(start), datetime.fromisoformat(end)), soft)
        for start, end, soft in answer.pop("times")
    )
    return BusyReading(times, **answer)


def _asked(order: bytes) -> dict[str, Any]:
    """The child's answer; its own words, should it fall, may quote the calendar and are dropped."""
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    try:
        done = subprocess.run(
            _CHILD,
            input=order,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env | {"PYTHONPATH": _HOUSE},
            timeout=SECONDS,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        raise Unreadable(_BEYOND) from None
    return answer


def _words_for(trouble: str) -> Text:
    return _TROUBLES.get(trouble, _BEYOND)

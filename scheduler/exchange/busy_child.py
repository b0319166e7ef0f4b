"""The process that reads a stranger's calendar: little time, little memory, and nothing to tell.

`busy` starts it with an order line in JSON and the calendar on its input; its output is one line
of JSON with times and counts, or the kind of its trouble.
"""

import json
import resource
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from scheduler.domain.busy import BusyChoices, BusyReading
from scheduler.domain.intervals import Interval
from scheduler.exchange import busy_reading
from scheduler.exchange.busy_events import TooOften
from scheduler.exchange.busy_lines import Broken
from scheduler.exchange.busy_reading import TooMany

CPU_SECONDS = 5
MEMORY = 190 * 1024 * 1024  # of addresses, so what is used is less


def main() -> None:
    _limit()
    order = json.loads(sys.stdin.buffer.readline())
    sys.stdout.write(json.dumps(_answer(order, sys.stdin.buffer.read())))


def _limit() -> None:
    """Nothing is written to disk either: a core dump would hold the titles."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    with suppress(ValueError):  # macOS knows the limit and does not take one
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _answer(order: dict[str, Any], body: bytes) -> dict[str, Any]:
    reach = Interval(*(datetime.fromisoformat(order[each]) for each in ("start", "end")))
    choices = BusyChoices(all_day=order["all_day"], shown_free=order["shown_free"])
    try:
        found = busy_reading.read(body, order["zone"], reach, choices, order["own_domain"])
    except Broken:
        return {"trouble": "broken"}
    except TooOften:
        return {"trouble": "too often"}
    except TooMany as error:
        return {"trouble": "too many" if error.together else "too many of one"}
    return _written(found)


def _written(found: BusyReading) -> dict[str, Any]:
    return {
        "times": [[_text(x.span.start), _text(x.span.end), x.soft] for x in found.times],
        "events": found.events,
        "free": found.free,
        "all_day_left_out": found.all_day_left_out,
        "ours": found.ours,
        "unclear": found.unclear,
    }


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()


if __name__ == "__main__":
    main()

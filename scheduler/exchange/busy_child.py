"""The process that reads a stranger's calendar: little time, little memory, and nothing to tell.

`busy` starts it with an order line in JSON and the calendar on its input; its output is one line
of JSON with times and counts, or the kind of its trouble.
"""

from datetime import UTC, datetime
from typing import Any

from scheduler.domain.busy import BusyChoices, BusyReading
from scheduler.domain.intervals import Interval
from scheduler.exchange import busy_reading, child
from scheduler.exchange.busy_events import TooOften
from scheduler.exchange.busy_lines import Broken
from scheduler.exchange.busy_reading import TooMany

CPU_SECONDS = 5
MEMORY = 190 * 1024 * 1024


def main() -> None:
    child.confine(CPU_SECONDS, MEMORY)
    child.answer(_answer(*child.given()))


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

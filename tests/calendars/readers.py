"""Programs that read calendars and know nothing of ours, each asked the same questions.

Those of Python are here, those of Node.js in node.py, libical in libical.py.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import ical.calendar_stream
import icalendar
import recurring_ical_events
import vobject

Many = Callable[[Sequence[bytes]], "list[list[Seen]]"]
EVER = (1990, 2100)


@dataclass(frozen=True)
class Seen:
    """One event as a reader understood it; instants in UTC, alarms from the beginning."""

    uid: str
    start: datetime
    end: datetime
    summary: str
    description: str
    location: str | None
    url: str | None
    status: str
    transp: str
    sequence: int
    created: datetime
    changed: datetime
    stamp: datetime
    alarms: tuple[timedelta, ...] = ()


def instant(value: datetime) -> datetime:
    """In UTC, so that a zone's own rules for equality do not matter; never floating."""
    assert value.tzinfo is not None, f"{value} floats"
    return value.astimezone(UTC)


def span(words: str) -> timedelta:
    return timedelta(seconds=icalendar.vDuration.from_ical(words).total_seconds())


def by_icalendar(body: bytes) -> list[Seen]:
    return list(map(_of_icalendar, icalendar.Calendar.from_ical(body).walk("VEVENT")))


def by_recurring(body: bytes) -> list[Seen]:
    """The occurrences that recurring-ical-events makes of the events: one of each."""
    calendar = icalendar.Calendar.from_ical(body)
    return list(map(_of_icalendar, recurring_ical_events.of(calendar).between(*EVER)))


def _of_icalendar(event: icalendar.Event) -> Seen:
    def text(name: str) -> str | None:
        return None if name not in event else str(event[name])

    return Seen(
        uid=str(event["uid"]),
        start=instant(event.decoded("dtstart")),
        end=instant(event.decoded("dtend")),
        summary=str(event["summary"]),
        description=str(event["description"]),
        location=text("location"),
        url=text("url"),
        status=str(event["status"]),
        transp=str(event["transp"]),
        sequence=int(event["sequence"]),
        created=event.decoded("created"),
        changed=event.decoded("last-modified"),
        stamp=event.decoded("dtstamp"),
        alarms=tuple(alarm.decoded("trigger") for alarm in event.walk("VALARM")),
    )


def by_ical(body: bytes) -> list[Seen]:
    calendar = ical.calendar_stream.IcsCalendarStream.calendar_from_ics(body.decode())
    return [
        Seen(
            uid=event.uid,
            start=instant(event.dtstart),
            end=instant(event.dtend),
            summary=event.summary,
            description=event.description,
            location=event.location,
            url=event.url and str(event.url),
            status=str(event.status.value),
            transp=str(event.transparency),
            sequence=event.sequence,
            created=event.created,
            changed=event.last_modified,
            stamp=event.dtstamp,
            alarms=tuple(alarm.trigger for alarm in event.alarm),
        )
        for event in calendar.events
    ]


def by_vobject(body: bytes) -> list[Seen]:
    def text(event: object, name: str) -> str | None:
        found = getattr(event, name, None)
        return None if found is None else found.value

    def moment(value: object) -> datetime:
        if isinstance(value, datetime):
            return instant(value)
        return datetime.strptime(str(value), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    return [
        Seen(
            uid=event.uid.value,
            start=moment(event.dtstart.value),
            end=moment(event.dtend.value),
            summary=event.summary.value,
            description=event.description.value,
            location=text(event, "location"),
            url=text(event, "url"),
            status=event.status.value,
            transp=event.transp.value,
            sequence=int(event.sequence.value),
            created=moment(event.created.value),
            changed=moment(event.last_modified.value),
            stamp=moment(event.dtstamp.value),
            alarms=tuple(alarm.trigger.value for alarm in getattr(event, "valarm_list", [])),
        )
        for event in getattr(vobject.readOne(body.decode()), "vevent_list", [])
    ]


def each(read: Callable[[bytes], list[Seen]]) -> Many:
    return lambda bodies: list(map(read, bodies))


IN_PYTHON: dict[str, Many] = {
    "icalendar": each(by_icalendar),
    "recurring-ical-events": each(by_recurring),
    "ical": each(by_ical),
    "vobject": each(by_vobject),
}


@dataclass(frozen=True)
class Readers:
    """All of them, by name."""

    by_name: dict[str, Many]

    def agreed(self, bodies: Sequence[bytes]) -> list[list[Seen]]:
        """What every reader understood of each calendar; fails where one differs."""
        said = {name: read(bodies) for name, read in self.by_name.items()}
        first, *others = said
        for other in others:
            for body, one, two in zip(bodies, said[first], said[other], strict=True):
                meant = [_as_misread(other, event) for event in one]
                assert by_uid(two) == by_uid(meant), _quarrel(body, other, two, meant)
        return said[first]

    def but(self, name: str) -> "Readers":
        return Readers({other: read for other, read in self.by_name.items() if other != name})


def by_uid(events: Iterable[Seen]) -> list[Seen]:
    return sorted(events, key=lambda event: event.uid)


def _as_misread(reader: str, event: Seen) -> Seen:
    r"""node-ical sees `\\n` before `\\\\`: a backslash before an n comes out as a line break."""
    if reader != "node-ical":
        return event
    summary, description = (
        words.replace("\\n", "\\\n").replace("\\N", "\\\n")
        for words in (event.summary, event.description)
    )
    return replace(event, summary=summary, description=description)


def _quarrel(body: bytes, reader: str, said: list[Seen], meant: list[Seen]) -> str:
    """The first event that a reader takes for another, with its bytes."""
    other = {event.uid: event for event in said}
    for event in meant:
        if other.get(event.uid) != event:
            bytes_of = next(x for x in body.split(b"BEGIN:VEVENT") if event.uid.encode() in x)
            return f"{reader} reads {other.get(event.uid)}, not {event}, in {bytes_of!r}"
    return f"{reader} sees events that are not there: {len(said)}, not {len(meant)}"

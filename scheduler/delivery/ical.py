"""Calendars as iCalendar bytes (RFC 5545, 7986): the same calendar gives the same bytes, always.

Rules, offsets and durations are icalendar's.  Lines, texts and instants are ours: its own take five
times as long, and its folding may cut between a letter and the accent that belongs to it.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar as Parsed
from icalendar import vDuration, vRecur, vUTCOffset

from scheduler.domain.calendars import Calendar, CalendarEntry
from scheduler.domain.zones import Observance, ZoneRules

PRODUCT = "-//Chung Tay//Online lessons//EN"
POLL_EVERY = timedelta(hours=1)
RINGS_BEFORE = timedelta(minutes=15)
LONGEST_LINE = 75  # octets, without the line break
KEPT_EVENTS = 12_000

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_COLOUR_NAME, _COLOUR = "darkslateblue", "#2C3A82"
# Also what Python's splitlines() takes for a line's end: readers built on it would break there.
_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_JOINER = "\u200d"
_Property = tuple[str, str]  # its name with its parameters, and its value as written


class Method(StrEnum):
    """What a calendar that comes by mail wants its reader's program to do."""

    PUBLISH = "PUBLISH"
    CANCEL = "CANCEL"


def render(calendar: Calendar) -> bytes:
    """The whole calendar; events that were rendered before come from memory."""
    head = [b"BEGIN:VCALENDAR\r\n", _lines(_head(calendar)), *map(_zone, calendar.zones)]
    return b"".join([*head, *map(_event, calendar.entries), b"END:VCALENDAR\r\n"])


def message(entries: Iterable[CalendarEntry], method: Method, name: str, address: str) -> bytes:
    """Events to be sent by mail (RFC 5546); name and ASCII address are those of who sends them.

    No name of a calendar: some programs would make a new one of it.
    """
    head = [("VERSION", "2.0"), ("PRODID", PRODUCT), ("CALSCALE", "GREGORIAN"), ("METHOD", method)]
    shown = " ".join(clean(name).split()).replace('"', "'")
    organizer = (f'ORGANIZER;CN="{shown}"' if shown else "ORGANIZER", f"mailto:{address}")
    events = [_part("VEVENT", [*_properties(each), organizer]) for each in entries]
    return _part("VCALENDAR", head, b"".join(events))


def _head(calendar: Calendar) -> Iterable[_Property]:
    name, about = _line(calendar.name), _text(calendar.description)
    hour = _written(vDuration(POLL_EVERY))
    yield "VERSION", "2.0"
    yield "PRODID", PRODUCT
    yield "CALSCALE", "GREGORIAN"
    yield "NAME", name
    yield "X-WR-CALNAME", name
    yield "DESCRIPTION", about
    yield "X-WR-CALDESC", about
    yield "REFRESH-INTERVAL;VALUE=DURATION", hour
    yield "X-PUBLISHED-TTL", hour
    yield "COLOR", _COLOUR_NAME
    yield "X-APPLE-CALENDAR-COLOR", _COLOUR


def _part(name: str, properties: Iterable[_Property], inner: bytes = b"") -> bytes:
    mark = name.encode()
    return b"BEGIN:%b\r\n%b%bEND:%b\r\n" % (mark, _lines(properties), inner, mark)


@lru_cache(maxsize=64)
def _zone(zone: ZoneRules) -> bytes:
    """One STANDARD and at most one DAYLIGHT, by a rule: what Outlook reads as well."""
    parts = _part("STANDARD", _observance(zone.standard))
    if zone.daylight is not None:
        parts += _part("DAYLIGHT", _observance(zone.daylight))
    return _part("VTIMEZONE", [("TZID", zone.zone)], parts)


def _observance(told: Observance) -> Iterable[_Property]:
    yield "DTSTART", _wall(told.since)
    yield "TZOFFSETFROM", _written(vUTCOffset(told.before))
    yield "TZOFFSETTO", _written(vUTCOffset(told.offset))
    yield "TZNAME", told.name
    if (rule := told.yearly) is not None:
        day = f"{rule.nth}{_WEEKDAYS[rule.weekday]}"
        yield "RRULE", _written(vRecur(FREQ="YEARLY", BYMONTH=rule.month, BYDAY=day))


@lru_cache(maxsize=KEPT_EVENTS)
def _event(entry: CalendarEntry) -> bytes:
    rings = b"" if entry.rings is None else _part("VALARM", _alarm(entry.rings))
    return _part("VEVENT", _properties(entry), rings)


def _alarm(says: str) -> Iterable[_Property]:
    yield "ACTION", "DISPLAY"
    yield "DESCRIPTION", _line(says)
    yield "TRIGGER", _written(vDuration(-RINGS_BEFORE))


def _properties(entry: CalendarEntry) -> Iterable[_Property]:
    changed_at = _instant(entry.changed_at)
    yield "UID", _escaped(entry.uid)
    yield "DTSTAMP", changed_at
    yield from _times(entry)
    yield "SUMMARY", _line(entry.summary)
    yield "DESCRIPTION", _text(entry.description)
    if entry.join_url is not None:
        yield "LOCATION", _line(entry.join_url)
        yield "URL", entry.join_url
        label = " ".join(clean(entry.join_label).split()).replace('"', "'")  # quoted, not escaped
        said = f';LABEL="{label}"' if label else ""
        yield f"CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO{said}", entry.join_url
    yield "STATUS", "CANCELLED" if entry.cancelled else "CONFIRMED"
    yield "TRANSP", "OPAQUE" if entry.busy else "TRANSPARENT"
    yield "SEQUENCE", str(entry.sequence)
    yield "CREATED", _instant(entry.created_at)
    yield "LAST-MODIFIED", changed_at


def _times(entry: CalendarEntry) -> Iterable[_Property]:
    """Start and end in UTC, or by the clock of a zone, but not in an hour that it shows twice.

    Which of the two is meant no program can tell, and several take the later one.
    """
    instants = {"DTSTART": entry.starts_at, "DTEND": entry.ends_at}
    if entry.zone is not None:
        local = {name: at.astimezone(ZoneInfo(entry.zone)) for name, at in instants.items()}
        if not any(map(_comes_twice, local.values())):
            for name, at in local.items():
                yield f"{name};TZID={entry.zone}", _wall(at)
            return
    for name, at in instants.items():
        yield name, _instant(at)


def _comes_twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _written(value: Any) -> str:
    """A value of icalendar's; it writes bytes, but for an offset."""
    told = value.to_ical()
    return told if isinstance(told, str) else str(told, "utf-8")


def _instant(at: datetime) -> str:
    """Of an instant in UTC."""
    return f"{_wall(at)}Z"


def _wall(at: datetime) -> str:
    """What a clock shows, whichever it is; years before 1000 do not come up."""
    return f"{at.year}{at.month:02}{at.day:02}T{at.hour:02}{at.minute:02}{at.second:02}"


def _lines(properties: Iterable[_Property]) -> bytes:
    """The properties in the order given, folded."""
    return b"".join([fold(f"{name}:{value}") for name, value in properties])


def _text(words: str) -> str:
    return _escaped(clean(words).strip())  # libical drops what is blank at a line's end


def _escaped(words: str) -> str:
    r"""A text as a value; a `\N` in it stays what was written."""
    plain = words.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return plain.replace("\n", "\\n")


def _line(words: str) -> str:
    return _escaped(" ".join(clean(words).split()))


def clean(words: str) -> str:
    """Composed letters, plain line breaks, no control characters."""
    plain = words.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _CONTROLS.sub(" ", plain))


def fold(line: str) -> bytes:
    """One content line in UTF-8 with its CRLF, in pieces of at most 75 octets.

    A cut is never inside a character, and where it can be helped not inside what reads as one
    letter or picture, behind a backslash or beside a space.
    """
    raw = line.encode()
    pieces: list[bytes] = []
    start, room = 0, LONGEST_LINE
    while len(raw) - start > room:
        end = start + _cut(raw[start : start + room + 8], room)
        pieces.append(raw[start:end])
        start, room = end, LONGEST_LINE - 1  # the space that marks a continuation counts
    pieces.append(raw[start:])
    return b"\r\n ".join(pieces) + b"\r\n"


def _cut(ahead: bytes, room: int) -> int:
    """How many octets of `ahead`, at most `room`, go into this piece."""
    here = ahead[:room].decode(errors="ignore")
    seen = ahead.decode(errors="ignore")
    at = next((n for n in range(len(here), 0, -1) if not _belong_together(seen, n)), len(here))
    return len(here[:at].encode())


def _belong_together(words: str, at: int) -> bool:
    """True when a cut of `words` before position `at` would part what belongs together."""
    before, after = words[at - 1], words[at : at + 1]
    if before in "\\ " or before == _JOINER or after == " ":
        return True
    if _is_flag_letter(before) and after and _is_flag_letter(after):
        run = re.search("[\U0001f1e6-\U0001f1ff]*$", words[:at])
        return run is not None and len(run.group()) % 2 == 1
    return bool(after) and _continues(after)


def _continues(char: str) -> bool:
    """True for accents, joiners, variation selectors, skin tones and tags."""
    return (
        unicodedata.category(char) in ("Mn", "Mc", "Me")
        or char == _JOINER
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
    )


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def as_jcal(body: bytes) -> bytes:
    """A rendered calendar as jCal (RFC 7265), for programs that would rather read JSON."""
    parsed = Parsed.from_ical(body).to_jcal()
    return json.dumps(parsed, ensure_ascii=False, separators=(",", ":")).encode()


def event_count(body: bytes) -> int:
    """How many events a rendered calendar holds."""
    return body.count(b"\r\nBEGIN:VEVENT\r\n")

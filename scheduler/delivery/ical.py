"""Calendars as iCalendar bytes (RFC 5545, 7986): the same calendar gives the same bytes, always.

The values are icalendar's.  Lines are ours: its components would take four times as long, and its
folding may cut between a letter and the accent that belongs to it.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar as Parsed
from icalendar import vDatetime, vDuration, vInt, vRecur, vText, vUri, vUTCOffset

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
_Property = tuple[str, Any]  # its name with its parameters, and a value of icalendar's


def render(calendar: Calendar) -> bytes:
    """The whole calendar; events that were rendered before come from memory."""
    head = [b"BEGIN:VCALENDAR\r\n", _lines(_head(calendar)), *map(_zone, calendar.zones)]
    return b"".join([*head, *map(_event, calendar.entries), b"END:VCALENDAR\r\n"])


def _head(calendar: Calendar) -> Iterable[_Property]:
    name, about = _line(calendar.name), _text(calendar.description)
    hour = vDuration(POLL_EVERY)
    yield "VERSION", vText("2.0")
    yield "PRODID", vText(PRODUCT)
    yield "CALSCALE", vText("GREGORIAN")
    yield "NAME", name
    yield "X-WR-CALNAME", name
    yield "DESCRIPTION", about
    yield "X-WR-CALDESC", about
    yield "REFRESH-INTERVAL;VALUE=DURATION", hour
    yield "X-PUBLISHED-TTL", hour
    yield "COLOR", vText(_COLOUR_NAME)
    yield "X-APPLE-CALENDAR-COLOR", vText(_COLOUR)


def _part(name: str, properties: Iterable[_Property], inner: bytes = b"") -> bytes:
    mark = name.encode()
    return b"BEGIN:%b\r\n%b%bEND:%b\r\n" % (mark, _lines(properties), inner, mark)


@lru_cache(maxsize=64)
def _zone(zone: ZoneRules) -> bytes:
    """One STANDARD and at most one DAYLIGHT, by a rule: what Outlook reads as well."""
    parts = _part("STANDARD", _observance(zone.standard))
    if zone.daylight is not None:
        parts += _part("DAYLIGHT", _observance(zone.daylight))
    return _part("VTIMEZONE", [("TZID", vText(zone.zone))], parts)


def _observance(told: Observance) -> Iterable[_Property]:
    yield "DTSTART", vDatetime(told.since)
    yield "TZOFFSETFROM", vUTCOffset(told.before)
    yield "TZOFFSETTO", vUTCOffset(told.offset)
    yield "TZNAME", vText(told.name)
    if (rule := told.yearly) is not None:
        day = f"{rule.nth}{_WEEKDAYS[rule.weekday]}"
        yield "RRULE", vRecur(FREQ="YEARLY", BYMONTH=rule.month, BYDAY=day)


@lru_cache(maxsize=KEPT_EVENTS)
def _event(entry: CalendarEntry) -> bytes:
    rings = b"" if entry.rings is None else _part("VALARM", _alarm(entry.rings))
    return _part("VEVENT", _properties(entry), rings)


def _alarm(says: str) -> Iterable[_Property]:
    yield "ACTION", vText("DISPLAY")
    yield "DESCRIPTION", _line(says)
    yield "TRIGGER", vDuration(-RINGS_BEFORE)


def _properties(entry: CalendarEntry) -> Iterable[_Property]:
    changed_at = vDatetime(entry.changed_at)
    yield "UID", vText(entry.uid)
    yield "DTSTAMP", changed_at
    yield _time("DTSTART", entry.starts_at, entry.zone)
    yield _time("DTEND", entry.ends_at, entry.zone)
    yield "SUMMARY", _line(entry.summary)
    yield "DESCRIPTION", _text(entry.description)
    if entry.join_url is not None:
        yield "LOCATION", _line(entry.join_url)
        yield "URL", vUri(entry.join_url)
        label = _line(entry.join_label).replace('"', "'")
        said = f';LABEL="{label}"' if label else ""
        yield f"CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO{said}", vUri(entry.join_url)
    yield "STATUS", vText("CANCELLED" if entry.cancelled else "CONFIRMED")
    yield "TRANSP", vText("OPAQUE" if entry.busy else "TRANSPARENT")
    yield "SEQUENCE", vInt(entry.sequence)
    yield "CREATED", vDatetime(entry.created_at)
    yield "LAST-MODIFIED", changed_at


def _time(name: str, instant: datetime, zone: str | None) -> _Property:
    """Of an instant in UTC: in UTC too, or by the clock of a zone."""
    if zone is None:
        return name, vDatetime(instant)
    local = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return f"{name};TZID={zone}", vDatetime(local)


def _lines(properties: Iterable[_Property]) -> bytes:
    """The properties in the order given, folded."""
    return b"".join(fold(f"{name}:{_written(value)}") for name, value in properties)


def _written(value: Any) -> str:
    told = value.to_ical()  # bytes, but of an offset
    return told if isinstance(told, str) else str(told, "utf-8")


class _Text(vText):
    r"""A text whose `\N` stays what was written; icalendar makes a line break of it."""

    def to_ical(self) -> bytes:
        escaped = self.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
        return escaped.replace("\n", "\\n").encode()


def _text(words: str) -> _Text:
    return _Text(clean(words).strip())  # libical drops what is blank at a line's end


def _line(words: str) -> _Text:
    return _Text(" ".join(clean(words).split()))


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

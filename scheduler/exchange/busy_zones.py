"""The time zones that calendars name: IANA's, those of Windows, and those a calendar brings."""

import io
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from dateutil.tz import tzical
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from scheduler.exchange.busy_lines import Component, Line


class Zones:
    """Finds a zone by the name that a calendar gives it.

    `home` is the teacher's own, and that of times whose zone nobody can know.
    """

    def __init__(self, home: str, floating: str | None, brought: Iterable[Component]) -> None:
        self.home: tzinfo = ZoneInfo(home)
        self.floating = (_named(floating) if floating else None) or self.home
        named = ((each.first("TZID"), each) for each in brought)
        self._brought = {line.value.strip(): each for line, each in named if line is not None}
        self._known: dict[str, tzinfo] = {"UTC": UTC}

    def of(self, name: str | None) -> tzinfo:
        """None is the zone of floating times."""
        if name is None:
            return self.floating
        name = name.strip()
        if name not in self._known:
            self._known[name] = _named(name) or self._defined(name) or self.floating
        return self._known[name]

    def _defined(self, name: str) -> tzinfo | None:
        definition = self._brought.get(name)
        if definition is None:
            return None
        try:
            lines = "".join(map(_written, definition.lines))
            zone: tzinfo = tzical(io.StringIO(f"BEGIN:VTIMEZONE\r\n{lines}END:VTIMEZONE\r\n")).get()
            _ = datetime(2026, 1, 1, tzinfo=zone).utcoffset()  # does it know an answer?
        except (ValueError, KeyError, IndexError, TypeError):
            return None
        return zone


def _written(line: Line) -> str:
    """Without parameters, which none of these lines needs.

    A rule more frequent than any zone's would never come to an end: it makes the zone unknown.
    """
    value = line.value.strip()
    if line.name == "RRULE" and "FREQ=YEARLY" not in value.upper():
        raise ValueError(line.name)
    return f"{line.name}:{value}\r\n"


def _named(name: str) -> tzinfo | None:
    """By its IANA name, also at the end of a path as some programs write it, or its Windows one."""
    parts = [part for part in name.split("/") if part]
    for start in range(max(0, len(parts) - 3), len(parts)):
        found = _iana("/".join(parts[start:]))
        if found is not None:
            return found
    windows = WINDOWS_TO_OLSON.get(name)
    return _iana(windows) if windows else None


def _iana(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no name at all, the name of a folder
        return None

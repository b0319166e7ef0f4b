"""The few lines of an iCalendar file that say when somebody is busy, read in one pass.

icalendar would build the whole tree, titles and all: for a file of 5 MB ten times the memory that
the child process may have.
"""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

DEEPEST = 20
_NAMES = (
    *("BEGIN", "END", "UID", "DTSTART", "DTEND", "DURATION", "STATUS", "TRANSP", "RRULE", "RDATE"),
    *("EXDATE", "RECURRENCE-ID", "FREEBUSY", "TZID", "TZOFFSETFROM", "TZOFFSETTO"),
    *("X-MICROSOFT-CDO-BUSYSTATUS", "X-MICROSOFT-CDO-ALLDAYEVENT"),
)
_WANTED = {name.encode(): name for name in _NAMES}
_LINE = re.compile(r'[A-Za-z0-9-]+((?:;[^=;:"]+=(?:"[^"]*"|[^";:])*)*):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';([^=;:"]+)=((?:"[^"]*"|[^";:])*)')
_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})
_FLOATING = re.compile(rb"^X-WR-TIMEZONE(?:;[^:\r\n]*)?:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_ZONE_BEGINS = re.compile(rb"^BEGIN:VTIMEZONE\s", re.IGNORECASE | re.MULTILINE)
_ZONE_ENDS = re.compile(rb"^END:VTIMEZONE\s", re.IGNORECASE | re.MULTILINE)


class Broken(Exception):
    """The file ends inside something, or is nested beyond all sense."""


@dataclass(frozen=True, slots=True)
class Line:
    name: str  # in capitals, like the names of its parameters
    parameters: Mapping[str, str]
    value: str


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the calendar with its wanted lines; those of parts in it for time zones only."""

    kind: str
    lines: list[Line]

    def all(self, name: str) -> list[Line]:
        return [line for line in self.lines if line.name == name]

    def first(self, name: str) -> Line | None:
        return next((line for line in self.lines if line.name == name), None)

    def word(self, name: str) -> str:
        """The value of a property whose values are fixed words, in capitals; empty without."""
        line = self.first(name)
        return line.value.strip().upper() if line else ""


def definitions(body: bytes) -> tuple[str | None, list[Component]]:
    """The zone of floating times, where the calendar names one, and the zones that it brings."""
    named = _FLOATING.search(body)
    kinds = frozenset({"VTIMEZONE"})
    brought = [part for block in _zone_blocks(body) for part in components(block, kinds)]
    return named[1].decode("utf-8", "replace").strip() if named else None, brought


def _zone_blocks(body: bytes) -> Iterator[bytes]:
    """Each from its BEGIN to its END: a search of both at once can take the square of the time."""
    at = 0
    while begins := _ZONE_BEGINS.search(body, at):
        ends = _ZONE_ENDS.search(body, begins.end())
        if ends is None:
            return
        at = ends.end()
        yield body[begins.start() : at]


def components(body: bytes, kinds: frozenset[str]) -> Iterator[Component]:
    """The parts of these kinds in the file's order.

    Raises Broken, at the latest when the file has been read to its end.
    """
    open_kinds: list[str] = []
    current: Component | None = None
    depth = 0  # at which `current` was opened
    for line in _lines(body):
        if line.name == "BEGIN":
            open_kinds.append(_kind(line))
            if len(open_kinds) > DEEPEST:
                raise Broken
            if current is None and open_kinds[-1] in kinds:
                current, depth = Component(open_kinds[-1], []), len(open_kinds)
                continue
        elif line.name == "END":
            if not open_kinds or open_kinds.pop() != _kind(line):
                raise Broken
            if current is not None and len(open_kinds) < depth:
                yield current
                current = None
        if current is not None and (current.kind == "VTIMEZONE" or len(open_kinds) == depth):
            current.lines.append(line)
    if open_kinds:
        raise Broken


def _kind(line: Line) -> str:
    return line.value.strip().upper()


def _lines(body: bytes) -> Iterator[Line]:
    for name, raw in _unfolded(body):
        head, colon, value = raw.partition(b":")
        if colon and b";" not in head:
            yield Line(name, _NO_PARAMETERS, value.decode("utf-8", "replace"))
        elif found := _LINE.fullmatch(raw.decode("utf-8", "replace")):
            parameters = {
                parameter.upper(): value.strip('"')
                for parameter, value in _PARAMETER.findall(found[1])
            }
            yield Line(name, parameters, found[2])


def _unfolded(body: bytes) -> Iterator[tuple[str, bytes]]:
    """The wanted lines by name, each whole; the others are not even put together."""
    pieces: list[bytes] = []
    name: str | None = None
    for raw in io.BytesIO(body.removeprefix(b"\xef\xbb\xbf")):
        if raw[:1] in b" \t":
            if name is not None:
                pieces.append(raw[1:].rstrip(b"\r\n"))
            continue
        if name is not None:
            yield name, b"".join(pieces)
        name = _WANTED.get(raw.partition(b":")[0].partition(b";")[0].upper())
        pieces = [] if name is None else [raw.rstrip(b"\r\n")]
    if name is not None:
        yield name, b"".join(pieces)

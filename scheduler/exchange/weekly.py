"""The grammar of what a week repeats, both ways: free times of teachers, slots of classes.

    windows   T2 07:30-11:30; T5 13:10-16:15 (từ 16/10/2023) (đến 31/12/2023) (khi cần)
              T2, T4 7h30-9h30, 13h-15h; T2-T6 từ 19h đến 21h
    slots     T3 sáng tiết 2, T5 07:55-08:30; T3, T5 sáng tiết 2, 3; tiết 2 sáng thứ ba; T3 S2

T2 is Monday … T7 Saturday, CN Sunday; English weekdays are understood as well.  A piece between
two commas that says no weekday goes on with the one before it; one that says only weekdays, or
only half of a slot, goes on in the next.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import product

from scheduler.domain import names
from scheduler.domain.availability import Window
from scheduler.domain.intervals import clock_text
from scheduler.domain.people import HalfDay
from scheduler.errors import Text, text
from scheduler.exchange import times
from scheduler.exchange.cells import HALF_DAY_WORDS
from scheduler.exchange.faults import Cell, UnreadableError
from scheduler.exchange.times import CLOCK, DATE, WEEKDAY
from scheduler.exchange.words import shown

_HALF_DAYS = {
    "sang": HalfDay.MORNING,
    "chieu": HalfDay.AFTERNOON,
    "toi": HalfDay.EVENING,
    "morning": HalfDay.MORNING,
    "afternoon": HalfDay.AFTERNOON,
    "evening": HalfDay.EVENING,
    "s": HalfDay.MORNING,
    "c": HalfDay.AFTERNOON,
}
_BEGINS = {  # when the hours of a half-day begin and end
    HalfDay.MORNING: (0, 12 * 60),
    HalfDay.AFTERNOON: (12 * 60, 18 * 60),
    HalfDay.EVENING: (17 * 60, 24 * 60),
}
# “tới” goes as “đến”: without its marks it is “tối”, the evening.
_TO = r"\s*(?:-|–|—|→|~|den het|den)\s*"
_EVEN_TO = re.compile(r"\btới\b", re.IGNORECASE)
# “Thứ ba, tư”: a Wednesday, which without its marks is “từ”.
_WEDNESDAY = re.compile(r"(?<!thứ)(?<!thứ )\btư\b", re.IGNORECASE)
_EARLIEST = 6 * 60  # 2h30 means the afternoon: who means the night writes 02:30
_GROUPS = r"[;\n](?![^()]*\))"
_PIECES = r",(?![^()]*\))"
_TOKEN = re.compile(
    rf"(?P<note>\([^()]*\))"
    rf"|(?:tu\s*)?(?P<start>{CLOCK}|\d{{1,2}}(?={_TO}{CLOCK})){_TO}(?P<end>{CLOCK})"
    rf"|(?P<day>{WEEKDAY})(?:{_TO}(?P<until>{WEEKDAY}))?"
    r"|(?:buoi\s*)?(?P<half>(?:sang|chieu|toi|morning|afternoon|evening)\b|[sc](?=\s?\d))"
    r"|(?P<bare>\d{1,2})(?![\d.hg/]|:\d)"
    rf"|(?:tiet|period)\s*(?:(?P<since>\d{{1,2}}){_TO}(?=\d))?(?P<number>\d{{1,2}})(?![\d:.hg/])"
    r"|(?P<joint>va\b|and\b|&|\+|/)"
    r"|(?P<space>(?:\s|:|\.(?!\.))+)"
)
_LIMITS = re.compile(
    rf"(?:tu (?:ngay )?({DATE}))?[\s,]*(?:den (?:het )?(?:ngay )?({DATE}))?[\s,]*(khi can|neu can)?"
)


@dataclass(frozen=True, slots=True)
class WishedSlot:
    """A slot as a school writes it: a weekday and a period of its bell times."""

    weekday: int
    half_day: HalfDay
    number: int


@dataclass(frozen=True, slots=True)
class TimedSlot:
    """A slot by the clock."""

    weekday: int
    start: int
    end: int


@dataclass(slots=True)
class _Said:
    """What the pieces of one entry say so far; `piece`: their text.

    `bare`: the number that a piece begins with, without saying of what; `vague`: its hours may be
    those of the morning and of the afternoon.
    """

    piece: str
    bare: int | None = None
    days: list[int] = field(default_factory=list)
    half_days: list[HalfDay] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    vague: bool = False

    @property
    def whole(self) -> bool:
        """Whether it says when; more than that belongs to another entry."""
        return bool(self.days) and bool(self.ranges or (self.numbers and self.half_days))

    @property
    def only_days(self) -> bool:
        return bool(self.days) and not (self.half_days or self.numbers or self.ranges)

    def goes_on(self, more: "_Said") -> bool:
        """Whether `more` is the rest of this entry."""
        return not self.whole and (not self.days or self.only_days or not more.days)

    def settle(self, before: "_Said | None") -> bool:
        """Take the bare number for what it goes on with: weekdays, or periods; False: neither."""
        if self.bare is None:
            return True
        alone = not (self.days or self.half_days or self.numbers or self.ranges)
        if before and before.only_days and 2 <= self.bare <= 7:
            self.days.insert(0, self.bare - 2)
        elif before and before.numbers and alone:
            self.numbers.append(self.bare)
        else:
            return False
        return True

    def join(self, more: "_Said") -> None:
        self.piece = f"{self.piece}, {more.piece}"
        for name in ("days", "half_days", "numbers", "ranges", "notes"):
            getattr(self, name).extend(getattr(more, name))
        self.vague = self.vague or more.vague

    def follow(self, before: "_Said") -> None:
        """Take over from the entry before what this one leaves to it."""
        if not self.days:
            self.days = list(before.days)
            if not self.half_days and self.numbers:
                self.half_days = before.half_days[-1:]


def windows(cell: Cell) -> tuple[Window, ...]:
    """Weekly free windows in the order written."""
    return tuple(one for said in _entries(cell, _no_window) for one in _windows(said))


def slots(cell: Cell) -> tuple[WishedSlot | TimedSlot, ...]:
    """Weekly slots in the order written."""
    return tuple(one for said in _entries(cell, _no_slot) for one in _slots(said))


def write_windows(values: Iterable[Window]) -> str:
    return "; ".join(map(_write_window, values))


def write_slots(values: Iterable[WishedSlot | TimedSlot]) -> str:
    return ", ".join(map(_write_slot, values))


def weekday_word(weekday: int) -> str:
    """T2 for Monday … CN for Sunday."""
    return "CN" if weekday == 6 else f"T{weekday + 2}"


def _entries(cell: Cell, wrong: Callable[[str], Text]) -> Iterator[_Said]:
    """What the pieces of a cell say together, entry by entry; each says at least when."""
    for group in times.parts(cell, _GROUPS):
        entries: list[_Said] = []
        for piece in times.parts(group, _PIECES):
            said = _said(piece, wrong)
            if not said.settle(entries[-1] if entries else None):
                raise UnreadableError(wrong(piece))
            if entries and entries[-1].goes_on(said):
                entries[-1].join(said)
            else:
                if entries and entries[-1].whole:
                    said.follow(entries[-1])
                entries.append(said)
        for said in entries:
            if not said.whole:
                raise UnreadableError(wrong(said.piece))
        yield from entries


def _said(piece: str, wrong: Callable[[str], Text]) -> _Said:
    said, place, folded = _Said(piece), 0, names.fold(_EVEN_TO.sub("đến", piece))
    if _WEDNESDAY.search(piece):
        raise UnreadableError(wrong(piece))
    while place < len(folded):
        token = _TOKEN.match(folded, place)
        if token is None or token.end() == place or not _take(said, token):
            raise UnreadableError(wrong(piece))
        place = token.end()
    return said


def _take(said: _Said, token: "re.Match[str]") -> bool:
    """Note what a token says; False where it cannot stand."""
    if token["end"]:
        if token["start"].strip("0") == "":
            return False  # “T7:00-9:00” is no hour of Saturday
        said.ranges.append(_range(token["start"], token["end"], said.piece))
        said.vague = said.vague or _is_vague(token["start"], token["end"])
    elif token["day"]:
        if said.days and not said.only_days:
            return False  # which of the days the hours or periods before it belong to is a guess
        said.days.extend(_days(token["day"], token["until"], said.piece))
    elif token["half"]:
        said.half_days.append(_HALF_DAYS[token["half"]])
    elif token["number"]:
        said.numbers.extend(_numbers(token["since"] or token["number"], token["number"]))
    elif token["bare"]:
        return _take_bare(said, int(token["bare"]))
    elif token["note"]:
        _take_note(said, token["note"])
    return True


def _take_bare(said: _Said, number: int) -> bool:
    """“T3 sáng 2” says a period; a number first of all may go on with what stands before."""
    if said.half_days or said.numbers:
        said.numbers.append(number)
        return True
    if said.days or said.ranges or said.bare is not None:
        return False
    said.bare = number
    return True


def _days(first: str, last: str | None, piece: str) -> range:
    begins, ends = times.weekday(first), times.weekday(last or first)
    if ends < begins:
        raise UnreadableError(
            text(
                "In “{found}” the last weekday is before the first. Write the weekdays one by one.",
                found=shown(piece),
            )
        )
    return range(begins, ends + 1)


def _numbers(first: str, last: str) -> range:
    return range(int(first), int(last) + 1)


def _take_note(said: _Said, note: str) -> None:
    """Brackets hold when something begins and ends, or a half-day."""
    inside = note[1:-1].strip()
    if inside in _HALF_DAYS:
        said.half_days.append(_HALF_DAYS[inside])
    else:
        said.notes.append(inside)


def _range(start: str, end: str, piece: str) -> tuple[int, int]:
    begins = int(start) * 60 if start.isdigit() else times.clock(start)
    ends = times.clock(end)
    if ends <= begins:
        raise UnreadableError(
            text(
                "In “{found}” the end is not after the start. Correct the times.",
                found=shown(piece),
            )
        )
    return begins, ends


def _is_vague(start: str, end: str) -> bool:
    """“1:30-3:30 PM” leaves open of which half-day the first is, and so does “2h-4h”."""
    if times.says_half(start):
        return False
    begins = int(start) * 60 if start.isdigit() else times.clock(start)
    if times.says_half(end) and begins + 12 * 60 < times.clock(end):
        return True
    return begins < _EARLIEST and not start.startswith("0")


def _check_half_day(said: _Said) -> None:
    """Both a half-day and hours may be said, where they agree; one must be, where hours do not say
    it all."""
    if said.vague and not said.half_days:
        raise UnreadableError(
            text(
                "The hours in “{found}” may be of the morning or of the afternoon. Write 24-hour"
                " times, for example T2 13:30-15:30.",
                found=shown(said.piece),
            )
        )
    for half_day, (begins, _) in product(said.half_days, said.ranges):
        first, last = _BEGINS[half_day]
        if not first <= begins < last:
            raise UnreadableError(
                text(
                    "In “{found}” the half-day and the hours do not agree. Write 24-hour times,"
                    " for example T2 13:30-15:30.",
                    found=shown(said.piece),
                )
            )


def _windows(said: _Said) -> Iterator[Window]:
    if said.numbers:
        raise UnreadableError(_no_window(said.piece))
    _check_half_day(said)
    first_day, last_day, if_needed = _notes(said)
    for weekday, (start, end) in product(said.days, said.ranges):
        yield Window(weekday, start, end, first_day, last_day, if_needed)


def _slots(said: _Said) -> Iterator[WishedSlot | TimedSlot]:
    if said.notes or (said.ranges and said.numbers) or len(set(said.half_days)) > 1:
        raise UnreadableError(_no_slot(said.piece))
    _check_half_day(said)
    for weekday in said.days:
        for start, end in said.ranges:
            yield TimedSlot(weekday, start, end)
        for number in said.numbers:
            yield WishedSlot(weekday, said.half_days[0], number)


def _notes(said: _Said) -> tuple[date | None, date | None, bool]:
    first_day: date | None = None
    last_day: date | None = None
    if_needed = False
    for note in said.notes:
        limits = _LIMITS.fullmatch(note)
        if not limits or not note:
            raise UnreadableError(
                text(
                    "The note in “{found}” is not understood. Write (từ 16/10/2023),"
                    " (đến 31/12/2023) or (khi cần).",
                    found=shown(said.piece),
                )
            )
        first_day = times.day(limits[1]) if limits[1] else first_day
        last_day = times.day(limits[2]) if limits[2] else last_day
        if_needed = if_needed or bool(limits[3])
    if first_day and last_day and last_day < first_day:
        raise UnreadableError(times.last_before_first(said.piece))
    return first_day, last_day, if_needed


def _no_window(piece: str) -> Text:
    return text(
        "“{found}” is not a free time. Write the weekday and two times, for example"
        " T2 07:30-11:30; T2 is Monday, CN is Sunday.",
        found=shown(piece),
    )


def _no_slot(piece: str) -> Text:
    return text(
        "“{found}” is not a slot. Write the weekday, the half-day and the period, for example"
        " T3 sáng tiết 2.",
        found=shown(piece),
    )


def _write_window(window: Window) -> str:
    words = [
        weekday_word(window.weekday),
        f"{clock_text(window.start)}-{clock_text(window.end)}",
        f"(từ {times.write_day(window.first_day)})" if window.first_day else "",
        f"(đến {times.write_day(window.last_day)})" if window.last_day else "",
        "(khi cần)" if window.if_needed else "",
    ]
    return " ".join(word for word in words if word)


def _write_slot(slot: WishedSlot | TimedSlot) -> str:
    if isinstance(slot, TimedSlot):
        return f"{weekday_word(slot.weekday)} {clock_text(slot.start)}-{clock_text(slot.end)}"
    half_day = HALF_DAY_WORDS[slot.half_day].lower()
    return f"{weekday_word(slot.weekday)} {half_day} tiết {slot.number}"

"""Reads JSON into typed values and notes every fault with its place.  Pure."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TypeGuard, TypeVar

from scheduler.errors import Invalid, Problem, Text, text

CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
MOST = 10**9  # of any number: the kernel counts in 32 bits
T = TypeVar("T")
LARGE = 1 << 20  # bytes of a file whose end is looked at first
TWICE = object()  # stands for a member that an object has more than once
LETTERS = "nmkj"  # the indexes of a path: teachers[{n}].available[{m}]


def decode(content: bytes) -> object:
    """What a JSON file holds; raises Invalid when it is none, and at once when it is cut short."""
    tail = content[-4096:].rstrip(b" \t\r\n\0")
    if len(content) > LARGE and not tail.endswith((b"}", b"]")):
        raise Invalid(text("This is no JSON file: it ends in the middle."))
    try:
        return json.loads(content, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise Invalid(text("This is no JSON file: {why}", why=str(error))) from error


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        times = Counter(key for key, _ in pairs)
        found.update((key, TWICE) for key in found if times[key] > 1)
    return found


class Reader:
    """One JSON value at one place.  A faulty value reads as an empty one; `faults` tells of it."""

    def __init__(
        self, value: object, faults: list[Problem], where: str = "", at: tuple[int, ...] = ()
    ) -> None:
        self.value = value
        self.faults = faults
        self.where = where
        self.at = at

    def fault(self, what: Text, key: str = "") -> None:
        """Note that the value (or the member `key` of it) cannot be taken."""
        place = self._below(key) if key else self.where or "JSON"
        self.faults.append(Problem(Text(place, dict(zip(LETTERS, self.at, strict=False))), what))

    def has(self, key: str) -> bool:
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def string(self, key: str, default: str | None = None) -> str:
        """A text that is not empty; absent, the default where there is one."""
        found = self._member(key)
        if _is_text(found) and (found or default is not None):
            return found
        if found is None and default is not None:
            return default
        return self._wrong(key, text("must be a text"), found, default or "")

    def whole(self, key: str, least: int = 0, most: int = MOST) -> int:
        """A whole number, at least `least` and at most `most`."""
        found = self._member(key)
        if type(found) is not int:  # a bool is an int to Python, not to a reader
            return self._wrong(key, text("must be a whole number"), found, least)
        if found < least:
            return self._wrong(key, text("must be at least {least}", least=least), found, least)
        if found > most:
            return self._wrong(key, text("must be at most {most}", most=most), found, least)
        return found

    def flag(self, key: str) -> bool:
        found = self._member(key)
        if found is None or isinstance(found, bool):
            return bool(found)
        return self._wrong(key, text("must be true or false"), found, False)

    def day(self, key: str) -> date:
        found = self._member(key)
        day = iso_day(found)
        return day or self._wrong(key, text("must be a date like 2023-09-11"), found, date.min)

    def day_if_any(self, key: str) -> date | None:
        return self.day(key) if self.has(key) else None

    def clock(self, key: str) -> int:
        """Minutes since midnight of a 24-hour time."""
        found = self._member(key)
        if isinstance(found, str) and CLOCK.fullmatch(found):
            return int(found[:2]) * 60 + int(found[3:])
        return self._wrong(key, text("must be a time like 07:30"), found, 0)

    def start_and_end(self) -> tuple[int, int]:
        """The members `start` and `end`, in minutes."""
        known = len(self.faults)
        start, end = self.clock("start"), self.clock("end")
        if len(self.faults) == known and end <= start:
            self.fault(text("must end after it starts"))
        return start, end

    def first_and_last(self) -> tuple[date, date]:
        """The members `first_day` and `last_day`, both inclusive."""
        known = len(self.faults)
        first, last = self.day("first_day"), self.day("last_day")
        if len(self.faults) == known and last < first:
            self.fault(text("must not end before it starts"))
        return first, last

    def strings(self, key: str) -> tuple[str, ...]:
        """A list of texts; absent, an empty one."""
        found = self._list(key, required=False)
        if all(_is_text(item) for item in found):
            return tuple(str(item) for item in found)
        return self._wrong(key, text("must be a list of texts"), found, ())

    def days(self, key: str) -> tuple[date, ...]:
        """A list of dates; absent, an empty one."""
        found = [iso_day(item) for item in self._list(key, required=False)]
        if None in found:
            self.fault(text("must be a list of dates like 2023-09-11"), key)
        return tuple(day for day in found if day)

    def each(self, key: str, required: bool = True) -> Iterator["Reader"]:
        """A reader for each object of a list."""
        for n, item in enumerate(self._list(key, required)):
            letter = LETTERS[len(self.at)]
            reader = Reader(item, self.faults, f"{self._below(key)}[{{{letter}}}]", (*self.at, n))
            if isinstance(item, dict):
                yield reader
            else:
                reader.fault(text("must be an object"))

    def one(self, key: str) -> "Reader":
        """A reader for a member that is an object."""
        found = self._member(key)
        reader = Reader(found, self.faults, self._below(key), self.at)
        if not isinstance(found, dict):
            reader.fault(_what(found, text("must be an object")))
            reader.value = None
        return reader

    def _member(self, key: str) -> object:
        return self.value.get(key) if isinstance(self.value, dict) else None

    def _below(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def _list(self, key: str, required: bool) -> list[object]:
        found = self._member(key)
        if isinstance(found, list):
            return found
        if required or found is not None:
            self._wrong(key, text("must be a list"), found, None)
        return []

    def _wrong(self, key: str, what: Text, found: object, instead: T) -> T:
        if self.value is not None:  # of an object that is itself missing, one fault is enough
            self.fault(_what(found, what), key)
        return instead


def _what(found: object, what: Text) -> Text:
    """What is wrong with a value that is none, doubled, or of the wrong kind."""
    if found is None:
        return text("is missing")
    return text("is there twice") if found is TWICE else what


def _is_text(value: object) -> TypeGuard[str]:
    """False as well for halves of a sign, which no file can hold."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def iso_day(value: object) -> date | None:
    """The date written as 2023-09-11, and in no other way."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return day if day and day.isoformat() == value else None


def clock(minutes: int) -> str:
    """HH:MM of minutes since midnight."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"

"""Typed values from the fields of a form; faults are collected by field, as sentences."""

import calendar
import re
from collections.abc import Collection
from datetime import date
from enum import StrEnum
from typing import TypeVar

from starlette.datastructures import FormData

from scheduler.domain import remarks
from scheduler.errors import Invalid, Text, text

_Choice = TypeVar("_Choice", bound=StrEnum)

YEARS = (2000, 2100)
LONGEST_TEXT = 200
_DAY = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2})[:.hH](\d{2})", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


class Fields:
    """Reads a form field by field.

    A faulty field is noted in `errors` and gives a harmless stand-in; `check()` raises before
    anybody uses that.  `typed` is what to show again.
    """

    def __init__(self, form: FormData) -> None:
        self.form = form
        self.errors: dict[str, Text] = {}

    def typed(self, name: str) -> str:
        """As it was sent; empty when it was not."""
        value = self.form.get(name)
        return value if isinstance(value, str) else ""

    def many(self, name: str) -> tuple[str, ...]:
        """Every value sent under this name, in order."""
        return tuple(value for value in self.form.getlist(name) if isinstance(value, str))

    def checked(self, name: str) -> bool:
        return bool(self.typed(name))

    def text(self, name: str, *, most: int = LONGEST_TEXT, needed: bool = True) -> str:
        """One line, its spaces tidied."""
        return self._words(name, remarks.tidied(self.typed(name)), most, needed=needed)

    def lines(self, name: str, *, most: int = LONGEST_TEXT, needed: bool = True) -> str:
        """The lines of a larger box, made one."""
        return self._words(name, remarks.joined(self.typed(name)), most, needed=needed)

    def _words(self, name: str, value: str, most: int, *, needed: bool) -> str:
        if not value:
            return self._fault(name, text("Fill this in."), "") if needed else ""
        if fault := remarks.fault(value, most, needed=needed):
            return self._fault(name, fault, "")
        return value

    def number(self, name: str, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        value = self.typed(name).strip()
        if not _NUMBER.fullmatch(value) or not least <= int(value) <= most:
            return self._fault(
                name, text("Write a number from {least} to {most}.", least=least, most=most), least
            )
        return int(value)

    def day(self, name: str) -> date:
        """A day typed as 02/10/2023, day first."""
        found = read_day(self.typed(name))
        return found if isinstance(found, date) else self._fault(name, found, date(YEARS[0], 1, 1))

    def clock(self, name: str) -> int:
        """A time of the day typed as 07:15, 7.15 or 7h15, in minutes since midnight."""
        found = _CLOCK.fullmatch(self.typed(name).strip())
        hour, minute = map(int, found.groups()) if found else (24, 0)
        if hour > 23 or minute > 59:
            said = text("Write the time like this: {example}.", example="07:15")
            return self._fault(name, said, 0)
        return hour * 60 + minute

    def choice(self, name: str, options: type[_Choice]) -> _Choice:
        """One of the named choices."""
        value = self.typed(name)
        found = next((each for each in options if each.value == value), None)
        return found or self._fault(name, text("Choose one of these."), next(iter(options)))

    def one_of(self, name: str, options: Collection[str]) -> str:
        """One of these very values."""
        value = self.typed(name)
        return value if value in options else self._fault(name, text("Choose one of these."), "")

    def check(self, message: Text | str | None = None) -> None:
        """Raise Invalid with every fault found so far, if any."""
        if self.errors:
            raise Invalid(message or text("Some fields need another look."), fields=self.errors)

    def _fault(self, name: str, sentence: Text, stand_in: "_Stand") -> "_Stand":
        self.errors.setdefault(name, sentence)
        return stand_in


_Stand = TypeVar("_Stand")


def read_day(typed: str) -> date | Text:
    """A day typed day first; or the sentence that says what to write instead."""
    found = _DAY.fullmatch(typed.strip())
    if found is None:
        return text("Write the day like this: {example}.", example="02/10/2023")
    day, month, year = map(int, found.groups())
    if not YEARS[0] <= year < YEARS[1] or not 1 <= month <= 12 or day < 1:
        return text("Write the day like this: {example}.", example="02/10/2023")
    last = calendar.monthrange(year, month)[1]
    if day > last:
        return text(
            "Month {month} has only {last} days. Write for example {example}.",
            month=month,
            last=last,
            example=date(year, month, last),
        )
    return date(year, month, day)


def asked_day(typed: str) -> date | Text | None:
    """A day in an address, as people write it or as our own links do; None where there is none."""
    if not typed:
        return None
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return read_day(typed)

"""Rows of requests that a school pastes from a sheet: what each would do.  Pure."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from scheduler.domain import requests
from scheduler.domain.requests import NewRequest, Request
from scheduler.errors import Problem, Text, text


class Effect(StrEnum):
    """What saving a row does."""

    NEW = "new"
    CHANGE = "change"
    SAME = "same"
    NONE = "none"  # it has faults


@dataclass(frozen=True, slots=True)
class PastedRow:
    """A row as it was read, counted from 1 as the sheet counts it.

    `which`: the number of the class's request that the row names (3A#2), None when it names none;
    `new`: what it asks for, None of a row with faults; `cells`: as they were pasted.
    """

    number: int
    cells: tuple[str, ...]
    class_name: str
    which: int | None
    new: NewRequest | None
    faults: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A row and what it does; `held` is the request that it changes or repeats."""

    row: PastedRow
    effect: Effect
    held: Request | None = None


def lines(
    rows: Iterable[PastedRow], asked: Sequence[Request], classes: Collection[str]
) -> tuple[Line, ...]:
    """Each row set against what the school asks for; rows that cannot be meant get their fault."""
    taken: set[tuple[str, int | None]] = set()
    found = []
    for row in rows:
        line = _line(row, asked, classes)
        if line.effect is not Effect.NONE:
            key = (row.class_name, line.held.number if line.held else row.which or 1)
            if key in taken:
                line = _faulty(row, _TWICE)
            taken.add(key)
        found.append(line)
    return tuple(found)


def fingerprint(lines: Iterable[Line]) -> str:
    """Names a preview: equal only while every row means the same and finds the same."""
    digest = hashlib.sha256()
    for line in lines:
        held = requests.seen_as(line.held) if line.held else ""
        digest.update(f"{line.row.number}{line.effect}{line.row.new!r}{held};".encode())
    return digest.hexdigest()[:32]


_TWICE = text("Another row is about the same request. Write 7B#2 for a second one of class 7B.")


def _line(row: PastedRow, asked: Sequence[Request], classes: Collection[str]) -> Line:
    if row.new is None:
        return Line(row, Effect.NONE)
    if row.class_name not in classes:
        return _faulty(row, text("Choose one of the school's classes."))
    own = [request for request in asked if request.class_name == row.class_name]
    if row.which is not None:
        held = next((request for request in own if request.number == row.which), None)
    elif len(own) > 1:
        held = next((request for request in own if requests.asks(request, row.new)), None)
        if held is None:
            keys = tuple(f"{each.class_name}#{each.number}" for each in own)
            return _faulty(
                row,
                text("The class has several requests. Write which one: {keys}.", keys=keys),
            )
    else:
        held = next(iter(own), None)
    if held is None:
        return Line(row, Effect.NEW)
    same = requests.asks(held, row.new)
    return Line(row, Effect.SAME if same else Effect.CHANGE, held)


def _faulty(row: PastedRow, what: Text) -> Line:
    where = text("Row {row}", row=str(row.number))
    return Line(replace(row, new=None, faults=(Problem(where, what),)), Effect.NONE)

"""An instance of the matching problem, as JSON -> the five lists, as far as it tells them.

Its rows are then read and checked as those of workbooks are.  What it does not tell of a programme
that is held stays as it is: see `complete`.  The plan in force, busy times and closed days of
schools are no lists; they are left out.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from scheduler.domain.imports import Roster
from scheduler.domain.people import Level
from scheduler.domain.terms import Term
from scheduler.exchange import layout, refusals, times, weekly
from scheduler.exchange.cells import LEVEL_WORDS
from scheduler.exchange.faults import Cell
from scheduler.exchange.grids import MOST_ROWS, Grid
from scheduler.exchange.layout import Layout
from scheduler.exchange.readers import Bell
from scheduler.exchange.workbooks import Batch, Found

_SHEET = " (instance)"  # behind the name of each list, where its rows are spoken of
_UNKNOWN = "–"  # the district of a school that is not held
_LABEL = re.compile(r"(.*\S)\s*\(([^()]*)\)")
_LEVELS = {level.value: word for level, word in LEVEL_WORDS.items()}
_NOON, _EVENING = "12:00", "17:30"
_Json = Mapping[str, Any]
_Line = Sequence[Cell]


def is_instance(data: bytes) -> bool:
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def grids(data: bytes) -> tuple[Grid, ...]:
    """The lists that an instance tells; raises UnreadableError."""
    try:
        told = json.loads(data.decode("utf-8-sig"), parse_constant=_refused)
        if told["version"] != 1:
            raise ValueError
        return (
            _grid(layout.SCHOOLS, _schools(told)),
            _grid(layout.PERIODS, _bells(told)),
            _grid(layout.TERMS, [_term(told)]),
            _grid(layout.TEACHERS, map(_teacher, told["teachers"], range(1, MOST_ROWS))),
            _grid(layout.REQUESTS, map(_request, told["requests"])),
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise refusals.error(refusals.NO_INSTANCE) from error


def _refused(_: str) -> float:
    raise ValueError  # NaN and its like are no numbers of ours


def name_terms(batch: Batch, held: Iterable[Term]) -> None:
    """Call the terms of instances, which have no code, as those of the same days are called."""
    terms = {(term.first_day, term.last_day): term for term in held}
    for index, term in enumerate(batch.terms):
        same = terms.get((term.entry.first_day, term.entry.last_day))
        if same is not None and term.row.sheet.endswith(_SHEET):
            entry = replace(term.entry, code=same.code, name=same.name)
            batch.terms[index] = Found(term.row, entry)


def complete(batch: Batch, held: Roster) -> None:
    """Give what comes from instances the things that these do not tell, as they are held."""
    schools = {school.code: school for school in held.schools}
    pupils = {(room.school_code, room.name): room.pupils for room in held.classes}
    for index, school in enumerate(batch.schools):
        known = schools.get(school.entry.code)
        if known is not None and school.row.sheet.endswith(_SHEET):
            kept = replace(known, name=school.entry.name, rooms=school.entry.rooms, contacts=())
            batch.schools[index] = Found(school.row, replace(kept, periods=()))
    for index, ask in enumerate(batch.asks):
        if ask.row.sheet.endswith(_SHEET):
            count = pupils.get((ask.entry.school_code, ask.entry.class_name), 0)
            batch.asks[index] = Found(ask.row, replace(ask.entry, pupils=count))
    batch.bells[:] = [*_kept_bells(batch, held)]


def _kept_bells(batch: Batch, held: Roster) -> Iterable[Found[Bell]]:
    """Bell times of schools that are held are known better than an instance can tell them."""
    periods = {school.code: school.periods for school in held.schools}
    done: set[str] = set()
    for found in batch.bells:
        code = found.entry.school_code
        if code not in periods or not found.row.sheet.endswith(_SHEET):
            yield found
        elif code not in done:
            done.add(code)
            yield from (Found(found.row, Bell(code, period)) for period in periods[code])


def _grid(table: Layout, lines: Iterable[_Line]) -> Grid:
    names = tuple(column.name for column in table.columns)
    rows = [names, *(tuple(map(_plain, line)) for line in lines)]
    if len(rows) > MOST_ROWS:
        raise refusals.error(refusals.BEYOND)
    return Grid(f"{table.sheet}{_SHEET}", tuple(enumerate(rows, start=1)))


def _plain(cell: Cell) -> Cell:
    return cell if cell is None or isinstance(cell, str | int | float | date) else str(cell)


def _schools(told: _Json) -> Iterable[_Line]:
    levels = {ask["school"]: ask["level"] for ask in reversed(told["requests"])}
    for one in told["schools"]:
        level = _level(levels.get(one["id"], Level.PRIMARY.value))
        yield one["id"], one.get("name", one["id"]), _UNKNOWN, level, one["rooms"]


def _bells(told: _Json) -> Iterable[_Line]:
    """Each time that some slot of a school has is one of its periods."""
    clocks: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for ask in told["requests"]:
        clocks[ask["school"]] |= {(slot["start"], slot["end"]) for slot in ask["slots"]}
    for code, found in clocks.items():
        numbers: dict[str, int] = defaultdict(int)
        for start, end in sorted(found):
            half = "Sáng" if start < _NOON else "Chiều" if start < _EVENING else "Tối"
            numbers[half] += 1
            yield code, half, numbers[half], start, end


def _term(told: _Json) -> _Line:
    term = told["term"]
    days = "; ".join(_day_text(day) for day in term["holidays"])
    first, last = _day(term["first_day"]), _day(term["last_day"])
    return (told["name"], told["name"], first, last, days or None, told["gap_minutes"],
            told["timezone"])  # fmt: skip


def _teacher(one: _Json, number: int) -> _Line:
    label = _LABEL.fullmatch(one["school"])
    school, district = (label[1], label[2]) if label else (one["school"], _UNKNOWN)
    return (
        number, one.get("name", one["id"]), school, district, one["id"], one.get("phone"),
        ", ".join(_level(level) for level in one["levels"]),
        one["max_per_day"], one["max_per_week"], one["max_total"],
        "; ".join(map(_window, one["available"])) or None,
        "; ".join(map(_span, one["unavailable"])) or None,
        ", ".join(map(str, one["preferred_schools"])) or None,
    )  # fmt: skip


def _window(one: _Json) -> str:
    words = [_slot(one)]
    words += [f"(từ {_day_text(one['first_day'])})"] if one.get("first_day") else []
    words += [f"(đến {_day_text(one['last_day'])})"] if one.get("last_day") else []
    words += ["(khi cần)"] if one.get("if_needed") else []
    return " ".join(words)


def _span(one: _Json) -> str:
    first, last = _day_text(one["first_day"]), _day_text(one["last_day"])
    return first if first == last else f"{first}-{last}"


def _request(one: _Json) -> _Line:
    slots = (
        ", ".join(_slot(slot) for slot in one["slots"] if slot["rank"] == rank) or None
        for rank in range(len(layout.SLOTS))
    )
    name = str(one["id"]).removeprefix(f"{one['school']}/")
    return (one["school"], name, None, one["lessons_per_week"], _day(one["first_day"]),
            _day(one["last_day"]), one["priority"], *slots)  # fmt: skip


def _slot(one: _Json) -> str:
    day = one["weekday"]
    said = weekly.weekday_word(day) if isinstance(day, int) and 0 <= day <= 6 else str(day)
    return f"{said} {one['start']}-{one['end']}"


def _level(said: object) -> str:
    return _LEVELS.get(str(said), str(said))


def _day(said: object) -> Cell:
    """A day; what is none stays as it is, for the reader to say so."""
    try:
        return date.fromisoformat(str(said))
    except ValueError:
        return str(said)


def _day_text(said: object) -> str:
    day = _day(said)
    return times.write_day(day) if isinstance(day, date) else str(day)

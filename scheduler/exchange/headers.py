"""The row that names the columns of a list, or two rows that do so together.

    Mã trường | Tên trường | Liên hệ |             | Thứ 2 |
              |            | Họ tên  | Điện thoại  | Sáng  | Chiều

The upper of two says of what the names below it are; it goes on to the right over empty cells, as
merged ones do.  A weekday, alone or over a half-day, is a part of the list's free times or slots.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain, pairwise, zip_longest
from typing import NamedTuple

from openpyxl.utils import get_column_letter

from scheduler.domain import names
from scheduler.errors import Text, text
from scheduler.exchange import cells, times, weekly
from scheduler.exchange.faults import Cell, Part, UnreadableError
from scheduler.exchange.grids import Grid
from scheduler.exchange.layout import (
    CLOSED,
    CODE,
    HEADER_WITHIN,
    LAYOUTS,
    SCHOOL_NAME,
    Layout,
)
from scheduler.exchange.words import letters, shown, written

_ALIKE = 0.75  # of the letters of two headings
_LEAST = 0.5  # of the columns that a list needs
_LONGEST = 200  # letters of a heading
_KNOWN = frozenset().union(*(layout.names for layout in (*LAYOUTS, CLOSED)))
_LONGEST_DAY = 12  # “Thứ Hai”, “Wednesday”


class _Word(NamedTuple):
    """A filled cell that may be a heading; `key`: its letters, `day`: the weekday that it is."""

    said: str
    key: str
    is_text: bool
    day: int | None


_Row = tuple[int, Sequence[_Word | None]]


class _Heading(NamedTuple):
    """What stands above one column: as written, the column that it names, and what it adds to the
    cells of one that is spread over several."""

    said: str
    name: str | None = None
    adds: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """Rows `first` to `last` of a sheet; `columns`: where each column of the list stands, `parts`:
    the places of one that is spread over several."""

    layout: Layout
    first: int
    last: int
    headings: tuple[_Heading, ...]
    columns: Mapping[str, int]
    parts: Mapping[str, tuple[Part, ...]]

    @property
    def places(self) -> list[int]:
        """Of all cells that are the list's."""
        spread = (part.place for parts in self.parts.values() for part in parts)
        return sorted({*self.columns.values(), *spread})

    @property
    def share(self) -> float:
        """How many of the columns that the list needs are there."""
        needed = self.layout.needed
        return sum(name in self.columns for name in needed) / len(needed)


def find(grid: Grid) -> Header | None:
    """The row that names most columns of one list, at least half of those it needs; two rows where
    they name more together."""
    layouts = (CLOSED,) if letters(grid.title) == letters(CLOSED.sheet) else LAYOUTS
    rows = [(number, _words(row)) for number, row in grid.rows[:HEADER_WITHIN]]
    alone = _best(_alone(rows, layouts))
    if alone is None:
        return _best(_pairs(rows, layouts))
    beside = [row for row in rows if abs(row[0] - alone.last) <= 1]
    return _best(chain((alone,), _pairs(beside, layouts)))


def _best(candidates: Iterable[Header]) -> Header | None:
    """The first of those that name most."""
    named = [each for each in candidates if each.share >= _LEAST]
    return max(named, key=lambda each: (each.share, len(each.places)), default=None)


def faults(header: Header, grid: Grid) -> Iterator[Text]:
    """The columns that nothing names, and those that are named twice."""
    hint = _taken(header, grid)
    for number, what in enumerate(_missing(header)):
        yield text("{what} {hint}", what=what, hint=hint) if hint and number == 0 else what
    yield from _doubled(header)


def _words(row: Sequence[Cell]) -> list[_Word | None]:
    return [_word(cell) for cell in row]


def _word(cell: Cell) -> _Word | None:
    """None for an empty cell, and for what is too long to be a heading."""
    if cell is None or len(str(cell)) > _LONGEST or not (said := written(cell)):
        return None
    folded = names.fold(said) if len(said) <= _LONGEST_DAY else ""
    day = times.weekday(folded) if times.is_weekday(folded) else None
    return _Word(said, letters(said), isinstance(cell, str), day)


def _alone(rows: Sequence[_Row], layouts: Iterable[Layout]) -> Iterator[Header]:
    for number, words in rows:
        for layout in layouts if _names_any(words) else ():
            yield _header(layout, number, number, [_named(layout, None, word) for word in words])


def _pairs(rows: Sequence[_Row], layouts: Iterable[Layout]) -> Iterator[Header]:
    for (first, upper), (last, lower) in pairwise(rows):
        if last != first + 1 or not (_names_any(upper) or _names_any(lower)):
            continue
        for layout in layouts:
            both = _paired(layout, upper, lower)
            if both:
                yield _header(layout, first, last, both)


def _names_any(words: Iterable[_Word | None]) -> bool:
    """Whether it is worth a look: of two rows one has a name that needs no other."""
    return any(word is not None and word.key in _KNOWN for word in words)


def _header(layout: Layout, first: int, last: int, headings: Sequence[_Heading]) -> Header:
    """Each column where it is named the first time; a spread one, unless it is there whole, too."""
    whole: dict[str, int] = {}
    parts: dict[str, tuple[Part, ...]] = {}
    for index, each in enumerate(headings):
        if each.name and not each.adds:
            whole.setdefault(each.name, index)
        elif each.name:
            parts[each.name] = (*parts.get(each.name, ()), Part(index, each.adds))
    parts = {name: found for name, found in parts.items() if name not in whole}
    columns = whole | {name: found[0].place for name, found in parts.items()}
    if layout.beside and CODE not in columns and SCHOOL_NAME in columns:
        columns[CODE] = columns.pop(SCHOOL_NAME)  # a school is known by its name, too
    return Header(layout, first, last, tuple(headings), columns, parts)


def _paired(
    layout: Layout, upper: Sequence[_Word | None], lower: Sequence[_Word | None]
) -> list[_Heading] | None:
    """The headings of two rows; None where the lower one is an entry."""
    found: list[_Heading] = []
    group: _Word | None = None
    for above, below in zip_longest(upper, lower):
        group = above or group
        heading = _named(layout, group, below) if below else _named(layout, None, above)
        if below and above and heading.name is None and _named(layout, None, above).name:
            return None
        found.append(heading)
    return found


def _named(layout: Layout, group: _Word | None, word: _Word | None) -> _Heading:
    """What a cell names, below the name of a group or below none."""
    if word is None or not (group or word.is_text):
        return _Heading("")
    keys = (group.key + word.key, word.key + group.key, word.key) if group else (word.key,)
    name = next((layout.names[key] for key in keys if key in layout.names), None)
    adds = "" if name else _moment(layout, group, word)
    return _Heading(word.said, layout.weekly if adds else name, adds)


def _moment(layout: Layout, group: _Word | None, word: _Word) -> str:
    """The weekday, and half-day, of a part of a week: T2 sáng; empty where they are none."""
    if not layout.weekly:
        return ""
    if group and group.day is not None:
        try:
            half_day = cells.HALF_DAY_WORDS[cells.half_day(word.said)]
        except UnreadableError:
            return ""
        return f"{weekly.weekday_word(group.day)} {half_day.lower()}"
    of_week = group is None or layout.names.get(group.key) == layout.weekly
    return weekly.weekday_word(word.day) if of_week and word.day is not None else ""


# -- what is wrong with it


def _taken(header: Header, grid: Grid) -> Text | None:
    """Which rows were taken for the names, where that may be why some are missing."""
    if header.first != header.last:
        return text(
            "Rows {first} and {last} were taken for the names of the columns.",
            first=str(header.first),
            last=str(header.last),
        )
    other = _other(header, grid)
    if other is None:
        return None
    return text(
        "Row {row} was taken for the names of the columns. If row {other} holds names too, write"
        " all of them in one row, each above its own column.",
        row=str(header.last),
        other=str(other),
    )


def _other(header: Header, grid: Grid) -> int | None:
    """The row beside it that may hold what it lacks."""
    rows = dict(grid.rows)
    missing = set(header.layout.needed) - set(header.columns)
    for number in (header.last + 1, header.first - 1):
        words = _words(rows.get(number, ()))
        named = {_named(header.layout, None, word).name for word in words}
        if missing & named or (number > header.last and _goes_on(header, words)):
            return number
    return None


def _goes_on(header: Header, below: Sequence[_Word | None]) -> bool:
    """Whether a text stands below an empty cell of the header: a name under that of a group."""
    above = zip_longest(below, (each.said for each in header.headings))
    return any(word is not None and word.is_text and not said for word, said in above)


def _missing(header: Header) -> Iterator[Text]:
    """The columns that nothing names; one whose name is nearly there may only be misspelt."""
    unknown = {letters(each.said): n for n, each in reversed([*enumerate(header.headings)])
               if each.said and each.name is None}  # fmt: skip
    for name in header.layout.needed:
        if name in header.columns:
            continue
        near = get_close_matches(letters(name), unknown, n=1, cutoff=_ALIKE)
        if near:
            index = unknown[near[0]]
            yield text(
                "The column “{column}” is missing. If “{found}” in {place} is meant, write it as"
                " “{column}”.",
                column=name,
                found=shown(header.headings[index].said),
                place=get_column_letter(index + 1),
            )
        else:
            yield text("The column “{column}” is missing. Add it under this name.", column=name)


def _doubled(header: Header) -> Iterator[Text]:
    for index, each in enumerate(header.headings):
        if each.name is None or (each.adds and each.name in header.parts):
            continue
        if header.columns.get(each.name, index) != index:
            yield text(
                "The column “{column}” is there twice, in {first} and {second}. Delete one of"
                " them.",
                column=each.name,
                first=get_column_letter(header.columns[each.name] + 1),
                second=get_column_letter(index + 1),
            )

"""What is wrong with workbooks: every fault kept with its place, told in the order of the files."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from openpyxl.utils import get_column_letter

from scheduler.domain import names
from scheduler.errors import Problem, Text, text
from scheduler.exchange.words import letters, shown, written

T = TypeVar("T")

# None, a text, a number, a date, a time: whatever openpyxl makes of a cell.
Cell = object

_BETWEEN = re.compile(r"[;,\n]")
_BREAK = re.compile(r"\s*[;\n]\s*")
_DIGIT = re.compile(r"\d")
# What people write into a cell that they would rather leave empty.
_LONGEST_NOTHING = 20
_NOTHING = frozenset(("", "-", "–", "—", "/", "khong", "khong co", "none", "no"))


class UnreadableError(Exception):
    """A cell does not hold what its column asks for; the sentence says what does."""

    def __init__(self, what: Text) -> None:
        self.what = what
        super().__init__(str(what))


def place(file: str, sheet: str, row: int | None = None) -> Text:
    """Where something is; a CSV has no sheets."""
    if row is None:
        return text("{file}, sheet {sheet}", file=file, sheet=sheet)
    if not file:  # what was pasted has none
        return text("Row {row}", row=str(row))
    if not sheet:
        return text("{file}, row {row}", file=file, row=str(row))
    return text("{file}, sheet {sheet}, row {row}", file=file, sheet=sheet, row=str(row))


# Where a cell stands: file, sheet and column counted from 0, row as spreadsheets count.
Spot = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a cell was taken for that says it in other words; `count`: how many cells say it so,
    `where`: the first of them."""

    file: int
    where: Text
    column: str
    found: str
    meant: str
    count: int


class Faults:
    """Collects problems; readers go on after one, so that people mend all of them at once.

    Also what was understood although it is written otherwise, for people to look at.
    """

    def __init__(self) -> None:
        self._found: list[tuple[tuple[int, ...], Problem]] = []
        self._read: dict[tuple[int, str, str, str], tuple[Text, list[Spot]]] = {}

    def read(self, spot: Spot, where: Text, column: str, found: str, meant: str) -> None:
        """Note that a cell was taken for something that it says in other words."""
        self._read.setdefault((spot[0], column, found, meant), (where, []))[1].append(spot)

    def readings(self) -> tuple[Reading, ...]:
        """What was taken for something else, each way of writing once, in the files' order."""
        return tuple(
            Reading(file, where, column, found, meant, len(spots))
            for (file, column, found, meant), (where, spots) in sorted(
                self._read.items(), key=lambda item: item[1][1][0]
            )
        )

    def read_spots(self) -> Iterator[Spot]:
        """Every cell that was taken for something else."""
        return (spot for _, spots in self._read.values() for spot in spots)

    def marks(self) -> dict[Spot, list[Text]]:
        """The problems by the cell in which they are marked: of a row or a header, the first."""
        marks: dict[Spot, list[Text]] = {}
        for order, problem in sorted(self._found, key=lambda item: item[0]):
            if len(order) > 3:
                spot = (order[0], order[1], max(order[2], 1), max(order[3], 0))
                marks.setdefault(spot, []).append(problem.what)
        return marks

    def __len__(self) -> int:
        return len(self._found)

    def add(self, order: tuple[int, ...], where: Text, what: Text) -> None:
        self._found.append((order, Problem(where, what)))

    def in_order(self) -> tuple[Problem, ...]:
        """All problems, by file, sheet, row and column."""
        return tuple(problem for _, problem in sorted(self._found, key=lambda item: item[0]))


class Part(NamedTuple):
    """One cell of several that a column is spread over; `adds`: what its heading says of it."""

    place: int
    adds: str


@dataclass(slots=True)
class Row:
    """One row of a table while it is read; `order` says where its sheet stands among all.

    `parts`: the cells of a column that is spread over several.
    """

    file: str
    sheet: str
    number: int
    order: tuple[int, int]
    columns: Mapping[str, int]
    cells: tuple[Cell, ...]
    faults: Faults = field(repr=False)
    sound: bool = True
    parts: Mapping[str, Sequence[Part]] = field(default_factory=dict)

    @property
    def place(self) -> Text:
        return place(self.file, self.sheet, self.number)

    def value(self, column: str) -> Cell:
        """What stands in a column; None when it is empty or the table lacks the column."""
        if column in self.parts:
            return "; ".join(said for _, said in self._spread(column)) or None
        return self._at(self.columns.get(column, len(self.cells)))

    def _at(self, index: int) -> Cell:
        cell = self.cells[index] if index < len(self.cells) else None
        return None if isinstance(cell, str) and not cell.strip() else cell

    def _spread(self, column: str) -> Iterator[tuple[int, str]]:
        """The filled cells of a column that is spread over several, each with what it means."""
        for index, adds in self.parts[column]:
            cell = self._at(index)
            if cell is not None and not (isinstance(cell, str) and _says_nothing(cell)):
                said = str(cell) if isinstance(cell, str) else written(cell)
                yield index, f"{adds} {_BREAK.sub(', ', said.strip())}"

    def need(
        self,
        column: str,
        parse: Callable[[Cell], T],
        instead: T,
        write: Callable[[T], str] | None = None,
    ) -> T:
        """The value of a cell that must be filled; `instead` after noting a fault.

        `write` says the value as we do: a cell that says it otherwise is noted, to be looked at.
        """
        if column not in self.columns:  # said once, of the header
            self.sound = False
            return instead
        cell = self.value(column)
        if cell is None:
            self.fault(column, text("The cell is empty. Fill it in."))
            return instead
        return self._parsed(column, cell, parse, instead, write)

    def take(
        self,
        column: str,
        parse: Callable[[Cell], T],
        instead: T,
        write: Callable[[T], str] | None = None,
    ) -> T:
        """The value of a cell, or `instead` when it is empty; also after noting a fault."""
        cell = self.value(column)
        if cell is None:
            return instead
        if isinstance(cell, str) and _says_nothing(cell):
            return instead
        return self._parsed(column, cell, parse, instead, write)

    def _parsed(
        self,
        column: str,
        cell: Cell,
        parse: Callable[[Cell], T],
        instead: T,
        write: Callable[[T], str] | None,
    ) -> T:
        if column in self.parts and not self._parts_sound(column, parse, write):
            return instead
        try:
            value = parse(cell)
        except UnreadableError as error:
            self.fault(column, error.what)
            return instead
        if write is not None and column not in self.parts:
            self.note(column, cell, write(value))
        return value

    def _parts_sound(
        self, column: str, parse: Callable[[Cell], T], write: Callable[[T], str] | None
    ) -> bool:
        """Whether each part of a spread column can be read; what is wrong stands at its cell."""
        sound = True
        for index, said in self._spread(column):
            try:
                value = parse(said)
            except UnreadableError as error:
                self.fault(column, error.what, index)
                sound = False
            else:
                if write is not None:
                    self.note(column, said, write(value), index)
        return sound

    def note(self, column: str, cell: Cell, meant: str, at: int | None = None) -> None:
        """Note what a cell was taken for, part by part, where it says it in other words."""
        if str(cell) == meant:  # nearly always
            return
        for found, each in _compared(cell, meant):
            if letters(found) != letters(each):
                spot, where = self.spot(column, at), self.where(column, at)
                self.faults.read(spot, where, column, shown(found), each)

    def fault(self, column: str, what: Text, at: int | None = None) -> None:
        """Note what is wrong with one cell of this row; `at`: which of a spread column."""
        self.sound = False
        index = self.columns.get(column, -1) if at is None else at
        self.faults.add((*self.order, self.number, index), self.where(column, at), what)

    def spot(self, column: str, at: int | None = None) -> Spot:
        """Where the cell of a column stands; the first of the row when it has no such column."""
        index = self.columns.get(column, 0) if at is None else at
        return (*self.order, self.number, index)

    def where(self, column: str, at: int | None = None) -> Text:
        """The cell of a column, in words."""
        index = self.columns.get(column, -1) if at is None else at
        called = f"{get_column_letter(index + 1)} ({column})" if index >= 0 else column
        return text("{place}, column {column}", place=self.place, column=called)


def _says_nothing(cell: str) -> bool:
    return len(cell) <= _LONGEST_NOTHING and names.fold(cell).strip(" .…") in _NOTHING


def _compared(cell: Cell, meant: str) -> list[tuple[str, str]]:
    """A cell beside what it means; part by part where both have as many, and none of the cell's
    leaves half of what it means to its neighbour, as in “T2, T4 7h-9h”.
    """
    said = [part.strip() for part in _BETWEEN.split(str(cell)) if part.strip()]
    wanted = [part.strip() for part in _BETWEEN.split(meant)]
    if isinstance(cell, str) and len(said) == len(wanted):
        pairs = list(zip(said, wanted, strict=True))
        if all(_says_all(found, each) for found, each in pairs):
            return pairs
    return [(written(cell), meant)]


def _says_all(found: str, meant: str) -> bool:
    enough = 2 * len(letters(found)) >= len(letters(meant))
    return enough and (bool(_DIGIT.search(found)) or not _DIGIT.search(meant))

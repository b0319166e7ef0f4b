"""What is wrong with workbooks: every fault kept with its place, told in the order of the files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from openpyxl.utils import get_column_letter

from scheduler.errors import Problem, Text, text

T = TypeVar("T")

# None, a text, a number, a date, a time: whatever openpyxl makes of a cell.
Cell = object


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


class Faults:
    """Collects problems; readers go on after one, so that people mend all of them at once."""

    def __init__(self) -> None:
        self._found: list[tuple[tuple[int, ...], Problem]] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, order: tuple[int, ...], where: Text, what: Text) -> None:
        self._found.append((order, Problem(where, what)))

    def in_order(self) -> tuple[Problem, ...]:
        """All problems, by file, sheet, row and column."""
        return tuple(problem for _, problem in sorted(self._found, key=lambda item: item[0]))


@dataclass(slots=True)
class Row:
    """One row of a table while it is read; `order` says where its sheet stands among all."""

    file: str
    sheet: str
    number: int
    order: tuple[int, int]
    columns: Mapping[str, int]
    cells: tuple[Cell, ...]
    faults: Faults = field(repr=False)
    sound: bool = True

    @property
    def place(self) -> Text:
        return place(self.file, self.sheet, self.number)

    def value(self, column: str) -> Cell:
        """What stands in a column; None when it is empty or the table lacks the column."""
        index = self.columns.get(column, len(self.cells))
        cell = self.cells[index] if index < len(self.cells) else None
        return None if isinstance(cell, str) and not cell.strip() else cell

    def need(self, column: str, parse: Callable[[Cell], T], instead: T) -> T:
        """The value of a cell that must be filled; `instead` after noting a fault."""
        if column not in self.columns:  # said once, of the header
            self.sound = False
            return instead
        if self.value(column) is None:
            self.fault(column, text("The cell is empty. Fill it in."))
            return instead
        return self.take(column, parse, instead)

    def take(self, column: str, parse: Callable[[Cell], T], instead: T) -> T:
        """The value of a cell, or `instead` when it is empty; also after noting a fault."""
        cell = self.value(column)
        if cell is None:
            return instead
        try:
            return parse(cell)
        except UnreadableError as error:
            self.fault(column, error.what)
            return instead

    def fault(self, column: str, what: Text) -> None:
        """Note what is wrong with one cell of this row."""
        self.sound = False
        index = self.columns.get(column, -1)
        called = f"{get_column_letter(index + 1)} ({column})" if index >= 0 else column
        where = text("{place}, column {column}", place=self.place, column=called)
        self.faults.add((*self.order, self.number, index), where, what)

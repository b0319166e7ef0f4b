"""The programme's lists as workbooks or CSV -> a roster, all or nothing, faults with their places.

`read` looks at the files alone and takes the time; `resolving.resolve` is quick and sets them
against what is held already, so it can run inside a transaction.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from scheduler.domain.imports import SchoolEntry, TeacherEntry, TermEntry
from scheduler.domain.intervals import DaySpan
from scheduler.errors import Invalid, Text, text
from scheduler.exchange import grids, layout, readers
from scheduler.exchange.faults import Faults, Row, UnreadableError
from scheduler.exchange.grids import Grid
from scheduler.exchange.layout import Noun
from scheduler.exchange.readers import Ask, Bell
from scheduler.exchange.sheets import Table, find_table
from scheduler.exchange.words import written

T = TypeVar("T")

# The sheets of a file, or why there are none.
Opened = tuple[Grid, ...] | UnreadableError
_AT_ONCE = 2  # each in a process with memory of its own


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """An entry with the row that tells it; the row knows whether it is sound."""

    row: Row
    entry: T


@dataclass(slots=True)
class Batch:
    """What the files say, each row for itself.

    `seen` are the tables that were there at all, `unsure` those of which something was unreadable:
    what they do not name must not be called unknown.
    """

    files: tuple[str, ...] = ()
    faults: Faults = field(default_factory=Faults)
    titles: dict[Noun, tuple[str, ...]] = field(default_factory=dict)
    seen: set[Noun] = field(default_factory=set)
    unsure: set[Noun] = field(default_factory=set)
    terms: list[Found[TermEntry]] = field(default_factory=list)
    schools: list[Found[SchoolEntry]] = field(default_factory=list)
    bells: list[Found[Bell]] = field(default_factory=list)
    teachers: list[Found[TeacherEntry]] = field(default_factory=list)
    asks: list[Found[Ask]] = field(default_factory=list)
    closed: list[Found[DaySpan]] = field(default_factory=list)

    def note(self, what: Text) -> None:
        """A fault of the files taken together; told after those of each file."""
        where = text("{file}", file=", ".join(self.files))
        self.faults.add((len(self.files), len(self.faults)), where, what)

    @property
    def newest_term(self) -> TermEntry | None:
        """The term that begins last, of those whose rows are sound."""
        sound = (found.entry for found in self.terms if found.row.sound)
        return max(sound, key=lambda term: term.first_day, default=None)


def read(files: Sequence[tuple[str, bytes]]) -> Batch:
    """All tables of the files, faults noted in the batch; raises nothing."""
    return gathered(opened(files))


def opened(files: Sequence[tuple[str, bytes]]) -> list[tuple[str, Opened]]:
    """The sheets of each file by its name: the slow part, each in a process of its own."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        found = threads.map(lambda file: _opened(*file), files)
        return [(name, sheets) for (name, _), sheets in zip(files, found, strict=True)]


def gathered(files: Sequence[tuple[str, Opened]]) -> Batch:
    """All tables of files by name that are open already, as `read` has them."""
    batch = Batch(files=tuple(name for name, _ in files))
    for index, (name, opened) in enumerate(files):
        _read_file(batch, index, name, opened)
    for group in layout.TOGETHER:
        _check_together(batch, group)
    return batch


def _opened(name: str, data: bytes) -> Opened:
    try:
        return grids.read(name, data)
    except UnreadableError as error:
        return error


def refuse(faults: Faults) -> None:
    """Raise Invalid with all problems, in the order of the files, if there are any."""
    problems = faults.in_order()
    if problems:
        raise Invalid(
            text("Nothing was imported. Problems found: {count}.", count=len(problems)), problems
        )


def programme_name(batch: Batch) -> str | None:
    """The two places whose offices sent the lists, by the titles above them: Hà Nội – Yên Bái."""
    donor = _place(batch.titles.get(Noun.TEACHERS, ()))
    receiver = _place(batch.titles.get(Noun.REQUESTS, ()))
    return f"{donor}{layout.BETWEEN_PLACES}{receiver}" if donor and receiver else None


def _place(titles: Iterable[str]) -> str | None:
    for title in titles:
        said = written(title)
        if said.upper().startswith(layout.OFFICE):
            return said[len(layout.OFFICE) :].strip().title() or None
    return None


def _read_file(batch: Batch, index: int, name: str, opened: Opened) -> None:
    if isinstance(opened, UnreadableError):
        _note_lost_file(batch, index, name, opened.what)
        return
    tables = [
        table
        for number, grid in enumerate(opened)
        if (table := find_table(name, grid, (index, number), batch.faults))
    ]
    if not tables:
        what = text(
            "No sheet has the columns of a list we know. We look for the sheets {sheets}; keep"
            " the names of their columns.",
            sheets=tuple(one.sheet for one in layout.LAYOUTS),
        )
        _note_lost_file(batch, index, name, what)
    for table in tables:
        _take(batch, table)


def _note_lost_file(batch: Batch, index: int, name: str, what: Text) -> None:
    batch.unsure.update(Noun)
    batch.faults.add((index, -1), text("{file}", file=name), what)


def _take(batch: Batch, table: Table) -> None:
    batch.seen.add(table.layout.noun)
    batch.titles.setdefault(table.layout.noun, table.titles)
    if not table.whole:
        batch.unsure.add(table.layout.noun)
    match table.layout.noun:
        case Noun.SCHOOLS:
            batch.schools.extend(_each(table.rows, readers.school))
        case Noun.PERIODS:
            batch.bells.extend(_each(table.rows, readers.bell))
        case Noun.TERMS:
            batch.terms.extend(_each(table.rows, readers.term))
        case Noun.TEACHERS:
            batch.teachers.extend(_each(table.rows, readers.teacher))
        case Noun.REQUESTS:
            batch.asks.extend(_each(table.rows, readers.ask))
        case Noun.CLOSED:
            batch.closed.extend(_each(table.rows, readers.closed))


def _each(rows: Iterable[Row], read_row: Callable[[Row], T]) -> Iterable[Found[T]]:
    return [Found(row, read_row(row)) for row in rows]


def _check_together(batch: Batch, group: Sequence[layout.Layout]) -> None:
    missing = [one for one in group if one.noun not in batch.seen]
    if len(missing) in (0, len(group)):
        return
    for one in missing:
        batch.unsure.add(one.noun)
        batch.note(
            text(
                "The sheet “{sheet}” is missing. Add it, with the columns {columns}.",
                sheet=one.sheet,
                columns=one.needed,
            )
        )

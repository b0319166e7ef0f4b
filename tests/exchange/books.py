"""The programme's example workbooks, whole and with single cells spoilt."""

import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import openpyxl
import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from scheduler.domain.imports import Roster
from scheduler.errors import Invalid
from scheduler.exchange import archives, resolving, workbooks
from scheduler.locale import Language, translate

EXAMPLES = Path(__file__).parents[2] / "examples"
SCHOOLS = "truong-tiep-nhan.xlsx"
TEACHERS = "giao-vien-tinh-nguyen.xlsx"
REQUESTS = "dang-ky-tiet-hoc.xlsx"
TERM = "HK1-2023-2024"

File = tuple[str, bytes]
Edit = Callable[[Workbook], None]


@cache
def example(name: str) -> File:
    return name, (EXAMPLES / name).read_bytes()


def examples() -> list[File]:
    return [example(name) for name in (SCHOOLS, TEACHERS, REQUESTS)]


@cache
def told() -> Roster:
    """What the three examples tell together."""
    return roster(examples())


def roster(files: list[File], held: Roster | None = None) -> Roster:
    """What workbooks tell against what is held; raises Invalid.

    Opened here and not in a process of their own, for there are hundreds of them.
    """
    opened = [(name, archives.grids(data)) for name, data in files]
    return resolving.resolve(workbooks.gathered(opened), held or Roster(), TERM)


def roster_from_outside(files: list[File], held: Roster | None = None) -> Roster:
    """What any files tell against what is held, the whole way; raises Invalid."""
    return resolving.resolve(workbooks.read(files), held or Roster(), TERM)


def refusals(files: list[File], held: Roster | None = None) -> list[str]:
    """All that is told against files, the whole way."""
    with pytest.raises(Invalid) as refused:
        roster_from_outside(files, held)
    return [
        f"{translate(problem.where, Language.EN)}: {translate(problem.what, Language.EN)}"
        for problem in refused.value.problems
    ]


@cache
def edited(name: str, edit: Edit) -> File:
    """An example after `edit` had it open."""
    book = openpyxl.load_workbook(io.BytesIO(example(name)[1]))
    edit(book)
    return name, saved(book)


def saved(book: Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def put(sheet: str, cell: str, value: object) -> Edit:
    """An edit that writes one cell."""

    def edit(book: Workbook) -> None:
        page: Worksheet = book[sheet]
        page[cell] = value

    return edit


def with_files(*replacements: File) -> list[File]:
    """The three examples, some of them replaced by name."""
    names = dict(replacements)
    return [(name, names.get(name, data)) for name, data in examples()]


def reference() -> dict[str, object]:
    """What the three examples mean together, made apart from this code."""
    path = Path(__file__).with_name("ha-noi-yen-bai.json")
    return dict(json.loads(path.read_text()))


def as_sets(value: object) -> object:
    """JSON without the order of its lists."""
    if isinstance(value, dict):
        return {key: as_sets(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted(
            (as_sets(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True)
        )
    return value

"""Lists with anything at all spoilt in them are read, or refused with every fault's place."""

import io
import random
import zipfile
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import pytest
from openpyxl import load_workbook

from scheduler.domain.imports import Roster
from scheduler.errors import Invalid
from scheduler.exchange import archives, csvs, resolving, workbooks
from scheduler.exchange.faults import UnreadableError
from scheduler.exchange.workbooks import Opened
from tests.exchange.books import (
    REQUESTS,
    SCHOOLS,
    TEACHERS,
    TERM,
    File,
    example,
    roster_from_outside,
    saved,
    told,
    with_files,
)
from tests.exchange.test_csvs import joined

VALUES: tuple[object, ...] = (
    *(None, "", " ", "x" * 40_000, "null", "N/A", "#REF!", "Lễ\n\n2/9", "'=1", "=1+1", "＝1"),
    *("\u202eevil", "a" + "\u0301" * 500, "😀", "{7*7}", "{x.__class__}", "%s", "' OR 1=1--"),
    *(0, -1, 2**63, 1e308, -0.0, 0.3125, 60, 2_958_466, True, False, 10**30),
    *(date(1900, 1, 1), datetime(9999, 12, 31, 23, 59), time(23, 59, 59), timedelta(days=-1)),  # noqa: DTZ001
    *("3/4/2026", "30/2/2026", "T2 25:00-26:00", "T9 sáng tiết 99", "12A" * 30, "a@x, b@x"),
)
SHEETS = ((SCHOOLS, "Trường"), (SCHOOLS, "Khung giờ"), (SCHOOLS, "Học kỳ"))
LISTS = (*SHEETS, (TEACHERS, "Giáo viên"), (REQUESTS, "Đăng ký"))


def with_other_cells(dice: random.Random) -> File:
    """A workbook of which some cells hold something else, or rows and columns are gone."""
    name, page = dice.choice(LISTS)
    book = load_workbook(io.BytesIO(example(name)[1]))
    sheet = book[page]
    for merged in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(merged))
    for _ in range(dice.randint(1, 6)):
        row, column = dice.randint(1, min(sheet.max_row, 30) + 1), dice.randint(1, 14)
        value = dice.choice(VALUES)
        sheet.cell(row, column).value = value
        if isinstance(value, str):
            sheet.cell(row, column).data_type = "s"
    if dice.random() < 0.3:
        sheet.delete_cols(dice.randint(1, 8))
    if dice.random() < 0.3:
        sheet.insert_rows(dice.randint(1, 20), dice.randint(1, 3))
    return name, saved(book)


def with_other_bytes(dice: random.Random) -> File:
    """A workbook with a few bytes of one of its parts, or of the whole file, changed."""
    name = dice.choice((SCHOOLS, REQUESTS))
    data = example(name)[1]
    if dice.random() < 0.3:
        return name, scratched(dice, data)
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        parts = {entry: packed.read(entry) for entry in packed.namelist()}
    part = dice.choice(sorted(parts))
    parts[part] = scratched(dice, parts[part])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for entry, content in parts.items():
            packed.writestr(entry, content)
    return name, buffer.getvalue()


def as_other_text(dice: random.Random) -> File:
    """A list as CSV in any encoding, some of its bytes changed."""
    name, page = dice.choice(LISTS)
    said = joined(name, page, dice.choice(";,\t"), dice.choice(["\r\n", "\n", "\r"]))
    data = said.encode(dice.choice(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]))
    return f"{page}.csv", scratched(dice, data)


def scratched(dice: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.randint(1, 8)):
        place = dice.randrange(len(changed))
        match dice.randint(0, 3):
            case 0:
                changed[place] = dice.randrange(256)
            case 1:
                del changed[place : place + dice.randint(1, 50)]
            case 2:
                changed[place:place] = dice.randbytes(dice.randint(1, 9))
            case _:
                changed[place:place] = changed[place : place + 200]
        if not changed:
            return b"\0"
    return bytes(changed)


def variant(seed: int) -> File:
    dice = random.Random(seed)
    return dice.choice((with_other_cells, with_other_cells, with_other_bytes, as_other_text))(dice)


@lru_cache(maxsize=16)
def opened(name: str, data: bytes) -> Opened:
    """As `grids.read` opens it, in this process: a traceback is worth more here than a limit."""
    try:
        if archives.is_workbook(data):
            return archives.grids(data)
        return (csvs.grid(data),)
    except UnreadableError as error:
        return error


def check(seed: int, name: str, refused: Invalid) -> None:
    assert refused.problems, seed
    for problem in refused.problems:
        where, what = str(problem.where), str(problem.what)
        assert where.split(":")[0].split(",")[0] in {name, *(SCHOOLS, TEACHERS, REQUESTS)}, seed
        assert what.endswith("."), seed


def read_or_refused(seeds: range) -> tuple[int, int]:
    """How many variants were read and how many refused."""
    read = refused = 0
    for seed in seeds:
        name, data = variant(seed)
        files = (
            with_files((name, data)) if name in (SCHOOLS, TEACHERS, REQUESTS) else [(name, data)]
        )
        batch = workbooks.gathered([(one, opened(one, content)) for one, content in files])
        try:
            assert isinstance(resolving.resolve(batch, told(), TERM), Roster)
            read += 1
        except Invalid as problem:
            check(seed, name, problem)
            refused += 1
    return read, refused


def test_spoilt_lists_are_read_or_refused_with_the_place() -> None:
    read, refused = read_or_refused(range(60))
    assert (read + refused, refused > 20, read > 5) == (60, True, True)


@pytest.mark.soak
def test_a_thousand_spoilt_lists_are_read_or_refused_with_the_place() -> None:
    assert sum(read_or_refused(range(1_000, 2_000))) == 1_000


def test_spoilt_lists_mean_the_same_the_whole_way() -> None:
    for seed in range(3):
        name, data = variant(seed)
        try:
            assert isinstance(roster_from_outside([(name, data)], told()), Roster)
        except Invalid as problem:
            check(seed, name, problem)

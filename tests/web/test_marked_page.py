"""A long list with its faults marked: ordered, waited for, taken; made outside of any request."""

import io
import time
from functools import cache

import openpyxl
import pytest

from scheduler.delivery import presses
from scheduler.services import marked
from tests.exchange.books import TEACHERS, example
from tests.web.cast_desk import plain, queries
from tests.web.test_imports_page import HERE, colleague, looked, sent

ROWS = marked.SHORT + 200


@pytest.fixture
def desk(site, cast):
    browser = site.of(cast.actors["coordinator"])
    browser.see(HERE)
    return browser


@cache
def long_list(rows: int = ROWS, wrong: str = "không có") -> bytes:
    """So many teachers, every hundredth without an address."""
    sheet = openpyxl.load_workbook(io.BytesIO(example(TEACHERS)[1])).worksheets[0]
    heads = [[cell.value for cell in row] for row in sheet.iter_rows(max_row=6)]
    first = [cell.value for cell in sheet[7]]
    book = openpyxl.Workbook(write_only=True)
    made = book.create_sheet("Giáo viên")
    for row in heads:
        made.append(row)
    for number in range(rows - 6):
        row = list(first)
        row[0], row[4] = number + 1, f"n{number}@x.example" if number % 100 else wrong
        made.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.fixture
def ordered(desk):
    """The address of the marked list, which is being made."""
    path, page = looked(desk, (TEACHERS, long_list()))
    here = f"{path}/marked/0"
    assert f'href="{here}"' in page.text
    assert "Chưa đánh dấu" in plain(desk.see(here))
    assert desk.get(f"{here}/file").status_code == 404
    assert desk.submit(here).status_code == 303
    return here


def made(desk, here):
    """Wait as the page does, and take it."""
    for _ in range(240):
        part = desk.get(here, headers={"hx-request": "true"})
        if "hx-trigger" not in part.text:
            break
        time.sleep(0.25)
    assert f'href="{here}/file"' in part.text, part.text
    return desk.get(f"{here}/file")


def test_a_long_list_is_marked_while_the_coordinator_goes_on(desk, ordered):
    answer = made(desk, ordered)
    name = 'attachment; filename="giao-vien-tinh-nguyen-danh-dau.xlsx"'
    assert answer.headers["content-disposition"] == name
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert [cell.value for cell in book["Lỗi"][2]][:3] == ["Giáo viên", "E7", "không có"]
    sheet = book["Giáo viên"]
    assert sheet.max_row == ROWS
    assert "không phải là địa chỉ email" in sheet["E7"].comment.text
    assert (sheet["E7"].fill.fgColor.rgb, sheet["E8"].fill.fill_type) == ("00F8C9C4", None)
    page = plain(desk.see(ordered))
    assert "Danh sách đã sẵn sàng" in page
    assert desk.submit(ordered).status_code == 303  # as things are now
    assert made(desk, ordered).status_code == 200


def test_a_long_list_comes_back_as_a_short_one_would(desk, ordered, monkeypatch):
    answer = made(desk, ordered)
    monkeypatch.setattr(marked, "SHORT", ROWS)
    at_once = desk.get(ordered)
    sheets = [openpyxl.load_workbook(io.BytesIO(x.content)) for x in (answer, at_once)]
    cells = [
        [[[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book]
        for book in sheets
    ]
    assert cells[0] == cells[1]


def test_a_long_list_is_its_senders_alone(ctx, cast, desk, site, ordered):
    made(desk, ordered)
    for other in (colleague(ctx, cast), cast.actors["stranger"]):
        browser = site.of(other)
        browser.see(HERE)
        answers = [browser.get(ordered), browser.get(f"{ordered}/file"), browser.submit(ordered)]
        assert [answer.status_code for answer in answers] == [404] * 3
        assert browser.get(ordered, headers={"hx-request": "true"}).status_code == 404


def test_a_second_long_list_waits_for_the_first(ctx, desk, ordered):
    made(desk, ordered)
    other = ctx.settings.var_dir / "papers" / f"other{presses.ORDER}"
    other.write_text("[]")
    refused = desk.submit(ordered)
    assert (refused.status_code, 'role="alert"' in refused.text) == (409, True)
    assert desk.get(f"{ordered}/file").status_code == 200  # the one that is there stays
    other.unlink()
    assert desk.submit(ordered).status_code == 303
    assert made(desk, ordered).status_code == 200


def test_a_long_list_without_marks_is_not_there(desk):
    path, page = looked(desk, (TEACHERS, long_list(wrong="n0@x.example")))
    assert page.status_code == 200
    assert sent(desk, ("leer.csv", b"")).status_code == 303
    for number in (1, 4):
        assert desk.get(f"{path}/marked/{number}").status_code == 404


def test_whoever_waits_asks_for_little(ctx, desk, ordered):
    made(desk, ordered)
    with queries(ctx) as said:
        desk.get(ordered, headers={"hx-request": "true"})
    assert sum("FROM uploads" in each for each in said) == 1
    assert len(said) <= 5

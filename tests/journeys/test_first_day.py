"""The whole first day of a coordinator, in one go: lists with a fault, mended; matching; a class
without a teacher, and why; publishing; an absence; cover; undoing; the report."""

import io
import re
from collections.abc import Callable

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from playwright.sync_api import Page, expect

from scheduler.domain.access import Role
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.services import demo, exports
from scheduler.services.context import Context
from scheduler.store import lessons
from tests.journeys.conftest import SignIn, no_complaints

pytestmark = pytest.mark.browser

REQUESTS = "dang-ky-tiet-hoc.xlsx"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SCHOOL, CLASS = "YB01", "3A"
SUNDAY = "CN sáng tiết 1"  # nobody gives lessons then
Change = Callable[[Worksheet, int], None]


def test_the_first_day_of_a_coordinator(demo_ctx, site, sign_in: SignIn):
    link = next(x for x in demo.invitations(demo_ctx) if x.role is Role.COORDINATOR)
    kept = exports.export_workbooks(demo_ctx, actor=link.actor)[REQUESTS]
    page = sign_in(link.url)
    page.set_default_timeout(20_000)
    with no_complaints(page):
        finds_a_fault_at_its_cell(page, site, kept)
        takes_over(page, site, edited(kept, asking_for(SUNDAY)))
        plan = matches(page, site)
        reads_why_and_asks(page, plan)
        takes_over(page, site, edited(kept, twice_a_week))
        plan = matches(page, site)
        publishes(page, plan)
        away = meets_an_absence(page, site, demo_ctx)
        gives_it_over(page, site, demo_ctx, away)
        undoes(page, site)
        reads_the_report(page, site)


def edited(book: bytes, change: Change) -> bytes:
    """The list with the row of the class changed."""
    opened, made = openpyxl.load_workbook(io.BytesIO(book)), io.BytesIO()
    sheet = opened.worksheets[0]
    row = next(
        row[0].row for row in sheet.iter_rows()
        if (row[0].value, row[1].value) == (SCHOOL, CLASS)
    )  # fmt: skip
    change(sheet, row)
    opened.save(made)
    return made.getvalue()


def asking_for(slots: str) -> Change:
    def change(sheet: Worksheet, row: int) -> None:
        for column in range(8, sheet.max_column + 1):
            sheet.cell(row, column).value = slots if column == 8 else None

    return change


def twice_a_week(sheet: Worksheet, row: int) -> None:
    sheet.cell(row, 4).value = 2


def send(page: Page, site: str, book: bytes) -> None:
    page.goto(f"{site}/coordinator/imports")
    page.set_input_files("#files", {"name": REQUESTS, "mimeType": XLSX, "buffer": book})
    page.click("form[enctype] button.go")
    page.wait_for_url(re.compile(r"/coordinator/imports/\d+"))


def finds_a_fault_at_its_cell(page: Page, site: str, kept: bytes) -> None:
    send(page, site, edited(kept, asking_for("T9 sáng tiết 1")))
    expect(page.locator("main")).to_contain_text("T9 sáng tiết 1")
    expect(page.locator("main")).to_contain_text("H (Tiết mong muốn)")
    expect(page.locator("form button.go")).to_have_count(0)


def takes_over(page: Page, site: str, book: bytes) -> None:
    send(page, site, book)
    page.click("form button.go")
    expect(page.locator("#status")).to_contain_text("thay đổi: 1")


def matches(page: Page, site: str) -> str:
    """Let the engine look for two seconds; where its plan stands."""
    page.goto(f"{site}/coordinator/matching")
    chosen = page.locator("input[name=seconds]:checked")
    chosen.evaluate("choice => { choice.value = '2' }")  # nobody here waits for a better plan
    page.click("form[action^='/coordinator/matching?'] button")
    page.locator("#run a.go").click(timeout=60_000)
    page.wait_for_url(re.compile(r"/coordinator/plans/\d+"))
    return page.url


def reads_why_and_asks(page: Page, plan: str) -> None:
    row = page.locator("#gaps + .card tr", has_text=CLASS).first
    expect(row).to_contain_text("bận giờ đó")
    row.locator("a[href*='/ask?']").first.click()
    expect(page.locator("textarea#text")).to_contain_text(f"Lớp {CLASS}")
    page.goto(plan)


def publishes(page: Page, plan: str) -> None:
    page.goto(plan)
    page.click("form[action$='/publish'] button")
    expect(page.locator("form[action$='/publish']")).to_have_count(0)


def live(ctx: Context) -> list[Lesson]:
    with ctx.reading() as db:
        found = lessons.find(db, since=ctx.now())
    return [lesson for lesson in found if lesson.state is LessonState.SCHEDULED]


def meets_an_absence(page: Page, site: str, ctx: Context) -> Lesson:
    """Somebody is away on the day of a lesson next week; that lesson."""
    lesson = next(x for x in live(ctx) if (x.starts_at - ctx.now()).days >= 7)
    day = lesson.starts_at.strftime("%d/%m/%Y")
    page.goto(f"{site}/coordinator/disruptions")
    page.select_option("#away-teacher", str(lesson.teacher_id))
    page.fill("#away-first_day", day)
    page.fill("#away-reason", "tập huấn")
    page.locator("form", has=page.locator("#away-teacher")).locator("button.main").click()
    expect(page.locator("main")).to_contain_text(lesson.class_name)
    for choice in page.locator("select[name^=way-]").all():
        if choice.locator("option[value=cover]").count():  # else it is what is proposed
            choice.select_option("cover")
    page.click("form button.go")
    page.goto(f"{site}/coordinator/covers")
    expect(page.locator("main")).to_contain_text(lesson.teacher_name)
    return lesson


def gives_it_over(page: Page, site: str, ctx: Context, lesson: Lesson) -> None:
    page.goto(f"{site}/coordinator/lessons/{lesson.id}")
    form = page.locator("form[action$='/cover/take']")
    who = form.locator("select")
    chosen = who.evaluate("e => [...e.options].map(o => o.value)")[1]
    who.select_option(chosen)
    form.locator("input[type=text], textarea").first.fill("nhận qua điện thoại")
    form.locator("button").click()
    expect(page.locator("main")).to_contain_text("nhận qua điện thoại")
    assert {x.id: str(x.teacher_id) for x in live(ctx)}[lesson.id] == chosen


def undoes(page: Page, site: str) -> None:
    page.goto(f"{site}/coordinator/publications")
    page.locator("form[action*='/undo?'] button").first.click()
    if "/undo" in page.url:  # what it leaves alone is told first
        page.click("a.go")
    page.wait_for_url(re.compile(r"/coordinator/plans/\d+"))
    publishes(page, page.url)


def reads_the_report(page: Page, site: str) -> None:
    page.goto(f"{site}/coordinator/reports")
    href = page.locator("a[href*='.xlsx']").first.get_attribute("href")
    book = page.request.get(f"{site}{href}")
    assert openpyxl.load_workbook(io.BytesIO(book.body())).worksheets

"""The programme's report: figures that add up, by whatever they are divided, and certificates."""

import csv
import gzip
import io
import re
import zipfile
from itertools import pairwise

import openpyxl
import pytest

from scheduler.domain.lessons import Cause, LessonState
from scheduler.services import certificates
from scheduler.store import tables
from scheduler.web import charts
from tests import outcomes
from tests.paper import need_pango
from tests.web.cast_desk import count, queries

HERE = "/coordinator/reports"
CERTIFICATES = f"{HERE}/certificates"


@pytest.fixture
def autumn(ctx, cast, clock):
    """Class 7A: 9 Wednesdays from 4 October, 8B 2 of them: some given, some lost.  December."""
    (a, b, c, d, *rest), (f, g) = outcomes.autumn(ctx, cast)
    outcomes.hold(ctx, a, b, f)
    outcomes.end(ctx, [c], LessonState.NOT_HELD, cause=Cause.POWER.value)
    outcomes.end(ctx, [d], LessonState.CANCELLED, cancel_reason="bão")
    outcomes.end(ctx, [g], LessonState.CANCELLED, cancel_reason="ghép", merged_into_id=b.id)
    clock.forward(days=70)
    return [a, b, c, d, *rest]


@pytest.fixture
def desk(site, cast, autumn):
    return site.of(cast.actors["coordinator"])


def cells(page, row: str) -> list[str]:
    """The figures of the row that begins with this name."""
    found = re.search(rf'<th scope="row">(?:<a [^>]*>)?{row}.*?</tr>', page.text, re.DOTALL)
    return re.findall(r'<td class="num"[^>]*>([^<]*)</td>', found[0])


def test_the_report_tells_what_was_given_lost_and_is_open(desk):
    page = desk.see(HERE)
    assert "3 tiết đã dạy</h1>" in page.text
    assert "điện</th>" in page.text
    assert page.text.count('class="main"') == 2  # what was given, in October alone, and its word
    months = [list(map(int, cells(page, name))) for name in ("10/2023", "11/2023")]
    assert [sum(column) for column in zip(*months, strict=True)] == [3, 135, 1, 2, 5]


@pytest.mark.parametrize(
    ("by", "row", "figures"),
    [
        ("schools", "THCS A", ["2", "90", "1", "1", "5"]),
        ("donor_schools", "THCS Ái Mộ", ["3", "135", "1", "2", "5"]),
        ("teachers", "Cô teacher2", ["1", "45", "0", "1", "0"]),
    ],
)
def test_it_is_divided_by_whoever_asks(desk, by, row, figures):
    assert cells(desk.see(f"{HERE}?by={by}"), row)[-5:] == figures


def test_a_school_and_a_teacher_lead_to_their_pages(desk, cast):
    assert f'href="/coordinator/schools/{cast["A"]}"' in desk.see(f"{HERE}?by=schools").text
    person = cast["person_teacher1"]
    assert f'href="/coordinator/people/{person}"' in desk.see(f"{HERE}?by=teachers").text


def test_days_are_typed_day_first_and_wrong_ones_are_said(desk):
    page = desk.see(f"{HERE}?from=04/10/2023&to=04/10/2023")
    assert "2 tiết đã dạy</h1>" in page.text
    wrong = desk.see(f"{HERE}?from=31/09/2023")
    assert (wrong.status_code, "Tháng 9 chỉ có 30 ngày" in wrong.text) == (422, True)
    turned = desk.see(f"{HERE}?from=04/10/2023&to=03/10/2023")
    assert (turned.status_code, "trước ngày đầu" in turned.text) == (422, True)


def test_the_same_report_comes_as_a_workbook_and_a_table(desk):
    answer = desk.get(f"{HERE}.xlsx?from=02/10/2023&to=31/12/2023")
    assert "bao-cao-2023-10-02-2023-12-31.xlsx" in answer.headers["content-disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert len(book.worksheets) == 6
    answer = desk.get(f"{HERE}.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert sum(int(row[-2]) for row in rows[1:]) == 11
    assert desk.get(f"{HERE}.csv?from=x").status_code == 422


def test_the_same_report_comes_as_a_paper(desk):
    need_pango()
    answer = desk.get(f"{HERE}.pdf")
    assert (answer.headers["content-type"], answer.content[:5]) == ("application/pdf", b"%PDF-")


def test_certificates_are_seen_before_they_are_issued(ctx, cast, desk):
    page = desk.see(CERTIFICATES)
    assert "2 giáo viên đã dạy" in page.text
    assert count(ctx, tables.certificates) == 0
    seen = page.text.partition('name="seen" value="')[2].partition('"')[0]
    done = desk.submit(CERTIFICATES, {"seen": seen, "from": "", "to": ""})
    assert (done.status_code, done.headers["location"]) == (303, f"{CERTIFICATES}#papers")
    assert count(ctx, tables.certificates) == 2
    again = desk.submit(CERTIFICATES, {"seen": seen, "from": "", "to": ""})  # a second press
    assert (again.status_code, count(ctx, tables.certificates)) == (303, 2)
    page = desk.see(CERTIFICATES)
    assert "Tất cả đã có giấy xác nhận" in page.text
    assert f"{CERTIFICATES}.zip?part=1" in page.text


def test_certificates_of_other_figures_than_were_seen_are_not_issued(ctx, cast, desk, autumn):
    page = desk.see(CERTIFICATES)
    seen = page.text.partition('name="seen" value="')[2].partition('"')[0]
    outcomes.hold(ctx, autumn[5])
    refused = desk.submit(CERTIFICATES, {"seen": seen, "from": "", "to": ""})
    assert (refused.status_code, count(ctx, tables.certificates)) == (409, 0)
    assert "Số liệu đã đổi" in refused.text


def test_papers_come_in_an_archive_by_their_teachers_names(ctx, cast, desk):
    need_pango()
    certificates.issue_all(ctx, cast.actors["coordinator"])
    answer = desk.get(f"{CERTIFICATES}.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = sorted(archive.namelist())
        assert [name[: len("co-teacher1")] for name in names] == ["co-teacher1", "co-teacher2"]
        assert {archive.read(name)[:5] for name in names} == {b"%PDF-"}
    assert desk.get(f"{CERTIFICATES}.zip?part=2").status_code == 404


def test_others_see_no_report(site, cast, autumn):
    for who in ("teacher1", "schoolA"):
        browser = site.of(cast.actors[who])
        for path in (HERE, f"{HERE}.csv", CERTIFICATES):
            assert browser.get(path).status_code == 404
    stranger = site.of(cast.actors["stranger"]).get(HERE)
    assert "THCS A" not in stranger.text


def test_a_report_asks_as_often_for_many_lessons_as_for_few(ctx, desk):
    def asked(path: str) -> int:
        with queries(ctx) as said:
            page = desk.get(path)
        assert len(gzip.compress(page.content)) < 25_000
        return len(said)

    few = asked(f"{HERE}?by=schools&from=04/10/2023&to=04/10/2023")
    assert asked(f"{HERE}?by=schools") == few


def test_columns_lie_inside_the_frame_and_their_words_apart():
    drawn = charts.heaped([(3, 0, 1), (0, 0, 0), (120, 1, 0)])
    assert all(block.y >= charts.TOP for block in drawn.blocks)
    assert all(block.y + block.high <= charts.BOTTOM + 0.1 for block in drawn.blocks)
    assert all(low - high >= charts.LINE for high, low in pairwise(drawn.words))
    assert drawn.every == 1
    assert charts.heaped([(0, 0, 0)]) is None


def test_of_many_months_some_are_named_so_that_names_stand_apart():
    drawn = charts.heaped([(1, 0, 0)] * 12)
    named = drawn.middles[:: drawn.every]
    assert all(right - left >= charts.NAME for left, right in pairwise(named))

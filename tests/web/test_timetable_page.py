"""A school's timetable: by period and by class, the usual week, and on paper for the wall."""

import re
from datetime import timedelta

import pytest

from scheduler.domain.limits import PAPERS_BY_PERSON
from scheduler.services import limits
from tests.paper import need_pango, pages
from tests.web import cast_desk as desk
from tests.web.cast_desk import THU, WED

WEEK = timedelta(days=7)


@pytest.fixture
def timetable(ctx, cast):
    """Class 7A on three Wednesdays, once on a Thursday; class 8B of the other school."""
    weeks = [desk.at(cast, WED + n * WEEK) for n in range(3)]
    once = desk.at(cast, THU + WEEK, "08:25")
    return desk.publish(ctx, cast, *weeks, once, desk.at(cast, WED, "08:25", "8B", 2))


@pytest.fixture
def school(site, cast):
    return site.of(cast.actors["schoolA"])


def rows(page) -> list[str]:
    """What stands in each row of the table, in words."""
    body = page.text.partition("<tbody>")[2].partition("</tbody>")[0]
    plain = [re.sub(r"<svg.*?</svg>|<[^>]+>", " ", row) for row in body.split("</tr>")]
    return [" ".join(row.split()) for row in plain if row.strip()]


def test_the_week_stands_by_periods_with_days_across(school, timetable):
    page = school.see("/school/timetable")
    assert page.status_code == 200
    first, second, third = rows(page)
    none = "không có tiết"
    assert first == f"Sáng tiết 1 07:30–08:15 {none} {none} 7A Cô teacher1 {none} {none} {none}"
    assert "7A" not in second + third
    assert "8B" not in page.text
    assert re.search(r'id="w2"[^>]*checked', page.text)  # today first, where a day is shown alone


def test_the_week_stands_by_classes(cast, school, timetable):
    page = school.see(f"/school/timetable?school={cast['A']}&by=class&week=2023-10-11")
    (row,) = rows(page)
    assert row.startswith("7A ")
    assert "07:30 Cô teacher1" in row
    assert "08:25 Cô teacher1" in row


def test_the_usual_week_leaves_out_what_happens_once(cast, school, timetable):
    page = school.see(f"/school/timetable?school={cast['A']}&show=usual")
    assert "Tuần thông thường" in page.text
    assert [row for row in rows(page) if "7A" in row] == [rows(page)[0]]


def test_a_called_off_lesson_says_so_and_is_not_on_the_wall(ctx, cast, school, timetable):
    lesson = desk.lesson_of(ctx, cast)
    school.see("/school")
    school.submit(f"/school/lessons/{lesson.id}/call-off", {"reason": "Thi"})
    page = school.see("/school/timetable")
    assert 'class="off"' in page.text
    assert "Đã huỷ" in page.text
    assert "7A" not in school.see("/school/timetable/print").text


def test_a_school_without_lessons_is_told_what_to_do_first(cast, school):
    page = school.see("/school/timetable")
    assert 'class="empty"' in page.text
    assert f"/school/requests?school={cast['A']}" in page.text


def test_the_sheet_for_the_wall_has_no_navigation_and_says_when_and_where(school, timetable):
    page = school.see("/school/timetable/print")
    assert page.status_code == 200
    assert 'class="nav"' not in page.text
    assert "In ngày Thứ Hai 02/10/2023" in page.text
    assert "chungtay.example/school/timetable" in page.text
    assert "<b>7A</b><br>Cô teacher1" in page.text


def test_the_pdf_says_the_same_in_one_page(cast, school, timetable, tmp_path):
    need_pango()
    answer = school.get(f"/school/timetable.pdf?school={cast['A']}&show=usual")
    assert answer.headers["content-type"] == "application/pdf"
    (page,) = pages(answer.content, tmp_path)
    for words in ("THCS A", "Thứ Tư", "Sáng tiết 1", "07:30–08:15", "7A", "Cô teacher1"):
        assert words in page
    assert "chungtay.example/school/timetable" in page


def test_who_prints_all_the_time_is_asked_to_wait(ctx, cast, school, timetable):
    for _ in range(10):
        limits.take(ctx, PAPERS_BY_PERSON, str(cast.actors["schoolA"].person_id))
    assert school.get("/school/timetable.pdf").status_code == 429


def test_another_schools_timetable_is_not_there(site, cast, timetable):
    for who in ("schoolB", "stranger", "teacher1"):
        other = site.of(cast.actors[who])
        for path in ("", "/print", ".pdf"):
            assert other.see(f"/school/timetable{path}?school={cast['A']}").status_code == 404


def test_the_table_takes_as_many_queries_for_three_lessons_as_for_one(ctx, cast, school):
    desk.publish(ctx, cast, desk.at(cast, WED))
    with desk.queries(ctx) as one:
        school.see("/school/timetable")
    desk.publish(ctx, cast, desk.at(cast, WED), desk.at(cast, THU), desk.at(cast, WED + WEEK))
    with desk.queries(ctx) as three:
        school.see("/school/timetable")
    assert len(three) == len(one)

"""The coordinator's day: who is missing, what goes on, and what needs a decision."""

import gzip
import re
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain.answers import Reply
from scheduler.domain.lessons import LessonState
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Report
from scheduler.services import answers, checkins, cover, reports, sides
from scheduler.store import tables
from tests.faults.kit import book, write
from tests.standins import join, neighbour
from tests.web.cast_desk import plain, queries

START = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)  # Wednesday 07:30 in Hà Nội
MINUTE = timedelta(minutes=1)
HERE = "/coordinator"


@pytest.fixture
def coordinator(site, cast, clock):
    clock.at = START - timedelta(hours=1)
    return site.of(cast.actors["coordinator"])


@pytest.fixture
def lesson(ctx, cast, clock):
    made = book(ctx, cast, START)
    clock.at = START + 4 * MINUTE
    return made


def come(ctx, cast, lesson, who, side):
    checkins.check_in(ctx, sides.of_actor(ctx, cast.actors[who], lesson, side))


def alarms(page) -> list[str]:
    return re.findall(r'id="alarm-(\d+)"', page.text)


def row(page, lesson) -> str:
    found = re.search(rf'<tr id="l{lesson}".*?</tr>', page.text, re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


def fragment(coordinator, page):
    path = re.search(r'hx-get="([^"]+)" hx-trigger="every 30s"', page.text)[1]
    return coordinator.see(path.replace("&amp;", "&"), headers={"hx-request": "true"})


# -- who is missing


def test_three_minutes_after_the_start_the_missing_side_is_an_alarm(
    ctx, cast, coordinator, lesson, clock
):
    people = tables.persons
    write(ctx, people, people.c.id == cast["person_schoolA"], phone="0353 158 278")
    clock.at = START + 3 * MINUTE - timedelta(seconds=1)
    come(ctx, cast, lesson, "teacher1", Side.TEACHER)
    assert alarms(coordinator.see(HERE)) == []
    clock.forward(seconds=1)
    page = coordinator.see(HERE)
    assert alarms(page) == [str(lesson)]
    said = plain(page)
    assert "07:30 · Lớp 7A, THCS A: trường chưa vào sau 3 phút" in said
    assert "Cô teacher1 đang đợi từ 07:32" in said
    assert 'href="tel:0353158278"' in page.text
    assert f'href="/coordinator/write?to={cast["person_schoolA"]}"' in page.text
    assert f'href="/coordinator/lessons/{lesson}?went=not_held#settle"' in page.text
    assert "1 tiết hôm nay. 1 tiết cần gọi ngay." in said
    assert page.text.count('class="btn go"') == 1
    assert row(page, lesson) == (
        "07:30–08:15 7A · THCS A Cô teacher1 Vắng một bên 07:32 chưa vào Xử lý , 7A"
    )


def test_who_came_is_missed_no_more(ctx, cast, coordinator, lesson):
    assert "chưa bên nào vào sau 4 phút" in plain(coordinator.see(HERE))
    come(ctx, cast, lesson, "schoolA", Side.SCHOOL)
    page = coordinator.see(HERE)
    assert "giáo viên chưa vào sau 4 phút" in plain(page)
    assert f'id="find-{lesson}" href="/coordinator/lessons/{lesson}#cover"' in page.text
    come(ctx, cast, lesson, "teacher1", Side.TEACHER)
    page = coordinator.see(HERE)
    assert alarms(page) == []
    assert "Không ai vắng." in plain(page)
    assert "Đang dạy" in row(page, lesson)


def test_what_is_over_or_called_off_raises_no_alarm(ctx, cast, coordinator, lesson, clock):
    write(ctx, tables.lessons, tables.lessons.c.id == lesson, state=LessonState.CANCELLED)
    assert alarms(coordinator.see(HERE)) == []
    write(ctx, tables.lessons, tables.lessons.c.id == lesson, state=LessonState.SCHEDULED)
    clock.at = START + 45 * MINUTE
    page = coordinator.see(HERE)
    assert alarms(page) == []
    assert "1 tiết trước đó trong ngày" in plain(page)
    assert "Nhắc báo cáo" in row(page, lesson)


def test_an_empty_day_names_the_next_one_with_lessons(ctx, cast, coordinator):
    page = plain(coordinator.see(HERE))
    assert "Hôm nay không có tiết dạy." in page
    assert "Chưa có tiết nào sắp tới." in page
    book(ctx, cast, START + timedelta(days=1), state=LessonState.CANCELLED)
    book(ctx, cast, START + timedelta(days=7))
    assert "Ngày có tiết tiếp theo: Thứ Tư 11/10/2023." in plain(coordinator.see(HERE))


def test_a_day_ends_at_midnight_of_the_programmes_wall(ctx, cast, coordinator, clock):
    last = book(ctx, cast, datetime(2023, 10, 4, 16, 0, tzinfo=UTC))  # 23:00
    book(ctx, cast, datetime(2023, 10, 4, 17, 0, tzinfo=UTC), teacher="teacher2")  # 00:00
    clock.at = START
    page = coordinator.see(HERE)
    assert re.findall(r'<tr id="l(\d+)"', page.text) == [str(last)]
    assert "1 tiết muộn hơn trong ngày" in plain(page)


# -- told again every half minute


def test_what_is_asked_again_brings_rows_by_id_and_says_new_alarms_only(
    ctx, cast, coordinator, lesson, clock
):
    clock.at = START
    page = coordinator.see(HERE)
    assert fragment(coordinator, page).text.count("Vắng một bên") == 0
    clock.at = START + 4 * MINUTE
    told = fragment(coordinator, page)
    assert "hx-refresh" not in told.headers
    assert f'<template><tr id="l{lesson}" hx-swap-oob="true"' in told.text
    assert 'id="sums" hx-swap-oob="true"' in told.text
    assert "Cập nhật lúc 07:34." in plain(told)
    spoken = re.search(r'<p class="sr" id="alarm-told".*?</p>', told.text, re.S)[0]
    assert "Lớp 7A, THCS A: chưa bên nào vào sau 4 phút." in " ".join(spoken.split())
    assert 'id="alarm-told"' not in fragment(coordinator, told).text


def test_a_page_whose_lessons_are_other_ones_loads_itself_again(ctx, cast, coordinator, lesson):
    page = coordinator.see(HERE)
    book(ctx, cast, START + timedelta(hours=3), "8B", "teacher2")
    assert fragment(coordinator, page).headers["hx-refresh"] == "true"


# -- decisions


def decisions(page) -> list[str]:
    part = page.text.partition('id="decide"')[2].partition("</section>")[0]
    return [
        " ".join(re.sub(r"<[^>]+>", " ", each).split())
        for each in re.findall(r"<li>(.*?)</li>", part, re.S)
    ]


def test_what_waits_is_listed_the_oldest_deadline_first(ctx, cast, coordinator, clock):
    old = book(ctx, cast, START)
    ahead = book(ctx, cast, START + timedelta(days=7))
    silent = book(ctx, cast, START + timedelta(hours=2), "8B", "teacher2")
    clock.at = START + timedelta(hours=1)
    for who, held in (("teacher1", True), ("schoolA", False)):
        cause = None if held else "power"
        speaker = sides.of_actor(ctx, cast.actors[who], old)
        reports.report(ctx, speaker, Report(held, cause=cause))
    clock.at = START + timedelta(days=5)
    cover.ask(ctx, cast.actors["coordinator"], ahead, "ốm")
    coordinator.arrive(cast.actors["coordinator"])
    page = coordinator.see(HERE)
    first, second, third, _plan = decisions(page)
    assert first.startswith("Hai bên báo khác nhau Quyết định , 7A, THCS A Tiếng Anh 7A")
    assert "đã quá hạn Thứ Bảy 07/10 · 08:15" in first
    assert second.startswith("Đang tìm người dạy thay")
    assert "đã mời" in second
    assert third.startswith("1 tiết chưa ai báo diễn ra thế nào")
    listed = coordinator.see(f"{HERE}/unreported")
    assert re.findall(r"/coordinator/lessons/(\d+)#settle", listed.text) == [str(old), str(silent)]


def test_a_change_that_its_teacher_has_not_seen_waits_until_they_have(
    ctx, cast, coordinator, clock
):
    lesson = book(ctx, cast, START)
    join(ctx, cast, "third")
    coordinating = cast.actors["coordinator"]
    cover.ask(ctx, coordinating, lesson, "ốm")
    assert [x for x in decisions(coordinator.see(HERE)) if "chưa xem" in x] == []
    cover.take(ctx, coordinating, lesson, cast["teacher2"], "đã gọi")
    waits = [x for x in decisions(coordinator.see(HERE)) if "chưa xem" in x]
    assert len(waits) == 1
    assert waits[0].startswith("Cô teacher2 chưa xem thay đổi")
    asked = answers.of_actor(cast.actors["teacher2"], lesson)
    answers.reply(ctx, asked, Reply.CONFIRM)
    assert [x for x in decisions(coordinator.see(HERE)) if "chưa xem" in x] == []


# -- figures


def test_a_full_day_takes_as_many_queries_as_one_lesson(ctx, cast, coordinator, lesson):
    coordinator.see(HERE)
    page = coordinator.see(HERE)
    with queries(ctx) as one:
        fragment(coordinator, page)
    with queries(ctx) as whole:
        coordinator.see(HERE)
    neighbour(ctx, cast, START)
    book(ctx, cast, START + timedelta(hours=1), "8B", "teacher2")
    page = coordinator.see(HERE)
    with queries(ctx) as three:
        fragment(coordinator, page)
    with queries(ctx) as all_of_three:
        coordinator.see(HERE)
    assert (len(three), len(all_of_three)) == (len(one), len(whole))
    assert len(one) <= 14


def test_the_board_is_light(ctx, cast, coordinator, lesson):
    page = coordinator.see(HERE)
    assert len(gzip.compress(page.content, 6)) < 8_000


def test_nobody_else_comes_in(site, cast, lesson):
    for who in ("teacher1", "schoolA"):
        assert site.of(cast.actors[who]).see(HERE).status_code == 404

"""The page of a teacher's own calendar: what was understood stands there, the address never."""

import pytest

from scheduler.errors import Invalid
from scheduler.services import busy
from scheduler.web.pages import busy as pages
from tests.calendars.wire import SECRET, Wire, event, ics
from tests.services.test_busy_calendars import ADDRESS, GONE, HOUR, LUNCH, OURS, TALK, WED_8
from tests.web.browser import Site

HERE = "/teacher/busy"


@pytest.fixture
def wire():
    return Wire(ics(LUNCH, TALK, OURS, GONE))


@pytest.fixture
def opened(ctx, wire):
    """A browser of somebody, on pages whose far end of the wire is ours."""
    return Site(ctx, {pages.fetcher: lambda: wire}).of


@pytest.fixture
def teacher(cast, opened):
    return opened(cast.actors["teacher1"])


def save(browser, address=ADDRESS, **choices):
    return browser.submit(HERE, {"address": address, **choices})


def test_a_teacher_gives_a_calendar_and_sees_what_was_understood(teacher):
    before = teacher.see(HERE)
    assert before.status_code == 200
    assert f'href="{HERE}"' in teacher.get("/calendar").text
    assert "Địa chỉ bí mật ở định dạng iCal" in before.text
    assert f'action="{HERE}/remove"' not in before.text
    saved = save(teacher)
    assert (saved.status_code, saved.headers["location"]) == (303, HERE)
    page = teacher.get(HERE).text
    for words in (
        "Đã đọc lịch của thầy cô.",
        "calendar.example",
        "Thứ Hai 02/10 · 06:30",
        "Thứ Tư 04/10",
        "08:00–09:00",
        "10:00–11:00 (chưa chắc chắn)",
        "<dd>4</dd>",
        "1 tiết dạy của chúng ta",
        "1 mục không chiếm thời gian",
    ):
        assert words in page
    assert SECRET not in page
    assert "basic.ics" not in page


def test_the_page_speaks_english(teacher):
    save(teacher)
    teacher.submit("/language", {"language": "en"})
    page = teacher.get(HERE).text
    for words in ("Wed 04/10", "1 lesson of ours", "10:00–11:00 (tentative)", "Read again now"):
        assert words in page


def test_choices_change_without_the_address_and_are_kept(ctx, cast, teacher, wire):
    save(teacher)
    assert "checked" not in teacher.get(HERE).text
    assert save(teacher, "", shown_free="yes").status_code == 303
    page = teacher.get(HERE).text
    assert "08:00–09:00" in page
    assert "15:00–16:00" in page
    assert 'name="shown_free" value="yes" checked' in page
    assert wire.asked == [ADDRESS] * 2


@pytest.mark.parametrize("typed", ["", "x", f"http://x.example/{SECRET}", f"//{SECRET}"])
def test_what_is_no_address_is_said_at_the_field_and_not_shown_again(ctx, cast, teacher, typed):
    answer = save(teacher, typed, all_day="yes")
    assert answer.status_code == 422
    assert 'id="address-error"' in answer.text
    assert 'name="all_day" value="yes" checked' in answer.text
    assert SECRET not in answer.text
    assert busy.desk(ctx, cast.actors["teacher1"]).source is None


def test_a_failed_reading_says_why_and_that_the_last_copy_counts(teacher, wire, clock):
    save(teacher)
    teacher.get(HERE)
    clock.forward(hours=1)
    wire.next = Invalid("The database is busy. Try again in a moment.")
    assert teacher.submit(f"{HERE}/read").status_code == 303
    page = teacher.get(HERE).text
    assert "Cơ sở dữ liệu đang bận" in page
    assert "Những gì đã đọc trước đó vẫn được tính là bận." in page
    assert "1 giờ trước" in page
    assert "08:00–09:00" in page
    assert "Đã đọc lịch của thầy cô." not in page
    assert "đã cũ" not in page
    clock.forward(days=2, hours=23, seconds=1)
    assert "đã cũ" in teacher.get(HERE).text


def test_a_calendar_that_was_never_read_is_not_called_empty(teacher, wire):
    wire.next = Invalid("The calendar's server sent nothing.")
    save(teacher)
    page = teacher.get(HERE).text
    assert "Chưa đọc được lịch của thầy cô" in page
    assert "Hai tuần tới không có gì" not in page
    wire.body = ics(GONE)
    save(teacher, ADDRESS + "?2")
    assert "Hai tuần tới không có gì" in teacher.get(HERE).text


def test_reading_again_at_once_says_to_wait(teacher, wire):
    save(teacher)
    teacher.get(HERE)
    teacher.submit(f"{HERE}/read")
    assert "vừa được đọc" in teacher.get(HERE).text
    assert len(wire.asked) == 1


def test_removing_leaves_nothing(ctx, cast, teacher):
    save(teacher)
    assert teacher.submit(f"{HERE}/remove").status_code == 303
    page = teacher.get(HERE).text
    assert "calendar.example" not in page
    assert "08:00–09:00" not in page
    assert teacher.submit(f"{HERE}/remove").status_code == 404
    assert teacher.submit(f"{HERE}/read").status_code == 404


def test_the_page_of_one_teacher_is_nobody_elses(cast, opened, teacher):
    save(teacher)
    other = opened(cast.actors["teacher2"])
    assert "calendar.example" not in other.get(HERE).text
    assert other.submit(f"{HERE}/remove").status_code == 404
    for who in ("schoolA", "coordinator"):
        stranger = opened(cast.actors[who])
        assert stranger.get(HERE).status_code == 404
        assert save(stranger).status_code == 404
        assert HERE not in stranger.get("/calendar").text
    assert "calendar.example" in teacher.get(HERE).text


def test_titles_of_appointments_are_neither_shown_nor_escaped_in(teacher, wire):
    wire.body = ics(event("secret", WED_8, WED_8 + HOUR, "SUMMARY:<b>Dentist</b>"))
    save(teacher)
    page = teacher.get(HERE).text
    assert "08:00–09:00" in page
    assert "Dentist" not in page

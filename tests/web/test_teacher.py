"""A volunteer's pages: the next lesson first, honest states, and nobody else's lessons."""

from datetime import timedelta

import pytest

from scheduler.services import lessons as services
from tests.web.cast_desk import queries
from tests.web.timetable import change, publish


@pytest.fixture
def teacher(cast, site):
    return site.of(cast.actors["teacher1"])


def test_before_the_first_timetable_the_page_says_what_will_be_here(teacher):
    page = teacher.get("/teacher")
    assert page.status_code == 200
    assert 'class="empty"' in page.text
    assert 'href="/calendar"' in page.text
    assert teacher.get("/teacher/lessons").status_code == 200


def test_the_next_lesson_comes_first_with_its_door(ctx, cast, teacher, clock):
    first, second = publish(ctx, cast, weeks=2)
    page = teacher.get("/teacher").text
    hero = page.split('class="hero"')[1].split("</article>")[0]
    for words in ("Thứ Tư 04/10", "07:30–08:15", "Sáng tiết 1", "THCS A, Lục Yên", "còn 2 ngày"):
        assert words in hero
    assert f'href="/j/{first.join_token}"' in hero
    assert "Thứ Tư 11/10 · 07:30" in page.split("</article>")[1]
    assert second.join_token not in page
    clock.forward(days=1)
    assert "Thứ Tư 04/10" in teacher.get("/teacher").text
    clock.forward(days=1, minutes=70)
    assert "Đang dạy" in teacher.get("/teacher").text


def test_a_lesson_that_is_over_waits_for_its_report(ctx, cast, teacher, clock):
    publish(ctx, cast, weeks=2)
    clock.forward(days=3)
    page = teacher.get("/teacher/lessons").text
    assert page.index("Thứ Tư 11/10") < page.index("Thứ Tư 04/10")
    assert page.count("Chưa rõ") == 1
    assert page.count("Đã lên lịch") == 1


def test_called_off_and_moved_lessons_say_so(ctx, cast, teacher):
    first, second, third = publish(ctx, cast, weeks=3)
    services.call_off(ctx, cast.actors["schoolA"], first.id, "trường thi <b>giữa kỳ</b>")
    change(ctx, third, moved_from=third.starts_at - timedelta(days=1))
    page = teacher.get("/teacher").text
    assert f'href="/j/{second.join_token}"' in page
    assert "Đã huỷ" in page
    assert "trường thi &lt;b&gt;giữa kỳ&lt;/b&gt;" in page
    assert "Thứ Ba 17/10 · 07:30" in page
    every = teacher.get("/teacher/lessons").text
    assert every.count("Đã lên lịch") == 2
    assert every.count("Đã huỷ") == 1


def test_lessons_are_shown_by_time_report_and_class(ctx, cast, teacher, clock):
    first, second, _third = publish(ctx, cast, weeks=3)
    clock.at = second.ends_at
    teacher.see("/teacher")
    page = teacher.get("/teacher/lessons").text
    for words in ("Tất cả (3)", "Sắp tới (1)", "Đã qua (2)", "Chờ tôi báo (2)"):
        assert words in page
    assert teacher.submit(f"/teacher/lessons/{first.id}/report", {"answer": "held"}).is_redirect
    shown = {"": 3, "?show=ahead": 1, "?show=past": 2, "?show=report": 1, "?show=x": 3}
    shown |= {f"?of={first.class_id}": 3, f"?show=report&of={first.class_id}": 1, "?of=99": 3}
    for asked, count in shown.items():
        page = teacher.get(f"/teacher/lessons{asked}").text
        assert (asked, page.count("<li><span")) == (asked, count)
    assert "Chờ tôi báo (1)" in page
    teacher.submit(f"/teacher/lessons/{second.id}/report", {"answer": "held"})
    assert "Không có tiết nào như vậy" in teacher.get("/teacher/lessons?show=report").text


def test_thanks_come_with_the_count(ctx, cast, teacher, clock):
    publish(ctx, cast, weeks=2)
    teacher.submit("/language", {"language": "en"})
    assert "Thank you!" not in teacher.get("/teacher").text
    clock.forward(days=3)
    assert "You have given 1 of your 2 lessons. Thank you!" in teacher.get("/teacher").text
    clock.forward(days=13)
    assert "You have given all your 2 lessons. Thank you!" in teacher.get("/teacher").text


def test_a_teacher_sees_no_lesson_of_another(ctx, cast, site):
    lesson = publish(ctx, cast)[0]
    page = site.of(cast.actors["teacher2"]).get("/teacher/lessons").text
    assert lesson.join_token not in page
    assert "THCS A" not in page


@pytest.mark.parametrize("who", ["schoolA", "coordinator", "stranger"])
def test_the_pages_are_for_teachers_only(cast, site, who):
    browser = site.of(cast.actors[who])
    assert browser.get("/teacher").status_code == 404
    assert browser.get("/teacher/lessons").status_code == 404


WEEK = "/teacher/lessons?week=04/10/2023"


@pytest.mark.parametrize("path", ["/teacher", "/teacher/lessons", WEEK, "/calendar"])
def test_a_list_asks_the_database_as_often_for_three_rows_as_for_one(ctx, cast, teacher, path):
    def asked() -> int:
        teacher.get(path)
        with queries(ctx) as seen:
            teacher.get(path)
        return sum(each.lstrip().startswith("SELECT") for each in seen)

    publish(ctx, cast, weeks=1)
    teacher.submit("/calendar", {"device": "apple", "feed": f"teacher:{cast['teacher1']}"})
    one = asked()
    publish(ctx, cast, weeks=3)
    for _ in range(2):
        teacher.submit("/calendar", {"device": "apple", "feed": f"teacher:{cast['teacher1']}"})
    assert asked() == one
    # Two of each tell who asks.  The home shows changes, briefs, offers and first steps as well,
    # the term its record of service.
    assert one <= {"/teacher": 10, "/teacher/lessons": 13, WEEK: 4}.get(path, 8)


def test_the_tabs_mark_where_one_is(teacher):
    for path in ("/teacher", "/teacher/lessons", "/calendar"):
        page = teacher.get(path).text
        assert page.count(f'href="{path}" aria-current="page"') == 2  # above, and below on a phone
        assert page.count('aria-current="page"') == 2

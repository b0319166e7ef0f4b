"""One lesson of a volunteer's: what to read, what to write, and a swap; nobody else's."""

import re

import pytest

from scheduler.domain.cover import Reply
from scheduler.services import certificates, offers
from scheduler.store import tables
from tests.faults.kit import book
from tests.planning import A1, draft, timetable
from tests.planning import publish as publish_plan
from tests.standins import WEDNESDAY as BEGIN
from tests.standins import asked, cannot
from tests.web.cast_desk import count
from tests.web.test_swaps_page import B2
from tests.web.timetable import change, publish


@pytest.fixture
def teacher(cast, site):
    return site.of(cast.actors["teacher1"])


def here(lesson):
    return f"/teacher/lessons/{lesson.id}"


def test_a_lesson_page_shows_its_class_its_door_and_what_became_of_it(ctx, cast, teacher):
    lesson = publish(ctx, cast)[0]
    page = teacher.see(here(lesson)).text
    for words in ("Tiếng Anh 7A · Sáng tiết 1", "Thứ Tư 04/10 · 07:30–08:15", "THCS A, Lục Yên",
                  f'href="/j/{lesson.join_token}"', "Đã lên lịch", "công bố"):  # fmt: skip
        assert words in page
    assert "report" not in page.split("<h2")[1]


def test_a_brief_written_before_a_lesson_is_read_at_home_and_next_time(ctx, cast, teacher, clock):
    first, second = publish(ctx, cast, weeks=2)
    told = {"unit": "Unit 3", "pages": "trang 32", "done": "Phần <Listening>"}
    teacher.see(here(first))
    assert teacher.submit(f"{here(first)}/brief", told).headers["location"] == here(first)
    assert "Unit 3, trang 32." in teacher.see("/teacher").text
    clock.forward(days=3)
    page = teacher.see("/teacher").text
    assert "Phần &lt;Listening&gt;" in page.split('class="hero"')[1].split("</article>")[0]
    assert "Phần &lt;Listening&gt;" in teacher.get(here(second)).text


def test_an_empty_brief_says_what_is_missing_and_keeps_what_was_there(ctx, cast, teacher):
    lesson = publish(ctx, cast)[0]
    teacher.see(here(lesson))
    page = teacher.submit(f"{here(lesson)}/brief", {"unit": "  "})
    assert page.status_code == 422
    assert 'href="#done"' in page.text
    assert count(ctx, tables.briefs) == 0


@pytest.mark.parametrize("who", ["teacher2", "schoolA", "stranger"])
@pytest.mark.parametrize("part", ["", "/swap"])
def test_a_lesson_is_no_page_for_anybody_else(ctx, cast, site, who, part):
    lesson = publish(ctx, cast)[0]
    browser = site.of(cast.actors[who])
    assert browser.get(here(lesson) + part).status_code == 404
    assert browser.submit(f"{here(lesson)}/brief", {"unit": "x"}).status_code == 404
    assert browser.submit(f"{here(lesson)}/swap", {"wanted": "1"}).status_code == 404
    assert (count(ctx, tables.briefs), count(ctx, tables.swaps)) == (0, 0)


def test_the_last_lesson_is_reported_at_home_in_one_tap_and_can_be_changed(
    ctx, cast, teacher, clock
):
    lesson = publish(ctx, cast)[0]
    clock.forward(days=3)
    page = teacher.see("/teacher").text
    assert 'name="answer" value="held"' in page
    assert f'href="{here(lesson)}/report?answer=late"' in page
    sent = teacher.submit(f"{here(lesson)}/report", {"answer": "held", "from": "home"})
    assert sent.headers["location"] == "/teacher"
    page = teacher.see("/teacher").text
    assert "Xin cảm ơn. Đã ghi nhận. Tiếng Anh 7A" in page
    assert 'name="answer" value="held"' not in page
    assert f'href="{here(lesson)}/report?change"' in page
    assert 'value="not_held" checked' in teacher.see(f"{here(lesson)}/report?answer=not_held").text


def test_who_is_asked_to_stand_in_reads_why_and_answers_at_home(ctx, cast, site):
    lesson = book(ctx, cast, BEGIN)
    cannot(ctx, cast, lesson)
    offer = asked(ctx, lesson)[0]
    browser = site.of(cast.actors["teacher2"])
    page = browser.see("/teacher").text
    assert "Thầy cô đã báo rảnh giờ này." in page
    form = f'action="/teacher/offers/{offer.id}"'
    assert form in page
    browser.submit(f"/teacher/offers/{offer.id}", {"answer": "decline"})
    assert form not in browser.see("/teacher").text
    assert offers.question(ctx, offer.id).offer.end == "declined"
    assert offers.reply(ctx, offer.id, Reply.ACCEPT).lesson.teacher_id == cast["teacher1"]


@pytest.fixture
def two(ctx, cast):
    publish_plan(ctx, cast, draft(ctx, cast, A1, B2))
    return timetable(ctx, cast)


def test_a_swap_is_asked_for_once_from_the_lesson_and_taken_back(ctx, cast, teacher, two):
    mine, other = two
    page = teacher.see(f"{here(mine)}/swap").text
    assert f'name="wanted" value="{other.id}"' in page
    assert "Cô teacher2" in page
    for _ in range(2):
        sent = teacher.submit(f"{here(mine)}/swap", {"wanted": str(other.id), "words": "tôi thi"})
        assert sent.status_code == 303
    assert count(ctx, tables.swaps) == 1
    waiting = sent.headers["location"]
    assert f'href="{waiting}"' in teacher.see(here(mine)).text
    assert teacher.submit(waiting, {"answer": "withdraw"}).status_code == 303
    assert f'href="{waiting}"' not in teacher.see(here(mine)).text


@pytest.mark.parametrize(("wanted", "status"), [("", 422), ("x", 422), ("own", 409)])
def test_a_swap_that_cannot_be_is_refused_at_its_choice(ctx, teacher, two, wanted, status):
    mine = two[0]
    teacher.see(f"{here(mine)}/swap")
    sent = {"wanted": str(mine.id) if wanted == "own" else wanted}
    page = teacher.submit(f"{here(mine)}/swap", sent)
    assert page.status_code == status
    assert 'href="#wanted"' in page.text
    assert count(ctx, tables.swaps) == 0


def test_where_no_lesson_fits_the_page_says_so(ctx, cast, teacher):
    lesson = publish(ctx, cast)[0]
    page = teacher.get(f"{here(lesson)}/swap").text
    assert 'class="empty"' in page
    assert f'href="{here(lesson)}/answer?say=cannot"' in page


def test_the_week_shows_seven_days_with_their_lessons_and_leads_on(ctx, cast, teacher):
    first, second = publish(ctx, cast, weeks=2)
    page = teacher.get("/teacher/lessons?week=05/10/2023").text
    assert page.count('class="half"') == 7
    assert f'href="{here(first)}"' in page
    assert f'href="{here(second)}"' not in page
    assert 'href="/teacher/lessons?week=09/10/2023"' in page
    assert teacher.get("/teacher/lessons?week=2023").text.count('class="half"') == 7


def test_a_record_counts_what_both_sides_said_and_its_code_is_checked_by_anybody(
    ctx, cast, teacher, clock, visitor
):
    lesson = publish(ctx, cast)[0]
    clock.forward(days=3)
    assert 'action="/teacher/record"' not in teacher.see("/teacher/lessons").text
    teacher.submit("/teacher/record")
    assert count(ctx, tables.certificates) == 0
    change(ctx, lesson, state="held")
    assert 'action="/teacher/record"' in teacher.see("/teacher/lessons").text
    for _ in range(2):
        assert teacher.submit("/teacher/record").headers["location"] == "/teacher/lessons"
    assert count(ctx, tables.certificates) == 1
    page = teacher.get("/teacher/lessons").text
    code = re.search(r'href="/verify/([^"]+)"', page)[1]
    assert f'href="/teacher/record/{code}/paper"' in page
    assert "Cô teacher1" in visitor.get(f"/verify/{code}").text


def test_a_record_of_somebody_else_is_no_page(ctx, cast, site, teacher, clock):
    lesson = publish(ctx, cast)[0]
    clock.forward(days=3)
    change(ctx, lesson, state="held")
    code = certificates.issue_own(ctx, cast.actors["teacher1"]).code
    assert site.of(cast.actors["teacher2"]).get(f"/teacher/record/{code}/paper").status_code == 404

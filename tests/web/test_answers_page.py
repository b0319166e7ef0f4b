"""Will you be there?  Asked without signing in, and nothing happens by looking."""

import re
from datetime import timedelta

import pytest

from scheduler.domain.lessons import LessonState
from scheduler.services import links
from scheduler.store import lessons, tables
from tests.faults.kit import write
from tests.web.browser import BASE
from tests.web.cast_desk import count
from tests.web.timetable import change, publish


@pytest.fixture
def lesson(ctx, cast):
    return publish(ctx, cast)[0]


@pytest.fixture
def path(ctx, cast, lesson):
    return links.answer_url(ctx, lesson, cast["person_teacher1"]).removeprefix(BASE)


def state(ctx, lesson):
    with ctx.reading() as db:
        return lessons.get(db, lesson.id).state


def answered(ctx):
    return count(ctx, tables.confirmations), count(ctx, tables.cover_calls)


def test_looking_asks_and_does_nothing(ctx, lesson, path, visitor):
    page = visitor.get(path)
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-robots-tag"] == "noindex"
    assert '<html lang="vi">' in page.text
    assert "Thứ Tư 04/10 · 07:30–08:15" in page.text
    assert page.text.count('type="radio"') == 6
    assert " checked" not in page.text
    assert "<script" not in page.text
    assert answered(ctx) == (0, 0)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"reason": "sick"},
        {"answer": ""},
        {"answer": "maybe"},
        {"answer": "cannot"},
        {"answer": "cannot", "reason": "lazy"},
        {"answer": "cannot", "reason": "other"},
        {"answer": "cannot", "reason": "other", "words": "x" * 151},
    ],
)
def test_a_form_sent_without_a_choice_acts_on_nothing(ctx, lesson, path, visitor, fields):
    page = visitor.post(path, data=fields)
    assert page.status_code == 422
    assert "Chưa gửi gì cả." in page.text
    assert answered(ctx) == (0, 0)
    assert state(ctx, lesson) is LessonState.SCHEDULED


def as_it_is(page):
    """What a program sends that fills nothing in and presses the one button."""
    form = re.search(r'<form class="[^"]*" method="post" action="/a/.*?</form>', page.text, re.S)[0]
    sent = {}
    for tag in re.findall(r"<(?:input|button)\b[^>]*>", form):
        name, value = (re.search(rf' {part}="([^"]*)"', tag) for part in ("name", "value"))
        chosen = " checked" in tag or not re.search("radio|checkbox", tag)
        if name and chosen:
            sent[name[1]] = value[1] if value else ""
    return sent


@pytest.mark.parametrize(
    "answer", [None, {"answer": "confirm"}, {"answer": "cannot", "reason": "sick"}]
)
def test_a_program_that_sends_the_form_as_it_is_changes_nothing(ctx, lesson, path, visitor, answer):
    if answer:
        visitor.post(path, data=answer)
    before = answered(ctx), state(ctx, lesson)
    page = visitor.get(path)
    done = visitor.post(path, data=as_it_is(page))
    assert (done.status_code, answered(ctx), state(ctx, lesson)) == (422, *before)
    assert 'id="answer"' in done.text


def test_a_link_of_somebody_whose_account_is_off_is_no_page(ctx, cast, lesson, path, visitor):
    people = tables.persons
    write(ctx, people, people.c.id == cast["person_teacher1"], active=False)
    assert visitor.get(path).status_code == 404
    assert visitor.post(path, data={"answer": "cannot", "reason": "sick"}).status_code == 404
    assert state(ctx, lesson) is LessonState.SCHEDULED


def test_confirming_and_taking_it_back(ctx, lesson, path, visitor):
    for _ in range(2):
        done = visitor.post(path, data={"answer": "confirm"})
        assert (done.status_code, done.headers["location"]) == (303, path)
    assert "Thầy cô sẽ dạy tiết này. Xin cảm ơn!" in visitor.get(path).text
    assert answered(ctx) == (1, 0)
    visitor.post(path, data={"answer": "undo"})
    assert "Thầy cô sẽ dạy tiết này chứ?" in visitor.get(path).text
    assert answered(ctx) == (0, 0)


def test_who_cannot_come_reads_that_they_stay_responsible(ctx, cast, lesson, path, visitor, site):
    fields = {"answer": "cannot", "reason": "other", "words": "con <b>ốm</b>"}
    assert visitor.post(path, data=fields, headers={"origin": "null"}).status_code == 303
    page = visitor.get(path).text
    assert "thầy cô vẫn phụ trách tiết này" in page
    assert "con &lt;b&gt;ốm&lt;/b&gt;" in page
    assert state(ctx, lesson) is LessonState.COVER
    desk = site.of(cast.actors["coordinator"]).get("/coordinator").text
    assert "1 tiết dạy đang cần người dạy thay" in desk
    assert "con &lt;b&gt;ốm&lt;/b&gt;" in desk
    assert "cần người dạy thay" not in site.of(cast.actors["stranger"]).get("/coordinator").text
    visitor.post(path, data={"answer": "undo"})
    assert state(ctx, lesson) is LessonState.SCHEDULED


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"state": "cancelled", "cancel_reason": "Bão"}, ("đã bị huỷ", "Bão")),
        ({"sequence": 5}, ("đã thay đổi", "Thứ Tư 04/10")),
        ({"teacher_id": 2}, ("không còn là của thầy cô",)),
    ],
)
def test_the_page_says_what_is_now(ctx, cast, lesson, path, visitor, values, words):
    change(ctx, lesson, **values)
    page = visitor.get(path)
    assert page.status_code == 200
    for word in words[1:]:
        assert word in page.text
    assert "<form class=" not in page.text
    assert visitor.post(path, data={"answer": "confirm"}).status_code == 303
    assert answered(ctx) == (0, 0)


def test_a_link_that_is_too_old_or_false_is_no_page(ctx, lesson, path, visitor, clock):
    assert visitor.get(path[:-2]).status_code == 404
    assert visitor.post("/a/x", data={"answer": "confirm"}).status_code == 404
    clock.at = lesson.starts_at
    assert "đã bắt đầu" in visitor.get(path).text
    clock.at = lesson.ends_at + timedelta(days=1)
    assert visitor.get(path).status_code == 404


def test_the_page_speaks_the_language_of_its_reader(ctx, cast, lesson, path, visitor):
    with ctx.transaction() as db:
        people = tables.persons
        db.execute(people.update().where(people.c.id == cast["person_teacher1"]).values(
            language="en", zone="Europe/Berlin"))  # fmt: skip
    page = visitor.get(path).text
    assert "Will you be there?" in page
    assert "Wed 04/10 · 02:30–03:15 Berlin time (Wed 04/10 · 07:30–08:15 Vietnam time)" in page


def test_a_signed_in_teacher_answers_on_the_own_pages(ctx, cast, lesson, site):
    browser = site.of(cast.actors["teacher1"])
    here = f"/teacher/lessons/{lesson.id}/answer"
    for page in ("/teacher", "/teacher/lessons"):
        shown = browser.see(page).text
        assert f'action="{here}"' in shown
        assert f'href="{here}"' in shown
    assert browser.submit(here, {"answer": "confirm"}).status_code == 303
    assert "Rút lại câu trả lời" in browser.see("/teacher").text
    assert browser.submit(here, {"answer": "undo"}).status_code == 303
    assert browser.submit(here, {"answer": "cannot", "reason": "sick"}).status_code == 303
    assert state(ctx, lesson) is LessonState.COVER
    assert browser.post(here, data={"answer": "undo"}).status_code == 403  # no form token


def test_another_teacher_finds_no_such_question(cast, lesson, site):
    browser = site.of(cast.actors["teacher2"])
    here = f"/teacher/lessons/{lesson.id}/answer"
    assert browser.get(here).status_code == 404
    assert browser.submit(here, {"answer": "confirm"}).status_code == 404


def test_who_cannot_come_reads_how_many_were_asked_and_when_the_next_are(
    ctx, cast, lesson, path, visitor, site
):
    assert "Đã hỏi" not in visitor.get(path).text
    visitor.post(path, data={"answer": "cannot", "reason": "sick"})
    own = site.of(cast.actors["teacher1"]).get(f"/teacher/lessons/{lesson.id}/answer").text
    for page in (visitor.get(path).text, own):
        assert "Đã hỏi 1 thầy cô, 0 người báo bận." in page
        assert "Nếu chưa ai nhận, những thầy cô tiếp theo sẽ được hỏi vào Thứ" in page
        assert "Cô teacher2" not in page

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
    assert (
        page.text.count('name="reason" value="') == 5
    )  # three to tap, one in words, one that is no answer
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


TAGS = re.compile(r"<(input|button)\b[^>]*>")


def as_it_is(page):
    """What a program sends that fills nothing in: each form bare, and by its default button, which
    is the first in its source, shown or not."""
    sent = []
    for form in re.findall(r'<form\b[^>]*action="/a/.*?</form>', page.text, re.S):
        fields, pressed = {}, None
        for tag in TAGS.finditer(form):
            name, value = (re.search(rf' {part}="([^"]*)"', tag[0]) for part in ("name", "value"))
            said = {name[1]: value[1] if value else ""} if name else {}
            if tag[1] == "input":
                fields |= said
            elif pressed is None:
                pressed = said
        sent += [fields, fields | (pressed or {})]
    return sent


@pytest.mark.parametrize("opened", ["", "?say=cannot", "?say=confirm"])
@pytest.mark.parametrize(
    ("answer", "forms"),
    [(None, 3), ({"answer": "confirm"}, 3), ({"answer": "cannot", "reason": "sick"}, 1)],
)
def test_a_program_that_sends_the_forms_as_they_are_changes_nothing(
    ctx, lesson, path, visitor, answer, forms, opened
):
    if answer:
        visitor.post(path, data=answer)
    before = answered(ctx), state(ctx, lesson)
    sent = as_it_is(visitor.get(path + opened))
    assert len(sent) == 2 * forms
    for fields in sent:
        done = visitor.post(path, data=fields)
        assert (done.status_code, answered(ctx), state(ctx, lesson)) == (422, *before)
        for target in re.findall(r'<li><a href="#([^"]*)"', done.text):
            assert f'id="{target}"' in done.text


def test_the_answer_that_was_opened_stands_in_front(path, visitor):
    for opened, first in (("", "confirm"), ("?say=cannot", "cannot"), ("?say=<b>", "confirm")):
        page = visitor.get(path + opened).text
        assert re.findall(r'id="(confirm|cannot)"', page)[0] == first
    page = visitor.get(f"{path}?say=cannot").text
    assert page.index("phụ trách tiết này") < page.index('value="sick"')
    visitor.post(path, data={"answer": "confirm"})
    page = visitor.get(f"{path}?say=cannot").text  # it came otherwise: one tap all the same
    assert page.index('value="sick"') < page.index('value="undo"')


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
    assert "Đang tìm người dạy thay" in desk
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
        assert f'href="{here}?say=cannot"' in shown
    assert browser.submit(here, {"answer": "confirm"}).status_code == 303
    assert "Rút lại câu trả lời" in browser.see("/teacher").text
    assert browser.submit(here, {"answer": "undo"}).status_code == 303
    assert browser.submit(here, {"answer": "cannot", "reason": "sick"}).status_code == 303
    assert state(ctx, lesson) is LessonState.COVER
    assert browser.post(here, data={"answer": "undo"}).status_code == 403  # no form token


def test_an_answer_on_the_home_page_comes_back_as_its_own_part(ctx, lesson, site, cast):
    browser = site.of(cast.actors["teacher1"])
    here, part = f"/teacher/lessons/{lesson.id}/answer", f'id="answer-{lesson.id}"'
    home = browser.see("/teacher").text
    assert f'hx-target="#answer-{lesson.id}"' in home
    for answer, next_one in (("confirm", "undo"), ("undo", "confirm")):
        asked = {"answer": answer, "wide": "yes"}
        found = browser.submit(here, asked, headers={"hx-request": "true"})
        assert found.status_code == 200
        assert "<h1" not in found.text
        assert found.text.count(part) == 1
        assert f'id="say-{lesson.id}" name="answer" value="{next_one}"' in found.text
        assert 'hx-swap-oob="innerHTML:#status"' in found.text
        own = found.text.partition("<div hx-swap-oob")[0].strip()
        assert own in browser.see("/teacher").text


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

"""How did it go, are you there?  Asked by link and of who is signed in; looking does nothing."""

import re
from datetime import timedelta

import pytest

from scheduler.domain.lessons import LessonState
from scheduler.domain.reminders import Side
from scheduler.services import links
from scheduler.store import lessons, tables
from tests.faults.kit import write
from tests.web.browser import BASE
from tests.web.cast_desk import count
from tests.web.timetable import change, publish


@pytest.fixture
def lesson(ctx, cast, clock):
    """A lesson that has just begun."""
    found = publish(ctx, cast)[0]
    clock.at = found.starts_at
    return found


@pytest.fixture
def path(ctx, cast, lesson):
    return link(ctx, cast, lesson)


def link(ctx, cast, lesson, side=Side.TEACHER, who="person_teacher1", make=links.report_url):
    return make(ctx, lesson, side, cast[who]).removeprefix(BASE)


@pytest.fixture
def present(ctx, cast, lesson):
    return link(ctx, cast, lesson, make=links.check_in_url)


def state(ctx, lesson):
    with ctx.reading() as db:
        return lessons.get(db, lesson.id).state


def told(ctx):
    return count(ctx, tables.reports), count(ctx, tables.briefs), count(ctx, tables.check_ins)


def forms(page):
    """What a program sends that fills nothing in: of each form its address and fields."""
    found = []
    for form in re.findall(r'<form class="card" method="post" action=".*?</form>', page.text, re.S):
        sent = {}
        for tag in re.findall(r"<(?:input|button|textarea)\b[^>]*>", form):
            name, value = (re.search(rf' {part}="([^"]*)"', tag) for part in ("name", "value"))
            chosen = " checked" in tag or not re.search("radio|checkbox", tag)
            if name and chosen:
                sent[name[1]] = value[1] if value else ""
        found.append((re.search(r'action="([^"]*)"', form)[1], sent))
    return found


def test_looking_asks_and_does_nothing(ctx, lesson, path, present, visitor):
    for here in (path, present):
        page = visitor.get(here)
        assert page.status_code == 200
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-robots-tag"] == "noindex"
        assert '<html lang="vi">' in page.text
        assert "Thứ Tư 04/10 · 07:30–08:15" in page.text
        assert " checked" not in page.text
        assert "<script" not in page.text
    assert told(ctx) == (0, 0, 0)


def test_a_program_that_sends_the_forms_as_they_are_changes_nothing(ctx, path, present, visitor):
    sent = [each for here in (path, present) for each in forms(visitor.get(here))]
    assert [address for address, _ in sent] == [path, f"{path}/brief", present]
    for address, fields in sent:
        assert visitor.post(address, data=fields).status_code == 422
    assert told(ctx) == (0, 0, 0)


UNFIT = (
    {},
    {"cause": "power"},
    {"answer": "maybe"},
    {"answer": "not_held"},
    {"answer": "not_held", "cause": "lazy"},
    {"answer": "late"},
    {"answer": "late", "minutes_late": "0"},
    {"answer": "late", "minutes_late": "46"},
    {"answer": "late", "minutes_late": "x"},
    {"answer": "held", "note": "x" * 201},
)


def test_a_report_that_is_not_whole_keeps_nothing(ctx, path, visitor):
    for fields in UNFIT:
        page = visitor.post(path, data=fields)
        assert page.status_code == 422
        assert 'id="problems"' in page.text
    assert told(ctx) == (0, 0, 0)


def test_two_links_settle_a_lesson_and_each_sees_the_other_after_speaking(
    ctx, cast, lesson, path, visitor
):
    school = link(ctx, cast, lesson, Side.SCHOOL, "person_schoolA")
    done = visitor.post(path, data={"answer": "late", "minutes_late": "7"})
    assert (done.status_code, done.headers["location"]) == (303, path)
    assert "muộn 7 phút" in visitor.get(path).text
    assert "muộn 7 phút" not in visitor.get(school).text
    assert state(ctx, lesson) is LessonState.SCHEDULED
    visitor.post(school, data={"answer": "held"}, headers={"origin": "null"})
    assert state(ctx, lesson) is LessonState.HELD
    page = visitor.get(school).text
    assert "muộn 7 phút" in page
    assert "Tiết dạy này đã diễn ra. Xin cảm ơn!" in page
    assert 'name="answer"' not in page


def test_both_sides_read_that_they_differ_and_may_think_again(ctx, cast, lesson, path, visitor):
    school = link(ctx, cast, lesson, Side.SCHOOL, "person_schoolA")
    visitor.post(path, data={"answer": "held"})
    visitor.post(school, data={"answer": "not_held", "cause": "teacher"})
    assert state(ctx, lesson) is LessonState.DISPUTED
    for here in (path, school):
        page = visitor.get(here).text
        assert "Hai bên báo khác nhau" in page
        assert "Giáo viên không dạy được" in page
        assert 'name="answer"' in page
    visitor.post(school, data={"answer": "held"})
    assert state(ctx, lesson) is LessonState.HELD


def test_a_report_is_taken_back_or_changed_while_it_may_be(ctx, cast, lesson, path, visitor):
    visitor.post(path, data={"answer": "not_held", "cause": "power", "note": "mất điện <b>"})
    page = visitor.get(path).text
    assert 'value="not_held" checked' in page  # what was said is there to be changed
    assert 'value="power" checked' in page
    assert "mất điện &lt;b&gt;" in page
    for _ in range(2):
        done = visitor.post(path, data={"answer": "undo"})
        assert (done.status_code, done.headers["location"]) == (303, path)
    assert told(ctx)[0] == 0
    assert 'value="undo"' not in visitor.get(path).text
    with ctx.reading() as db:
        deeds = db.scalars(tables.audits.select().with_only_columns(tables.audits.c.action)).all()
    assert deeds.count("take_report_back") == 1


def test_what_both_sides_said_is_not_taken_back(ctx, cast, lesson, path, visitor):
    school = link(ctx, cast, lesson, Side.SCHOOL, "person_schoolA")
    visitor.post(path, data={"answer": "held"})
    visitor.post(school, data={"answer": "not_held", "cause": "power"})
    for here in (path, school):
        assert 'value="undo"' not in visitor.get(here).text
        assert visitor.post(here, data={"answer": "undo"}).status_code == 409
    assert state(ctx, lesson) is LessonState.DISPUTED
    visitor.post(path, data={"answer": "not_held", "cause": "power"})
    assert visitor.post(school, data={"answer": "undo"}).status_code == 409  # it is settled
    assert told(ctx)[0] == 2


def test_a_report_on_the_home_page_comes_back_as_its_own_row(ctx, cast, lesson, site, clock):
    clock.at = lesson.ends_at
    browser = site.of(cast.actors["teacher1"])
    here, row = f"/teacher/lessons/{lesson.id}/report", f'<li id="told-{lesson.id}"'
    for answer, then, kept in (("held", "undo", 1), ("undo", "held", 0)):
        assert f'name="answer" value="{answer}"' in browser.see("/teacher").text
        asked = {"answer": answer, "from": "home"}
        done = browser.submit(here, asked, headers={"hx-request": "true"})
        assert done.status_code == 200
        assert done.text.strip().startswith(row)
        assert f'id="tell-{lesson.id}" name="answer" value="{then}"' in done.text
        own = done.text.partition("<div hx-swap-oob")[0].strip()
        assert own in browser.see("/teacher").text
        assert told(ctx)[0] == kept


def test_before_the_start_nothing_can_be_reported(ctx, cast, lesson, path, visitor, clock):
    clock.at = lesson.starts_at - timedelta(minutes=1)
    page = visitor.get(path).text
    assert "chưa bắt đầu" in page
    assert 'name="answer"' not in page
    assert visitor.post(path, data={"answer": "held"}).status_code == 409
    assert told(ctx) == (0, 0, 0)


def test_the_teacher_leaves_a_brief_and_is_asked_to_name_no_pupil(ctx, cast, path, visitor):
    assert "Xin không nêu tên học sinh." in visitor.get(path).text
    brief = {"unit": "Unit 3", "pages": "28", "done": "hát <b>", "next": "nghe"}
    assert visitor.post(f"{path}/brief", data=brief).status_code == 303
    assert "hát &lt;b&gt;" in visitor.get(path).text
    page = visitor.post(f"{path}/brief", data={"pages": "x" * 61})
    assert page.status_code == 422
    assert "60" in page.text
    assert told(ctx) == (0, 1, 0)


def test_the_next_teacher_reads_the_last_brief(ctx, cast, visitor, clock):
    first, second = publish(ctx, cast, weeks=2)
    clock.at = first.starts_at
    visitor.post(f"{link(ctx, cast, first)}/brief", data={"next": "bài nghe"})
    page = visitor.get(link(ctx, cast, second)).text
    assert "Lần trước, Thứ Tư 04/10" in page
    assert "bài nghe" in page


def test_the_school_writes_no_brief(ctx, cast, lesson, visitor):
    school = link(ctx, cast, lesson, Side.SCHOOL, "person_schoolA")
    assert 'name="unit"' not in visitor.get(school).text
    assert visitor.post(f"{school}/brief", data={"unit": "3"}).status_code == 404


def test_checking_in_by_link(ctx, cast, lesson, present, path, visitor):
    for _ in range(2):
        done = visitor.post(present, data={"present": "yes"})
        assert (done.status_code, done.headers["location"]) == (303, present)
    page = visitor.get(present).text
    assert "Đã ghi nhận lúc 07:30." in page
    assert f'href="{BASE}/j/' in page
    assert told(ctx) == (0, 0, 1)
    report = re.search(rf'href="{BASE}(/r/[^"]*)"', page)[1]
    assert visitor.post(report, data={"answer": "held"}).status_code == 303
    assert told(ctx) == (1, 0, 1)


@pytest.mark.parametrize("minutes", [-16, 45])
def test_outside_its_time_nobody_checks_in(ctx, lesson, present, visitor, clock, minutes):
    clock.at = lesson.starts_at + timedelta(minutes=minutes)
    assert 'name="present"' not in visitor.get(present).text
    assert visitor.post(present, data={"present": "yes"}).status_code == 409
    assert told(ctx) == (0, 0, 0)


def test_a_link_that_is_false_foreign_or_too_old_is_no_page(
    ctx, cast, lesson, path, present, visitor, clock
):
    foreign = link(ctx, cast, lesson, who="person_teacher2")
    swapped = path.replace("/r/", "/c/"), present.replace("/c/", "/r/")
    for odd in ("/r/x", "/c/x", path[:-2], foreign, *swapped):
        assert visitor.get(odd).status_code == 404
        assert visitor.post(odd, data={"answer": "held", "present": "yes"}).status_code == 404
    clock.forward(days=15)
    assert visitor.get(path).status_code == 404
    assert visitor.get(present).status_code == 404
    assert told(ctx) == (0, 0, 0)


def test_a_link_of_somebody_whose_account_is_off_is_no_page(ctx, cast, path, present, visitor):
    people = tables.persons
    write(ctx, people, people.c.id == cast["person_teacher1"], active=False)
    for here in (path, present):
        assert visitor.get(here).status_code == 404
        assert visitor.post(here, data={"answer": "held", "present": "yes"}).status_code == 404


def test_a_lesson_called_off_is_not_reported(ctx, lesson, path, present, visitor):
    change(ctx, lesson, state="cancelled", cancel_reason="Bão")
    page = visitor.get(path).text
    assert "<h1>Tiết này đã huỷ</h1>" in page
    assert "Bão" in page
    assert "<form" not in page.partition("<main")[2]
    assert 'name="present"' not in visitor.get(present).text


@pytest.mark.parametrize(("who", "room"), [("teacher1", "teacher"), ("schoolA", "school")])
def test_who_is_signed_in_reports_and_checks_in_on_the_own_pages(
    ctx, cast, lesson, site, who, room
):
    browser = site.of(cast.actors[who])
    here = f"/{room}/lessons/{lesson.id}"
    for question, fields in (("report", {"answer": "held"}), ("check-in", {"present": "yes"})):
        page = browser.see(f"{here}/{question}")
        assert page.status_code == 200
        assert browser.submit(f"{here}/{question}", fields).status_code == 303
        assert browser.post(f"{here}/{question}", data=fields).status_code == 403  # no form token
    assert f'href="{here}/report"' in browser.get(f"{here}/check-in").text
    assert told(ctx) == (1, 0, 1)


def test_the_lists_of_both_sides_lead_to_the_report(ctx, cast, lesson, site):
    for who, page in (("teacher1", "/teacher/lessons"), ("schoolA", "/school")):
        room = page.split("/")[1]
        shown = site.of(cast.actors[who]).get(page).text
        assert f'href="/{room}/lessons/{lesson.id}/report"' in shown


def test_pages_show_a_lesson_of_which_both_sides_say_different_things(ctx, cast, lesson, site):
    change(ctx, lesson, state="disputed")
    for who, page in (("teacher1", "/teacher/lessons"), ("schoolA", "/school")):
        assert "Hai bên báo khác nhau" in site.of(cast.actors[who]).get(page).text


def test_others_find_no_such_lesson_on_their_pages(ctx, cast, lesson, site):
    for who, room in (("teacher2", "teacher"), ("schoolB", "school")):
        browser = site.of(cast.actors[who])
        for question in ("report", "check-in", "report/brief"):
            here = f"/{room}/lessons/{lesson.id}/{question}"
            assert browser.get(here).status_code in (404, 405)
            fields = {"answer": "held", "present": "yes", "unit": "3"}
            assert browser.submit(here, fields).status_code == 404
    assert told(ctx) == (0, 0, 0)

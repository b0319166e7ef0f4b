"""A changed lesson stands on its teacher's home until the teacher says: seen."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from scheduler.domain.lessons import Deed, placed
from scheduler.domain.plans import Change, ChangeKind
from scheduler.domain.subscriptions import Standing
from scheduler.services import lessons as services
from scheduler.services import subscriptions, timetable
from scheduler.services.timetable import Cause
from scheduler.store import lessons, tables, terms
from tests.web.timetable import publish

GONE = "Đã chuyển cho giáo viên khác"


@pytest.fixture
def lesson(ctx, cast):
    return publish(ctx, cast)[0]


@pytest.fixture
def teacher(cast, site, lesson):
    return site.of(cast.actors["teacher1"])


def carry_out(ctx, cast, lesson, kind, deed, **after):
    """A coordinator's hand changes the lesson."""
    by = cast.actors["coordinator"]
    with ctx.transaction() as db:
        now = placed(lessons.get(db, lesson.id))
        name = f"hand:{deed}:{after}"
        cause = Cause(deed, name, by.person_id, by.name, reason="phòng <b>hỏng</b>")
        change = Change(kind, now, replace(now, **after))
        timetable.carry_out(ctx, db, terms.get(db, cast["term"]), [change], {now: lesson.id}, cause)


def move(ctx, cast, lesson, start):
    span = {"start": start, "end": start + 45}
    carry_out(ctx, cast, lesson, ChangeKind.MOVED, Deed.MOVED, **span)


def hand(ctx, cast, lesson, to):
    given = {"teacher_id": cast[to]}
    carry_out(ctx, cast, lesson, ChangeKind.RESTAFFED, Deed.PUBLISHED, **given)


def changes(browser):
    return (
        browser.see("/teacher").text.partition('<section id="changes"')[2].partition("</section")[0]
    )


def rows(ctx):
    table = tables.sightings
    with ctx.reading() as db:
        return [tuple(x) for x in db.execute(sa.select(table.c.person_id, table.c.sequence))]


def standing(ctx, cast, who):
    found = subscriptions.health(ctx, cast.actors["coordinator"])
    return [
        each
        for each, people in found.items()
        if any(x.person_id == cast[who] and x.school is None for x in people)
    ]


def test_a_moved_lesson_is_shown_until_it_was_seen(ctx, cast, lesson, teacher, site):
    assert "<li>" not in changes(teacher)  # what was published is no change
    move(ctx, cast, lesson, 540)
    told = changes(teacher)
    for words in ("07:30</s>", "09:00–09:45", "coordinator", "phòng &lt;b&gt;hỏng&lt;/b&gt;"):
        assert words in told
    here, first = f"/teacher/lessons/{lesson.id}/seen", {"sequence": "1"}
    assert 'name="sequence" value="1"' in told
    assert standing(ctx, cast, "person_teacher1") == [Standing.NONE]
    move(ctx, cast, lesson, 600)  # while the page was open: only what it showed was seen
    assert teacher.submit(here, first).status_code == 303
    assert "09:00</s>" in changes(teacher)
    for _ in range(2):
        done = teacher.submit(here, {"sequence": "99"})
        assert (done.status_code, done.headers["location"]) == (303, "/teacher")
    assert "Đã ghi nhận" in teacher.see("/teacher").text
    assert "<li>" not in changes(teacher)
    assert rows(ctx) == [(cast["person_teacher1"], 2)]
    assert standing(ctx, cast, "person_teacher1") == [Standing.READ]
    with ctx.reading() as db:
        found = db.scalars(sa.select(tables.audits.c.action)).all()
    assert found.count("see_change") == 2


def test_a_lesson_that_changes_hands_is_news_to_both_teachers(ctx, cast, lesson, teacher, site):
    other = site.of(cast.actors["teacher2"])
    hand(ctx, cast, lesson, "teacher2")
    assert GONE in changes(teacher)
    assert f'href="/teacher/lessons/{lesson.id}"' not in changes(teacher)
    assert "Mới" in changes(other)
    here = f"/teacher/lessons/{lesson.id}/seen"
    assert teacher.submit(here, {"sequence": "1"}).status_code == 303
    assert "<li>" not in changes(teacher)
    assert "<li>" in changes(other)


def test_who_confirms_the_lesson_as_it_is_saw_it(ctx, cast, lesson, teacher):
    move(ctx, cast, lesson, 540)
    changes(teacher)
    teacher.submit(f"/teacher/lessons/{lesson.id}/answer", {"answer": "confirm"})
    assert "<li>" not in changes(teacher)
    assert standing(ctx, cast, "person_teacher1") == [Standing.READ]


def test_a_lesson_that_was_called_off_tells_by_whom_and_why(ctx, cast, lesson, teacher):
    services.call_off(ctx, cast.actors["schoolA"], lesson.id, "bão số 5")
    told = changes(teacher)
    assert "Đã huỷ" in told
    assert "bão số 5" in told
    assert "schoolA" in told


def test_the_row_alone_goes_with_htmx(ctx, cast, lesson, teacher):
    move(ctx, cast, lesson, 540)
    changes(teacher)
    here = f"/teacher/lessons/{lesson.id}/seen"
    done = teacher.submit(here, {"sequence": "1"}, headers={"hx-request": "true"})
    assert done.status_code == 200
    assert done.text.strip().startswith('<section id="changes"')
    assert "<li>" not in done.text
    assert 'hx-swap-oob="innerHTML:#status"' in done.text


def test_others_find_no_such_change(ctx, cast, lesson, site):
    move(ctx, cast, lesson, 540)
    browser = site.of(cast.actors["teacher2"])
    here = f"/teacher/lessons/{lesson.id}/seen"
    assert browser.submit(here, {"sequence": "1"}).status_code == 404
    assert browser.submit("/teacher/lessons/987654/seen", {"sequence": "1"}).status_code == 404
    assert browser.submit(here, {"sequence": "x"}).status_code == 404
    own = site.of(cast.actors["teacher1"])
    assert own.submit(here, {"sequence": "x"}).status_code == 422
    assert rows(ctx) == []

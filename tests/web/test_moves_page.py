"""Moving a lesson inside its week: a school asks, a coordinator agrees with one click."""

import re

import pytest
import sqlalchemy as sa

from scheduler.domain.lessons import LessonState
from scheduler.services import lessons
from scheduler.store import tables
from tests.faults.kit import write
from tests.web import cast_desk as desk
from tests.web.cast_desk import THU, WED

THURSDAY = f"{THU} 07:30"  # the class asks for Wednesday and Thursday


@pytest.fixture
def lesson(ctx, cast):
    desk.publish(ctx, cast, desk.at(cast, WED, "08:25"), desk.at(cast, WED, "09:20", "8B", 2))
    return desk.lesson_of(ctx, cast)


@pytest.fixture
def school(site, cast):
    return site.of(cast.actors["schoolA"])


def asked(ctx) -> list[str]:
    """What was written to coordinators."""
    rows = tables.outbox.c
    with ctx.reading() as db:
        found = db.scalars(sa.select(rows.payload).where(rows.key.like("move:%")))
        return [payload["words"] for payload in found]


def times(page) -> list[str]:
    return re.findall(r'type="radio" name="time" value="([^"]+)"', page.text)


def where(ctx, cast) -> str:
    return f"{desk.lesson_of(ctx, cast).starts_at:%d %H:%M}"


def test_the_page_offers_times_at_which_all_are_free_the_first_choice_on_top(school, lesson):
    page = school.see(f"/school/lessons/{lesson.id}/move")
    assert page.status_code == 200
    assert times(page)
    assert re.search(r'name="time" value="([^"]+)" checked', page.text)[1] == times(page)[0]
    assert "Cô teacher1" in page.text
    assert f"{WED} 08:25" not in times(page)  # where it stands


def test_a_school_asks_and_coordinators_get_one_letter_with_the_way_to_agree(
    ctx, cast, school, lesson
):
    path = f"/school/lessons/{lesson.id}/move"
    fields = {"time": times(school.see(path))[0], "reason": "Hội trường có lễ"}
    for _ in range(2):
        done = school.submit(path, fields)
        assert done.status_code == 303
    (words,) = asked(ctx)
    assert "THCS A" in words
    assert "Hội trường có lễ" in words
    assert f"/coordinator/lessons/{lesson.id}/move?day=" in words
    assert desk.lesson_of(ctx, cast) == lesson  # nothing moves until somebody agrees
    said = re.search(r'role="status">(.*?)</div>', school.see(done.headers["location"]).text, re.S)
    assert "7A" in said[1]
    rows = tables.audits.c
    with ctx.reading() as db:
        count = sa.select(sa.func.count()).where(rows.action == "ask_move")
        assert db.scalar(count) == 1


def test_asking_without_a_reason_or_a_time_is_sent_back_to_the_field(ctx, school, lesson):
    path = f"/school/lessons/{lesson.id}/move"
    school.see(path)
    page = school.submit(path, {"time": f"{WED} 03:00", "reason": " "})
    assert page.status_code == 422
    assert 'href="#times"' in page.text
    assert 'href="#reason"' in page.text
    assert asked(ctx) == []


def test_the_coordinator_finds_the_wish_chosen_and_moves_the_lesson(
    ctx, cast, site, school, lesson
):
    path = f"/school/lessons/{lesson.id}/move"
    wish = times(school.see(path))[-1]
    school.submit(path, {"time": wish, "reason": "Lễ"})
    link = re.search(r"(/coordinator/lessons/\S+)", asked(ctx)[0])[1]
    coordinator = site.of(cast.actors["coordinator"])
    page = coordinator.see(link)
    assert re.search(r'name="time" value="([^"]+)" checked', page.text)[1] == wish
    for _ in range(2):
        done = coordinator.submit(f"/coordinator/lessons/{lesson.id}/move", {"time": wish})
        assert done.status_code == 303
    assert where(ctx, cast) != "04 01:25"
    with ctx.reading() as db:
        moved = desk.lessons.get(db, lesson.id)
    assert moved.sequence == lesson.sequence + 1
    assert moved.teacher_id == lesson.teacher_id
    assert coordinator.see(done.headers["location"]).status_code == 200


def test_a_wish_that_is_not_free_any_more_says_so_and_offers_the_others(cast, site, lesson):
    coordinator = site.of(cast.actors["coordinator"])
    page = coordinator.see(f"/coordinator/lessons/{lesson.id}/move?day={WED}&start=03:00")
    assert page.status_code == 200
    assert 'role="alert"' in page.text
    assert times(page)


def test_a_lesson_that_is_called_off_offers_no_time(ctx, cast, school, lesson):
    lessons.call_off(ctx, cast.actors["coordinator"], lesson.id, "Mưa lũ")
    path = f"/school/lessons/{lesson.id}/move"
    page = school.see(path)
    assert page.status_code == 200
    assert times(page) == []
    answer = school.submit(path, {"time": THURSDAY, "reason": "x"})
    assert answer.status_code == 409
    assert asked(ctx) == []


def test_a_teacher_who_is_not_free_is_not_offered(ctx, cast, school, lesson):
    with ctx.transaction() as db:
        db.execute(tables.availability.delete().where(tables.availability.c.weekday == 3))
    page = school.see(f"/school/lessons/{lesson.id}/move")
    assert not any(time.startswith(str(THU)) for time in times(page))


def test_another_schools_lesson_is_not_there_to_be_moved(ctx, cast, site, lesson):
    for who in ("schoolB", "stranger", "teacher1"):
        other = site.of(cast.actors[who])
        for room in ("school", "coordinator"):
            path = f"/{room}/lessons/{lesson.id}/move"
            assert other.see(path).status_code == 404
            assert other.submit(path, {"time": THURSDAY, "reason": "x"}).status_code == 404
        assert desk.lesson_of(ctx, cast).state is LessonState.SCHEDULED
        assert asked(ctx) == []


def test_a_school_cannot_move_by_itself(ctx, cast, school, lesson):
    path = f"/coordinator/lessons/{lesson.id}/move"
    assert school.submit(path, {"time": THURSDAY}).status_code == 404
    assert where(ctx, cast) == "04 01:25"


def test_the_week_leads_there_and_shows_the_number_on_the_day_alone(
    ctx, cast, school, lesson, clock
):
    write(ctx, tables.persons, tables.persons.c.id == cast["person_teacher1"], phone="0912 345 678")
    page = school.see("/school").text
    assert f"/school/lessons/{lesson.id}/move" in page
    assert "0912" not in page
    clock.forward(days=2)
    assert 'href="tel:0912345678"' in school.see("/school").text
    clock.forward(hours=4)
    assert "0912" not in school.see("/school").text

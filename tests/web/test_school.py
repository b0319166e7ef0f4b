"""The desk of a receiving school: its week, and calling a lesson off."""

import re
from datetime import timedelta

import pytest

from scheduler.domain.access import Grant, Role
from scheduler.domain.lessons import LessonState
from scheduler.services import lessons
from scheduler.store import accounts
from tests.cast import minutes
from tests.web import cast_desk as desk
from tests.web.cast_desk import THU, WED

NEW = {
    "class_name": "7A",
    "lessons_per_week": "1",
    "first_day": "09/10/2023",
    "last_day": "24/12/2023",
    "priority": "1",
    f"slot-2-{minutes('07:30')}": "2",
    f"slot-4-{minutes('09:20')}": "1",
}


def heading(page) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text, re.S)
    return found[1].strip() if found else ""


@pytest.fixture
def timetable(ctx, cast):
    """Two lessons of 7A in the present week and one in the next; one of school B."""
    return desk.publish(
        ctx,
        cast,
        desk.at(cast, WED),
        desk.at(cast, THU, "08:25"),
        desk.at(cast, WED + timedelta(days=7)),
        desk.at(cast, WED, klass="8B", teacher=2),
    )


@pytest.fixture
def school(site, cast):
    return site.of(cast.actors["schoolA"])


def test_the_week_shows_the_schools_lessons_with_their_link_and_nobody_elses(
    ctx, cast, school, timetable
):
    page = school.see("/school")
    assert page.status_code == 200
    assert heading(page) == "Tuần này có 2 tiết"
    assert page.text.count('<article class="half">') == 2
    assert desk.lesson_of(ctx, cast).join_token in page.text
    assert desk.lesson_of(ctx, cast, "8B").join_token not in page.text
    assert "07:30–08:15" in page.text
    assert "Cô teacher1" in page.text


def test_the_week_begins_with_today(ctx, cast, school, timetable, clock):
    clock.forward(days=3)
    page = school.see("/school")
    days = [int(n) for n in re.findall(r'class="d d(\d)', page.text)]
    assert days == [5, 6, 7, 8, 2, 3, 4]


def test_another_week_is_shown_by_its_day_and_links_lead_there(cast, school, timetable):
    page = school.see(f"/school?school={cast['A']}&week=2023-10-11")
    assert page.text.count('<article class="half">') == 1
    assert "week=2023-10-02" in page.text
    assert "week=2023-10-16" in page.text


def test_a_week_without_lessons_says_what_to_do_first(cast, school):
    page = school.see("/school")
    assert 'class="empty"' in page.text
    assert f"/school/requests?school={cast['A']}" in page.text


def test_a_day_that_is_no_day_is_refused_not_broken(school, timetable):
    assert school.see("/school?week=yesterday").status_code == 422
    assert school.see("/school?week=9999-12-31").status_code == 200


@pytest.mark.parametrize("who", ["teacher1", "stranger", "schoolB"])
def test_a_stranger_finds_no_school_no_request_and_no_lesson(ctx, site, cast, timetable, who):
    lesson = desk.lesson_of(ctx, cast)
    stranger = site.of(cast.actors[who])
    paths = [
        f"/school?school={cast['A']}",
        f"/school/requests?school={cast['A']}",
        f"/school/lessons/{lesson.id}/call-off",
    ]
    assert [stranger.see(path).status_code for path in paths] == [404] * 3
    request_id = cast["request_7A"]
    posts = [
        (f"/school/lessons/{lesson.id}/call-off", {"reason": "x"}),
        (f"/school/requests/{request_id}/withdraw", {"school": str(cast["A"])}),
        ("/school/requests", NEW | {"school": str(cast["A"])}),
    ]
    assert [stranger.submit(path, fields).status_code for path, fields in posts] == [404] * 3
    assert len(desk.asked(ctx, cast)) == 1
    assert desk.lesson_of(ctx, cast).state is LessonState.SCHEDULED


def test_a_contact_of_another_school_cannot_withdraw_by_naming_his_own(ctx, site, cast):
    other = site.of(cast.actors["schoolB"])
    path = f"/school/requests/{cast['request_7A']}/withdraw"
    assert other.submit(path, {"school": str(cast["B"])}).status_code == 404
    assert len(desk.asked(ctx, cast)) == 1


def test_who_speaks_for_two_schools_chooses_between_them(ctx, site, cast, timetable):
    with ctx.transaction() as db:
        grant = Grant(Role.SCHOOL, cast["programme"], school_id=cast["B"])
        accounts.add_grant(db, cast["person_schoolA"], grant)
    both = site.of(cast.actors["schoolA"])
    assert f'href="/school?school={cast["B"]}"' in both.see("/school").text
    page = both.see(f"/school?school={cast['B']}")
    assert desk.lesson_of(ctx, cast, "8B").join_token in page.text


# -- calling off


def test_a_lesson_is_called_off_with_a_reason_and_the_week_says_so(ctx, cast, school, timetable):
    lesson = desk.lesson_of(ctx, cast)
    path = f"/school/lessons/{lesson.id}/call-off"
    assert 'name="reason"' in school.see(path).text
    done = school.submit(path, {"reason": "Thi học kỳ"})
    assert (done.status_code, done.headers["location"]) == (
        303, f"/school?school={cast['A']}&week=2023-10-04",
    )  # fmt: skip
    page = school.see(done.headers["location"])
    assert 'class="st off"' in page.text
    assert "Thi học kỳ" in page.text
    assert "7A" in re.search(r'role="status">(.*?)</div>', page.text, re.S)[1]
    assert desk.lesson_of(ctx, cast).cancel_reason == "Thi học kỳ"


def test_calling_off_without_a_reason_changes_nothing_and_says_where(ctx, cast, school, timetable):
    lesson = desk.lesson_of(ctx, cast)
    page = school.submit(f"/school/lessons/{lesson.id}/call-off", {"reason": "  "})
    assert page.status_code == 422
    assert 'href="#reason"' in page.text
    assert 'role="alert"' in page.text
    assert desk.lesson_of(ctx, cast).state is LessonState.SCHEDULED


def test_a_lesson_called_off_twice_shows_who_did_it(ctx, cast, school, timetable):
    lesson = desk.lesson_of(ctx, cast)
    lessons.call_off(ctx, cast.actors["coordinator"], lesson.id, "Mưa lũ")
    page = school.submit(f"/school/lessons/{lesson.id}/call-off", {"reason": "Thi"})
    assert page.status_code == 409
    assert "Mưa lũ" in page.text
    assert "Cô coordinator" in page.text


def test_a_lesson_that_has_begun_offers_no_form(ctx, cast, school, timetable, clock):
    lesson = desk.lesson_of(ctx, cast)
    clock.forward(days=2, hours=1, minutes=10)
    page = school.see(f"/school/lessons/{lesson.id}/call-off")
    assert 'name="reason"' not in page.text
    assert 'class="st live"' in page.text


@pytest.mark.parametrize("path", ["/school/requests", "/school"])
def test_a_list_takes_as_many_queries_for_three_rows_as_for_one(ctx, cast, school, path):
    desk.publish(ctx, cast, desk.at(cast, WED))
    with desk.queries(ctx) as one:
        school.see(path)
    for _ in range(2):
        desk.ask(ctx, cast)
    desk.publish(
        ctx, cast, desk.at(cast, WED), desk.at(cast, THU), desk.at(cast, WED, klass="8B", teacher=2)
    )
    with desk.queries(ctx) as three:
        school.see(path)
    assert len(three) == len(one)

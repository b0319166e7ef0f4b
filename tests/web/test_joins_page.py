"""The door of a lesson and the end of reminders, for whoever holds the link."""

from datetime import timedelta

import pytest

from scheduler import security
from scheduler.security import Purpose
from scheduler.services import lessons as services
from scheduler.store import people
from tests.web.timetable import change, publish


@pytest.fixture
def lesson(ctx, cast):
    return publish(ctx, cast)[0]


def at(clock, lesson, **before):
    clock.at = lesson.starts_at - timedelta(**before)


def test_fifteen_minutes_before_the_door_opens_for_anybody(ctx, lesson, visitor, clock):
    at(clock, lesson, minutes=15)
    door = visitor.get(f"/j/{lesson.join_token}")
    assert door.status_code == 302
    assert door.headers["location"].startswith("https://meet.jit.si/chungtay-")
    assert door.headers["referrer-policy"] == "no-referrer"
    assert door.headers["cache-control"] == "no-store"


def test_before_that_it_says_when_in_both_languages_the_readers_first(lesson, visitor, clock):
    at(clock, lesson, hours=2)
    page = visitor.see(f"/j/{lesson.join_token}")
    assert page.status_code == 200
    assert "Thứ Tư 04/10 · 07:15" in page.text
    assert "Wed 04/10 · 07:15" in page.text
    assert page.text.index("Thứ Tư 04/10") < page.text.index("Wed 04/10")
    visitor.submit("/language", {"language": "en"})
    page = visitor.get(f"/j/{lesson.join_token}").text
    assert page.index("Wed 04/10") < page.index("Thứ Tư 04/10")


def test_a_lesson_called_off_says_why(ctx, cast, lesson, visitor):
    services.call_off(ctx, cast.actors["coordinator"], lesson.id, "mất điện")
    page = visitor.get(f"/j/{lesson.join_token}")
    assert page.status_code == 200
    assert "This lesson is called off" in page.text
    assert "mất điện" in page.text
    assert "Cô coordinator" in page.text


def test_whoever_comes_at_the_old_time_hears_the_new_one(ctx, lesson, visitor, clock):
    change(ctx, lesson, moved_from=lesson.starts_at - timedelta(days=1))
    at(clock, lesson, days=1)
    page = visitor.get(f"/j/{lesson.join_token}").text
    assert "This lesson was moved" in page
    assert "It was planned for Tue 03/10 · 07:30. It is now Wed 04/10 · 07:30–08:15." in page


def test_after_its_day_the_link_is_as_good_as_unknown(lesson, visitor, clock):
    clock.at = lesson.ends_at + timedelta(days=1)
    old, unknown = visitor.get(f"/j/{lesson.join_token}"), visitor.get("/j/unknown")
    assert (old.status_code, unknown.status_code) == (404, 404)
    assert old.text == unknown.text


def stop_path(ctx, person_id):
    life = timedelta(days=30)
    token = security.sign_link(ctx.key, Purpose.STOP_REMINDERS, str(person_id), ctx.now(), life)
    return f"/stop/{token}"


def reminded(ctx, person_id):
    with ctx.reading() as db:
        return people.person(db, person_id).reminders


def test_reminders_stop_at_the_button_and_not_at_a_look(ctx, cast, visitor):
    person = cast["person_teacher1"]
    path = stop_path(ctx, person)
    assert 'method="post"' in visitor.get(path).text
    visitor.head(path)
    assert reminded(ctx, person)
    assert visitor.post(path, headers={"origin": "null"}).status_code == 200
    assert not reminded(ctx, person)


def test_a_mail_program_stops_them_by_itself(ctx, cast, visitor):
    person = cast["person_teacher1"]
    answer = visitor.post(
        stop_path(ctx, person),
        data={"List-Unsubscribe": "One-Click"},
        headers={"origin": "https://mail.example", "sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 200
    assert not reminded(ctx, person)
    assert reminded(ctx, cast["person_teacher2"])


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", "x" * 9000])
def test_a_forged_link_stops_nothing(visitor, token):
    assert visitor.get(f"/stop/{token}").status_code == 404
    assert visitor.post(f"/stop/{token}").status_code == 404

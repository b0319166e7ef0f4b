"""Programs read what their person may see, with a token that ends."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler import security
from scheduler.store import tables
from tests.planning import A1, B1, draft, publish, timetable

SPAN = {"since": "2023-10-02T00:00:00+07:00", "until": "2023-10-09T00:00:00+07:00"}


@pytest.fixture
def lesson(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1, (*B1[:3], "teacher2")))
    return timetable(ctx, cast)[0]


def names(answer):
    return [(each["class_name"], each["teacher"]) for each in answer.json()]


def test_each_program_is_told_the_lessons_that_its_person_may_see(api, lesson):
    of_7a, of_8b = ("7A", "Cô teacher1"), ("8B", "Cô teacher2")
    for who, seen in {
        "teacher1": [of_7a],
        "teacher2": [of_8b],
        "schoolA": [of_7a],
        "coordinator": [of_7a, of_8b],
        "stranger": [],
    }.items():
        assert names(api(who).get("/api/v1/lessons", params=SPAN)) == seen, who


def test_a_lesson_of_others_is_answered_as_one_that_is_not_there(api, lesson):
    mine = api("teacher1").get(f"/api/v1/lessons/{lesson.id}")
    assert mine.json() == {
        "id": lesson.id,
        "uid": lesson.uid,
        "state": "scheduled",
        "life": "scheduled",
        "cause": None,
        "starts_at": "2023-10-04T00:30:00Z",
        "ends_at": "2023-10-04T01:15:00Z",
        "sequence": 0,
        "school": "THCS A",
        "class_name": "7A",
        "teacher": "Cô teacher1",
        "donor_school": "THCS Ái Mộ",
        "cancel_reason": "",
        "moved_from": None,
    }
    others = api("teacher2").get(f"/api/v1/lessons/{lesson.id}")
    assert others.status_code == 404
    assert others.headers["content-type"] == "application/problem+json"
    assert others.json() == api("teacher2").get("/api/v1/lessons/99999").json()


def test_without_a_good_token_nobody_is_let_in(api, ctx, cast, clock, site, lesson):
    path = f"/api/v1/lessons/{lesson.id}"
    assert site.browser().get(path).status_code == 401
    signed_in = site.of(cast.actors["teacher1"])
    assert signed_in.get(path).status_code == 401  # a cookie opens no API
    program = api("teacher1")
    assert program.get(path).status_code == 200
    for bad in ("", "Bearer", "Bearer x.y.z", "Basic abc", "Bearer " + "a" * 5000):
        assert program.get(path, headers={"authorization": bad}).status_code == 401
    now, life = ctx.now(), timedelta(hours=1)
    other = security.sign_link(ctx.key, security.Purpose.STOP_REMINDERS, "1", now, life)
    assert program.get(path, headers={"authorization": f"Bearer {other}"}).status_code == 401
    clock.forward(hours=2)
    answer = program.get(path)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_token_ends_with_its_account(api, ctx, cast, lesson):
    program = api("teacher1")
    with ctx.transaction() as db:
        person = tables.persons.c.id == cast["person_teacher1"]
        db.execute(sa.update(tables.persons).where(person).values(active=False))
    assert program.get(f"/api/v1/lessons/{lesson.id}").status_code == 401


def test_a_span_that_is_none_or_too_long_is_refused_with_the_field(api, lesson):
    program = api("coordinator")
    for since, until in (("2023-10-02", "x"), ("2023-10-02T00:00:00", "2023-10-03T00:00:00Z")):
        answer = program.get("/api/v1/lessons", params={"since": since, "until": until})
        assert answer.status_code == 422
    long = {"since": "2020-01-01T00:00:00Z", "until": "2023-01-01T00:00:00Z"}
    answer = program.get("/api/v1/lessons", params=long)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["until"]


@pytest.mark.parametrize("odd", ["0", "1696204800", "1696204800.5", "-1", "2023-10-02", "P1D"])
def test_an_instant_is_written_with_its_day_and_is_no_number(api, lesson, odd):
    """Else a program that sends seconds since 1970 is told of another time than it meant."""
    program = api("coordinator")
    refused = program.get("/api/v1/lessons", params=SPAN | {"until": odd})
    assert (refused.status_code, [x["field"] for x in refused.json()["errors"]]) == (422, ["until"])
    at = program.get(f"/api/v1/lessons/{lesson.id}/as-of", params={"at": odd})
    assert at.status_code == 422

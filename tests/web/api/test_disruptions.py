"""Absences and closures through the API: seen first, then done as it was seen, once."""

import pytest

from tests.planning import A1, A2, B1, draft, publish, timetable
from tests.web.api.test_changing import V1, audits, ok

DAYS = {"first_day": "2023-10-04", "last_day": "2023-10-04"}


@pytest.fixture
def lessons(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1, A2, (*B1[:3], "teacher2")))
    return timetable(ctx, cast)


def absence(cast, who="teacher1"):
    return {"kind": "absence", "teacher": cast[who], "reason": "Đi công tác", **DAYS}


def seen_of(program, disruption):
    return ok(program.post(f"{V1}/disruptions/preview", json={"disruption": disruption}))


def test_an_absence_is_previewed_applied_once_and_taken_back(api, ctx, cast, lessons):
    teacher, asked = api("teacher1"), absence(cast)
    seen = seen_of(teacher, asked)
    assert [(x["lesson"]["id"], x["way"], x["could_come"]) for x in seen["lines"]] == [
        (lessons[0].id, "cover", 1)
    ]
    assert timetable(ctx, cast) == lessons
    body = {"disruption": asked, "fingerprint": seen["fingerprint"]}
    stale = teacher.post(f"{V1}/disruptions/apply", json={**body, "fingerprint": "x"})
    assert (stale.status_code, timetable(ctx, cast)) == (409, lessons)
    done = ok(teacher.post(f"{V1}/disruptions/apply", json=body))
    assert done["counts"] == {"leave": 0, "cover": 1, "move": 0, "call_off": 0}
    again = ok(teacher.post(f"{V1}/disruptions/apply", json=body))
    assert (again["lines"], audits(ctx, "absence")) == ([], 1)
    back = [
        teacher.post(f"{V1}/disruptions/withdraw", json={"disruption": asked}) for _ in range(2)
    ]
    assert [each.status_code for each in back] == [204, 404]


def test_a_lesson_goes_another_way_where_a_person_chooses_so(api, ctx, cast, lessons):
    desk, asked = api("coordinator"), absence(cast)
    seen = seen_of(desk, asked)
    choice = {"lesson": lessons[0].id, "way": "call_off"}
    body = {"disruption": asked, "fingerprint": seen["fingerprint"], "choices": [choice]}
    twice = desk.post(f"{V1}/disruptions/apply", json={**body, "choices": [choice, choice]})
    assert twice.json()["errors"] == [
        {"field": "body", "detail": "Một tiết dạy được nêu hai lần. Hãy giữ lại một."}
    ]
    done = ok(desk.post(f"{V1}/disruptions/apply", json=body))
    assert [x["way"] for x in done["lines"]] == ["call_off"]
    assert timetable(ctx, cast)[0].state == "cancelled"


def test_a_school_closes_itself_and_no_other(api, cast, lessons):
    school = api("schoolA")
    own = {"kind": "closure", "schools": [cast["A"]], "reason": "Hội thao", **DAYS}
    assert len(seen_of(school, own)["lines"]) == 1
    other = {**own, "schools": [cast["B"]]}
    answers = [
        school.post(f"{V1}/disruptions/preview", json={"disruption": each})
        for each in (other, {**own, "schools": [9999]})
    ]
    assert [each.status_code for each in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()


def test_a_storm_over_a_district_concerns_all_its_schools(api, cast, lessons):
    storm = {"kind": "storm", "districts": ["Lục Yên"], "reason": "Bão số 4", **DAYS}
    found = seen_of(api("coordinator"), storm)["lines"]
    assert [x["lesson"]["school"] for x in found] == ["THCS A", "THCS B"]
    nowhere = {**storm, "districts": ["Nowhere"]}
    asked = f"{V1}/disruptions/preview"
    assert api("coordinator").post(asked, json={"disruption": nowhere}).status_code == 404


def test_the_absence_of_a_colleague_is_nobody_elses_to_tell(api, cast, lessons):
    asked = {"disruption": absence(cast, "teacher2")}
    answer = api("teacher1").post(f"{V1}/disruptions/preview", json=asked)
    gone = api("teacher1").post(
        f"{V1}/disruptions/preview", json={"disruption": {**absence(cast), "teacher": 9999}}
    )
    assert (answer.status_code, answer.json()) == (404, gone.json())


def test_it_is_done_as_it_was_seen_by_the_tag_of_the_preview_too(api, ctx, cast, lessons):
    desk, body = api("coordinator"), {"disruption": absence(cast)}
    seen = desk.post(f"{V1}/disruptions/preview", json=body)
    here = f"{V1}/disruptions/apply"
    assert desk.post(here, json=body).status_code == 428
    assert desk.post(here, json=body, headers={"if-match": '"x"'}).status_code == 412
    assert timetable(ctx, cast) == lessons
    done = desk.post(here, json=body, headers={"if-match": seen.headers["etag"]})
    assert ok(done)["counts"]["cover"] == 1

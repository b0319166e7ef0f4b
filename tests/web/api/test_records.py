"""What was given, through the API: records, fairness, pledges, certificates."""

import pytest

from scheduler.domain.lessons import LessonState
from tests.planning import A1, B1, draft, publish, timetable
from tests.web.api.test_changing import V1, audits, ok
from tests.web.timetable import change


@pytest.fixture
def held(ctx, cast, clock):
    """7A's lesson with teacher 1 took place."""
    publish(ctx, cast, draft(ctx, cast, A1, (*B1[:3], "teacher2")))
    clock.forward(days=3)
    change(ctx, timetable(ctx, cast)[0], state=LessonState.HELD)


def test_a_record_adds_up_what_was_given_for_whom_it_concerns(api, cast, held):
    whole = ok(api("coordinator").get(f"{V1}/records/programme"))
    assert (whole["whole"]["lessons"]["given"], whole["whole"]["minutes_given"]) == (1, 45)
    assert [part["name"] for part in whole["teachers"]] == ["Cô teacher1", "Cô teacher2"]
    own = ok(api("teacher1").get(f"{V1}/records/own"))
    assert (own["whose"], list(own["months"])) == ("Cô teacher1", ["2023-10-01"])
    mine = f"{V1}/teachers/{cast['teacher1']}/record"
    assert ok(api("teacher1").get(mine)) == own == ok(api("coordinator").get(mine))
    assert api("teacher2").get(mine).json() == api("teacher2").get(
        f"{V1}/teachers/9999/record"
    ).json()  # fmt: skip
    empty = ok(api("teacher1").get(f"{V1}/records/own", params={"first_day": "2023-11-01"}))
    assert empty["whole"]["minutes_given"] == 0
    assert api("teacher1").get(f"{V1}/records/programme").status_code == 404


def test_fairness_compares_and_pledges_are_noted_once(api, ctx, cast, held):
    desk = api("coordinator")
    body = {"school": "THCS Ái Mộ", "lessons": 80}
    for _ in range(2):
        assert ok(desk.put(f"{V1}/pledges", json=body)) == {
            "school": "THCS Ái Mộ (Long Biên)", "lessons": 80,
        }  # fmt: skip
    assert audits(ctx, "pledge") == 1
    found = ok(desk.get(f"{V1}/fairness", params={"weeks": 4}))
    assert [x["name"] for x in found["donor_schools"]["shares"]] == ["THCS Ái Mộ (Long Biên)"]
    assert sum(x["given"] for x in found["teachers"]["shares"]) == 1
    assert desk.get(f"{V1}/fairness", params={"weeks": 1000}).status_code == 422
    assert api("schoolA").get(f"{V1}/fairness").status_code == 404


def test_a_certificate_is_issued_once_read_by_its_own_people_and_withdrawn(api, ctx, cast, held):
    desk, mine = api("coordinator"), f"{V1}/teachers/{cast['teacher1']}/certificates"
    made = ok(api("teacher1").post(mine, json={}), 201)
    assert (made["name"], made["lessons"], made["minutes"]) == ("Cô teacher1", 1, 45)
    assert ok(desk.post(mine, json={}), 201) == made
    assert ok(desk.post(f"{V1}/certificates", json={}), 201) == [made]
    assert ok(desk.get(mine)) == [made]
    one = f"{V1}/certificates/{made['code']}"
    assert (
        ok(api("teacher1").get(one))
        == made
        == ok(desk.get(f"{V1}/certificates/{made['code'].lower()}"))
    )
    for who in ("teacher2", "schoolA", "stranger"):
        answer = api(who).get(one)
        nothing = api(who).get(f"{V1}/certificates/AAAA-AAAA-AAAA")
        assert (who, answer.status_code, answer.json()) == (who, 404, nothing.json())
        assert api(who).get(f"{one}/paper").status_code == 404
    assert api("teacher1").post(f"{one}/withdraw").status_code == 403
    gone = ok(desk.post(f"{one}/withdraw"))
    assert gone["withdrawn_at"] is not None
    assert ok(desk.post(f"{one}/withdraw")) == gone
    assert audits(ctx, "withdraw_certificate") == 1


def test_the_paper_of_a_certificate_is_a_pdf(api, cast, held):
    desk = api("coordinator")
    made = ok(desk.post(f"{V1}/teachers/{cast['teacher1']}/certificates", json={}), 201)
    paper = desk.get(f"{V1}/certificates/{made['code']}/paper")
    if paper.status_code == 409:  # the machine lacks Pango: then it says so
        assert paper.headers["content-type"] == "application/problem+json"
        return
    assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
    assert paper.content.startswith(b"%PDF-")

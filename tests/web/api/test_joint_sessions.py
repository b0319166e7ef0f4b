"""Joint sessions, through the API: planned, changed as seen, and called off."""

import pytest

from scheduler.domain.partnerships import Binding, Terms
from scheduler.services import partnerships
from tests.web.api.test_changing import V1, audits, ok

HERE = f"{V1}/joint-sessions"
SPAN = {"since": "2023-10-01T00:00+07:00", "until": "2023-11-01T00:00+07:00"}


@pytest.fixture
def body(ctx, cast):
    pair = Terms("Long Biên", "THCS A", 4, 2, Binding.NONE)
    return {
        "partnership": partnerships.add(ctx, cast.actors["coordinator"], pair),
        "title": "Dạy ngữ âm",
        "starts_at": "2023-10-05T14:00+07:00",
        "ends_at": "2023-10-05T15:30+07:00",
        "people": [cast["person_teacher1"], cast["person_schoolA"]],
    }


def test_a_session_is_planned_once_changed_as_seen_and_called_off(api, ctx, cast, body):
    desk = api("coordinator")
    guests = ok(desk.get(f"{V1}/partnerships/{body['partnership']}/guests"))
    usual = [x["person"] for x in guests if x["usual"]]
    assert set(body["people"]) < set(usual)
    made = ok(desk.post(HERE, json=body))
    assert ok(desk.post(HERE, json=body)) == made
    assert [x["person"] for x in made["invited"]] == body["people"]
    assert ok(desk.get(HERE, params=SPAN)) == [made["session"]]
    one = f"{HERE}/{made['session']['id']}"
    told = body | {"title": "Từ vựng", "fingerprint": "x"}
    del told["partnership"]
    assert desk.post(f"{one}/change", json=told).status_code == 409
    changed = ok(desk.post(f"{one}/change", json=told | {"fingerprint": made["fingerprint"]}))
    assert (changed["session"]["title"], changed["session"]["sequence"]) == ("Từ vựng", 1)
    off = {"reason": "Mất điện", "fingerprint": changed["fingerprint"]}
    assert ok(desk.post(f"{one}/call-off", json=off))["session"]["state"] == "cancelled"
    assert desk.post(f"{one}/call-off", json=off).status_code == 409
    assert ok(desk.get(one))["session"]["cancel_reason"] == "Mất điện"
    assert audits(ctx, "plan_joint_session") == 1


def test_what_cannot_be_planned_says_why_and_nothing_is_done(api, body):
    desk = api("coordinator")
    for wrong in (
        {"ends_at": "2023-10-05T13:00+07:00"}, {"starts_at": "2023-10-01T14:00+07:00"},
        {"people": [99999]}, {"meeting_url": "javascript:alert(1)"}, {"partnership": 99999},
    ):  # fmt: skip
        assert desk.post(HERE, json=body | wrong).status_code in (404, 422), wrong
    assert ok(desk.get(HERE, params=SPAN)) == []


def test_nobody_but_coordinators_of_the_programme_sees_or_plans_one(api, body):
    number = ok(api("coordinator").post(HERE, json=body))["session"]["id"]
    for who in ("teacher1", "schoolA", "stranger"):
        assert api(who).get(f"{HERE}/{number}").status_code == 404, who
        assert api(who).post(HERE, json=body | {"title": "Khác"}).status_code == 404, who

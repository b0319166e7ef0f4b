"""Programs change the timetable as coordinators do: look, then publish exactly what was seen."""

import pytest
import sqlalchemy as sa

from scheduler.store import tables
from tests.planning import A1, A2, B1, WEDNESDAY, draft, publish, timetable

V1 = "/api/v1"
B2 = (*B1[:3], "teacher2")
MOVED = ("request_7A", WEDNESDAY, 505, "teacher1")


@pytest.fixture
def lessons(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1, A2, B2))
    return timetable(ctx, cast)


@pytest.fixture
def desk(api):
    return api("coordinator")


def ok(answer, status=200):
    assert answer.status_code == status, answer.text
    return answer.json()


def audits(ctx, action):
    with ctx.reading() as db:
        wanted = tables.audits.c.action == action
        return db.scalar(sa.select(sa.func.count()).select_from(tables.audits).where(wanted))


def test_the_newest_term_names_the_numbers_that_all_other_rooms_want(desk, api, cast, lessons):
    assert ok(desk.get(f"{V1}/terms/newest")) == {
        "id": cast["term"], "code": "HK1", "name": "Học kỳ I", "first_day": "2023-10-02",
        "last_day": "2023-12-31", "zone": "Asia/Ho_Chi_Minh", "published": 1,
    }  # fmt: skip
    assert api("teacher1").get(f"{V1}/terms/newest").status_code == 404


def test_a_plan_is_previewed_line_by_line_and_published_once_as_it_was_seen(
    desk, ctx, cast, lessons
):
    plan = draft(ctx, cast, MOVED, A2)
    seen = ok(desk.get(f"{V1}/plans/{plan}"))
    assert seen["changes"] == {"added": 0, "moved": 1, "restaffed": 0, "dropped": 1, "kept": 1}
    assert [(x["kind"], x["school"], x["lessons"]) for x in seen["lines"]] == [
        ("dropped", "THCS B", 1), ("moved", "THCS A", 1),
    ]  # fmt: skip
    assert seen["lines"][1]["before"] == {
        "day": "2023-10-04", "start": "07:30", "end": "08:15", "teacher": "Cô teacher1",
    }  # fmt: skip
    address, body = f"{V1}/plans/{plan}/publish", {"fingerprint": seen["fingerprint"]}
    assert desk.post(address, json={"fingerprint": "x"}).status_code == 409
    assert ok(desk.post(address, json=body)) == seen["changes"]
    again = desk.post(address, json=body)
    assert (again.status_code, audits(ctx, "publish")) == (409, 2)
    states = {
        each["id"]: each["state"] for each in ok(desk.get(f"{V1}/terms/{cast['term']}/plans"))
    }
    assert states == {1: "superseded", plan: "published"}


def test_some_lines_make_a_draft_of_their_own(desk, ctx, cast, lessons):
    plan = draft(ctx, cast, MOVED, A2)
    dropped = ok(desk.get(f"{V1}/plans/{plan}"))["lines"][0]["id"]
    made = ok(desk.post(f"{V1}/plans/{plan}/accept", json={"lines": [dropped]}), 201)["plan"]
    seen = ok(desk.get(f"{V1}/plans/{made}"))
    assert (seen["plan"]["origin"], [x["id"] for x in seen["lines"]]) == ("accepted", [dropped])
    gone = desk.post(f"{V1}/plans/{plan}/accept", json={"lines": ["0000000000"]})
    assert gone.status_code == 422


def test_a_publication_is_undone_by_a_draft_and_the_day_before_can_be_read(
    api, ctx, cast, clock, lessons
):
    clock.forward(days=1)
    desk = api("coordinator")
    plan = draft(ctx, cast, A1, A2)
    fingerprint = ok(desk.get(f"{V1}/plans/{plan}"))["fingerprint"]
    ok(desk.post(f"{V1}/plans/{plan}/publish", json={"fingerprint": fingerprint}))
    term = f"{V1}/terms/{cast['term']}"
    newest = ok(desk.get(f"{term}/publications"))[0]
    assert (newest["plan"], newest["by"], newest["counts"]["dropped"]) == (
        plan,
        "Cô coordinator",
        1,
    )
    done = ok(desk.post(f"{V1}/publications/{newest['id']}/undo"), 201)
    assert (done["lessons"], done["left"], done["broken"]) == (1, [], [])
    seen = ok(desk.get(f"{V1}/plans/{done['plan']}"))
    assert (seen["plan"]["undoes"], seen["changes"]["added"]) == (newest["id"], 1)
    then = ok(desk.get(f"{term}/timetable", params={"on": "2023-10-02"}))
    now = ok(desk.get(f"{term}/timetable", params={"on": "2023-10-03"}))
    assert [x["state"] for x in then] == ["scheduled"] * 3
    assert sorted(x["state"] for x in now) == ["cancelled", "scheduled", "scheduled"]


def test_pins_are_put_once_hold_against_plans_and_are_taken_away(desk, ctx, cast, lessons):
    first = lessons[0].id
    body = {"lessons": [first], "note": "Đã hẹn", "until": "2023-10-04"}
    put = ok(desk.post(f"{V1}/pins", json=body))
    assert [(x["lesson"]["id"], x["note"], x["until"], x["owner"]) for x in put] == [
        (first, "Đã hẹn", "2023-10-04", "Cô coordinator")
    ]
    assert ok(desk.post(f"{V1}/pins", json=body)) == put
    assert audits(ctx, "pin") == 1
    assert ok(desk.get(f"{V1}/terms/{cast['term']}/pins")) == put
    plan = draft(ctx, cast, MOVED, A2, B2)
    seen = ok(desk.get(f"{V1}/plans/{plan}"))
    assert seen["pinned"] == [first]
    address, body = f"{V1}/plans/{plan}/publish", {"fingerprint": seen["fingerprint"]}
    assert desk.post(address, json=body).status_code == 409
    assert [desk.delete(f"{V1}/lessons/{first}/pin").status_code for _ in (1, 2)] == [204, 204]
    assert (audits(ctx, "unpin"), ok(desk.post(address, json=body))["moved"]) == (1, 1)


def test_a_run_is_queued_once_with_its_budget_and_can_be_stopped(desk, ctx, cast, lessons):
    runs = f"{V1}/terms/{cast['term']}/runs"
    wish = {"seconds": 5, "from_day": "2023-10-16", "most_lessons": 3, "most_teachers": 1}
    made = ok(desk.post(runs, json=wish), 201)
    assert {name: made[name] for name in wish} == wish
    assert (made["state"], made["progress"], made["stopping"]) == ("queued", 0.0, False)
    assert desk.post(runs, json=wish).status_code == 409
    stopped = ok(desk.post(f"{V1}/runs/{made['id']}/cancel"))
    assert (stopped["id"], stopped["plan"]) == (made["id"], None)
    assert ok(desk.get(f"{V1}/runs/{made['id']}")) == stopped
    wrong = desk.post(runs, json={"seconds": 0, "seed": 1})
    assert [each["field"] for each in wrong.json()["errors"]] == ["seconds"]


def test_a_basket_is_looked_at_then_kept_as_a_draft(desk, ctx, cast, lessons):
    baskets = f"{V1}/terms/{cast['term']}/baskets"
    moves = [{"lesson": lessons[0].id, "start": "08:25", "date": "2023-10-04"}]
    seen = ok(desk.post(f"{baskets}/check", json={"moves": moves}))
    assert seen["clashes"] == []
    assert timetable(ctx, cast) == lessons
    plan = ok(desk.post(baskets, json={"moves": moves, "note": "Nhà trường xin"}), 201)["plan"]
    told = ok(desk.get(f"{V1}/plans/{plan}"))
    assert (told["plan"]["origin"], told["plan"]["note"]) == ("hand", "Nhà trường xin")
    assert told["lines"][0]["after"]["start"] == "08:25"
    busy = [{"lesson": lessons[0].id, "teacher": "teacher2@x.example", "start": "08:25"}]
    clash = ok(desk.post(f"{baskets}/check", json={"moves": busy}))["clashes"][0]
    assert clash["rule"] == "Giáo viên dạy từng tiết một và có nghỉ giữa hai tiết"
    assert desk.post(baskets, json={"moves": busy}).status_code == 409


def test_suggestions_name_teachers_and_times_with_what_is_in_the_way(desk, lessons):
    found = ok(desk.get(f"{V1}/lessons/{lessons[0].id}/suggestions"))
    assert found["lesson"]["start"] == "07:30"
    assert [x["name"] for x in found["teachers"]] == ["Cô teacher2"]
    assert all(x["day"] <= "2023-10-08" for x in found["times"])

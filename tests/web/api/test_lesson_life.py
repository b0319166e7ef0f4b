"""A lesson's life through the API: said, settled, looked for, handed on; each deed once."""

import pytest

from scheduler.store import lessons as rows
from tests.planning import A1, B1, draft, publish, timetable
from tests.web.api.test_changing import V1, audits, ok


@pytest.fixture
def lesson(ctx, cast):
    """7A with teacher 1 on Wednesday at 07:30."""
    publish(ctx, cast, draft(ctx, cast, A1, (*B1[:3], "teacher2")))
    return timetable(ctx, cast)[0]


@pytest.fixture
def of(lesson):
    return f"{V1}/lessons/{lesson.id}"


def state(ctx, lesson):
    with ctx.reading() as db:
        return rows.get(db, lesson.id).state


def test_a_lesson_that_both_sides_report_is_held_however_often_they_say_so(
    api, ctx, clock, lesson, of
):
    teacher, school = api("teacher1"), api("schoolA")
    assert teacher.post(f"{of}/reports", json={"held": True}).status_code == 409  # not yet
    clock.forward(days=2, hours=2)
    for program in (api("teacher1"), api("teacher1")):
        said = ok(program.post(f"{of}/reports", json={"held": True, "minutes_late": 5}))
    assert [(x["side"], x["minutes_late"]) for x in said["reports"]] == [("teacher", 5)]
    assert audits(ctx, "report_lesson") == 1
    done = ok(api("schoolA").post(f"{of}/reports", json={"held": True}))
    assert done["lesson"]["state"] == "held"
    assert ok(api("schoolA").get(f"{of}/reports")) == done
    odd = api("schoolA").post(f"{of}/reports", json={"held": True, "cause": "rain"})
    assert [each["field"] for each in odd.json()["errors"]] == ["cause"]
    assert school.get(f"{of}/reports").status_code == 401  # its token of an hour has ended


def test_a_coordinator_names_the_side_and_settles_what_differs(api, ctx, clock, lesson, of):
    clock.forward(days=2, hours=2)
    desk = api("coordinator")
    missing = desk.post(f"{of}/reports", json={"held": True})
    assert [each["field"] for each in missing.json()["errors"]] == ["side"]
    ok(desk.post(f"{of}/reports", json={"held": True, "side": "teacher"}))
    ok(api("schoolA").post(f"{of}/reports", json={"held": False, "cause": "power"}))
    assert [x["why"] for x in ok(desk.get(f"{V1}/reports/open"))] == ["disputed"]
    made = {"held": False, "cause": "power", "words": "Đã hỏi điện lực"}
    for _ in range(2):
        told = ok(desk.post(f"{of}/settlement", json=made))
        assert (told["lesson"]["state"], told["lesson"]["cause"]) == ("not_held", "power")
    assert (audits(ctx, "settle_lesson"), ok(desk.get(f"{V1}/reports/open"))) == (1, [])
    refused = api("teacher1").post(f"{of}/settlement", json=made)
    assert refused.status_code == 403
    deeds = [x["deed"] for x in ok(desk.get(f"{of}/history"))]
    assert deeds == ["published", "reported", "settled"]


def test_who_is_there_is_noted_at_the_first_time(api, ctx, clock, lesson, of):
    clock.forward(days=2, hours=1)  # at its start
    teacher, desk = api("teacher1"), api("coordinator")
    first = ok(teacher.post(f"{of}/check-ins", json={}))
    clock.forward(minutes=4)
    assert ok(teacher.post(f"{of}/check-ins", json={}))["arrived"] == first["arrived"]
    board = ok(desk.get(f"{V1}/check-ins/now"))
    assert [(x["lesson"]["id"], x["red"], x["sides"]) for x in board] == [
        (lesson.id, True, {"teacher": "in", "school": "missing"})
    ]
    assert ok(desk.get(f"{of}/check-ins"))["arrived"] == first["arrived"]


def test_the_teacher_alone_writes_the_brief_and_a_substitute_reads_it(api, ctx, lesson, of):
    told = {"unit": "Unit 3", "pages": "24", "done": "Từ vựng", "next": "Luyện nghe"}
    for _ in range(2):
        kept = ok(api("teacher1").put(f"{of}/brief", json=told))["own"]
    assert {name: kept[name] for name in told} == told
    assert audits(ctx, "write_brief") == 1
    assert ok(api("coordinator").get(f"{of}/brief"))["own"] == kept
    assert api("schoolA").put(f"{of}/brief", json=told).status_code == 404
    assert api("teacher2").get(f"{of}/brief").status_code == 404


def test_a_lesson_is_called_off_once_and_its_past_stays_readable(api, ctx, clock, lesson, of):
    clock.forward(hours=1)
    school, before = api("schoolA"), ctx.now().isoformat()
    clock.forward(minutes=1)
    done = ok(school.post(f"{of}/call-off", json={"reason": "  Hội   thao "}))
    assert (done["state"], done["life"], done["cancel_reason"]) == (
        "cancelled", "called_off", "Hội thao",
    )  # fmt: skip
    assert school.post(f"{of}/call-off", json={"reason": "Hội thao"}).status_code == 409
    assert audits(ctx, "call_off") == 1
    was = ok(school.get(f"{of}/as-of", params={"at": before}))
    assert (was["state"], was["deed"]) == ("scheduled", "published")
    assert ok(school.get(f"{of}/as-of", params={"at": "2023-01-01T00:00:00Z"})) is None


def test_a_teacher_who_cannot_come_says_why_and_may_take_it_back(api, ctx, lesson, of):
    teacher = api("teacher1")
    no_reason = teacher.post(f"{of}/answer", json={"reply": "cannot"})
    assert no_reason.json()["errors"] == [
        {"field": "body", "detail": "Hãy ghi lý do ở mục reason."}
    ]
    for _ in range(2):
        told = ok(teacher.post(f"{of}/answer", json={"reply": "cannot", "reason": "sick"}))
        assert (told["standing"], told["lesson"]["state"]) == ("looking", "cover")
    assert audits(ctx, "ask_for_cover") == 1
    assert ok(teacher.post(f"{of}/answer", json={"reply": "undo"}))["standing"] == "asked"
    assert ok(teacher.get(f"{of}/answer"))["lesson"]["state"] == "scheduled"
    assert api("teacher2").get(f"{of}/answer").status_code == 404


def test_cover_is_asked_for_offered_and_accepted_once(api, ctx, cast, lesson, of):
    desk = api("coordinator")
    assert ok(desk.put(f"{V1}/cover/automatic", json={"on": False})) == {"on": False}
    assert ok(desk.post(f"{of}/cover", json={"reason": "ốm"}))["state"] == "cover"
    assert desk.post(f"{of}/cover", json={"reason": "ốm"}).status_code == 409
    assert audits(ctx, "ask_for_cover") == 1
    second = cast["teacher2"]
    offered = ok(desk.post(f"{of}/cover/offers", json={"teacher": second}), 201)
    assert (offered["lesson"], offered["teacher"]) == (lesson.id, second)
    assert desk.post(f"{of}/cover/offers", json={"teacher": second}).status_code == 409
    board = ok(desk.get(f"{of}/cover"))
    assert [(x["name"], x["end"]) for x in board["offers"]] == [("Cô teacher2", None)]
    assert [(x["name"], x["fits"]) for x in board["candidates"]] == [("Cô teacher2", True)]
    assert ok(desk.get(f"{of}/candidates")) == board["candidates"]
    assert [x["lesson"]["id"] for x in ok(desk.get(f"{V1}/cover"))] == [lesson.id]
    for _ in range(2):
        taken = ok(desk.post(f"{of}/cover/offers/{second}/accept"))
        assert (taken["standing"], taken["lesson"]["teacher"]) == ("yours", "Cô teacher2")
    assert (audits(ctx, "take_lesson_over"), ok(desk.get(f"{V1}/cover"))) == (1, [])
    assert api("teacher2").get(f"{of}").status_code == 200
    assert api("teacher2").get(f"{of}/cover").status_code == 403


def test_cover_is_declined_taken_by_telephone_or_closed(api, ctx, cast, lesson, of):
    desk, second = api("coordinator"), cast["teacher2"]
    ok(desk.put(f"{V1}/cover/automatic", json={"on": False}))
    ok(desk.post(f"{of}/cover", json={"reason": "ốm"}))
    assert ok(desk.post(f"{of}/cover/close"))["state"] == "scheduled"
    assert desk.post(f"{of}/cover/close").status_code == 409
    ok(desk.post(f"{of}/cover", json={"reason": "ốm"}))
    ok(desk.post(f"{of}/cover/offers", json={"teacher": second}), 201)
    no = ok(desk.post(f"{of}/cover/offers/{second}/decline", json={"reason": "bận"}))
    assert (no["standing"], no["lesson"]["teacher"]) == ("declined", "Cô teacher1")
    body = {"teacher": second, "reason": "Nhận lời qua điện thoại"}
    assert ok(desk.post(f"{of}/cover/take", json=body))["teacher"] == "Cô teacher2"
    assert desk.post(f"{of}/cover/take", json=body).status_code == 404
    assert audits(ctx, "assign_lesson") == 1


def test_two_teachers_swap_once_and_others_learn_nothing(api, ctx, cast, clock, lesson):
    asker, other = api("teacher1"), api("teacher2")
    theirs = timetable(ctx, cast)[1]
    near = ok(asker.get(f"{V1}/lessons/{lesson.id}/partners"))
    assert [(x["lesson"], x["class_name"]) for x in near] == [(theirs.id, "8B")]
    wish = {"given": lesson.id, "wanted": theirs.id, "words": "Em bận họp"}
    made = ok(asker.post(f"{V1}/swaps", json=wish), 201)
    assert ok(asker.post(f"{V1}/swaps", json=wish), 201) == made
    assert audits(ctx, "ask_swap") == 1
    address = f"{V1}/swaps/{made['id']}"
    assert ok(other.get(address))["asked"] is True
    assert asker.post(f"{address}/accept").status_code == 404
    stranger = api("stranger")
    assert stranger.get(address).json() == stranger.get(f"{V1}/swaps/9999").json()
    for _ in range(2):
        assert ok(other.post(f"{address}/accept"))["end"] == "agreed"
    assert {x.id: x.teacher_name for x in timetable(ctx, cast)} == {
        lesson.id: "Cô teacher2", theirs.id: "Cô teacher1",
    }  # fmt: skip
    assert [x["end"] for x in ok(asker.get(f"{V1}/swaps"))] == ["agreed"]
    assert [x["end"] for x in ok(api("coordinator").get(f"{V1}/swaps/all"))] == ["agreed"]

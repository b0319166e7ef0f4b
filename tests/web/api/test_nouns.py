"""What offices keep, through the API: requests, people, lists, partnerships, as on pages."""

import base64
from datetime import date

import pytest

from scheduler.store import terms
from tests.web.api.test_changing import V1, ok

ASK = {
    "class_name": "7A", "lessons_per_week": 1, "first_day": "2023-10-02",
    "last_day": "2023-12-31", "priority": 2,
}  # fmt: skip


@pytest.fixture
def desk(api):
    return api("coordinator")


def test_a_school_asks_changes_as_it_was_read_takes_back_and_restores(api, cast):
    school, here = api("schoolA"), f"{V1}/schools/{cast['A']}/requests"
    slots = ok(school.get(f"{V1}/requests/{cast['request_7A']}"))["slots"]
    made = school.post(here, json={**ASK, "lessons_per_week": 2, "slots": slots})
    assert made.status_code == 201
    one = f"{V1}/requests/{made.json()['id']}"
    read = school.get(one)
    assert read.json() == made.json()
    assert read.headers["etag"] == f'"{read.json()["fingerprint"]}"'
    body = {**ASK, "priority": 1, "lessons_per_week": 2, "slots": slots}
    assert school.put(one, json=body).status_code == 428
    changed = school.put(one, json=body, headers={"if-match": read.headers["etag"]})
    assert (changed.status_code, changed.json()["priority"]) == (200, 1)
    stale = school.put(
        one, json={**body, "priority": 3}, headers={"if-match": read.headers["etag"]}
    )
    assert stale.status_code == 412
    assert school.put(one, json={**body, "priority": 3, "fingerprint": "x"}).status_code == 409
    assert school.post(f"{one}/withdraw").status_code == 204
    assert school.post(f"{one}/withdraw").status_code == 409
    assert school.post(f"{one}/restore").status_code == 204
    twice = school.post(here, json={**ASK, "slots": [slots[0], slots[0]]})
    assert twice.status_code == 422
    strange = school.post(here, json={**ASK, "class_name": "9Z", "slots": slots})
    assert [each["field"] for each in strange.json()["errors"]] == ["class_name"]
    assert api("schoolB").get(one).status_code == 404


def test_people_are_found_invited_switched_off_as_seen_and_on(desk, cast):
    people = ok(desk.get(f"{V1}/people", params={"role": "teacher"}))
    assert [each["name"] for each in people] == ["Cô teacher1", "Cô teacher2"]
    one = f"{V1}/people/{cast['person_teacher1']}"
    assert ok(desk.get(one)) == people[0]
    seen = desk.get(f"{one}/departure")
    assert desk.post(f"{one}/switch-off", json={}).status_code == 428
    off = desk.post(f"{one}/switch-off", json={}, headers={"if-match": seen.headers["etag"]})
    assert off.status_code == 200
    assert ok(desk.get(one))["active"] is False
    assert ok(desk.post(f"{one}/switch-on"))["active"] is True
    wish = {
        "email": "moi@truong.example", "name": "Trần Mới", "role": "teacher",
        "donor_school": "THCS Ái Mộ",
    }  # fmt: skip
    made = desk.post(f"{V1}/invitations", json=wish)
    assert (made.status_code, made.json()["state"], made.json()["open"]) == (201, "open", True)
    assert ok(desk.get(f"{V1}/invitations")) == [made.json()]
    for _ in range(2):
        assert desk.delete(f"{V1}/invitations/{made.json()['id']}").status_code == 204
    assert ok(desk.get(f"{V1}/invitations"))[0]["state"] == "revoked"


def sent(name, text):
    return {"name": name, "content": base64.b64encode(text.encode()).decode()}


HOLIDAY = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n"
    "DTSTART;VALUE=DATE:20231120\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def test_lists_are_previewed_then_taken_over_exactly_as_seen(ctx, desk, cast):
    made = desk.post(f"{V1}/imports", json={"files": [sent("nghi.ics", HOLIDAY)]})
    assert made.status_code == 201
    look = made.json()
    assert (look["faults"], look["counts"]["terms"]["changed"]) == ([], 1)
    here = f"{V1}/imports/{look['id']}"
    assert desk.get(here).headers["etag"] == f'"{look["fingerprint"]}"'
    assert desk.post(f"{here}/take-over", json={}).status_code == 428
    assert desk.post(f"{here}/take-over", json={"fingerprint": "x"}).status_code == 409
    done = desk.post(f"{here}/take-over", json={"fingerprint": look["fingerprint"]})
    assert done.status_code == 200
    with ctx.reading() as db:
        assert date(2023, 11, 20) in terms.get(db, cast["term"]).holidays
    assert ok(desk.get(here))["changes_nothing"] is True


def test_what_is_wrong_with_lists_is_told_and_nothing_is_taken_over(desk):
    made = desk.post(f"{V1}/imports", json={"files": [sent("truong.csv", "Mã trường\nC\n")]})
    assert made.status_code == 201
    assert made.json()["counts"] == {}
    assert made.json()["faults"] != []
    body = {"fingerprint": made.json()["fingerprint"]}
    assert desk.post(f"{V1}/imports/{made.json()['id']}/take-over", json=body).status_code == 422
    unread = desk.post(f"{V1}/imports", json={"files": [{"name": "a.csv", "content": "é"}]})
    assert [each["field"] for each in unread.json()["errors"]] == ["files.0.content"]


def test_a_partnership_is_noted_changed_and_ended_as_it_was_read(desk):
    pair = {"donor_unit": "Long Biên", "receiving_unit": "Lục Yên", "lessons_pledged": 40}
    made = desk.post(f"{V1}/partnerships", json=pair)
    assert made.status_code == 201
    one = f"{V1}/partnerships/{made.json()['id']}"
    first = desk.get(one)
    assert first.json() == made.json()
    tag = {"if-match": first.headers["etag"]}
    changed = desk.put(one, json={**pair, "lessons_pledged": 50}, headers=tag)
    assert (changed.status_code, changed.json()["lessons_pledged"]) == (200, 50)
    assert desk.put(one, json={**pair, "lessons_pledged": 60}, headers=tag).status_code == 412
    (listed,) = ok(desk.get(f"{V1}/partnerships"))
    assert listed["partnership"] == changed.json()
    assert desk.delete(one).status_code == 428
    assert desk.delete(one, headers=tag).status_code == 412
    assert desk.delete(one, headers={"if-match": changed.headers["etag"]}).status_code == 204
    assert desk.get(one).status_code == 404


def test_a_term_is_added_and_changed_as_it_was_read(desk):
    days = {"name": "Học kỳ II", "first_day": "2024-01-15", "last_day": "2024-05-31"}
    new = {**days, "code": "HK2", "gap_minutes": 10, "holidays": ["2024-05-01", "2024-04-30"]}
    made = desk.post(f"{V1}/terms", json=new)
    assert made.status_code == 201, made.text
    assert made.json()["holidays"] == ["2024-04-30", "2024-05-01"]
    one = f"{V1}/terms/{made.json()['id']}"
    first = desk.get(one)
    assert first.json() == made.json()
    tag = {"if-match": first.headers["etag"]}
    shorter = {**days, "last_day": "2024-05-24", "gap_minutes": 15}
    assert desk.put(one, json=shorter).status_code == 428
    changed = desk.put(one, json=shorter, headers=tag)
    assert (changed.status_code, changed.json()["gap_minutes"]) == (200, 15), changed.text
    assert desk.put(one, json={**shorter, "gap_minutes": 5}, headers=tag).status_code == 412
    same = desk.post(f"{V1}/terms", json={**new, "name": "Học kỳ hè"})
    assert (same.status_code, same.json()["errors"][0]["field"]) == (422, "last_day")


def test_what_a_term_cuts_off_is_seen_before(desk, cast):
    one = f"{V1}/terms/{cast['term']}"
    first = desk.get(one)
    known = {name: first.json()[name] for name in ("name", "first_day", "gap_minutes")}
    shorter = {**known, "last_day": "2023-10-15", "holidays": []}
    seen = ok(desk.post(f"{one}/beyond", json=shorter))
    assert len(seen["cut"]) == 2
    tag = {"if-match": first.headers["etag"]}
    assert desk.put(one, json=shorter, headers=tag).status_code == 412
    agreed = desk.put(one, json={**shorter, "agreed": seen["agreed"]}, headers=tag)
    assert (agreed.status_code, agreed.json()["last_day"]) == (200, "2023-10-15"), agreed.text


def test_a_school_asks_for_the_term_that_its_program_names(api, desk, cast):
    school, here = api("schoolA"), f"{V1}/schools/{cast['A']}/requests"
    slots = ok(school.get(f"{V1}/requests/{cast['request_7A']}"))["slots"]
    spring = {"name": "Kỳ xuân", "first_day": "2024-01-15", "last_day": "2024-05-31"}
    new = desk.post(f"{V1}/terms", json={**spring, "code": "X", "gap_minutes": 10}).json()["id"]
    asked = {**ASK, "lessons_per_week": 2, "slots": slots}
    assert school.post(here, json=asked).status_code == 422  # its days are not of the newest
    made = school.post(here, params={"term": cast["term"]}, json=asked)
    assert made.status_code == 201, made.text
    known = {each["id"]: each["term"] for each in ok(school.get(f"{V1}/requests"))}
    assert known[made.json()["id"]] == cast["term"] != new

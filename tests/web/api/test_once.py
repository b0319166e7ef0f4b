"""What programs believe: asked once under a key, changed as it was read, read again cheaply."""

import pytest

from scheduler.domain import scopes
from scheduler.services import access_tokens
from tests.planning import A1, A2, draft, publish, timetable

V1 = "/api/v1"
REASON = {"reason": "Trường nghỉ"}


@pytest.fixture
def lesson(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1))
    (found,) = timetable(ctx, cast)
    return found


@pytest.fixture
def desk(api):
    return api("coordinator")


def keyed(client, path, body, key):
    return client.post(f"{V1}{path}", json=body, headers={"idempotency-key": key})


def test_what_is_asked_twice_under_a_key_is_done_once_and_answered_alike(ctx, cast, desk, clock):
    plan = draft(ctx, cast, A1)
    seen = desk.get(f"{V1}/plans/{plan}").json()["fingerprint"]
    body = {"fingerprint": seen}
    first = keyed(desk, f"/plans/{plan}/publish", body, "a")
    clock.forward(minutes=5)
    again = keyed(desk, f"/plans/{plan}/publish", body, "a")
    assert (first.status_code, again.status_code) == (200, 200)
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert keyed(desk, f"/plans/{plan}/publish", body, "b").status_code == 409  # as without a key
    assert keyed(desk, f"/plans/{plan}/publish", {"fingerprint": "x"}, "a").status_code == 422


def test_a_refusal_is_kept_too_and_a_key_is_ones_own(api, desk, lesson):
    path = f"/lessons/{lesson.id}/call-off"
    refused = keyed(api("schoolB"), path, REASON, "k")
    assert refused.status_code == 404
    assert keyed(api("schoolB"), path, REASON, "k").text == refused.text
    assert keyed(desk, path, REASON, "k").status_code == 200


@pytest.mark.parametrize("key", ["", " ", "a b", "é".encode(), "x" * 201])
def test_what_is_no_key_is_refused(desk, lesson, key):
    refused = keyed(desk, f"/lessons/{lesson.id}/call-off", REASON, key)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "Idempotency-Key"


def test_a_plan_is_published_by_the_tag_that_was_read(ctx, cast, desk, lesson):
    plan = draft(ctx, cast, A1, A2)
    read = desk.get(f"{V1}/plans/{plan}")
    tag = read.headers["etag"]
    assert tag == f'"{read.json()["fingerprint"]}"'
    assert desk.post(f"{V1}/plans/{plan}/publish", json={}).status_code == 428
    for wrong in ('"x"', "*", "W/" + tag, f'{tag}, "x"', "x"):
        stale = desk.post(f"{V1}/plans/{plan}/publish", json={}, headers={"if-match": wrong})
        assert stale.status_code == 412, wrong
    done = desk.post(f"{V1}/plans/{plan}/publish", json={}, headers={"if-match": tag})
    assert done.status_code == 200


def test_own_hours_are_changed_by_the_tag_that_was_read(api):
    lan, here = api("teacher1"), f"{V1}/availability"
    found = lan.get(here)
    names = ("windows", "levels", "max_per_day", "max_per_week", "max_total", "wishes", "wanted")
    body = {name: found.json()[name] for name in names}
    assert lan.put(here, json=body).status_code == 428
    tag = {"if-match": found.headers["etag"]}
    changed = lan.put(here, json=body | {"max_per_day": 1}, headers=tag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != found.headers["etag"]
    assert lan.put(here, json=body, headers=tag).status_code == 412


def test_what_has_not_changed_is_not_sent_again(desk, ctx, cast, lesson):
    one = f"{V1}/lessons/{lesson.id}"
    read = desk.get(one)
    same = desk.get(one, headers={"if-none-match": read.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == read.headers["etag"]
    desk.post(f"{one}/call-off", json=REASON)
    assert desk.get(one, headers={"if-none-match": read.headers["etag"]}).status_code == 200


def test_a_token_that_only_reads_changes_nothing(ctx, cast, site, lesson):
    client = site.browser()
    boss = cast.actors["coordinator"]
    made = access_tokens.make(ctx, boss, "sổ", 1, proved=True, scopes=scopes.READING)
    client.headers["authorization"] = f"Bearer {made.text}"
    assert client.get(f"{V1}/lessons/{lesson.id}").status_code == 200
    refused = client.post(f"{V1}/lessons/{lesson.id}/call-off", json=REASON)
    assert refused.status_code == 403
    assert client.get(f"{V1}/lessons/{lesson.id}").json()["state"] == "scheduled"

"""Programs that are told of changes, looked after through the API."""

import pytest
import sqlalchemy as sa

from scheduler.store import tables
from tests.web.api.test_changing import V1, ok

HERE = f"{V1}/webhooks"
WISH = {"name": "Sổ", "address": "https://hook.example/x", "events": ["lesson.moved"]}


@pytest.fixture
def desk(api):
    return api("coordinator")


@pytest.fixture
def hook(desk):
    return f"{HERE}/{desk.post(HERE, json=WISH).json()['webhook']}"


def test_a_secret_is_answered_once_and_kept_sealed(ctx, desk):
    first, again = (desk.post(HERE, json=WISH, headers={"idempotency-key": "k"}) for _ in "12")
    assert (first.status_code, again.json()) == (201, first.json())
    assert len(ok(desk.get(HERE))) == 1
    secret = first.json()["secret"]
    assert secret not in desk.get(HERE).text
    with ctx.reading() as db:
        kept = db.scalars(sa.select(tables.kept_answers.c.body)).all()
    assert len(kept) == 1
    assert secret.encode() not in kept[0]


def test_it_is_changed_paused_resumed_and_taken_away(desk, hook):
    changed = ok(desk.put(hook, json={"name": "Sổ mới", "events": ["plan.published"]}))
    assert (changed["name"], changed["events"]) == ("Sổ mới", ["plan.published"])
    assert ok(desk.post(f"{hook}/pause"))["active"] is False
    assert ok(desk.post(f"{hook}/resume"))["active"] is True
    rotated = desk.post(f"{hook}/rotate")
    assert rotated.status_code == 201
    assert desk.post(f"{hook}/rotate").status_code == 409
    assert ok(desk.get(hook))["both_until"] is not None
    assert desk.delete(hook).status_code == 204
    assert desk.get(hook).status_code == 404


def test_what_went_to_it_is_read_page_by_page_and_sent_again(ctx, desk, hook):
    for _ in range(3):
        assert desk.post(f"{hook}/test").status_code == 204
    page = desk.get(f"{hook}/deliveries", params={"limit": 2})
    rest = desk.get(page.links["next"]["url"])
    numbers = [each["id"] for answer in (page, rest) for each in answer.json()]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 3
    assert "next" not in rest.links
    way = f"{hook}/deliveries/{numbers[0]}"
    sent = ok(desk.get(way))
    assert sent["delivery"]["event"] == "webhook.test"
    assert '"type":"webhook.test"' in sent["body"].replace(" ", "")
    with ctx.transaction() as db:
        gone = {"state": "failed", "ended_at": ctx.now()}
        db.execute(tables.webhook_deliveries.update().values(**gone))
    assert ok(desk.post(f"{way}/again"))["state"] == "waiting"
    assert ok(desk.post(f"{hook}/again")) == {"deliveries": 2}


def test_an_address_that_is_not_public_https_is_refused_at_its_field(desk):
    refused = desk.post(HERE, json={**WISH, "address": "http://10.0.0.1/x"})
    assert refused.status_code == 422
    assert [each["field"] for each in refused.json()["errors"]] == ["address"]


def test_nobody_else_sees_or_touches_it(api, hook):
    for who in ("teacher1", "schoolA", "stranger"):
        assert api(who).get(hook).status_code in (403, 404)
        assert api(who).delete(hook).status_code in (403, 404)

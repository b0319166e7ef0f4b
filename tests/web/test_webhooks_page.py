"""The pages on which a coordinator looks after programs that are told of changes."""

import re
from datetime import timedelta

import pytest

from scheduler.delivery.network import Network
from scheduler.domain.webhooks import Event
from scheduler.services import webhook_sending, webhooks
from tests.delivery import peer
from tests.planning import A1, draft, publish
from tests.web.cast_desk import plain, queries

HERE = "/coordinator/settings/webhooks"
ADDRESS = "https://hook.example/su-kien"
FORM = {"name": "Sổ trường", "address": ADDRESS, "events": ["lesson.moved", "plan.published"]}


@pytest.fixture
def desk(site, cast):
    found = site.of(cast.actors["coordinator"])
    found.see(HERE)
    return found


@pytest.fixture
def hook(ctx, cast):
    boss = cast.actors["coordinator"]
    return webhooks.add(ctx, boss, "Sổ trường", ADDRESS, frozenset(Event)).endpoint_id


def send(ctx, behaviour):
    """Let all that is due go to a server on this machine; what it heard."""
    with peer.running({"/su-kien": behaviour}) as far:
        there = Network(ports={"https": far.port}, allow=lambda _: True, resolve=_here)
        webhook_sending.send_due(ctx, network=there)
        return far.requests


def _here(_name):
    return ["127.0.0.1"]


def test_a_program_is_added_and_its_secret_is_shown_once(ctx, cast, desk):
    assert HERE in desk.see("/coordinator/settings").text
    assert "Chưa báo cho chương trình nào" in desk.see(HERE).text
    made = desk.submit(HERE, FORM)
    assert made.status_code == 200
    secret = re.search(r'id="secret">([\w-]{43})<', made.text)[1]
    listed = desk.see(HERE)
    assert "hook.example" in listed.text
    assert "su-kien" not in listed.text
    one = desk.see(f"{HERE}/1")
    assert one.text.count(" checked") == 2
    assert all(secret not in page.text for page in (listed, one))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"address": "http://hook.example/"}, "address"),
        ({"address": "https://hook.example:8443/"}, "address"),
        ({"name": " "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"events": []}, "events"),
        ({"events": ["lesson.burnt"]}, "events"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field_and_what_was_typed_stays(desk, change, field):
    refused = desk.submit(HERE, FORM | change)
    assert refused.status_code == 422
    assert f'href="#{field}"' in refused.text
    assert (FORM | change)["address"] in refused.text
    assert "Chưa báo cho chương trình nào" in desk.see(HERE).text


def test_what_did_not_arrive_is_seen_and_sent_again(ctx, cast, clock, site, hook):
    publish(ctx, cast, draft(ctx, cast, A1))
    for _ in range(200):
        clock.forward(minutes=15)
        webhook_sending.send_due(ctx, network=Network(allow=lambda _: False, resolve=_here))
    desk = site.of(cast.actors["coordinator"])
    assert "Không đến nơi" in desk.see(HERE).text
    page = desk.see(f"{HERE}/{hook}")
    assert "Gửi lại 2 tin" in plain(page)
    assert "Địa chỉ này dẫn tới nơi chúng tôi không gửi" in page.text
    assert desk.submit(f"{HERE}/{hook}/again").status_code == 303
    assert "Đã gửi lại: 2" in plain(desk.see(f"{HERE}/{hook}"))


def test_one_delivery_shows_what_is_sent_and_what_was_answered(ctx, cast, desk, hook):
    assert desk.submit(f"{HERE}/{hook}/test").status_code == 303
    send(ctx, lambda _send: None)
    page = desk.see(f"{HERE}/{hook}")
    way = re.search(rf"{HERE}/{hook}/deliveries/(\d+)", page.text)[0]
    shown = desk.see(way)
    assert "webhook.test" in shown.text
    assert desk.see(f"{HERE}/{hook}/deliveries/99").status_code == 404
    assert desk.submit(f"{way}/again").status_code == 303


def test_name_and_events_are_changed_secrets_too_and_it_is_paused_and_taken_away(desk, hook):
    mine = f"{HERE}/{hook}"
    changed = desk.submit(f"{mine}/change", {"name": "Sổ mới", "events": ["report.given"]})
    assert changed.status_code == 303
    assert desk.see(mine).text.count(" checked") == 1
    bad = desk.submit(f"{mine}/change", {"name": "Sổ khác"})
    assert (bad.status_code, "Sổ khác" in bad.text) == (422, True)
    rotated = desk.submit(f"{mine}/rotate")
    assert re.search(r'id="secret">[\w-]{43}<', rotated.text)
    assert desk.submit(f"{mine}/rotate").status_code == 409
    for _ in range(2):
        assert desk.submit(f"{mine}/pause").status_code == 303
    assert "đang tạm dừng" in plain(desk.see(mine)).lower()
    assert desk.submit(f"{mine}/resume").status_code == 303
    assert desk.submit(f"{mine}/remove").status_code == 303
    assert "Sổ mới" in plain(desk.see(HERE))  # once, as a farewell
    assert desk.see(mine).status_code == 404
    assert "Chưa báo cho chương trình nào" in desk.see(HERE).text


def test_the_list_asks_as_little_for_three_as_for_one(ctx, cast, desk, hook):
    def asked(path):
        with queries(ctx) as seen:
            assert desk.get(path).status_code == 200
        return len(seen)

    before = asked(HERE), asked(f"{HERE}/{hook}")
    boss = cast.actors["coordinator"]
    for n in range(2):
        webhooks.add(ctx, boss, f"{n}", ADDRESS, frozenset(Event))
        webhooks.test(ctx, boss, hook)
    assert (asked(HERE), asked(f"{HERE}/{hook}")) == before


def test_long_lists_of_deliveries_are_read_page_by_page(ctx, cast, clock, desk, hook):
    for _ in range(webhooks.SHOWN + 3):
        webhooks.test(ctx, cast.actors["coordinator"], hook)
        clock.forward(seconds=timedelta(minutes=1).total_seconds())
    page = desk.see(f"{HERE}/{hook}")
    onward = re.search(rf"{HERE}/{hook}\?before=\d+", page.text)[0]
    assert desk.see(onward).text.count("/again") == 0
    assert desk.see(onward).text.count("/deliveries/") == 3
    assert desk.see(f"{HERE}/{hook}?before=x").status_code == 200

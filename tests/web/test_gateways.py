"""The door of gateways' reports: signed, lately, once; anything else changes nothing."""

import json
import time

import pytest

from scheduler.delivery import gateway
from scheduler.domain.messages import Channel, MessageState
from scheduler.services import notices
from scheduler.web.pages.gateways import LARGEST_REPORT
from tests.faults.kit import rows, states
from tests.services.ways_kit import SECRET, claimed, end, have_phone, plan, with_gateways
from tests.web.browser import Site

SMS = Channel.SMS


@pytest.fixture
def wired(ctx):
    return with_gateways(ctx)


@pytest.fixture
def far(wired):
    """A machine without cookies that posts what it is given."""
    return Site(wired).browser()


@pytest.fixture
def sent(ctx, cast):
    """A message that the gateway took; its name."""
    have_phone(ctx, cast["person_teacher1"])
    row_id = plan(ctx, cast["person_teacher1"], SMS)
    end(ctx, row_id, MessageState.SENT, provider_reply="r-1")
    return notices.name(claimed(ctx, row_id))


def post(far, told, *, path="/gateway/sms", secret=SECRET, at=0.0, signed=None):
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    stamp = str(int(time.time() + at))
    headers = {
        "chungtay-timestamp": stamp,
        "chungtay-signature": gateway.signature(secret.encode(), stamp, signed or body),
    }
    return far.post(path, content=body, headers=headers)


def test_a_message_that_arrived_is_noted_once(ctx, far, sent):
    told = {"id": sent, "state": "delivered"}
    answer = post(far, told)
    assert (answer.status_code, answer.json()) == (200, {"noted": sent})
    assert rows(ctx, "state", "provider_reply") == [("sent", "delivered r-1")]
    assert post(far, told).status_code == 409
    assert post(far, told | {"state": "failed"}).status_code == 409
    assert rows(ctx, "state", "provider_reply") == [("sent", "delivered r-1")]


def test_a_message_that_failed_takes_the_next_way_once(ctx, far, sent):
    told = {"id": sent, "state": "failed", "reason": "phone is off"}
    assert post(far, told).status_code == 200
    assert rows(ctx, "channel", "state", "last_error") == [
        ("sms", "failed", "failed: phone is off"),
        ("mail", "planned", ""),
    ]
    assert post(far, told).status_code == 409
    assert post(far, told | {"state": "delivered"}).status_code == 409
    assert states(ctx) == {"failed": 1, "planned": 1}


def test_a_reason_that_no_database_keeps_is_noted_without_its_odd_signs(ctx, far, sent):
    told = {"id": sent, "state": "failed", "reason": "phone \ud83d is\noff"}
    assert post(far, told).status_code == 200
    assert rows(ctx, "last_error")[0] == ("failed: phone is off",)


def test_a_message_of_unknown_fate_is_cleared_up(ctx, cast, far, sent):
    end(ctx, claimed(ctx, 1).id, MessageState.UNKNOWN)
    assert post(far, {"id": sent, "state": "delivered"}).status_code == 200
    assert rows(ctx, "state", "sent_at") == [("sent", ctx.now())]


def test_a_report_that_comes_before_our_own_mark_is_asked_for_again(ctx, far, sent):
    end(ctx, 1, MessageState.LEASED, lease_token="x")
    answer = post(far, {"id": sent, "state": "delivered"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert states(ctx) == {"leased": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "another secret, and just as long as it"},
        {"at": -310.0},
        {"at": 310.0},
        {"signed": b"{}"},
    ],
)
def test_what_is_not_signed_as_agreed_changes_nothing(ctx, far, sent, wrong):
    answer = post(far, {"id": sent, "state": "failed"}, **wrong)
    assert answer.status_code == 401
    assert states(ctx) == {"sent": 1}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"chungtay-timestamp": "x", "chungtay-signature": "v1="},
        {"chungtay-timestamp": "9" * 50, "chungtay-signature": "v1=0"},
        {"chungtay-timestamp": "-1", "chungtay-signature": b"\xff\xfe"},
    ],
)
def test_what_is_not_signed_at_all_changes_nothing(ctx, far, sent, headers):
    body = json.dumps({"id": sent, "state": "failed"}).encode()
    assert far.post("/gateway/sms", content=body, headers=headers).status_code == 401
    assert states(ctx) == {"sent": 1}


@pytest.mark.parametrize("stamp", ["x", "9" * 50, "1e9", "-1", "", "\u0661"])
def test_a_signed_time_that_is_none_is_refused(far, sent, stamp):
    body = json.dumps({"id": sent, "state": "failed"}).encode()
    headers = {
        "chungtay-timestamp": stamp.encode(),
        "chungtay-signature": gateway.signature(SECRET.encode(), stamp, body),
    }
    assert far.post("/gateway/sms", content=body, headers=headers).status_code == 401


def test_a_gateway_speaks_of_its_own_messages_only(ctx, cast, far, sent):
    end(ctx, plan(ctx, cast["person_schoolA"], Channel.MAIL), MessageState.SENT)
    mailed = notices.name(claimed(ctx, 2))
    number, _, stamp = sent.partition("-")
    for name in (mailed, f"{number}-{'0' * 32}", f"2-{stamp}", "999999-x", "-", "", "1" * 40):
        assert post(far, {"id": name, "state": "failed"}).status_code == 404
    told = {"id": sent, "state": "failed"}
    assert post(far, told, path="/gateway/zalo").status_code == 404
    assert states(ctx) == {"sent": 2}


@pytest.mark.parametrize(
    "told",
    [b"", b"{", b"[]", b"null", b"\xff", b"[" * 5000, {"id": 1, "state": "failed"},
     {"id": "1\0", "state": "failed"}, {"id": "x"}, {"id": "x", "state": "read"}],
)  # fmt: skip
def test_what_is_no_report_is_told_apart(far, sent, told):
    assert post(far, told).status_code == 422


def test_a_huge_report_is_not_read(far, sent):
    assert post(far, b"x" * (LARGEST_REPORT + 1)).status_code == 413
    assert post(far, b"x" * 2_000_000).status_code == 413


def test_there_is_no_door_for_a_gateway_that_is_not_set(ctx, site, sent):
    for path in ("/gateway/sms", "/gateway/zalo", "/gateway/mail", "/gateway/push", "/gateway/x"):
        assert post(site.browser(), {"id": sent, "state": "failed"}, path=path).status_code == 404


def test_the_door_is_for_posting_only(far):
    assert far.get("/gateway/sms").status_code == 405

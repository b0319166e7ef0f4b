"""A gateway gets one signed request a message, and what it answers is understood."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator

import pytest

from scheduler.delivery import posting
from scheduler.delivery.channels import Outcome, Parcel, Receipt
from scheduler.delivery.gateway import GatewayTransport
from tests.delivery import peer
from tests.delivery.peer import Behaviour, Peer, answer, running

SECRET = b"a secret of a gateway, long enough"
NUMBER = "+84912345678"
BODY = '{"text":"Tiết dạy"}'.encode()
PARCEL = Parcel("7-abc", (NUMBER,), BODY, 60)


@pytest.fixture
def paths() -> dict[str, Behaviour]:
    return {"/sms?a=1": answer(b'{"reference": "r-1"}', status="202 Accepted")}


@pytest.fixture
def server(paths: dict[str, Behaviour]) -> Iterator[Peer]:
    with running(paths) as serving:
        yield serving


def gateway(server: Peer, path: str = "/sms?a=1") -> GatewayTransport:
    return GatewayTransport(f"http://127.0.0.1:{server.port}{path}", SECRET)


def test_a_message_is_posted_signed_and_named(server: Peer) -> None:
    assert gateway(server).send(PARCEL) == Receipt(Outcome.SENT, "r-1")
    [request] = server.requests
    assert request.body == BODY
    head = request.headers
    assert (head["Idempotency-Key"], head["Content-Type"]) == ("7-abc", "application/json")
    assert abs(int(head["Chungtay-Timestamp"]) - time.time()) < 5
    signed = head["Chungtay-Timestamp"].encode() + b"." + BODY
    expected = hmac.new(SECRET, signed, hashlib.sha256).hexdigest()
    assert head["Chungtay-Signature"] == f"v1={expected}"


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        ("200 OK", b"", Receipt(Outcome.SENT, "200")),
        ("200 OK", b"[" * 100_000, Receipt(Outcome.SENT, "200")),
        ("400 Bad", b"no", Receipt(Outcome.REFUSED, "400 no")),
        ("400 Bad", b"no way to +84912345678, 84912345678",
         Receipt(Outcome.REFUSED, "400 no way to +..., ...")),
        ("422 Bad", b'{"error":"number"}',
         Receipt(Outcome.REFUSED, '422 {"error":"number"}', gone=(NUMBER,))),
        ("404 Gone", b"", Receipt(Outcome.REFUSED, "404", gone=(NUMBER,))),
        ("410 Gone", b"", Receipt(Outcome.REFUSED, "410", gone=(NUMBER,))),
        ("401 Who", b"", Receipt(Outcome.REFUSED_FOR_NOW, "401")),
        ("403 No", b"", Receipt(Outcome.REFUSED_FOR_NOW, "403")),
        ("429 Slower", b"", Receipt(Outcome.REFUSED_FOR_NOW, "429")),
        ("500 Oh", b"\xff\x00", Receipt(Outcome.REFUSED_FOR_NOW, "500 \ufffd\x00")),
        ("302 Away", b"", Receipt(Outcome.REFUSED_FOR_NOW, "302")),
    ],
)  # fmt: skip
def test_answers_are_understood(
    server: Peer, paths: dict[str, Behaviour], status: str, said: bytes, expected: Receipt
) -> None:
    paths["/x"] = answer(said, status=status, Location="/sms?a=1")
    assert gateway(server, "/x").send(PARCEL) == expected
    assert len(server.requests) == 1


def test_a_gateway_that_is_away_is_no_fault_of_the_message(server: Peer) -> None:
    lost = GatewayTransport("http://127.0.0.1:9/sms", SECRET)
    receipt = lost.send(PARCEL)
    assert (receipt.outcome, receipt.relay_away) == (Outcome.REFUSED_FOR_NOW, True)
    plain = gateway(server)
    wrong = GatewayTransport(plain.url.replace("http://", "https://"), SECRET)
    receipt = wrong.send(PARCEL)  # it speaks no TLS
    assert (receipt.outcome, receipt.relay_away) == (Outcome.REFUSED_FOR_NOW, True)


def test_what_breaks_after_the_request_is_unknown_and_keeps_its_name(
    server: Peer, paths: dict[str, Behaviour]
) -> None:
    paths["/mute"] = lambda send: None
    assert gateway(server, "/mute").send(PARCEL).outcome is Outcome.UNKNOWN
    assert gateway(server).send(PARCEL).outcome is Outcome.SENT
    assert [each.headers["Idempotency-Key"] for each in server.requests] == ["7-abc"] * 2


def test_an_answer_without_an_end_holds_nobody(
    server: Peer, paths: dict[str, Behaviour], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "SECONDS", 0.4)
    paths["/endless"] = peer.dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 100_000, every=0)
    paths["/drip"] = peer.dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")
    began = time.monotonic()
    assert gateway(server, "/endless").send(PARCEL) == Receipt(Outcome.SENT, "200")
    assert gateway(server, "/drip").send(PARCEL).outcome is Outcome.UNKNOWN
    assert time.monotonic() - began < 2


def test_nothing_goes_unencrypted_out_of_the_house() -> None:
    receipt = GatewayTransport("http://93.184.215.14/sms", SECRET).send(PARCEL)
    assert receipt == Receipt(
        Outcome.REFUSED_FOR_NOW, "a place that may not be reached", relay_away=True
    )


def test_a_reader_without_a_number_is_refused_before_anything_is_posted(server: Peer) -> None:
    receipt = gateway(server).send(Parcel("7-abc", (), json.dumps({}).encode(), 60))
    assert receipt.outcome is Outcome.REFUSED
    assert server.requests == []

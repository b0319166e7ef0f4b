"""Push messages reach browsers' services sealed and signed, and nobody who is not public."""

import base64
import json
import ssl
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jose import jwt

from scheduler import security
from scheduler.delivery import posting, push
from scheduler.delivery.channels import Outcome, Parcel, Receipt
from scheduler.delivery.network import Network
from scheduler.delivery.notices import Notice
from scheduler.delivery.push import PushTransport
from scheduler.domain.devices import Subscription
from tests.conftest import KEY
from tests.delivery import peer
from tests.delivery.browsers import NAME, Browser, Far, Settled, letters, pushing
from tests.delivery.peer import Behaviour, Peer, answer

NOTICE = Notice("Tiết dạy 7A", "Hôm nay 07:30", "https://chungtay.example/j/x", "1:2", "soon", {})
SUBJECT = "mailto:no-reply@chungtay.example"


@pytest.fixture
def paths() -> dict[str, Behaviour]:
    return {"/ok": answer(status="201 Created", Location=f"https://{NAME}/m/1")}


@pytest.fixture
def far(paths: dict[str, Behaviour], tmp_path: Path) -> Iterator[Far]:
    with pushing(paths, tmp_path) as serving:
        yield serving


@pytest.fixture
def service(far: Far) -> Peer:
    return far.peer


@pytest.fixture
def settled() -> Settled:
    return Settled()


@pytest.fixture
def transport(far: Far, settled: Settled) -> PushTransport:
    return PushTransport(security.push_key(KEY), SUBJECT, settled, far.network)


def at(path: str, browser: Browser | None = None, host: str = NAME, scheme: str = "https") -> str:
    made = (browser or Browser()).subscription(f"{scheme}://{host}{path}")
    return push.address(made)


def parcel(*devices: str, life: int = 600) -> Parcel:
    return Parcel("<m@x>", devices, push.payload(NOTICE, "vi"), life)


def test_a_message_is_opened_by_its_browser_alone(
    transport: PushTransport, service: Peer, settled: Settled
) -> None:
    mine = Browser()
    device = at("/ok", mine)
    receipt = transport.send(parcel(device))
    assert receipt == Receipt(Outcome.SENT, f"https://{NAME}/m/1")
    assert (settled.taken, settled.gone) == ([device], [])
    [request] = service.requests
    assert mine.open(request.body) == {
        "title": "Tiết dạy 7A",
        "body": "Hôm nay 07:30",
        "url": "https://chungtay.example/j/x",
        "tag": push.topic("1:2"),
        "lang": "vi",
    }
    with pytest.raises(http_ece.ECEException):
        Browser().open(request.body)
    head = request.headers
    assert (head["TTL"], head["Urgency"], head["Topic"]) == ("600", "high", push.topic("1:2"))
    assert (head["Content-Encoding"], len(head["Topic"])) == ("aes128gcm", 32)


def test_a_message_is_signed_by_the_key_that_browsers_were_given(
    transport: PushTransport, service: Peer
) -> None:
    transport.send(parcel(at("/ok")))
    scheme, _, rest = service.requests[0].headers["Authorization"].partition(" ")
    token, key = (part.partition("=")[2] for part in rest.split(","))
    assert (scheme, key) == ("vapid", security.push_name(KEY))
    point = base64.urlsafe_b64decode(key + "=")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    claims = jwt.decode(token, pem, algorithms=["ES256"], audience=f"https://{NAME}")
    assert claims["sub"] == SUBJECT
    assert 0 < claims["exp"] - time.time() <= 24 * 3600


def test_the_key_is_the_same_on_every_host_and_another_for_another_secret() -> None:
    assert security.push_name(KEY) == security.push_name(bytes(KEY))
    assert security.push_name(KEY) != security.push_name(b"another key, also long enough for it")


@pytest.mark.parametrize(
    ("life", "ttl", "urgency"),
    [(-5, "0", "high"), (4 * 3600, "14400", "high"), (14401, "14401", "normal"),
     (10**9, "2419200", "normal")],
)  # fmt: skip
def test_who_has_little_time_is_woken(
    transport: PushTransport, service: Peer, life: int, ttl: str, urgency: str
) -> None:
    transport.send(parcel(at("/ok"), life=life))
    head = service.requests[0].headers
    assert (head["TTL"], head["Urgency"]) == (ttl, urgency)


@pytest.mark.parametrize(
    ("status", "outcome", "gone"),
    [
        ("404 Not Found", Outcome.REFUSED, True),
        ("410 Gone", Outcome.REFUSED, True),
        ("400 Bad Request", Outcome.REFUSED, False),
        ("403 Forbidden", Outcome.REFUSED, False),
        ("413 Too Large", Outcome.REFUSED, False),
        ("301 Moved", Outcome.REFUSED, False),
        ("429 Slower", Outcome.REFUSED_FOR_NOW, False),
        ("500 Oh", Outcome.REFUSED_FOR_NOW, False),
        ("503 Later", Outcome.REFUSED_FOR_NOW, False),
    ],
)
def test_answers_of_a_service_are_understood(
    transport: PushTransport,
    paths: dict[str, Behaviour],
    settled: Settled,
    status: str,
    outcome: Outcome,
    gone: bool,
) -> None:
    paths["/x"] = answer(b"why", status=status, Location="https://127.0.0.1/ok")
    device = at("/x")
    receipt = transport.send(parcel(device))
    assert receipt == Receipt(outcome, f"{status.split()[0]} why", gone=(device,) if gone else ())
    assert settled.gone == ([device] if gone else [])


def test_one_device_that_takes_it_is_enough(
    transport: PushTransport, paths: dict[str, Behaviour], settled: Settled
) -> None:
    paths |= {"/gone": answer(status="410 Gone"), "/later": answer(status="503 Later")}
    gone, later, good = at("/gone"), at("/later"), at("/ok")
    receipt = transport.send(parcel(gone, later, good))
    assert (receipt.outcome, receipt.gone, receipt.relay_away) == (Outcome.SENT, (gone,), False)
    assert (settled.taken, settled.gone) == ([good], [gone])
    assert transport.send(parcel(gone, later)).outcome is Outcome.REFUSED_FOR_NOW
    assert transport.send(parcel()) == Receipt(Outcome.REFUSED, "no device takes messages")


def test_what_breaks_after_the_request_is_of_unknown_fate(
    transport: PushTransport, paths: dict[str, Behaviour], service: Peer
) -> None:
    paths |= {"/mute": lambda send: None, "/odd": lambda send: send(b"SMTP ready\r\n")}
    for path in ("/mute", "/odd"):
        assert transport.send(parcel(at(path))).outcome is Outcome.UNKNOWN
    assert len(service.requests) == 2


def test_what_breaks_before_it_was_certainly_not_sent(
    transport: PushTransport, service: Peer
) -> None:
    untrusted = Network(
        allow=transport.network.allow,
        ports=transport.network.ports,
        resolve=transport.network.resolve,
        authorities=ssl.create_default_context,
    )
    closed = Network(
        allow=transport.network.allow, ports={"https": 9}, resolve=transport.network.resolve
    )
    for way in (untrusted, closed):
        lost = PushTransport(transport.key, SUBJECT, Settled(), way)
        receipt = lost.send(parcel(at("/ok")))
        assert (receipt.outcome, receipt.relay_away) == (Outcome.REFUSED_FOR_NOW, False)
    assert service.requests == []


def test_a_silent_service_holds_nobody_for_long(
    transport: PushTransport, paths: dict[str, Behaviour], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "SECONDS", 0.3)
    monkeypatch.setattr(push, "PARCEL_SECONDS", 0.5)
    paths["/slow"] = peer.dripping(b"HTTP/1.1 201 Created\r\n", b"X: y\r\n")
    began = time.monotonic()
    assert transport.send(parcel(*(at("/slow") for _ in range(5)))).outcome is Outcome.UNKNOWN
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "device",
    [
        at("/ok", scheme="http"),
        at("/ok", host="inside.test"),
        at("/ok", host=f"{NAME}:22"),
        at("/ok", host=f"me:pw@{NAME}"),
        at("/ok", host="[::1]"),
    ],
)
def test_a_place_that_is_not_public_is_not_posted_to(
    transport: PushTransport, service: Peer, device: str
) -> None:
    assert transport.send(parcel(device)).outcome is Outcome.REFUSED
    assert service.requests == []


def test_the_usual_network_is_the_public_one() -> None:
    way = PushTransport(security.push_key(KEY), SUBJECT, Settled()).network
    closed = ("127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1")
    assert [each for each in closed if way.allow(ip_address(each))] == []
    assert dict(way.ports) == {"https": 443}


def test_a_key_that_is_no_point_of_the_curve_is_found_out(transport: PushTransport) -> None:
    bad = Subscription(f"https://{NAME}/ok", letters(b"\x04" + b"\x01" * 64), letters(b"a" * 16))
    assert not push.usable(bad)
    assert push.usable(Browser().subscription(f"https://{NAME}/ok"))
    receipt = transport.send(parcel(push.address(bad)))
    assert (receipt.outcome, receipt.gone) == (Outcome.REFUSED, (push.address(bad),))


WORDS = st.builds(lambda one, times: one * times, st.text(max_size=8), st.integers(0, 600))


@given(WORDS, WORDS)
def test_a_payload_fits_into_what_services_take(title: str, body: str) -> None:
    notice = Notice(title, body, "https://chungtay.example/j/x", "t", "soon", {})
    try:
        packed = push.payload(notice, "en")
    except UnicodeEncodeError:
        return  # half a surrogate pair: nothing that a template prints
    told = json.loads(packed)
    assert len(packed) <= 3000
    assert title.startswith(told["title"])
    assert body.startswith(told["body"])

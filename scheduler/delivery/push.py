"""Push messages to browsers, by the services that their makers run (RFC 8030, 8188, 8291, 8292).

The addresses come from browsers, so from strangers: only public ones are posted to, over https.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

# Both come with pywebpush, whose own module brings two HTTP clients that we do not use.
import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from scheduler.clock import SystemClock
from scheduler.delivery import posting
from scheduler.delivery.channels import Outcome, Parcel, Receipt
from scheduler.delivery.network import Deadline, Network
from scheduler.delivery.notices import Notice
from scheduler.delivery.posting import Answer, Broken, NotSent
from scheduler.domain.devices import Subscription

PARCEL_SECONDS = 20.0  # for all devices of one person together
LONGEST_PAYLOAD = 3000  # bytes: a push service takes 4096, encrypted
LONGEST_LIFE = 28 * 24 * 3600  # seconds: what push services keep at most
URGENT_LIFE = 4 * 3600  # seconds: who has so little time is woken for it
TOKEN_LIFE = 12 * 3600  # seconds; RFC 8292 allows 24 hours
_GONE = frozenset({404, 410})
_PUBLIC = Network(ports=MappingProxyType({"https": 443}))

Settle = Callable[[Sequence[str], Sequence[str]], None]
# A parcel has the best outcome of its devices.
_BEST_FIRST = (Outcome.SENT, Outcome.UNKNOWN, Outcome.REFUSED_FOR_NOW, Outcome.REFUSED)


def address(device: Subscription) -> str:
    """A device as an address of a parcel."""
    keys = {"p256dh": device.p256dh, "auth": device.auth}
    return json.dumps({"endpoint": device.endpoint, "keys": keys})


def usable(device: Subscription) -> bool:
    """Whether anything can be encrypted for it: its key is a point of the curve."""
    try:
        _sealed(json.loads(address(device)), b"{}")
    except Exception:  # noqa: BLE001 - the libraries beneath raise as they like
        return False
    return True


def payload(notice: Notice, language: str) -> bytes:
    """What the service worker shows; a body too long is cut."""
    told = {"title": notice.title, "body": notice.body, "url": notice.url, "tag": topic(notice.tag)}
    told["lang"] = language
    while len(packed := _packed(told)) > LONGEST_PAYLOAD:
        part = "body" if told["body"] else "title"
        if not told[part]:
            raise ValueError("the address in a notice is too long")
        excess = len(packed) - LONGEST_PAYLOAD
        told[part] = told[part][: -max(1, excess // 4 + 2)].rstrip()
    return packed


def _packed(told: dict[str, str]) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def topic(tag: str) -> str:
    """The tag as 32 letters of base64url: one that waits is replaced by a newer (RFC 8030)."""
    return base64.urlsafe_b64encode(hashlib.sha256(tag.encode()).digest()[:24]).decode()


@dataclass(frozen=True, slots=True)
class PushTransport:
    """Posts to every device of a person; one that takes it is enough.

    `subject` is whom push services may write to, a mailto: or https: address.  `settle` is told
    once a parcel which addresses took it, and at which nobody is any more.  No parcel ever says
    that the relay is away: the services are several, and a stranger may run one that is silent.
    """

    key: ec.EllipticCurvePrivateKey
    subject: str
    settle: Settle
    network: Network = _PUBLIC

    def send(self, parcel: Parcel) -> Receipt:
        deadline = Deadline(PARCEL_SECONDS)
        receipts = {each: self._one(each, parcel, deadline) for each in parcel.addresses}
        if not receipts:
            return Receipt(Outcome.REFUSED, "no device takes messages")
        taken = [each for each, said in receipts.items() if said.outcome is Outcome.SENT]
        gone = tuple(each for each, said in receipts.items() if said.gone)
        self.settle(taken, gone)
        best = min(receipts.values(), key=lambda said: _BEST_FIRST.index(said.outcome))
        return Receipt(best.outcome, best.reply, gone=gone)

    def close(self) -> None:
        """Nothing stays open between parcels."""

    def _one(self, device: str, parcel: Parcel, whole: Deadline) -> Receipt:
        try:
            subscription = json.loads(device)
            deadline = Deadline(min(posting.SECONDS, whole.left()))
            endpoint = str(subscription["endpoint"])
            body = _sealed(subscription, parcel.content)
            headers = self._headers(endpoint, parcel)
        except TimeoutError:
            return Receipt(Outcome.REFUSED_FOR_NOW, "no time left for this device")
        except Exception as error:  # noqa: BLE001 - a device that nothing can be encrypted for
            return Receipt(Outcome.REFUSED, type(error).__name__, gone=(device,))
        try:
            return _judged(device, posting.post(endpoint, body, headers, self.network, deadline))
        except NotSent as error:
            outcome = Outcome.REFUSED_FOR_NOW if error.away else Outcome.REFUSED
            return Receipt(outcome, str(error))
        except Broken as error:
            return Receipt(Outcome.UNKNOWN, str(error))

    def _headers(self, endpoint: str, parcel: Parcel) -> dict[str, str]:
        scheme, _, rest = endpoint.partition("://")
        claims = {
            "aud": f"{scheme}://{rest.partition('/')[0]}",
            "exp": int(SystemClock().now().timestamp()) + TOKEN_LIFE,
            "sub": self.subject,
        }
        life = min(max(parcel.life_seconds, 0), LONGEST_LIFE)
        signed = Vapid02(self.key, {"no-strict": True}).sign(claims)
        return {
            **signed,
            "TTL": str(life),
            "Urgency": "high" if life <= URGENT_LIFE else "normal",
            "Topic": str(json.loads(parcel.content)["tag"]),
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
        }


def _sealed(subscription: dict[str, Any], content: bytes) -> bytes:
    return bytes(
        http_ece.encrypt(
            content,
            private_key=ec.generate_private_key(ec.SECP256R1()),  # another one for each message
            dh=_raw(subscription["keys"]["p256dh"]),
            auth_secret=_raw(subscription["keys"]["auth"]),
            version="aes128gcm",
        )
    )


def _raw(key: str) -> bytes:
    bare = key.rstrip("=")
    return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))


def _judged(device: str, answer: Answer) -> Receipt:
    reply = f"{answer.status} {answer.body[:200].decode('utf-8', 'replace')}".strip()
    if 200 <= answer.status < 300:
        return Receipt(Outcome.SENT, answer.headers.get("location", reply)[:200])
    if answer.status in _GONE:
        return Receipt(Outcome.REFUSED, reply, gone=(device,))
    if answer.status in (408, 425, 429) or answer.status >= 500:
        return Receipt(Outcome.REFUSED_FOR_NOW, reply)
    return Receipt(Outcome.REFUSED, reply)

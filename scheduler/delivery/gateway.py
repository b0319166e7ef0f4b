"""Short messages by a gateway of the operator's: one signed POST each, and signed reports back.

A gateway is whatever stands between us and a provider of SMS or Zalo messages.  Each request
carries its message's name as `Idempotency-Key`: the gateway takes a second one of the same name
for the first, so a request of unknown fate may be sent again.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from scheduler.clock import SystemClock
from scheduler.delivery import network as networks
from scheduler.delivery import posting
from scheduler.delivery.channels import Outcome, Parcel, Receipt
from scheduler.delivery.network import Address, Network
from scheduler.delivery.posting import Answer, Broken, NotSent

VERSION = "v1"
LONGEST_REFERENCE = 200
_GONE = frozenset({404, 410})
_NEVER = frozenset({400, 404, 410, 413, 422})


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """How both sides sign: what a request says, and when."""
    signed = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256)
    return f"{VERSION}={signed.hexdigest()}"


@dataclass(frozen=True, slots=True)
class GatewayTransport:
    """Posts to one gateway."""

    url: str
    secret: bytes

    def send(self, parcel: Parcel) -> Receipt:
        if not parcel.addresses:
            return Receipt(Outcome.REFUSED, "no number that takes messages")
        now = str(int(SystemClock().now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": parcel.message_id,
            "Chungtay-Timestamp": now,
            "Chungtay-Signature": signature(self.secret, now, parcel.content),
        }
        try:
            answer = posting.post(self.url, parcel.content, headers, network_for(self.url))
        except NotSent as error:  # the operator's own address is at fault, not the message
            return Receipt(Outcome.REFUSED_FOR_NOW, str(error), relay_away=True)
        except Broken as error:
            return Receipt(Outcome.UNKNOWN, str(error))
        return _judged(parcel, answer)

    def close(self) -> None:
        """Nothing stays open between parcels."""


def network_for(url: str) -> Network:
    """The operator's address leads where the operator likes, but without encryption no further
    than this house."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    allow = _anywhere if parts.scheme == "https" else _at_home
    return Network(allow=allow, ports={parts.scheme: port})


def _anywhere(_address: Address) -> bool:
    return True


def _at_home(address: Address) -> bool:
    return address.is_loopback or (address.is_private and not networks.is_public(address))


def _judged(parcel: Parcel, answer: Answer) -> Receipt:
    said = _said(answer.body)
    reference = str(said.get("reference") or said.get("id") or "")[:LONGEST_REFERENCE]
    if 200 <= answer.status < 300:
        return Receipt(Outcome.SENT, reference or str(answer.status))
    told = answer.body.decode("utf-8", "replace")
    for number in parcel.addresses:  # what was said goes into logs
        told = told.replace(number.lstrip("+"), "...")
    words = f"{answer.status} {told[:200]}".strip()
    if answer.status in _NEVER:
        gone = answer.status in _GONE or said.get("error") == "number"
        return Receipt(Outcome.REFUSED, words, gone=parcel.addresses if gone else ())
    return Receipt(Outcome.REFUSED_FOR_NOW, words)


def _said(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}

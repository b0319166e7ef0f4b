"""Browsers that open what is pushed to them, and the service of their maker on this machine."""

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from scheduler.delivery.network import Network
from scheduler.domain.devices import Subscription
from tests.delivery import peer
from tests.delivery.peer import Behaviour, Peer, running

NAME = "push.test"


class Browser:
    """The keys that a browser makes when it is signed up; only it opens what comes."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = b"0123456789abcdef"

    def subscription(self, endpoint: str = f"https://{NAME}/ok") -> Subscription:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return Subscription(endpoint, letters(point), letters(self.auth))

    def open(self, body: bytes) -> dict[str, str]:
        opened = http_ece.decrypt(
            body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        return dict(json.loads(opened))


class Settled:
    """Whoever is told which devices took a message."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.gone: list[str] = []

    def __call__(self, taken: Sequence[str], gone: Sequence[str]) -> None:
        self.taken += taken
        self.gone += gone


@dataclass(frozen=True)
class Far:
    """The service, and a network in which its name is public and every other is not."""

    peer: Peer
    network: Network


@contextmanager
def pushing(paths: dict[str, Behaviour], folder: Path) -> Iterator[Far]:
    shown, trusting = peer.certificate(folder, NAME)
    with running(paths, secured=shown) as serving:
        network = Network(
            allow=lambda found: str(found) == "127.0.0.1",
            ports={"https": serving.port},
            resolve=lambda host: ("127.0.0.1",) if host == NAME else ("10.0.0.1",),
            authorities=lambda: trusting,
        )
        yield Far(serving, network)


def letters(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

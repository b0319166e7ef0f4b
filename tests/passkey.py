"""A device of software that makes and uses one passkey, as a browser hands it on (WebAuthn)."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url, encode_cbor

PRESENT, VERIFIED, NEW = 0x01, 0x04, 0x40
ORIGIN = "https://chungtay.example"


@dataclass
class Device:
    """`counts`: many devices never do; `verifies`: it asks for a finger or a PIN."""

    origin: str = ORIGIN
    host: str = "chungtay.example"
    counts: bool = True
    verifies: bool = True
    signed: int = 0
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    name: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def make(self, options: str) -> str:
        """The answer to creation options."""
        length = len(self.name).to_bytes(2, "big")
        about = self._about(NEW) + bytes(16) + length + self.name + self._public()
        attested = encode_cbor({"fmt": "none", "attStmt": {}, "authData": about})
        return self._answer(
            clientDataJSON=self._client_data("webauthn.create", options),
            attestationObject=attested,
        )

    def sign(self, options: str) -> str:
        """The answer to request options."""
        self.signed += self.counts
        about, told = self._about(), self._client_data("webauthn.get", options)
        signature = self.key.sign(about + hashlib.sha256(told).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=told, authenticatorData=about, signature=signature)

    def _answer(self, **response: bytes) -> str:
        name = bytes_to_base64url(self.name)
        told = {part: bytes_to_base64url(value) for part, value in response.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": told})

    def _client_data(self, kind: str, options: str) -> bytes:
        challenge = json.loads(options)["challenge"]
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _about(self, flags: int = 0) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        host = hashlib.sha256(self.host.encode()).digest()
        return host + bytes([flags]) + self.signed.to_bytes(4, "big")

    def _public(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        return encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})

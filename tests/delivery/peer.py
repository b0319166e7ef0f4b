"""A web server on this machine that behaves as badly as it is told to."""

import datetime
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Send = Callable[[bytes], None]
Behaviour = Callable[[Send], None]


@dataclass
class Request:
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Peer(socketserver.ThreadingTCPServer):
    """Answers each path by its behaviour, which gets a function that sends bytes."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, host: str, port: int, paths: dict[str, Behaviour]) -> None:
        super().__init__((host, port), _Session)
        self.paths = paths
        self.requests: list[Request] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A reader that hung up, or did not trust us, is what these tests are about."""


class _Session(socketserver.StreamRequestHandler):
    server: Peer

    def handle(self) -> None:
        first = self.rfile.readline().decode().split(" ")
        request = Request(first[1])
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            request.headers[name] = value.strip()
        request.body = self.rfile.read(int(request.headers.get("Content-Length", "0")))
        self.server.requests.append(request)
        self.server.paths[request.path](self.wfile.write)


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> Behaviour:
    """The whole answer at once; an underscore in a header's name is a dash."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    whole = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    return lambda send: send(whole)


def moved(to: str) -> Behaviour:
    return answer(status="302 Found", Location=to)


def dripping(*pieces: bytes, every: float = 0.05, most: int = 10_000) -> Behaviour:
    """The first pieces, then the last of them again and again."""

    def drip(send: Send) -> None:
        for piece in pieces[:-1]:
            send(piece)
        for _ in range(most):
            send(pieces[-1])
            time.sleep(every)

    return drip


@contextmanager
def running(
    paths: dict[str, Behaviour],
    host: str = "127.0.0.1",
    port: int = 0,
    secured: ssl.SSLContext | None = None,
) -> Iterator[Peer]:
    with Peer(host, port, paths) as peer:
        if secured is not None:
            peer.socket = secured.wrap_socket(
                peer.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=peer.serve_forever, args=(0.01,), daemon=True).start()
        yield peer
        peer.shutdown()


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server of this name shows, and what a reader needs who shall trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(IPv4Address("127.0.0.9"))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    shown, secret = folder / f"{name}.pem", folder / f"{name}.key"
    shown.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(shown, secret)
    return server, ssl.create_default_context(cafile=str(shown))

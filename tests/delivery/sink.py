"""A mail relay on this machine that breaks where it is told to."""

import socketserver
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import SO_LINGER, SOL_SOCKET


@dataclass(frozen=True)
class Manner:
    """What the relay offers.

    `secured`: what it shows when TLS begins, at once with `tls_first`, else on STARTTLS.  `most`
    messages a session are taken: then it says 421, or just hangs up when `silent`.  `pace`:
    seconds between the bytes of an answer that drips.
    """

    features: tuple[str, ...] = ()
    secured: ssl.SSLContext | None = None
    tls_first: bool = False
    most: int = 1_000_000
    silent: bool = False
    pace: float = 0.05


class Sink(socketserver.ThreadingTCPServer):
    """Keeps what it accepts in `arrived`.

    `script` answers the steps "banner", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA" and
    "dot": a reply instead of the good one, "reset" to cut the line there, "hang" to say nothing
    more, "drip …" to say the rest byte by byte; "body" is said
    before the dot.  `watch` is called with each step before it is answered.
    """

    daemon_threads = True
    allow_reuse_address = True
    host = "127.0.0.1"

    def __init__(self, manner: Manner | None = None, **script: str) -> None:
        super().__init__((self.host, 0), _Session)
        self.manner = manner or Manner()
        self.script = script
        self.arrived: list[bytes] = []
        self.heard: list[str] = []
        self.sessions = 0
        self.over = threading.Event()
        self.watch: Callable[[str], object] = lambda step: None

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed, or did not trust us, is no fault of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"smtp://{self.host}:{self.port}"


class _Session(socketserver.StreamRequestHandler):
    server: Sink

    def handle(self) -> None:
        self.server.sessions += 1
        self.taken = 0
        if self.server.manner.tls_first:
            self.encrypt()
        if not self.answer("banner", "220 sink ready"):
            return
        while line := self.rfile.readline():
            words = line.decode().strip()
            self.server.heard.append(words)
            verb = words.split(" ", 1)[0].upper()
            if verb == "QUIT":
                self.say("221 bye")
                return
            if not self.obey(verb):
                return

    def obey(self, verb: str) -> bool:
        if verb == "EHLO":
            lines = ["sink", *self.server.manner.features]
            told = [f"250{' ' if line is lines[-1] else '-'}{line}" for line in lines]
            return self.answer(verb, "\r\n".join(told))
        if verb == "STARTTLS":
            return self.answer(verb, "220 go on") and self.encrypt()
        if verb == "AUTH":
            return self.answer(verb, "235 welcome")
        if verb == "MAIL" and self.taken >= self.server.manner.most:
            return not self.server.manner.silent and self.say("421 enough for one session")
        if verb in ("MAIL", "RCPT"):
            return self.answer(verb, "250 ok")
        if verb == "DATA":
            return self.answer("DATA", "354 go on") and self.body()
        return self.say("250 ok")

    def encrypt(self) -> bool:
        assert self.server.manner.secured is not None
        self.request = self.server.manner.secured.wrap_socket(self.request, server_side=True)
        self.setup()
        return True

    def body(self) -> bool:
        if "354" not in self.server.script.get("DATA", "354"):
            return True
        if told := self.server.script.get("body"):
            self.rfile.read(1)
            return self.answer("body", told)
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line[1:] if line.startswith(b"..") else line)
        self.server.arrived.append(b"".join(lines))
        self.taken += 1
        return self.answer("dot", "250 queued")

    def answer(self, step: str, good: str) -> bool:
        self.server.watch(step)
        told = self.server.script.get(step, good)
        if told == "reset":
            return self.reset()
        if told == "hang":
            self.server.over.wait(60)
            return False
        if told.startswith("drip "):
            return self.drip(told.removeprefix("drip "))
        return self.say(told)

    def drip(self, reply: str) -> bool:
        for sign in f"{reply}\r\n".encode():
            self.wfile.write(bytes([sign]))
            if self.server.over.wait(self.server.manner.pace):
                return False
        return True

    def say(self, reply: str) -> bool:
        self.wfile.write(f"{reply}\r\n".encode())
        return not reply.startswith("421")

    def reset(self) -> bool:
        self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        return False

    def finish(self) -> None:
        if self.connection.fileno() != -1:
            super().finish()


@contextmanager
def listening(
    manner: Manner | None = None, kind: type[Sink] = Sink, **script: str
) -> Iterator[Sink]:
    """A relay that listens while the block runs."""
    with kind(manner, **script) as sink:
        threading.Thread(target=sink.serve_forever, args=(0.01,), daemon=True).start()
        yield sink
        sink.over.set()
        sink.shutdown()

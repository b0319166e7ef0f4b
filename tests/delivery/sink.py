"""A mail relay on this machine that breaks where it is told to."""

import socketserver
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import SO_LINGER, SOL_SOCKET


class Sink(socketserver.ThreadingTCPServer):
    """Keeps what it accepts in `arrived`.

    `script` answers the steps "banner", "MAIL", "RCPT", "DATA" and "dot": a reply instead of the
    good one, or "reset" to cut the line there; "body" knows "reset" only.  `watch` is called with
    each step before it is answered.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, **script: str) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.script = script
        self.arrived: list[bytes] = []
        self.heard: list[str] = []
        self.sessions = 0
        self.watch: Callable[[str], object] = lambda step: None

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is no fault of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Session(socketserver.StreamRequestHandler):
    server: Sink

    def handle(self) -> None:
        self.server.sessions += 1
        if not self.answer("banner", "220 sink ready"):
            return
        for line in self.rfile:
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
            return self.say("250 sink")
        if verb in ("MAIL", "RCPT"):
            return self.answer(verb, "250 ok")
        if verb == "DATA":
            return self.answer("DATA", "354 go on") and self.body()
        return self.say("250 ok")

    def body(self) -> bool:
        if "DATA" in self.server.script:
            return True
        if self.server.script.get("body") == "reset":
            self.rfile.read(1)
            return self.reset()
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line[1:] if line.startswith(b"..") else line)
        self.server.arrived.append(b"".join(lines))
        return self.answer("dot", "250 queued")

    def answer(self, step: str, good: str) -> bool:
        self.server.watch(step)
        told = self.server.script.get(step, good)
        return self.reset() if told == "reset" else self.say(told)

    def say(self, reply: str) -> bool:
        self.wfile.write(f"{reply}\r\n".encode())
        return not reply.startswith("421")

    def reset(self) -> bool:
        self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        return False

    def finish(self) -> None:
        if not self.connection._closed:  # type: ignore[attr-defined]
            super().finish()


@contextmanager
def listening(**script: str) -> Iterator[Sink]:
    """A relay that listens while the block runs."""
    with Sink(**script) as sink:
        threading.Thread(target=sink.serve_forever, args=(0.01,), daemon=True).start()
        yield sink
        sink.shutdown()

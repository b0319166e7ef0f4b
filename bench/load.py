"""A server in a process of its own, and a client that costs it nothing but the requests."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

CONNECTIONS = 8
ROOT = Path(__file__).parents[1]


def request(path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "host: 127.0.0.1", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


class Server:
    """Asked over connections that stay open, one request at a time on each."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process = process
        self._lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]

    def cost(self, requests: Sequence[bytes], count: int, status: int) -> float:
        """CPU microseconds that the server spends on a request, all its threads together."""
        before = self._spent()
        for first in range(0, count, CONNECTIONS):
            for line, number in zip(self._lines, range(first, count), strict=False):
                line.sendall(requests[number % len(requests)])
            for line, _ in zip(self._lines, range(first, count), strict=False):
                _read(line, status)
        return (self._spent() - before) / count * 1e6

    def delays(
        self, requests: Sequence[bytes], count: int, pause: float, status: int
    ) -> list[float]:
        """Milliseconds from asking to the last byte, one request after another, sorted."""
        found = []
        for number in range(count):
            began = time.perf_counter()
            self._lines[0].sendall(requests[number % len(requests)])
            _read(self._lines[0], status)
            found.append((time.perf_counter() - began) * 1000)
            time.sleep(pause)
        return sorted(found)

    def _spent(self) -> float:
        # The CPU clock of another process, by its number: see clock_getcpuclockid(3).
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def close(self) -> None:
        for line in self._lines:
            line.close()


def _read(line: socket.socket, status: int) -> None:
    """One answer, whole; it must be the one expected, or the figure would be of something else."""
    said = line.recv(65536)
    while b"\r\n\r\n" not in said:
        said += _more(line)
    head, _, body = said.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 %d " % status):
        raise RuntimeError(head.decode("latin-1"))
    if status != 304:
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        left = length - len(body)
        while left > 0:
            left -= len(_more(line))


def _more(line: socket.socket) -> bytes:
    said = line.recv(262144)
    if not said:
        raise RuntimeError("The server hung up.")
    return said


@contextmanager
def serving(how: str, folder: Path, settings: Mapping[str, str]) -> Iterator[Server]:
    """A server of bench.serving; it ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.serving", how, str(folder), str(port)],
        cwd=ROOT,
        env=os.environ | settings,
    )
    try:
        until_it_listens(port)
        server = Server(process, port)
        yield server
        server.close()
    finally:
        process.terminate()
        process.wait(20)


def until_it_listens(port: int) -> None:
    """Wait for a server that was just started; for five minutes at most."""
    deadline = time.monotonic() + 300  # the machine may be busy
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)

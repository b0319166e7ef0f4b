"""A real CalDAV server, Radicale, in a process of its own; and feeds as a server wants them."""

import base64
import http.client
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

PATIENCE = 60.0  # seconds until it must answer, on a machine with much else to do
_WHO = base64.b64encode(b"nobody:x").decode()
_ALL_EVENTS = b"""<?xml version="1.0"?>
<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:prop><C:calendar-data/></D:prop>
<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"/></C:comp-filter></C:filter>
</C:calendar-query>"""


@dataclass(frozen=True)
class Server:
    port: int

    def make(self, calendar: str) -> int:
        return self._ask("MKCALENDAR", f"/nobody/{calendar}/")[0]

    def put_event(self, calendar: str, uid: str, resource: bytes) -> int:
        return self._ask("PUT", f"/nobody/{calendar}/{uid}.ics", resource)[0]

    def put_calendar(self, calendar: str, body: bytes) -> int:
        """The whole collection at once."""
        return self._ask("PUT", f"/nobody/{calendar}/", body)[0]

    def get_event(self, calendar: str, uid: str) -> bytes:
        return self._ask("GET", f"/nobody/{calendar}/{uid}.ics")[1]

    def get_calendar(self, calendar: str) -> bytes:
        return self._ask("GET", f"/nobody/{calendar}/")[1]

    def report(self, calendar: str) -> list[bytes]:
        """Every event of a calendar, each with its zone, as a client asks for them."""
        status, said = self._ask("REPORT", f"/nobody/{calendar}/", _ALL_EVENTS)
        assert status == 207, (status, said)
        name = "{urn:ietf:params:xml:ns:caldav}calendar-data"
        return [(found.text or "").encode() for found in ElementTree.fromstring(said).iter(name)]

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        head = {"Authorization": f"Basic {_WHO}", "Content-Type": "text/calendar; charset=utf-8"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with closing(connection):
            connection.request(method, path, body, head)
            answer = connection.getresponse()
            return answer.status, answer.read()


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A server with its calendars in `folder`; stopped with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "config": "",
        "hosts": f"127.0.0.1:{port}",
        "auth-type": "none",
        "storage-filesystem-folder": str(folder),
        "logging-level": "warning",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "radicale", *words], stderr=log)
        try:
            _await(process, port, folder / "log")
            yield Server(port)
        finally:
            process.terminate()
            process.wait()


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"Radicale does not answer: {log.read_text()}")


def resources(body: bytes) -> dict[str, bytes]:
    """UID to one calendar with this event alone and the zones that it names."""
    found = {}
    zones = _parts(body, b"VTIMEZONE")
    for event in _parts(body, b"VEVENT"):
        plain = event.replace(b"\r\n ", b"")
        uid = re.search(rb"^UID:(.*?)\r$", plain, re.M)
        assert uid is not None
        named = set(re.findall(rb"^DT(?:START|END);TZID=(.*?):", plain, re.M))
        own = [zone for zone in zones if any(b"\r\nTZID:" + n + b"\r\n" in zone for n in named)]
        assert len(own) == len(named), "each zone is told, once"
        head = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Tests//EN\r\n"
        found[uid[1].decode()] = b"".join([head, *own, event, b"END:VCALENDAR\r\n"])
    return found


def _parts(body: bytes, name: bytes) -> list[bytes]:
    pattern = rb"^BEGIN:" + name + rb"\r\n.*?^END:" + name + rb"\r\n"
    return re.findall(pattern, body, re.M | re.S)

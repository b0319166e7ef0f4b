"""What the real server says of itself, on both ways to start it, names no secret."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
from calendars.seed import World

from scheduler import security
from scheduler.domain.calendars import FeedKind
from scheduler.services import accounts, feeds
from scheduler.services.context import Context
from tests.conftest import KEY

ROOT = Path(__file__).parents[2]
# As we start it, and as somebody may who wants to see each request.
SERVERS = {
    "serve": ["-m", "scheduler", "serve"],
    "uvicorn": ["-m", "uvicorn", "scheduler.app:factory", "--factory", "--log-level", "debug"],
}


@dataclass
class Running:
    """A server in a process of its own, all of whose words go into files of `folder`."""

    client: httpx2.Client
    folder: Path
    port: int

    def raw(self, *pieces: bytes, wait: float = 10) -> bytes:
        """The first line that the server answers to these octets, of which it is sent each."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as line:
            try:
                for piece in pieces:
                    line.sendall(piece)
                return line.recv(65536).partition(b"\r\n")[0]
            except (ConnectionResetError, BrokenPipeError):
                return b"cut"

    def said(self) -> str:
        """All it said, and all it wrote beside its database, but for the mails to its people."""
        every = (path for path in self.folder.rglob("*") if path.is_file())
        files = [path for path in every if path.parent.name != "mail"]
        return "\n".join(path.read_text("utf-8", "replace") for path in files)


@pytest.fixture(params=SERVERS)
def running(request, tmp_path, ctx: Context) -> Iterator[Running]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    folder = tmp_path / "said"
    folder.mkdir()
    settings = {
        "DATABASE_URL": ctx.database.url, "VAR_DIR": str(folder / "var"),
        "SECRET_KEY": KEY.decode(), "BASE_URL": f"http://127.0.0.1:{port}",
        "CLOCK": ctx.now().isoformat(),
    }  # fmt: skip
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, *SERVERS[request.param], "--port", str(port)],
            cwd=ROOT, stdout=out, stderr=err,
            env=os.environ | {f"CHUNGTAY_{name}": value for name, value in settings.items()},
        )  # fmt: skip
    headers = {"accept-encoding": "identity", "connection": "close"}
    with httpx2.Client(base_url=settings["BASE_URL"], headers=headers) as client:
        _await(client)
        yield Running(client, folder, port)
    process.send_signal(signal.SIGINT)
    process.wait(20)


def _await(client: httpx2.Client) -> None:
    deadline = time.monotonic() + 90
    while True:
        try:
            client.get("/healthz")
            return
        except httpx2.TransportError:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)


def mislay(ctx: Context, *names: str) -> None:
    """Break the database as far as these tables are concerned."""
    with ctx.database.migrating() as connection:
        for name in names:
            connection.execute(sa.text(f"ALTER TABLE {name} RENAME TO mislaid_{name}"))
        connection.commit()


@pytest.fixture
def world(database) -> World:
    return World(database).plant().story()


def test_no_secret_of_an_address_is_said_by_the_server(running, ctx, world):
    client, actor = running.client, world.actor("lan")
    live, ended = (
        feeds.create_link(ctx, actor, FeedKind.TEACHER, world.ids["lan"], name)
        for name in ("máy", "máy cũ")
    )
    feeds.revoke_link(ctx, actor, ended.link_id)
    with ctx.reading() as db:
        join = db.scalar(sa.text("SELECT join_token FROM lessons ORDER BY id LIMIT 1"))
    sign_in = accounts.operator_link(ctx, actor.email).rsplit("/", 1)[-1]
    life, purposes = accounts.rules.LINK_LIFE, security.Purpose
    stop = security.sign_link(KEY, purposes.STOP_REMINDERS, "1", ctx.now(), life)
    reply = security.sign_link(KEY, purposes.ANSWER, "1:0:1", ctx.now(), life)
    unknown = security.new_token()
    read = f"/feeds/{live.token}/lich.ics"

    etag = client.get(read).headers["etag"]
    answers = [client.get(read, headers={"if-none-match": etag}) for _ in range(20)]
    assert [answer.status_code for answer in answers] == [304] * 19 + [429]
    assert client.head(f"/feeds/{ended.token}/lich.ics").status_code == 410
    nowhere = f"/feeds/{unknown}/lich.ics?or={unknown}"
    assert client.get(nowhere).status_code == 404
    doors = [f"/j/{join}", f"/sign-in/{sign_in}?or={sign_in}", f"/a/{reply}", f"/stop/{stop}"]
    for door in doors:
        assert client.get(door).status_code < 500
    client.get(f"/j/{unknown}")
    assert client.get("/metrics").status_code == 200
    mislay(ctx, "feed_links", "lessons", "sign_ins")
    assert client.get(nowhere).status_code == 503
    assert [client.get(door).status_code for door in doors[:3]] == [500, 500, 500]
    assert client.post(doors[2], data={"answer": "confirm"}).status_code == 500

    secrets = {
        "live": live.token, "ended": ended.token, "join": join, "sign in": sign_in, "stop": stop,
        "answer": reply, "unknown": unknown,
    }  # fmt: skip
    said = running.said() + client.get("/metrics").text
    assert "A calendar feed could not be read." in said
    assert "Traceback" in said
    assert {name for name, secret in secrets.items() if secret in said} == set()
    assert {name for name, secret in secrets.items() if security.digest(secret) in said} == set()
    lines = re.findall(r'"(?:GET|HEAD|POST) (\S+) HTTP', said)
    if lines:  # the access log is on
        assert {f"/{room}/%5Bredacted%5D" for room in ("j", "sign-in", "stop", "a")} <= set(lines)
        assert lines.count("/feeds/%5Bredacted%5D") == 24


def lines_of(running: Running) -> list[dict]:
    """What it wrote to its error stream, which is no terminal: objects, line by line."""
    said = (running.folder / "stderr").read_text()
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def test_nothing_sent_forges_a_line_or_an_answer_of_a_broken_page(running, ctx):
    mislay(ctx, "sign_ins")
    agent = {"user-agent": "evil'\"\\n{}"}
    sent = running.client.get("/sign-in/x?%0aINFO%1b[31m", headers=agent)
    assert sent.status_code == 500
    lines = lines_of(running)
    assert not any(line.get("message") == "all is well" for line in lines)
    number = sent.headers["x-request-id"]
    broke = [line for line in lines if line.get("request") == number]
    assert {"scheduler.web"} <= {line["logger"] for line in broke}
    assert number in sent.text
    for text in (sent.text, running.said()):
        assert KEY.decode() not in text
        assert "\x1b" not in text
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    assert all(said.startswith("{") for said in started(running))


def started(running: Running) -> list[str]:
    """The lines since our own log was set up: who runs another server hears its first words."""
    said = (running.folder / "stderr").read_text().splitlines()
    first = next(n for n, line in enumerate(said) if line.startswith("{"))
    return [line for line in said[first:] if line]


HEAD = b"Host: 127.0.0.1\r\n"
FORM = HEAD + b"Content-Type: application/x-www-form-urlencoded\r\n"
FRAMES = {
    "a stated length twice": (
        b"POST /sign-in HTTP/1.1\r\n" + FORM
        + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nemail="
    ),
    "a length that is no number": (
        b"POST /sign-in HTTP/1.1\r\n" + FORM + b"Content-Length: -5\r\n\r\nemail="
    ),
    "a length with a sign": (
        b"POST /sign-in HTTP/1.1\r\n" + FORM + b"Content-Length: +5\r\n\r\nemail="
    ),
    "a length and pieces": (
        b"POST /sign-in HTTP/1.1\r\n" + FORM
        + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"
    ),
    "a piece that is none": (
        b"POST /sign-in HTTP/1.1\r\n" + FORM
        + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"
    ),
    "a header with a blank before its colon": b"GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
    "no protocol": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,
    "colours in a header": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: \x1b[31m\r\n\r\n",
    "a NUL in a header": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\0b\r\n\r\n",
}  # fmt: skip


AS_WE_START_IT = pytest.mark.parametrize("running", ["serve"], indirect=True)


@AS_WE_START_IT
def test_what_is_framed_in_two_ways_or_too_large_is_refused(running):
    answers = {name: running.raw(octets) for name, octets in FRAMES.items()}
    assert {name: said for name, said in answers.items() if b" 400 " not in said} == {}
    get = b"GET /sign-in HTTP/1.1\r\n" + HEAD
    assert b" 431 " in running.raw(get + b"Cookie: a=" + b"x" * 5000 + b"\r\n\r\n")
    assert b" 431 " in running.raw(get + b"X: " + b"x" * 40_000 + b"\r\n\r\n")
    assert b" 405 " in running.raw(b"TRACE /sign-in HTTP/1.1\r\n" + HEAD + b"\r\n")
    twice = HEAD + b"Host: evil.example\r\n\r\n"
    assert b" 400 " in running.raw(b"GET /sign-in HTTP/1.1\r\n" + twice)
    assert b" 400 " in running.raw(b"GET /sign-in HTTP/1.1\r\n\r\n")
    origin = b"Origin: http://127.0.0.1:%d\r\n" % running.port
    post = b"POST /sign-in HTTP/1.1\r\n" + FORM + origin
    large = post + b"Content-Length: 10485760\r\n\r\n"
    assert b" 413 " in running.raw(large, b"email=" + b"x" * 1000)
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    assert b" 413 " in running.raw(post + b"Transfer-Encoding: chunked\r\n\r\n", *[piece] * 17)
    answer = running.client.get("/sign-in")
    assert (answer.status_code, answer.headers.get("server")) == (200, None)


@pytest.mark.soak
@AS_WE_START_IT
def test_a_body_that_drips_is_ended_after_half_a_minute(running):
    """Half a minute of waiting: the same with shorter patience is tested at the shell."""
    post = b"POST /sign-in HTTP/1.1\r\n" + FORM + b"Content-Length: 100\r\n\r\nemail="
    begun = time.monotonic()
    assert b" 408 " in running.raw(post, wait=60)
    assert 29 < time.monotonic() - begun < 40


WATCHED = """
import sys
from opentelemetry import trace, metrics
from starlette.testclient import TestClient

class Watcher(trace.TracerProvider):
    def get_tracer(self, *args, **more):
        return Tracer()

class Tracer(trace.NoOpTracer):
    def start_span(self, name, *args, **more):
        print("span", name, args, more)
        return trace.INVALID_SPAN

trace.set_tracer_provider(Watcher())
from fastapi import FastAPI
from scheduler.app import create_app
plain = FastAPI()
plain.add_api_route("/seen", lambda: None)
app = plain if sys.argv[1] == "plain" else create_app(start_loop=False)
TestClient(app, base_url="http://127.0.0.1:8000").get("/seen" if app is plain else "/j/secret")
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_trace_is_made_of_a_request(ctx, tmp_path):
    place = {"CHUNGTAY_DATABASE_URL": ctx.database.url, "CHUNGTAY_VAR_DIR": str(tmp_path)}

    def spans(app: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", WATCHED, app],
            cwd=ROOT, env=os.environ | place, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    assert "span" in spans("plain")
    assert spans("ours") == ""

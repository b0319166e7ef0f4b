"""What the real server says of itself, on both ways to start it, names no secret."""

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

    def said(self) -> str:
        """All it said, and all it wrote beside its database."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
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
        yield Running(client, folder)
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

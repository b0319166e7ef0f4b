"""What tests of the outbox share: lessons, a look at the rows, transports that misbehave."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import sqlalchemy as sa

from scheduler.delivery.channels import Outcome, Parcel, Receipt
from scheduler.domain import news
from scheduler.domain.lessons import LessonState
from scheduler.domain.messages import Channel
from scheduler.domain.news import Entry
from scheduler.domain.reminders import Side
from scheduler.services import outbox, reminders
from scheduler.services.context import Context
from scheduler.store import tables
from scheduler.store.leases import database_now
from tests.cast import T0, Cast
from tests.delivery.sink import Sink

ROOT = Path(__file__).parents[2]
FOREVER = (
    "from scheduler import config; from scheduler.jobs import loop; "
    "from scheduler.services.context import open_context; "
    "raise SystemExit(not loop.run_forever(open_context(config.load(_env_file=None))))"
)


def read(parcel: Parcel) -> EmailMessage:
    return message_from_bytes(parcel.content, EmailMessage, policy=policy.default)


class Post:
    """The far end of the wire: keeps what arrives; answers as told, first come first served."""

    def __init__(self, *answers: Receipt) -> None:
        self.arrived: list[EmailMessage] = []
        self.answers = list(answers)
        self.closed = 0

    def send(self, parcel: Parcel) -> Receipt:
        receipt = self.answers.pop(0) if self.answers else Receipt(Outcome.SENT, "250 ok")
        if receipt.outcome in (Outcome.SENT, Outcome.UNKNOWN):
            self.arrived.append(read(parcel))
        return receipt

    def close(self) -> None:
        self.closed += 1

    @property
    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for message in self.arrived]

    @property
    def recipients(self) -> list[str]:
        return [message["To"].addresses[0].addr_spec for message in self.arrived]


def book(
    ctx: Context,
    cast: Cast,
    starts_at: datetime,
    klass: str = "7A",
    teacher: str = "teacher1",
    state: LessonState = LessonState.SCHEDULED,
) -> int:
    """A published lesson of 45 minutes."""
    with ctx.transaction() as db:
        made = db.execute(
            tables.lessons.insert()
            .values(
                uid=f"{starts_at:%d%H%M}{klass}", join_token=f"join-{starts_at:%d%H%M}{klass}",
                term_id=cast["term"], request_id=cast[f"request_{klass}"], class_id=cast[klass],
                teacher_id=cast[teacher], state=state, starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=45), sequence=0, created_at=T0,
                changed_at=T0, cancel_reason="", cancelled_by="",
            )
            .returning(tables.lessons.c.id)
        )  # fmt: skip
        return int(made.scalar_one())


def change(ctx: Context, lesson: int, **values: object) -> None:
    """Change a lesson as a publication would: its sequence rises."""
    row = tables.lessons
    with ctx.transaction() as db:
        db.execute(
            row.update().where(row.c.id == lesson).values(sequence=row.c.sequence + 1, **values)
        )
        reminders.replan(ctx, db, [lesson])


def replan(ctx: Context, *lessons: int) -> int:
    with ctx.transaction() as db:
        return reminders.replan(ctx, db, lessons)


def rows(ctx: Context, *columns: str) -> list[tuple]:
    """The named columns of every message, in order of planning."""
    with ctx.reading() as db:
        wanted = [tables.outbox.c[name] for name in columns]
        return [tuple(row) for row in db.execute(sa.select(*wanted).order_by(tables.outbox.c.id))]


def write(ctx: Context, table: sa.Table, where: sa.ColumnElement[bool], **values: object) -> None:
    with ctx.transaction() as db:
        db.execute(table.update().where(where).values(**values))


def states(ctx: Context) -> dict[str, int]:
    """How many messages stand where; that they add up is part of every test."""
    shown = outbox.show(ctx)
    assert shown.law
    return {state: count for state, count in shown.by_state.items() if count}


def let_leases_end(ctx: Context) -> None:
    """Every lease is over, without waiting for it."""
    with ctx.transaction() as db:
        past = database_now(db) - timedelta(seconds=1)
        row = tables.outbox
        db.execute(row.update().where(row.c.state == "leased").values(lease_until=past))


def environment(ctx: Context, **settings: object) -> dict[str, str]:
    """Of another process on the same database, with our clock's time."""
    known = {
        "var_dir": ctx.settings.var_dir,
        "database_url": ctx.settings.database_url,
        "secret_key": ctx.settings.secret_key.get_secret_value(),
        "base_url": ctx.settings.base_url,
        "clock": ctx.now().isoformat(),
        **settings,
    }
    return os.environ | {f"CHUNGTAY_{k.upper()}": str(v) for k, v in known.items()}


@contextmanager
def process(ctx: Context, *command: str, **settings: object) -> Iterator[subprocess.Popen]:
    """Another process on the same database, with our clock's time; killed at the end."""
    started = subprocess.Popen(
        [sys.executable, *command], env=environment(ctx, **settings), cwd=ROOT
    )
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def arrived(sink: Sink) -> Counter[str]:
    """How many copies the relay took of each message."""
    return Counter(str(message_from_bytes(each)["Message-ID"]) for each in sink.arrived)


def until(happened: Callable[[], object], seconds: float = 60) -> None:
    """Wait for it; fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)  # looking costs the workers time, too


def announce(ctx: Context, cast: Cast, count: int) -> None:
    """Plan messages that are due now, to one teacher; of a lesson too far ahead for reminders."""
    entry = Entry(book(ctx, cast, ctx.now() + timedelta(days=30)), Side.TEACHER)
    teacher, programme = cast["person_teacher1"], cast["programme"]
    messages = [
        news.changes(f"publication:{n}", teacher, Channel.MAIL, programme, [entry], ctx.now())
        for n in range(count)
    ]
    with ctx.transaction() as db:
        assert outbox.plan(ctx, db, messages) == count

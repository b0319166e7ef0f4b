"""Whose turn it is among many programmes: messages, calendars to be made anew, matching runs."""

import multiprocessing
import resource
import time
from collections.abc import Iterator
from datetime import timedelta

import sqlalchemy as sa

from bench import clones
from bench.rows import Row, at_most
from scheduler import security
from scheduler.domain.access import Actor, Role
from scheduler.domain.messages import Channel, MessageKind, NewMessage
from scheduler.domain.people import PersonId
from scheduler.domain.runs import RunState
from scheduler.domain.terms import ProgrammeId, TermId
from scheduler.services import accounts, feeds, outbox, runs
from scheduler.services.context import Context
from scheduler.store import accounts as account_rows
from scheduler.store import queue, tables

FLOOD = 20_000
BATCH = 20
SEARCH = 1.0  # seconds of each run, the fewest that may be asked for


# -- messages


def claim(ctx: Context) -> tuple[str, ...]:
    """Claim a batch of messages and give it back; their keys in order."""
    now, token = ctx.now(), security.new_token()
    with ctx.transaction() as db:
        lease = timedelta(minutes=2)
        found = queue.claim(db, Channel.MAIL, "bench", token, now, BATCH, lease)
        row = tables.outbox
        db.execute(sa.update(row).where(row.c.lease_token == token).values(queue.freed()))
    return tuple(each.key for each in found)


def urgent(ctx: Context, count: int) -> Iterator[Row]:
    """One programme has very many due; another has one, planned last, that is useless earlier."""
    last = (count - 1) * clones.STEP
    with ctx.reading() as db:
        person = db.scalar(sa.select(sa.func.min(tables.teachers.c.person_id)))
        programme = db.scalar(sa.select(sa.func.min(tables.programmes.c.id)))
    many = [_message(f"flood:{n}", person, programme, ctx, 180) for n in range(FLOOD)]
    one = _message("urgent", person + last, programme + last, ctx, 60)
    for first in range(0, FLOOD, 5000):
        with ctx.transaction() as db:
            outbox.plan(ctx, db, many[first : first + 5000])
    with ctx.transaction() as db:
        outbox.plan(ctx, db, [one])
        db.execute(sa.text("ANALYZE outbox"))
    began = time.perf_counter()
    keys = claim(ctx)
    spent = (time.perf_counter() - began) * 1000
    place = next((n for n, key in enumerate(keys, 1) if key.startswith("urgent")), FLOOD + 1)
    what = f"place of an urgent one beside {FLOOD:,} of another programme; a batch is {BATCH}"
    yield at_most(what, place, BATCH, key="urgent")
    yield Row("the claim that finds it", f"{spent:.1f} ms")
    with ctx.transaction() as db:
        key = tables.outbox.c.key
        ours = sa.or_(key.startswith("flood:"), key.startswith("urgent"))
        db.execute(sa.delete(tables.outbox).where(ours))


def _message(key: str, person: int, programme: int, ctx: Context, minutes: int) -> NewMessage:
    now = ctx.now()
    return NewMessage(
        key=key, kind=MessageKind.DAY_BEFORE, person_id=PersonId(person), due_at=now,
        useless_after=now + timedelta(minutes=minutes), programme_id=ProgrammeId(programme),
        payload={"day": now.date().isoformat(), "zone": "Asia/Ho_Chi_Minh"},
    )  # fmt: skip


# -- calendars to be made anew


def rendering(ctx: Context, count: int) -> Iterator[Row]:
    """One teacher of each programme has another timetable."""
    row = tables.feeds.c
    first = sa.select(sa.func.min(row.id)).where(row.kind == "teacher").scalar_subquery()
    ids = [first + number * clones.STEP for number in range(count)]
    before = _resident()
    with ctx.transaction() as db:
        db.execute(sa.update(tables.feeds).where(row.id.in_(ids)).values(dirty=True))
    began, made = time.perf_counter(), 0
    while done := feeds.render_dirty(ctx):
        made += done
    spent = time.perf_counter() - began
    yield Row(f"{made} calendars anew, one of each programme",
              f"{spent:.1f} s, {_resident() - before:.0f} MB more")  # fmt: skip


def _resident() -> float:
    """The most megabytes that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# -- matching runs


def matched(ctx: Context, count: int) -> Iterator[Row]:
    """Each programme's coordinator asks for a run; one process works on what waits."""
    first = next(each for each in accounts.people_with(ctx, Role.COORDINATOR))
    with ctx.reading() as db:
        term = db.scalar(sa.select(sa.func.min(tables.terms.c.id)))
    asked = []
    for number in reversed(range(count)):  # so that no order of programmes is that of asking
        actor = _copy(ctx, first, number)
        asked.append(runs.start(ctx, actor, TermId(term + number * clones.STEP), seconds=SEARCH))
    began, before = time.monotonic(), _resident()
    order, most = _worked(ctx, set(asked))
    spent = time.monotonic() - began
    held = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    with ctx.reading() as db:
        state = sa.select(sa.func.count()).where(
            tables.runs.c.id.in_(asked), tables.runs.c.state == RunState.DONE
        )
        done = db.scalar(state)
    yield Row(
        f"{count} runs of {SEARCH} s: ended well, in order of asking, at once at most",
        f"{done}, {'yes' if order == asked else 'no'}, {most}",
        "all, yes, 1", (done, order, most) == (count, asked, 1), key="runs",
    )  # fmt: skip
    yield Row(f"{count} runs of {SEARCH} s, one after the other", f"{spent:.0f} s; "
              f"{_resident() - before:.0f} MB more here, {held:.0f} MB in a run's process",
              )  # fmt: skip


def _copy(ctx: Context, actor: Actor, number: int) -> Actor:
    with ctx.reading() as db:
        found = account_rows.actor_of(db, actor.person_id + number * clones.STEP)
    assert found is not None
    return found


def _worked(ctx: Context, asked: set[int]) -> tuple[list[int], int]:
    """In which order they were begun, and how many were under way at once."""
    order: list[int] = []
    most = 0
    row = tables.runs.c
    while True:
        runs.work_on_next(ctx)
        with ctx.reading() as db:
            states = dict(db.execute(sa.select(row.id, row.state).where(row.id.in_(asked))).all())
        order += [each for each, state in states.items() if state != "queued" and each not in order]
        most = max(most, sum(state == "running" for state in states.values()))
        if not multiprocessing.active_children() and "queued" not in states.values():
            return order, most
        time.sleep(0.05)

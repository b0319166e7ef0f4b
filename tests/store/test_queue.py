"""Claims walk along the deadlines, however many messages wait."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.messages import Channel
from scheduler.store import queue, tables

MANY = 20_000
_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many})"
    " SELECT i FROM n",
    "postgresql": "SELECT i FROM generate_series(1, {many}) AS n(i)",
}


@pytest.fixture
def crowded(ctx, cast):
    """Many open messages: one in ten due, the others tomorrow, deadlines in no order."""
    now, row = ctx.now(), tables.outbox
    numbers = sa.text(_NUMBERS[ctx.database.writer.dialect.name].format(many=MANY))
    i = numbers.columns(sa.column("i", sa.Integer)).subquery().c.i

    def at(due, later):
        return sa.case((i % 10 == 0, sa.literal(due, row.c.due_at.type)), else_=later)

    tomorrow = sa.literal(now + timedelta(days=1), row.c.due_at.type)
    late = [sa.literal(now + timedelta(days=n + 1), row.c.due_at.type) for n in range(7)]
    useless = sa.case({n: late[n] for n in range(6)}, value=i * 7919 % 7, else_=late[6])
    values = {
        "key": sa.cast(i, sa.String), "kind": "note", "channel": "mail",
        "person_id": cast["person_teacher1"], "payload": sa.cast(sa.literal("{}"), sa.JSON)
        if not ctx.database.is_sqlite else sa.literal_column("'{}'"),
        "due_at": at(now, tomorrow), "useless_after": useless, "state": "planned", "attempts": 0,
        "next_try_at": at(now, tomorrow), "phase": "waiting", "message_id": sa.cast(i, sa.String),
        "last_error": "", "created_at": sa.literal(now, row.c.due_at.type),
    }  # fmt: skip
    columns = [v if isinstance(v, sa.ColumnElement) else sa.literal(v) for v in values.values()]
    with ctx.transaction() as db:
        db.execute(row.insert().from_select(list(values), sa.select(*columns)))
        if not ctx.database.is_sqlite:  # where nobody ever calls it
            db.execute(sa.text("ANALYZE"))
    return ctx


def plan_of(ctx, work):
    """How the engine finds the messages of each statement that `work` runs, as one text."""
    found = []

    def look(_connection, cursor, statement, parameters, *_):
        if "outbox" in statement:
            word = "EXPLAIN QUERY PLAN" if ctx.database.is_sqlite else "EXPLAIN"
            cursor.execute(f"{word} {statement}", parameters)
            found.extend(str(line[-1]) for line in cursor.fetchall())

    sa.event.listen(ctx.database.writer, "before_cursor_execute", look)
    try:
        with ctx.transaction() as db:
            work(db)
    finally:
        sa.event.remove(ctx.database.writer, "before_cursor_execute", look)
    return "\n".join(found)


def test_among_many_messages_claims_and_looks_read_only_those_they_are_about(crowded):
    ctx = crowded
    plan = plan_of(
        ctx,
        lambda db: queue.claim(db, Channel.MAIL, "me", "t", ctx.now(), 20, timedelta(minutes=2)),
    )
    assert "ix_outbox_open" in plan
    assert not re.search(r"SCAN outbox|Seq Scan on outbox|TEMP B-TREE|Sort", plan), plan
    for look in (queue.any_to_sweep, queue.due_channels, queue.waiting):
        plan = plan_of(ctx, lambda db, look=look: look(db, ctx.now()))
        assert "ix_outbox" in plan
        assert not re.search(r"SCAN outbox|Seq Scan on outbox", plan), plan


def test_what_is_too_late_is_looked_for_along_the_deadlines(crowded):
    plan = plan_of(crowded, lambda db: queue.any_to_sweep(db, crowded.now()))
    assert "ix_outbox_open" in plan, plan

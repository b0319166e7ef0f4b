"""The sealed record: every line gets a seal, and whoever touches a line or a seal is found out."""

import json
import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from scheduler import logs, security
from scheduler.domain.audits import Broken, Fault, Line, canonical
from scheduler.services import audits
from scheduler.services.context import Context
from scheduler.store import audits as rows
from scheduler.store import tables
from scheduler.store.database import Database

AUDITS, SEALS = tables.audits.c, tables.audit_seals.c


def write(ctx, *actions):
    with ctx.transaction() as db:
        for action in actions:
            rows.record(db, ctx.now(), None, action, "term", 1, reason=action, after={"n": 1.5})


def sealed(ctx):
    with ctx.reading() as db:
        return db.execute(sa.select(tables.audit_seals).order_by(SEALS.position)).all()


def behind_the_back(ctx, *statements):
    """As somebody who holds the database itself and takes its triggers away."""
    with ctx.transaction() as db:
        if ctx.database.is_sqlite:
            db.execute(sa.text("PRAGMA defer_foreign_keys=ON"))
            names = ("audits_update", "audits_delete", "audit_seals_update", "audit_seals_delete")
            for name in names:
                db.execute(sa.text(f"DROP TRIGGER {name}"))
        else:
            for table in ("audits", "audit_seals"):
                db.execute(sa.text(f"DROP TRIGGER {table}_kept ON {table}"))
                db.execute(sa.text("ALTER TABLE audit_seals DROP CONSTRAINT IF EXISTS "
                                   "fk_audit_seals_audit_id"))  # fmt: skip
        for statement in statements:
            db.execute(statement)


@pytest.fixture
def six(ctx, clock):
    """Six sealed lines, long enough ago that none may be without a seal."""
    write(ctx, *"abcdef")
    assert audits.seal(ctx) == 6
    clock.forward(minutes=5)
    return [line.seal for line in sealed(ctx)]


def test_a_beat_seals_what_has_no_seal_and_the_next_finds_nothing(ctx):
    write(ctx, "a", "b")
    assert (audits.seal(ctx), audits.seal(ctx)) == (2, 0)
    write(ctx, "c")
    assert (audits.seal(ctx), audits.seal(ctx)) == (1, 0)
    assert [(row.position, row.day, row.kid) for row in sealed(ctx)] == [
        (n, ctx.now().date(), security.key_id(ctx.key)) for n in (1, 2, 3)
    ]
    found = audits.verify(ctx)
    assert (found.count, found.head, found.broken) == (3, sealed(ctx)[-1].seal, None)


def test_a_day_can_be_verified_alone(ctx, clock, six):
    clock.forward(days=1)
    write(ctx, "g")
    audits.seal(ctx)
    assert audits.verify(ctx, day=ctx.now().date()).count == 1
    assert audits.verify(ctx).count == 7
    behind_the_back(ctx, tables.audits.update().where(AUDITS.action == "b").values(reason="x"))
    assert audits.verify(ctx, day=ctx.now().date()).broken is None
    assert audits.verify(ctx).broken == Broken(Fault.CHANGED, 2, 2)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("person_id", None), ("action", "x"), ("subject", "x"), ("subject_id", 2),
        ("reason", ""), ("after", {"n": 2}), ("before", {}), ("request_id", "x"), ("network", "x"),
    ],
)  # fmt: skip
def test_a_changed_line_is_found(ctx, cast, clock, column, value):
    with ctx.transaction() as db:
        person = cast["person_teacher1"]
        rows.record(db, ctx.now(), person, "a", "term", 1, reason="r", after={"n": 1})
    audits.seal(ctx)
    behind_the_back(ctx, tables.audits.update().values({column: value}))
    assert audits.verify(ctx).broken == Broken(Fault.CHANGED, 1, 1)


def test_a_line_that_was_taken_away_is_found(ctx, six):
    if ctx.database.is_sqlite:
        with ctx.database.migrating() as connection:  # without its foreign keys
            for trigger in ("audits_delete", "audit_seals_delete"):
                connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
            connection.exec_driver_sql("DELETE FROM audits WHERE id = 3")
            connection.commit()
    else:
        behind_the_back(ctx, tables.audits.delete().where(AUDITS.id == 3))
    assert audits.verify(ctx).broken == Broken(Fault.NO_LINE, 3, 3)


@pytest.mark.parametrize(("gone", "place"), [(1, 2), (3, 4), (5, 6)])
def test_a_line_taken_away_with_its_seal_is_found(ctx, six, gone, place):
    behind_the_back(
        ctx,
        tables.audit_seals.delete().where(SEALS.position == gone),
        tables.audits.delete().where(AUDITS.id == gone),
    )
    assert audits.verify(ctx).broken == Broken(Fault.NO_SEAL, place, place)


def test_lines_cut_off_at_the_end_are_found_by_a_head_that_was_noted_elsewhere(ctx, six):
    behind_the_back(
        ctx,
        tables.audit_seals.delete().where(SEALS.position > 4),
        tables.audits.delete().where(AUDITS.id > 4),
    )
    assert audits.verify(ctx).broken is None  # the seals alone cannot tell
    assert audits.verify(ctx, noted=six[:4]).broken is None
    assert audits.verify(ctx, noted=[six[-1]]).broken == Broken(Fault.NO_HEAD)


def test_a_line_with_a_made_up_seal_is_found(ctx, six):
    write(ctx, "g")
    forged = security.chain_seal(b"another key, as long as ours is ..", six[-1], b"[]")
    with ctx.transaction() as db:
        db.execute(
            tables.audit_seals.insert().values(
                position=7, audit_id=7, day=ctx.now().date(), kid=security.key_id(ctx.key),
                seal=forged,
            )
        )  # fmt: skip
    assert audits.verify(ctx).broken == Broken(Fault.CHANGED, 7, 7)


def test_two_lines_that_changed_places_are_found(ctx, six):
    behind_the_back(
        ctx,
        tables.audits.update()
        .where(AUDITS.id.in_((2, 5)))
        .values(
            action=sa.case((AUDITS.id == 2, "e"), else_="b"),
            reason=sa.case((AUDITS.id == 2, "e"), else_="b"),
        ),
    )
    assert audits.verify(ctx).broken == Broken(Fault.CHANGED, 2, 2)


def test_two_seals_that_changed_places_are_found(ctx, six):
    behind_the_back(
        ctx,
        tables.audit_seals.update()
        .where(SEALS.position.in_((2, 5)))
        .values(seal=sa.case((SEALS.position == 2, six[4]), else_=six[1])),
    )
    assert audits.verify(ctx).broken == Broken(Fault.CHANGED, 2, 2)


def test_a_line_without_a_seal_is_a_fault_after_a_minute(ctx, clock, six):
    write(ctx, "g")
    clock.forward(seconds=59)
    assert audits.verify(ctx).broken is None
    clock.forward(seconds=2)
    assert audits.verify(ctx).broken == Broken(Fault.UNSEALED, None, 7)
    audits.seal(ctx)
    assert audits.verify(ctx).broken is None


def test_another_key_takes_over_and_an_unknown_one_is_named(ctx, six):
    new = replace(ctx, key=b"the next key of this house, of 32 bytes", former_keys=(ctx.key,))
    write(new, "g")
    audits.seal(new)
    assert audits.verify(new).count == 7
    forgetful = replace(new, former_keys=())
    assert audits.verify(forgetful).broken == Broken(Fault.UNKNOWN_KEY, 1, 1)


def test_a_line_that_came_after_its_time_is_found_by_the_daily_look(ctx, monkeypatch):
    """On PostgreSQL a lower number may be committed later than a higher one."""
    write(ctx, *"abcdef")
    with ctx.transaction() as db:  # as if only the last had been there yet
        lines = rows.unsealed(db, 10)
        rows.add_seals(db, audits._seals(ctx.key, None, lines[-1:]))
    monkeypatch.setattr(rows, "LOOK_BACK", 2)
    assert (audits.seal(ctx), audits.seal(ctx)) == (1, 0)
    assert audits.look_through(ctx) == 4
    assert audits.look_through(ctx) == 0  # once a day
    assert (audits.verify(ctx).count, audits.verify(ctx).broken) == (6, None)
    [line] = (ctx.settings.var_dir / "record-heads").read_text().splitlines()
    assert line.split("\t")[1:] == ["6", sealed(ctx)[-1].seal]


def test_the_head_stands_in_the_log_as_it_is(ctx, caplog):
    """Seals look like secrets, which logs cross out; this one is there to be compared."""
    write(ctx, *"abc")
    with caplog.at_level("INFO", "scheduler.services.audits"):
        audits.look_through(ctx)
    [said] = [each for each in caplog.records if each.name == "scheduler.services.audits"]
    assert json.loads(logs.Json().format(said))["head"] == sealed(ctx)[-1].seal
    assert f"head={sealed(ctx)[-1].seal}" in logs.Plain().format(said)


def test_many_processes_seal_one_chain(ctx):
    others = [replace(ctx, database=Database(ctx.database.url)) for _ in range(4)]
    stop = threading.Event()

    def beat(own: Context) -> None:
        while not stop.is_set():
            audits.seal(own)

    threads = [threading.Thread(target=beat, args=(own,)) for own in others]
    for thread in threads:
        thread.start()
    for n in range(40):
        write(ctx, *(f"{n}.{each}" for each in range(5)))
    stop.set()
    for thread in threads:
        thread.join()
    for own in others:
        own.database.close()
    audits.seal(ctx)
    found = audits.verify(ctx)
    assert (found.count, found.broken) == (200, None)


def test_sealing_three_lines_takes_as_many_statements_as_one(ctx):
    said = []
    sa.event.listen(ctx.database.writer, "before_cursor_execute", lambda *a: said.append(a[2]))
    counts = []
    for lines in ("a", "bcd"):
        write(ctx, *lines)
        said.clear()
        assert audits.seal(ctx) == len(lines)
        counts.append(len(said))
    assert counts[0] == counts[1]


# -- the bytes of a line

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
CHANGES = st.none() | st.dictionaries(st.text(), JSON, max_size=3)
LINES = st.builds(
    Line,
    id=st.integers(1, 9),
    at=st.datetimes(timezones=st.timezones()),
    person_id=st.none() | st.integers(1, 9),
    action=st.text(max_size=3),
    subject=st.text(max_size=3),
    subject_id=st.none() | st.integers(1, 9),
    reason=st.text(max_size=3),
    before=CHANGES,
    after=CHANGES,
    request_id=st.text(max_size=3),
    network=st.text(max_size=3),
)


@given(LINES, LINES)
def test_two_different_lines_never_give_the_same_bytes(one, other):
    assert (canonical(one) == canonical(other)) <= (one == other)


@given(LINES, st.sampled_from([each for each in Line.__dataclass_fields__ if each != "at"]), LINES)
def test_no_field_of_a_line_can_be_changed_without_its_bytes(line, field, other):
    changed = replace(line, **{field: getattr(other, field)})
    assert (canonical(changed) == canonical(line)) <= (changed == line)


@given(LINES)
def test_a_line_says_the_same_in_every_zone_and_after_the_database(line):
    again = replace(
        line,
        at=line.at.astimezone(None),
        before=json.loads(json.dumps(line.before)),
        after=json.loads(json.dumps(line.after)),
    )
    assert canonical(again) == canonical(line)

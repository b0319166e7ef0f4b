"""Forgetting in time: what is too old goes, and nothing else is touched."""

import os
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.messages import MessageKind
from scheduler.domain.retention import RULES, Kept, rule, without_words
from scheduler.services import retention
from scheduler.store import retention as rows
from scheduler.store import tables
from tests.planning import A1, A2, draft, publish, timetable

DAY = timedelta(days=1)


def insert(ctx, table, **values):
    with ctx.transaction() as db:
        db.execute(table.insert().values(**values))


def state(ctx):
    """Every row of every table by its key."""
    with ctx.reading() as db:
        return {
            (name, *(row._mapping[key.name] for key in table.primary_key)): dict(row._mapping)
            for name, table in tables.metadata.tables.items()
            for row in db.execute(sa.select(table))
        }


def lost(before, after):
    """What became of the rows: gone as (table,), changed as (table, column), sorted."""
    assert after.keys() <= before.keys()
    gone = [(key[0],) for key in before.keys() - after.keys()]
    changed = [
        (key[0], name)
        for key, row in after.items()
        for name, value in row.items()
        if before[key][name] != value
    ]
    return sorted(gone + changed)


@pytest.fixture
def lessons(ctx, cast):
    """Two lessons, a week apart."""
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    return timetable(ctx, cast)


def speak(ctx, cast, lesson):
    """Leave words of every kind with a lesson."""
    person, teacher, at = cast["person_teacher1"], cast["teacher1"], lesson.ends_at
    with ctx.transaction() as db:
        db.execute(
            tables.lessons.update()
            .where(tables.lessons.c.id == lesson.id)
            .values(cancel_reason="storm", cancelled_by="Cô A")
        )
        db.execute(
            tables.lesson_history.update()
            .where(tables.lesson_history.c.lesson_id == lesson.id)
            .values(reason="storm")
        )
        call = db.execute(
            tables.cover_calls.insert()
            .values(
                lesson_id=lesson.id, teacher_id=teacher, reason="ill", asked_at=at, ended_at=at
            )
            .returning(tables.cover_calls.c.id)
        ).scalar_one()  # fmt: skip
    insert(ctx, tables.reports, lesson_id=lesson.id, side="teacher", held=True, cause="",
           note="all well", reported_by=person, reported_at=at)  # fmt: skip
    insert(ctx, tables.briefs, lesson_id=lesson.id, unit="", pages="", done="x", next="",
           written_by=person, written_at=at)  # fmt: skip
    insert(ctx, tables.offers, call_id=call, teacher_id=cast["teacher2"], wave=1, asked_at=at,
           deadline=at, reason="busy", ended_at=at, end="declined")  # fmt: skip
    insert(ctx, tables.pins, lesson_id=lesson.id, note="keep", made_at=at)
    insert(ctx, tables.swaps, given_id=lesson.id, given_sequence=0, asker_id=teacher,
           wanted_id=lesson.id, wanted_sequence=0, asked_id=cast["teacher2"], words="please",
           asked_at=at, deadline=at, ended_at=at, end="declined")  # fmt: skip


def test_words_about_a_lesson_go_after_24_months_and_the_lesson_stays(ctx, cast, clock, lessons):
    insert(ctx, tables.partnerships, id=1, programme_id=cast["programme"], donor_unit="Q",
                  receiving_unit="H", lessons_pledged=1, joint_sessions_pledged=1)  # fmt: skip
    for lesson in lessons:
        speak(ctx, cast, lesson)
        insert(ctx, tables.joint_sessions, partnership_id=1, uid=lesson.uid,
               join_token=lesson.uid, title="x", state="cancelled", starts_at=lesson.starts_at,
               ends_at=lesson.ends_at, sequence=0, created_at=lesson.starts_at,
               changed_at=lesson.starts_at, cancel_reason="storm",
               cancelled_by="Cô A")  # fmt: skip
    clock.at = lessons[0].ends_at + rule(Kept.LESSON_WORDS).age + DAY
    before = state(ctx)
    assert retention.due(ctx)[Kept.LESSON_WORDS] == 9
    assert retention.run(ctx)[Kept.LESSON_WORDS] == 9
    words = [
        ("briefs", "done"), ("cover_calls", "reason"), ("joint_sessions", "cancel_reason"),
        ("joint_sessions", "cancelled_by"), ("lesson_history", "reason"),
        ("lessons", "cancel_reason"), ("lessons", "cancelled_by"), ("offers", "reason"),
        ("pins", "note"), ("reports", "note"), ("swaps", "words"),
    ]  # fmt: skip
    told = [each for each in lost(before, state(ctx)) if each != ("outbox", "payload")]
    assert told == words
    assert retention.run(ctx)[Kept.LESSON_WORDS] == 0


@pytest.fixture
def pair(ctx, cast, clock):
    """Of everything that goes whole, one row that is one day too old and one that is not."""
    person = cast["person_teacher1"]
    now = clock.now()
    for n, age in enumerate((89 * DAY, 91 * DAY)):
        then = now - age
        insert(ctx, tables.sign_ins, person_id=person, token_hash=f"t{n}", browser_hash="",
               code_hash="", tries_left=5, created_at=then, expires_at=then)  # fmt: skip
        insert(ctx, tables.sessions, person_id=person, series_hash=f"t{n}", token_hash=f"t{n}",
               csrf="", created_at=then, seen_at=then, expires_at=now + 30 * DAY, ended_at=then,
               renewed_at=then, renew_at=then)  # fmt: skip
        insert(ctx, tables.invitations, token_hash=f"t{n}", email="a@x.example", name="A",
               language="vi", role="coordinator", programme_id=cast["programme"], created_at=then,
               expires_at=then)  # fmt: skip
        insert(ctx, tables.address_changes, person_id=person, email="a@x.example",
               token_hash=f"t{n}", created_at=then, expires_at=now, used_at=then)  # fmt: skip
        insert(ctx, tables.access_tokens, person_id=person, name="", jti=f"t{n}", created_at=then,
               expires_at=then, proved=False)  # fmt: skip
        insert(ctx, tables.audits, id=n + 100, at=then, person_id=person, action="x", subject="x",
               reason="")  # fmt: skip
        insert(ctx, tables.audit_origins, audit_id=n + 100, address="192.0.2.1")
        full = int(now.timestamp() * 1000) + (1 if n == 0 else 0)
        insert(ctx, tables.buckets, name=f"t{n}", full_at=full)
    return now


GONE = [
    ("access_tokens",), ("address_changes",), ("audit_origins",), ("buckets",), ("invitations",),
    ("sessions",), ("sign_ins",),
]  # fmt: skip


def test_what_has_ended_goes_after_90_days_and_nothing_else(ctx, pair):
    before = state(ctx)
    due = retention.due(ctx)
    assert state(ctx) == before  # counting changes nothing
    assert retention.run(ctx) == due
    after = state(ctx)
    assert lost(before, after) == GONE
    names = {row[key] for row in after.values() for key in ("token_hash", "jti") if key in row}
    assert names == {"t0"}  # the younger of each pair
    assert sorted(key for key in after if key[0] in ("audit_origins", "buckets")) == [
        ("audit_origins", 100), ("buckets", "t0"),
    ]  # fmt: skip
    assert sum(retention.run(ctx).values()) == 0


def test_much_goes_in_batches_and_stops_when_told(ctx, pair, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    assert sum(retention.run(ctx, lambda: False).values()) == 0
    before = state(ctx)
    retention.run(ctx)
    assert lost(before, state(ctx)) == GONE


def test_it_is_done_once_a_day_by_one_of_all_processes(ctx, pair):
    assert retention.tidy(ctx) == len(GONE)
    insert(ctx, tables.buckets, name="late", full_at=0)
    assert retention.tidy(ctx) == 0


def test_the_words_of_a_message_go_after_30_days_and_what_it_was_about_stays(ctx, cast, clock):
    person = cast["person_teacher1"]
    news = {
        "entries": [{"lesson": 1, "side": "school", "what": "changed", "by": "B", "reason": "ill"}],
        "causes": ["x"],
    }
    note = {"words": "Dear A", "name": "B", "email": "b@x.example"}
    plain = {"day": "2023-10-04", "side": "teacher", "zone": "UTC"}
    kinds = ((MessageKind.CHANGES, news), (MessageKind.NOTE, note), (MessageKind.DIGEST, plain))
    for days, kind_of in ((31, "expired"), (29, "expired"), (31, "planned")):
        for kind, payload in kinds:
            then = clock.now() - days * DAY
            key = f"{kind}:{days}:{kind_of}"
            insert(ctx, tables.outbox, key=key, kind=kind, channel="mail", person_id=person,
                   payload=payload, due_at=then, useless_after=then, state=kind_of, attempts=0,
                   next_try_at=then, phase="waiting", message_id=key, last_error="",
                   created_at=then)  # fmt: skip
    before = state(ctx)
    assert retention.run(ctx)[Kept.MESSAGE_WORDS] == 2
    assert lost(before, state(ctx)) == [("outbox", "payload")] * 2
    rows_now = sorted((key, row) for key, row in state(ctx).items() if key[0] == "outbox")
    told = [row["payload"] for _, row in rows_now][:3]
    assert told == [
        {"entries": [{"lesson": 1, "side": "school", "what": "changed"}], "causes": ["x"]},
        {"words": "", "name": "", "email": ""},
        plain,
    ]
    assert retention.run(ctx)[Kept.MESSAGE_WORDS] == 0


def test_who_invited_whom_is_forgotten_once_and_holds_up_nothing_behind_it(ctx, cast, clock):
    words = {"email": "moi@x.example", "name": "Mới", "by": "Cô A", "role": "school"}
    then = clock.now() - 31 * DAY
    for key in ("one", "two", "three"):
        insert(ctx, tables.outbox, key=key, kind=MessageKind.INVITATION, channel="mail",
               person_id=cast["person_coordinator"], payload=words, due_at=then,
               useless_after=then, state="expired", attempts=0, next_try_at=then, phase="waiting",
               message_id=key, last_error="", created_at=then)  # fmt: skip
    done = []
    with ctx.transaction() as db:
        done += [rows.clear(db, Kept.MESSAGE_WORDS, clock.now() - 30 * DAY, 2) for _ in range(3)]
    assert done == [2, 1, 0]
    told = [row["payload"] for key, row in state(ctx).items() if key[0] == "outbox"]
    assert told == [{"email": "", "name": "", "role": "school"}] * 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_mails_and_journals_kept_as_files_go_in_time(ctx, clock):
    mails, journals = ctx.settings.mail_dir, ctx.settings.journal_dir
    for folder in (mails, journals):
        folder.mkdir(parents=True)
    for days in (29, 31):
        path = mails / f"{days}.eml"
        path.write_bytes(b"x")
        at = (clock.now() - days * DAY).timestamp()
        os.utime(path, (at, at))
    for name in ("2023-05", "2023-06", "2023-07", "2023-10", "2023-06-copy", "mine"):
        (journals / f"{name}.log").write_bytes(b"x")
    assert retention.due(ctx)[Kept.MAIL_FILES] == 1
    done = retention.run(ctx)
    assert (done[Kept.MAIL_FILES], done[Kept.JOURNALS]) == (1, 2)
    assert [path.name for path in mails.iterdir()] == ["29.eml"]
    assert sorted(path.stem for path in journals.iterdir()) == [
        "2023-06-copy", "2023-07", "2023-10", "mine",
    ]  # fmt: skip


def test_every_rule_has_its_hands():
    files = set(retention._FILES)
    assert files | set(rows._STEPS) == set(Kept) == {each.kept for each in RULES}
    assert not files & set(rows._STEPS)


def test_a_payload_without_entries_keeps_what_it_says():
    assert without_words({"day": "x", "entries": 3}) == {"day": "x", "entries": 3}

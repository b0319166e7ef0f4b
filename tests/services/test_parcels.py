"""A batch of messages becomes parcels with as few questions as one message."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.messages import OF_SESSIONS, PRIVATE, Channel, MessageKind
from scheduler.services import answers, facts, letters, news, reminders
from scheduler.services.answers import Reply
from scheduler.services.facts import Outdated
from scheduler.services.parcels import Dropped, Poisoned, Ready, prepare
from scheduler.store import queue, tables
from tests.faults.kit import announce, book, replan, states, write

WEDNESDAY = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)  # 07:30 in Hà Nội, morning period 1


@contextmanager
def reading(database):
    seen = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement)

    sa.event.listen(database.reader, "before_cursor_execute", note)
    yield seen
    sa.event.remove(database.reader, "before_cursor_execute", note)


def in_short(ctx, message):
    return letters.short(ctx, message, facts.about(facts.gather(ctx, [message]), message))


def claim(ctx, limit=100):
    with ctx.transaction() as db:
        return queue.claim(
            db, Channel.MAIL, "worker", "token", ctx.now(), limit, timedelta(minutes=2)
        )


def everything(ctx, cast, clock):
    """Messages of every kind about lessons, due at one moment."""
    lesson = book(ctx, cast, WEDNESDAY)
    replan(ctx, lesson)
    reminders.plan_ahead(ctx)
    announce(ctx, cast, 20)
    far = book(ctx, cast, WEDNESDAY + timedelta(hours=20), "8B", "teacher2")
    own = answers.of_actor(cast.actors["teacher2"], far)
    answers.reply(ctx, own, Reply.CANNOT, answers.Excuse(answers.rules.Reason.SICK))
    off = book(ctx, cast, ctx.now() + timedelta(hours=9), "8B", "teacher2", "cancelled")
    with ctx.transaction() as db:
        news.call_off(ctx, db, [off], f"called_off:{off}")
    row = tables.outbox
    write(ctx, row, row.c.state == "planned", next_try_at=ctx.now())
    return claim(ctx)


def test_twenty_messages_ask_as_much_of_the_database_as_one(ctx, cast, clock, database):
    messages = everything(ctx, cast, clock)
    kinds = {message.kind for message in messages}
    assert kinds == set(MessageKind) - {*PRIVATE, *OF_SESSIONS, MessageKind.NOTE}
    counts = []
    for some in (messages[:1], messages[:20], messages):
        with reading(database) as seen:
            prepared = prepare(ctx, some)
        counts.append(len(seen))
        assert all(isinstance(each, Ready) for each in prepared), prepared
    assert max(counts) - min(counts) <= 2  # bell times are asked for only where lessons are
    assert max(counts) <= 13  # one is for the joint sessions of the week ahead
    states(ctx)


def test_each_kind_has_a_few_words_for_a_lock_screen(ctx, cast, clock):
    for message in everything(ctx, cast, clock):
        found = in_short(ctx, message)
        assert 0 < len(found.title) <= 50
        assert found.body
        assert found.url.startswith("https://chungtay.example/")
        assert (found.tag, found.template) == (message.key, message.kind.value)
        assert set(found.parameters) == {"name", "title", "body", "url"}


def test_the_day_before_says_what_when_and_leads_to_the_answer(ctx, cast, clock):
    replan(ctx, book(ctx, cast, WEDNESDAY))
    clock.at = WEDNESDAY - timedelta(hours=23)
    found = {message.person_id: in_short(ctx, message) for message in claim(ctx)}
    own = found[cast["person_teacher1"]]
    assert (own.title, own.body) == (
        "Tiếng Anh 7A · THCS A · Sáng tiết 1",
        "Thứ Tư 04/10 · 07:30–08:15",
    )
    assert own.url.startswith("https://chungtay.example/a/")
    assert "/j/" in found[cast["person_schoolA"]].url


@pytest.mark.fault(35)
def test_a_payload_that_nobody_can_read_poisons_no_neighbour(ctx, cast, clock):
    announce(ctx, cast, 3)
    messages = claim(ctx)
    row = tables.outbox
    write(ctx, row, row.c.id == messages[1].id, payload={"entries": [{"lesson": "x"}]})
    with ctx.transaction() as db:
        db.execute(row.update().values(state="planned", lease_token=None, lease_until=None))
    kinds = [type(each) for each in prepare(ctx, claim(ctx))]
    assert kinds == [Ready, Poisoned, Ready]


def test_a_message_for_an_account_that_is_off_is_dropped(ctx, cast):
    announce(ctx, cast, 1)
    people = tables.persons
    write(ctx, people, people.c.id == cast["person_teacher1"], active=False)
    (message,) = claim(ctx)
    assert prepare(ctx, [message]) == (Dropped("the account is off"),)
    with pytest.raises(Outdated):
        letters.compose(ctx, message)

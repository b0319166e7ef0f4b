"""Which way a message takes, and which one after it: at most once each, and never in vain."""

import random

import pytest
import sqlalchemy as sa

from scheduler.delivery.channels import Outcome
from scheduler.delivery.gateway import GatewayTransport
from scheduler.delivery.mailfiles import FileTransport
from scheduler.delivery.push import PushTransport
from scheduler.domain import ways as rules
from scheduler.domain.choices import Choices
from scheduler.domain.messages import Channel, MessageKind, MessageState
from scheduler.domain.news import Entry, Gathering
from scheduler.domain.reminders import Side
from scheduler.errors import NotFound
from scheduler.services import devices, gateways, mailroom, notices, parcels, ways
from scheduler.services.gateways import Report
from scheduler.store import tables
from tests.faults.kit import book, rows, states, write
from tests.services.ways_kit import (
    HOUR,
    choose,
    claimed,
    end,
    have_device,
    have_phone,
    plan,
    with_gateways,
)

MAIL, PUSH, SMS, ZALO = Channel.MAIL, Channel.PUSH, Channel.SMS, Channel.ZALO
FAILED, SENT = MessageState.FAILED, MessageState.SENT


@pytest.fixture
def teacher(cast):
    return cast["person_teacher1"]


@pytest.fixture
def wired(ctx):
    return with_gateways(ctx)


def first(ctx, *people):
    with ctx.reading() as db:
        return ways.first(ctx, db, people)


def fail(ctx, row_id):
    """As a sender does: marked and followed in one transaction."""
    end(ctx, row_id, FAILED)
    message = claimed(ctx, row_id)
    with ctx.transaction() as db:
        return ways.follow(ctx, db, message)


# -- transports


def test_an_installation_has_the_ways_of_its_settings(ctx, wired):
    kinds = [type(ways.transport(ctx, channel)) for channel in Channel]
    assert kinds == [FileTransport, PushTransport, type(None), type(None)]
    kinds = [type(ways.transport(wired, channel)) for channel in Channel]
    assert kinds == [FileTransport, PushTransport, GatewayTransport, GatewayTransport]


# -- the first way


def test_who_chose_nothing_is_reached_by_mail(ctx, teacher):
    assert first(ctx, teacher) == {teacher: MAIL}
    assert first(ctx) == {}


def test_a_choice_that_leads_nowhere_is_passed_over(ctx, wired, cast, teacher):
    choose(ctx, teacher, ZALO, PUSH, MAIL)
    assert first(wired, teacher) == {teacher: MAIL}
    have_phone(ctx, teacher, "024 3825 1234")
    assert first(wired, teacher) == {teacher: MAIL}
    have_device(ctx, cast.actors["teacher1"])
    assert first(wired, teacher) == {teacher: PUSH}
    have_phone(ctx, teacher)
    assert first(wired, teacher) == {teacher: ZALO}
    assert first(ctx, teacher) == {teacher: PUSH}  # without a gateway


def test_mail_is_passed_over_where_it_bounces_and_still_the_last_resort(ctx, cast, teacher):
    person = tables.persons
    write(ctx, person, person.c.id == teacher, mail_fault="550", mail_fault_at=ctx.now())
    assert first(ctx, teacher) == {teacher: MAIL}
    have_device(ctx, cast.actors["teacher1"])
    choose(ctx, teacher, MAIL, PUSH)
    assert first(ctx, teacher) == {teacher: PUSH}


def test_the_news_that_must_arrive_goes_two_ways(ctx, wired, cast, teacher):
    other = cast["person_schoolA"]
    have_device(ctx, cast.actors["teacher1"])
    have_phone(ctx, teacher)
    choose(ctx, teacher, MAIL, SMS, PUSH)
    with ctx.reading() as db:
        found = ways.urgent(wired, db, [teacher, other])
        bare = ways.urgent(ctx, db, [teacher])
    assert (found, bare) == ({teacher: (MAIL, SMS), other: (MAIL,)}, {teacher: (MAIL, PUSH)})
    now = ctx.now()
    assert rules.is_urgent(now + 3 * HOUR, now)
    assert not rules.is_urgent(now + 3.01 * HOUR, now)


@pytest.mark.parametrize("many", [1, 3])
def test_any_number_of_readers_costs_three_queries(wired, cast, many):
    people = [cast[f"person_{name}"] for name in ("teacher1", "teacher2", "schoolA")][:many]
    asked = []
    with wired.reading() as db:
        db.connection()
        sa.event.listen(db.get_bind(), "before_cursor_execute", lambda *_: asked.append(1))
        ways.first(wired, db, people)
    assert len(asked) == 3


# -- the next way


def test_a_message_that_fails_takes_the_next_way_once(ctx, wired, cast, teacher):
    have_device(ctx, cast.actors["teacher1"])
    have_phone(ctx, teacher)
    choose(ctx, teacher, PUSH, ZALO)
    one = plan(ctx, teacher, PUSH, programme_id=cast["programme"])
    assert (fail(wired, one), fail(wired, one)) == (1, 0)  # a commit of unknown end is repeated
    pushed, zalo = rows(ctx, "key", "channel", "follows_id", "programme_id", "state")
    base = f"publication:1:{teacher}:changes"
    assert pushed == (f"{base}:push", "push", None, cast["programme"], "failed")
    assert zalo == (f"{base}:zalo", "zalo", one, cast["programme"], "planned")


def test_the_next_way_keeps_what_the_message_is(ctx, cast, teacher):
    have_device(ctx, cast.actors["teacher1"])
    one = plan(ctx, teacher, PUSH)
    same = ("kind", "person_id", "payload", "due_at", "useless_after", "lesson_id")
    fail(ctx, one)
    before, after = rows(ctx, *same)
    assert before == after
    [first_name], [next_name] = rows(ctx, "message_id")
    assert first_name != next_name
    assert next_name.endswith("@chungtay.example>")
    assert rows(ctx, "state", "attempts", "next_try_at")[1] == ("planned", 0, ctx.now())


def test_after_the_last_way_there_is_none(ctx, cast, teacher):
    have_device(ctx, cast.actors["teacher1"])
    one = plan(ctx, teacher, PUSH)
    assert fail(ctx, one) == 1
    assert fail(ctx, one + 1) == 0
    assert states(ctx) == {"failed": 2}


def test_what_is_useless_or_secret_takes_no_other_way(ctx, cast, clock, teacher):
    have_device(ctx, cast.actors["teacher1"])
    secret = plan(ctx, teacher, MAIL, kind=MessageKind.SIGN_IN, key="sign_in:x:1:mail")
    late = plan(ctx, teacher, MAIL)
    assert fail(ctx, secret) == 0
    clock.forward(hours=1)
    assert fail(ctx, late) == 0


def test_news_that_went_two_ways_is_not_sent_a_third_time_for_nothing(ctx, cast, teacher):
    have_device(ctx, cast.actors["teacher1"])
    mailed = plan(ctx, teacher, MAIL)
    plan(ctx, teacher, PUSH)
    assert fail(ctx, mailed) == 0


def test_messages_for_a_gateway_that_was_taken_away_go_on(ctx, wired, clock, cast, teacher):
    have_phone(ctx, teacher)
    choose(ctx, teacher, SMS)
    plan(ctx, teacher, SMS, due_at=ctx.now() + HOUR / 2)
    assert ways.rescue(ctx) == 0  # not due yet: the gateway may come back
    clock.forward(minutes=30)
    assert ways.rescue(wired) == 0
    assert ways.rescue(ctx) == 1
    assert ways.rescue(ctx) == 0
    assert rows(ctx, "channel", "state") == [("sms", "failed"), ("mail", "planned")]


def test_a_reader_who_left_a_way_is_refused_there(ctx, cast, teacher):
    have_device(ctx, cast.actors["teacher1"])
    lesson = book(ctx, cast, ctx.now() + 720 * HOUR)
    told = Gathering((Entry(lesson, Side.TEACHER),), ()).payload()
    one = plan(ctx, teacher, PUSH, payload=told)
    [device] = devices.mine(ctx, cast.actors["teacher1"])
    devices.remove(ctx, cast.actors["teacher1"], device.id)
    [ready] = parcels.prepare(ctx, [claimed(ctx, one)])
    assert ways.push(ctx).send(ready.parcel).outcome is Outcome.REFUSED
    assert fail(ctx, one) == 1


# -- how far it came


def test_the_mailroom_shows_one_message_over_all_its_ways(ctx, cast, teacher):
    coordinator, programme = cast.actors["coordinator"], cast["programme"]
    have_device(ctx, cast.actors["teacher1"])
    one = plan(ctx, teacher, PUSH, programme_id=programme)
    plan(ctx, cast["person_teacher2"], MAIL, programme_id=programme)
    end(ctx, one, FAILED, last_error="410", attempts=1)
    with ctx.transaction() as db:
        ways.follow(ctx, db, claimed(ctx, one))
    two = one + 2
    end(ctx, two, SENT, provider_reply="250 ok")
    for asked in (one, two):
        pushed, mailed = mailroom.open_one(ctx, coordinator, asked).way
        assert (pushed.channel, pushed.state, pushed.reply) == (PUSH, FAILED, "410")
        assert (pushed.sent_at, pushed.attempts, pushed.follows_id) == (None, 1, None)
        assert (mailed.channel, mailed.state, mailed.reply) == (MAIL, SENT, "250 ok")
        assert (mailed.sent_at, mailed.follows_id) == (ctx.now(), one)
    with pytest.raises(NotFound):
        mailroom.open_one(ctx, cast.actors["stranger"], one)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_fails_each_message_arrives_or_failed_on_every_way(ctx, wired, cast, seed):
    """By a sender that fails at random: before, or after the gateway said it had taken it."""
    chance = random.Random(seed)
    people = [cast[f"person_{name}"] for name in ("teacher1", "teacher2", "schoolA")]
    open_ways = {person: _settle(wired, cast, chance, person) for person in people}
    for person, channel in first(wired, *people).items():
        assert channel is open_ways[person][0]
        plan(ctx, person, channel)
    while found := [row for row in rows(ctx, "id", "state") if row[1] == "planned"]:
        _send(wired, chance, chance.choice(found)[0])
    for person in people:
        legs = [row[1:] for row in rows(ctx, "person_id", "channel", "state") if row[0] == person]
        taken = [channel for channel, _ in legs]
        assert taken == list(open_ways[person])[: len(taken)]  # in order, and each once
        *before, last = [state for _, state in legs]
        assert set(before) <= {"failed"}
        assert last == "sent" or taken == list(open_ways[person])
    states(ctx)


def _settle(ctx, cast, chance, person):
    """A reader at random, and the ways that lead to them."""
    actor = next(each for each in cast.actors.values() if each.person_id == person)
    leads = {MAIL}
    if chance.random() < 0.6:
        have_device(ctx, actor, f"https://push.test/{person}")
        leads.add(PUSH)
    if chance.random() < 0.6:
        have_phone(ctx, person)
        leads |= {SMS, ZALO}
    chosen = chance.sample(list(Channel), chance.randint(0, 4))
    choose(ctx, person, *chosen)
    return rules.order(Choices(channels=tuple(chosen)), leads)


def _send(ctx, chance, row_id):
    message = claimed(ctx, row_id)
    if chance.random() < 0.5:
        fail(ctx, row_id)
        return
    end(ctx, row_id, SENT, provider_reply="taken")
    if message.channel in (SMS, ZALO) and chance.random() < 0.7:
        told = Report(notices.name(message), chance.choice(["delivered", "failed"]))
        gateways.report(ctx, message.channel, told)

"""What a reader chose is what comes, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain.choices import Choices
from scheduler.domain.messages import Channel, MessageKind
from scheduler.errors import Invalid
from scheduler.services import choices, outbox, sending
from scheduler.services.choices import Wish
from scheduler.services.parcels import Dropped, Postponed, Ready, prepare
from scheduler.services.sending import Fate
from scheduler.store import choices as rows_of
from scheduler.store import queue, recipients, tables
from tests.faults.kit import Post, announce, book, replan, rows, states, write

WEDNESDAY = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)  # 07:30 in Hà Nội, morning period 1
USUAL = Wish(Choices(), None, "vi")
NIGHT = replace(USUAL, choices=Choices(quiet_from=22 * 60, quiet_until=7 * 60))


@pytest.fixture
def lesson(ctx, cast):
    made = book(ctx, cast, WEDNESDAY)
    replan(ctx, made)
    return made


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


def save(ctx, cast, wish, who="teacher1"):
    return choices.save(ctx, cast.actors[who], wish)


def mine(ctx, cast, state="planned"):
    person = cast["person_teacher1"]
    found = rows(ctx, "kind", "state", "person_id")
    return sorted(kind for kind, at, whose in found if at == state and whose == person)


def claim(ctx):
    with ctx.transaction() as db:
        return queue.claim(
            db, Channel.MAIL, "worker", "token", ctx.now(), 100, timedelta(minutes=2)
        )


def test_who_chose_nothing_has_the_usual_choices(ctx, cast, lesson):
    desk = choices.desk(ctx, cast.actors["teacher1"])
    assert (desk.wish, desk.on, desk.zone) == (USUAL, True, "Asia/Ho_Chi_Minh")
    kind, at = desk.next
    assert kind is MessageKind.DAY_BEFORE
    assert (at,) in rows(ctx, "due_at")


def test_what_was_not_chosen_is_taken_back_and_comes_again_when_chosen(ctx, cast, lesson):
    assert save(ctx, cast, replace(USUAL, choices=Choices(hour_before=False, soon=False))) == USUAL
    assert mine(ctx, cast) == ["day_before", "digest"]
    save(ctx, cast, USUAL)
    assert mine(ctx, cast) == ["day_before", "digest", "hour_before", "soon"]


def test_all_reminders_stop_and_start(ctx, cast, lesson):
    choices.switch(ctx, cast.actors["teacher1"], wanted=False)
    assert mine(ctx, cast) == []
    assert choices.desk(ctx, cast.actors["teacher1"]).next is None
    choices.switch(ctx, cast.actors["teacher1"], wanted=True)
    assert mine(ctx, cast) == ["day_before", "digest", "hour_before", "soon"]


def test_another_zone_moves_the_day_that_is_told(ctx, cast, lesson):
    save(ctx, cast, replace(USUAL, zone="America/New_York"))
    person = cast["person_teacher1"]
    days = {key: at for key, at in rows(ctx, "key", "state") if key.startswith(f"day:{person}:")}
    assert days == {
        f"day:{person}:2023-10-03:day_before:mail": "planned",
        f"day:{person}:2023-10-04:day_before:mail": "cancelled",
    }
    save(ctx, cast, USUAL)
    found = rows(ctx, "key", "state", "payload")
    (payload,) = [p for key, at, p in found if key.startswith("day:") and p["side"] == "teacher"
                  and at == "planned"]  # fmt: skip
    assert (payload["day"], payload["zone"]) == ("2023-10-04", "Asia/Ho_Chi_Minh")


@pytest.mark.parametrize(
    "wish",
    [
        replace(USUAL, zone="Mars/Olympus"),
        replace(USUAL, zone="../../etc/passwd"),
        replace(USUAL, language="fr"),
        replace(USUAL, choices=Choices(quiet_from=60)),
        replace(USUAL, choices=Choices(quiet_from=60, quiet_until=60)),
    ],
)
def test_what_cannot_be_is_refused(ctx, cast, wish):
    with pytest.raises(Invalid):
        save(ctx, cast, wish)


def test_reminders_are_planned_outside_the_quiet(ctx, cast, lesson):
    save(ctx, cast, replace(USUAL, choices=Choices(quiet_from=18 * 60, quiet_until=7 * 60 + 20)))
    due = {kind: at for kind, at, state, who in rows(ctx, "kind", "due_at", "state", "person_id")
           if state == "planned" and who == cast["person_teacher1"]}  # fmt: skip
    before = datetime(2023, 10, 3, 10, 59, tzinfo=UTC)  # 17:59
    assert due["hour_before"] == before  # 07:20 would be too late for it
    assert due["soon"] == WEDNESDAY - timedelta(minutes=10)  # 07:20


def test_in_the_quiet_a_reminder_waits_and_news_too(ctx, cast, lesson, clock):
    announce(ctx, cast, 1)
    with ctx.transaction() as db:
        rows_of.save(db, cast["person_teacher1"], NIGHT.choices)
    write(ctx, tables.outbox, tables.outbox.c.kind == "day_before", next_try_at=ctx.now())
    clock.at = datetime(2023, 10, 1, 23, 45, tzinfo=UTC)  # 06:45
    until = datetime(2023, 10, 2, tzinfo=UTC)
    messages, found = claim(ctx), {}
    for message, prepared in zip(messages, prepare(ctx, messages), strict=True):
        found.setdefault(message.person_id, []).append(prepared)
    assert found[cast["person_teacher1"]] == [Postponed(until), Postponed(until)]
    assert [type(p) for p in found[cast["person_schoolA"]]] == [Ready]


def test_news_that_would_come_too_late_after_the_quiet_goes_at_once(ctx, cast, clock):
    save(ctx, cast, replace(USUAL, choices=Choices(quiet_from=0, quiet_until=23 * 60)))
    announce(ctx, cast, 1)  # of a lesson in 24 hours, 30 minutes before which the quiet ends
    lesson = tables.lessons
    write(ctx, lesson, lesson.c.id > 0, starts_at=ctx.now() + timedelta(hours=12),
          ends_at=ctx.now() + timedelta(hours=13))  # fmt: skip
    assert [type(p) for p in prepare(ctx, claim(ctx))] == [Ready]


def test_a_reminder_whose_time_is_all_quiet_is_dropped(ctx, cast, lesson, clock):
    with ctx.transaction() as db:
        whole = Choices(quiet_from=12 * 60, quiet_until=8 * 60)
        rows_of.save(db, cast["person_teacher1"], whole)
    clock.at = WEDNESDAY - timedelta(minutes=10)
    assert [type(p) for p in prepare(ctx, claim(ctx))] == [Dropped]


def test_signing_in_never_waits(ctx, cast):
    save(ctx, cast, NIGHT)
    with ctx.transaction() as db:
        person = recipients.people(db, [cast["person_teacher1"]])
        (one,) = person.values()
        ends = ctx.now() + timedelta(minutes=10)
        outbox.sign_in_message(ctx, db, one, "https://chungtay.example/sign-in/x", "ABCDEFGH", ends)
    assert sending.send_due(ctx, Post()).fates == {Fate.SENT: 1}


def test_news_waits_no_longer_than_the_quiet_that_holds_now(ctx, cast, clock):
    clock.at = WEDNESDAY - timedelta(days=1, hours=9)  # 22:30
    save(ctx, cast, NIGHT)
    announce(ctx, cast, 1)
    assert sending.send_due(ctx, Post()).fates == {Fate.POSTPONED: 1}
    save(ctx, cast, USUAL)
    assert sending.send_due(ctx, Post()).fates == {Fate.SENT: 1}

"""Who reads a calendar when several would: one at a time, and the teacher's wish before all."""

import threading
from collections import Counter

import pytest
import sqlalchemy as sa

from scheduler import security
from scheduler.domain.busy import BusyChoices
from scheduler.errors import Conflict
from scheduler.services import busy
from scheduler.store import busy as rows
from scheduler.store import tables
from tests.calendars.wire import Wire, ics
from tests.cast import T0
from tests.services.test_busy_calendars import ADDRESS, HOUR, LUNCH, TALK, WED_8, told


@pytest.fixture
def lan(cast):
    return cast.actors["teacher1"]


@pytest.fixture
def wire():
    return Wire(ics(LUNCH, TALK))


def test_a_calendar_being_read_is_left_alone(ctx, lan, wire):
    """The second reader comes while the first waits for the answer, in no transaction."""
    busy.set_source(ctx, lan, ADDRESS, BusyChoices())
    other = Wire(ics())

    def meanwhile():
        assert busy.refresh_due(ctx, fetch=other) == 0
        with pytest.raises(Conflict):
            busy.read_now(ctx, lan, other)

    wire.meanwhile = meanwhile
    assert busy.refresh_due(ctx, fetch=wire) == 1
    assert (len(wire.asked), other.asked) == (1, [])


def test_a_reader_who_vanished_holds_a_calendar_for_minutes_only(ctx, lan, wire, clock):
    busy.set_source(ctx, lan, ADDRESS, BusyChoices())
    wire.next = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        busy.refresh_due(ctx, fetch=wire)
    assert busy.refresh_due(ctx, fetch=wire) == 0
    clock.forward(minutes=5)
    assert busy.refresh_due(ctx, fetch=wire) == 1


def test_many_refreshers_read_each_calendar_once(ctx, cast):
    with ctx.transaction() as db:
        donor = db.scalar(sa.select(tables.donor_schools.c.id))
        for n in range(8):
            person = db.execute(
                tables.persons.insert().values(
                    email=f"n{n}@x.example", name="N", phone="", language="vi", active=True,
                    reminders=True, created_at=T0,
                ).returning(tables.persons.c.id)
            ).scalar_one()  # fmt: skip
            teacher = db.execute(
                tables.teachers.insert().values(
                    programme_id=cast["programme"], person_id=person, donor_school_id=donor
                ).returning(tables.teachers.c.id)
            ).scalar_one()  # fmt: skip
            rows.put(
                db, teacher, security.seal(ctx.key, f"https://x.example/{n}"), BusyChoices(),
                ctx.now(),
            )  # fmt: skip
    wire, done, barrier = Wire(ics(LUNCH)), [], threading.Barrier(3)

    def refresh():
        barrier.wait()
        while tried := busy.refresh_due(ctx, fetch=wire):
            done.append(tried)

    threads = [threading.Thread(target=refresh) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum(done) >= 7  # one that was locked by somebody else may wait for the next beat
    busy.refresh_due(ctx, fetch=wire)
    assert Counter(wire.asked) == Counter(f"https://x.example/{n}" for n in range(8))


def test_an_address_set_during_a_reading_wins(ctx, cast, lan, wire):
    busy.set_source(ctx, lan, ADDRESS, BusyChoices())
    wire.meanwhile = lambda: busy.set_source(ctx, lan, ADDRESS + "?2", BusyChoices(True, True))
    busy.read_now(ctx, lan, wire)
    assert told(ctx, cast["teacher1"]) == []
    assert busy.desk(ctx, lan).source.last_good_at is None
    second = Wire(ics(LUNCH))
    assert busy.refresh_due(ctx, fetch=second) == 1
    assert second.asked == [ADDRESS + "?2"]
    assert len(told(ctx, cast["teacher1"])) == 1


def test_an_address_set_and_claimed_in_the_same_instant_wins_as_well(ctx, cast, lan, wire):
    busy.set_source(ctx, lan, ADDRESS, BusyChoices())
    vanishing = Wire(ics())
    vanishing.next = KeyboardInterrupt()

    def meanwhile():
        busy.set_source(ctx, lan, ADDRESS + "?2", BusyChoices())
        with pytest.raises(KeyboardInterrupt):
            busy.refresh_due(ctx, fetch=vanishing)

    wire.meanwhile = meanwhile
    busy.read_now(ctx, lan, wire)
    assert told(ctx, cast["teacher1"]) == []


def test_a_reader_who_was_too_slow_does_not_undo_the_next_one(ctx, cast, lan, wire, clock):
    busy.set_source(ctx, lan, ADDRESS, BusyChoices())
    newer = Wire(ics(TALK))

    def meanwhile():
        clock.forward(minutes=6)
        assert busy.refresh_due(ctx, fetch=newer) == 1

    wire.meanwhile = meanwhile
    assert busy.refresh_due(ctx, fetch=wire) == 1
    assert told(ctx, cast["teacher1"]) == [(WED_8 + 2 * HOUR, WED_8 + 3 * HOUR, True, True)]

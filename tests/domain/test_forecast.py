"""Whether the queue goes out in time: against a simulation, message by message."""

import math
import random
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain import forecast as rules
from scheduler.domain.forecast import Load, Pace, Rate, RateSource
from scheduler.domain.messages import Channel

NOW = datetime(2023, 10, 2, 0, 30, tzinfo=UTC)
MAIL = Channel.MAIL
SEEDS = range(200)


def queue(seed: int) -> tuple[Load, ...]:
    """Some deadlines, a few of them passed, each with some messages."""
    chance = random.Random(seed)
    return tuple(
        Load(MAIL, NOW + timedelta(minutes=chance.randint(-2, 60)), chance.randint(0, 30))
        for _ in range(chance.randint(0, 12))
    )


def at(per_second: float) -> Rate:
    return Rate(per_second, RateSource.TIMED)


def late(loads, per_second: float) -> int:
    found = rules.of_channel(MAIL, loads, at(per_second), NOW).will_be_late
    assert found is not None
    return found


def simulated(loads, seconds: int) -> int:
    """One message after the other, each taking so long; who cannot end in time is left out."""
    moment, missed = NOW, 0
    for load in sorted(loads, key=lambda each: each.deadline):
        for _ in range(load.count):
            if moment + timedelta(seconds=seconds) > load.deadline:
                missed += 1
            else:
                moment += timedelta(seconds=seconds)
    return missed


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.fault(34)
def test_the_forecast_is_what_sending_one_by_one_would_give(seed):
    for seconds in (1, 4, 16, 64):  # whose inverse is exact
        assert late(queue(seed), 1 / seconds) == simulated(queue(seed), seconds)


@pytest.mark.parametrize("seed", SEEDS)
def test_more_rate_never_makes_more_messages_late(seed):
    rates = [random.Random(seed).uniform(0.001, 3) for _ in range(8)]
    found = [late(queue(seed), rate) for rate in sorted(rates)]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_limit_only_what_is_too_late_already_is_late(seed):
    passed = sum(load.count for load in queue(seed) if load.deadline <= NOW)
    assert late(queue(seed), math.inf) == passed


def test_the_queue_needs_seventeen_minutes_and_the_deadline_is_in_fifty_five():
    loads = [Load(MAIL, NOW + timedelta(minutes=minutes), 510) for minutes in (55, 300)]
    found = rules.of_channel(MAIL, loads, at(1.0), NOW)
    assert found.needs == timedelta(minutes=17)
    assert found.deadline == NOW + timedelta(minutes=55)
    assert (found.waiting, found.will_be_late) == (1020, 0)


def test_the_deadline_named_is_the_one_with_the_least_time_to_spare():
    loads = [
        Load(MAIL, NOW + timedelta(minutes=10), 1),
        Load(MAIL, NOW + timedelta(minutes=20), 1100),
    ]
    found = rules.of_channel(MAIL, loads, at(1.0), NOW)
    assert (found.deadline, found.will_be_late) == (NOW + timedelta(minutes=20), 0)
    assert rules.of_channel(MAIL, loads, at(0.5), NOW).will_be_late == 501


def test_an_unknown_rate_is_said_to_be_unknown():
    found = rules.of_channel(MAIL, [Load(MAIL, NOW, 3)], rules.UNKNOWN, NOW)
    assert (found.needs, found.will_be_late) == (None, None)
    assert found.deadline == NOW


def test_an_empty_queue_needs_no_time():
    found = rules.of_channel(MAIL, [], at(1.0), NOW)
    assert (found.waiting, found.needs, found.deadline) == (0, timedelta(0), None)


@pytest.mark.parametrize(
    ("pace", "senders", "rate"),
    [
        (Pace(send_seconds=0.25), 2, Rate(8.0, RateSource.TIMED)),
        (Pace(send_seconds=0.25, limit=5.0), 2, Rate(5.0, RateSource.TIMED)),
        (Pace(send_seconds=0.25, sent_lately=60), 0, Rate(0.1, RateSource.MEASURED)),
        (Pace(sent_lately=600, limit=0.5), 4, Rate(0.5, RateSource.MEASURED)),
        (Pace(send_seconds=0.25), 0, rules.UNKNOWN),
        (Pace(limit=14.0), 3, rules.UNKNOWN),
    ],
)
def test_the_rate_comes_from_what_a_message_takes_else_from_what_went_out(pace, senders, rate):
    assert rules.rate_of(pace, senders) == rate


def test_each_channel_has_its_own_queue_and_rate():
    waiting = [
        (Channel.PUSH, NOW + timedelta(minutes=5, seconds=30), 1),
        (MAIL, NOW + timedelta(minutes=5, seconds=59), 4),
        (MAIL, NOW + timedelta(minutes=5), 5),
    ]
    loads = rules.by_minute(waiting)
    deadline = NOW + timedelta(minutes=5)
    assert loads == (Load(MAIL, deadline, 9), Load(Channel.PUSH, deadline, 1))
    paces = {MAIL: Pace(send_seconds=100.0)}
    senders = {MAIL: 1, Channel.PUSH: 1}
    mail, push = rules.forecasts(loads, paces, senders, NOW)
    assert (mail.channel, mail.waiting, mail.will_be_late) == (MAIL, 9, 6)
    assert (push.channel, push.waiting, push.rate) == (Channel.PUSH, 1, rules.UNKNOWN)

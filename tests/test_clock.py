"""The clock of drills: it runs as fast as told, the same in every process that is told the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from scheduler.clock import FastClock, SystemClock
from scheduler.config import load
from scheduler.services import outbox
from scheduler.services.context import open_context
from scheduler.services.workers import Timekeeper

AT = datetime(2023, 10, 2, 6, 30, tzinfo=UTC)


def test_a_fast_clock_shows_what_it_is_told_and_runs_at_its_speed():
    ago = SystemClock().now() - timedelta(minutes=1)
    shown = FastClock(AT, ago, 60).now() - AT
    assert timedelta(hours=1) <= shown < timedelta(hours=1, minutes=5)


def test_the_clock_of_the_settings_is_the_same_in_every_process(tmp_path):
    since = SystemClock().now() - timedelta(hours=2)
    told = {"clock": AT, "clock_since": since, "clock_speed": 12, "var_dir": tmp_path}
    one, other = (open_context(load(_env_file=None, **told)) for _ in range(2))
    assert one.clock == other.clock == FastClock(AT, since, 12)
    for each in (one, other):
        each.database.close()


@pytest.mark.parametrize("told", [{"clock_speed": 60}, {"clock_since": AT}], ids=str)
def test_only_a_drill_has_a_clock_of_its_own(told):
    with pytest.raises(ValidationError, match="set CHUNGTAY_CLOCK, too"):
        load(_env_file=None, **told)
    load(_env_file=None, clock=AT, **told)


@pytest.mark.parametrize("speed", [0, -1, 10_000])
def test_a_speed_that_cannot_be_is_refused(speed):
    with pytest.raises(ValidationError):
        load(_env_file=None, clock=AT, clock_speed=speed)


def test_a_clock_that_runs_fast_by_wish_does_not_jump(ctx):
    seconds = [0.0]
    fast = replace(ctx, settings=ctx.settings.model_copy(update={"clock_speed": 60.0}))
    keeper = Timekeeper(fast, monotonic=lambda: seconds[0])
    seconds[0] += 10
    ctx.clock.forward(minutes=10)
    assert keeper.look() == timedelta(0)
    ctx.clock.forward(minutes=10)
    assert keeper.look() == timedelta(seconds=10)
    assert outbox.show(ctx).drift_seconds == 10

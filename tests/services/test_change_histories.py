"""Whatever is done to a published timetable: nothing is lost, booked twice or kept from anybody."""

import random
import shutil
import traceback
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from scheduler import failpoints
from tests.services import change_hands as hands
from tests.services import change_people as people
from tests.services.change_world import World, gather
from tests.services.history_play import keep, put_back, shortest

# How often each happens among a hundred steps; time goes on between all of them.
WEIGHTS = {
    people.wait: 14, people.rush: 5, people.cannot: 10, people.confirm: 3, people.take_back: 3,
    people.reply: 12, people.meddle: 1, people.swap: 6, people.answer_swap: 6, people.report: 4,
    people.settle: 2, people.account: 2,
    hands.publish: 6, hands.look: 3, hands.publish_seen: 3, hands.run: 3, hands.undo: 5,
    hands.basket: 8, hands.ask: 2, hands.offer: 2, hands.take: 3, hands.close: 2, hands.asking: 1,
    hands.disrupt: 7, hands.withdraw: 3, hands.pin: 4, hands.unpin: 3, hands.call_off: 3,
}  # fmt: skip
MOVES = {move.__name__: move for move in WEIGHTS}
FEW, STEPS = {"sqlite": 2, "postgresql": 1}, 40
MANY = range(100, 400)


def history(seed):
    """Steps with a seed of their own each, so that any may be left out of the others' play."""
    r = random.Random(seed)
    names = r.choices([move.__name__ for move in WEIGHTS], list(WEIGHTS.values()), k=STEPS)
    return [(name, r.random() < 0.1, r.getrandbits(32)) for name in names]


@pytest.fixture
def play(ctx, cast, clock):
    """Plays a history from the beginning; returns how it broke a law, None when it did not."""
    office = gather(ctx, cast)
    base = World(ctx, office, clock)
    began, first = clock.at, keep(ctx)

    def played(steps):
        clock.at = began
        put_back(ctx, first)
        failpoints._armed.clear()
        shutil.rmtree(ctx.settings.journal_dir, ignore_errors=True)
        try:
            world = World(ctx, office, clock, base)
            for played.reached, (name, crashes, seed) in enumerate(steps, 1):
                (world.crash if crashes and name != "run" else world.do)(name, MOVES[name], seed)
        except Exception as error:  # noqa: BLE001 - whatever it is, a shorter history shows it better
            where = traceback.extract_tb(error.__traceback__)[-1]
            return f"{error!r} at {where.filename}:{where.lineno}"
        played.done += world.done
        played.refused += world.refused
        return None

    played.done, played.refused, played.ctx = Counter(), Counter(), ctx
    return played


def check(play, steps):
    if fault := play(steps):
        fewer = shortest(play, steps[: play.reached])
        pytest.fail(f"{fault}\nshorter: {play(fewer)}\n{fewer}")


def test_any_history_of_changes_keeps_every_promise(ctx, play):
    for seed in range(FEW["sqlite" if ctx.database.is_sqlite else "postgresql"]):
        check(play, history(seed))
    assert len(play.done) > 12  # kinds of steps that went through


@pytest.mark.soak
@pytest.mark.parametrize("seed", MANY)
def test_many_more_histories_of_changes(play, seed):
    check(play, history(seed))


_step = st.tuples(st.sampled_from(sorted(MOVES)), st.booleans(), st.integers(0, 2**32 - 1))


@pytest.mark.soak
@given(steps=st.lists(_step, min_size=1, max_size=STEPS))
@settings(
    max_examples=100,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # `shortest` makes them shorter, and faster
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_odd_histories_of_changes(play, steps):
    check(play, steps)

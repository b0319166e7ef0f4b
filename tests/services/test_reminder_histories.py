"""Whatever happens to lessons, people and relays: each is told once, in time, of what is true."""

import random
import shutil
import traceback

import pytest

from tests.services.history_play import keep, put_back, shortest
from tests.services.history_world import WEIGHTS, World

STEPS = 40
FEW = {"sqlite": 3, "postgresql": 2}
MANY = range(100, 160)


def history(seed):
    """Steps with a seed of their own each, so that any may be left out of the others' play."""
    r = random.Random(seed)
    names = r.choices(list(WEIGHTS), list(WEIGHTS.values()), k=STEPS)
    return [("publish", r.getrandbits(32)) for _ in range(2)] + [
        (name, r.getrandbits(32)) for name in names[2:]
    ]


@pytest.fixture
def play(ctx, cast, clock, tmp_path):
    """Plays a history from the beginning; returns how it broke a law, None when it did not."""
    began, first = clock.at, keep(ctx)

    def played(steps):
        clock.at = began
        put_back(ctx, first)
        shutil.rmtree(ctx.settings.journal_dir, ignore_errors=True)
        world = World(ctx, cast, clock, tmp_path)
        try:
            for name, seed in steps:
                world.do(name, seed)
            world.drain()
        except Exception as error:  # noqa: BLE001 - whatever it is, a shorter history shows it better
            where = traceback.extract_tb(error.__traceback__)[-1]
            return f"{error!r} at {where.filename}:{where.lineno}"
        return None

    return played


def check(play, seed):
    if fault := play(history(seed)):
        steps = shortest(play, history(seed))
        pytest.fail(f"history {seed}: {fault}\nshorter: {play(steps)}\n{steps}")


def test_any_history_tells_each_person_once_in_time_and_truly(ctx, play):
    for seed in range(FEW["sqlite" if ctx.database.is_sqlite else "postgresql"]):
        check(play, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", MANY)
def test_many_more_histories(play, seed):
    check(play, seed)

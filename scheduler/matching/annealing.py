"""How the search cools down, how hard it looks, and what one share of it is.  Pure, and made of
nothing but sums, products and square roots, so that a seed gives the same plan on every machine.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from scheduler.matching.kernel import Assignment, Effort, Kernel

SLICE = 0.02  # seconds between two looks at the clock
FIRST_SLICE, MOST_IN_SLICE = 64, 1 << 16  # moves
BITS = 12  # of the fractions of the schedule that the temperature follows


@dataclass(frozen=True, slots=True)
class Schedule:
    """Temperatures in units of cost, from the first move to the last.

    `ruined` requests a move, at least and at most.
    """

    high: float
    low: float
    ruined: tuple[int, int]
    effort: Effort

    def temperature(self, done: float) -> float:
        """After so much of the search, between 0 and 1: falls by equal factors in equal times."""
        steps, factor, found = round(done * (1 << BITS)), self.low / self.high, self.high
        for bit in range(BITS, -1, -1):  # by binary digits: a power differs between machines
            if steps >> bit & 1:
                root = factor
                for _ in range(BITS - bit):
                    root = math.sqrt(root)
                found *= root
        return found


# Found by trial on instances and seeds that the benchmark does not report.
_ALL = Effort(slots=3, scanned=192, kept=12, blink=13)
_WHIMS = Effort(slots=3, scanned=192, kept=12, blink=5, worst=4, noise=1.0)
_SAMPLE = Effort(slots=2, scanned=192, kept=12, sample=16, blink=13)
_CUTS = Effort(slots=3, scanned=192, kept=12, blink=7, cut=20)
TINY = Schedule(80.0, 1.0, (2, 5), _CUTS)
PLENTY = Schedule(60.0, 1.5, (2, 5), _WHIMS)  # every lesson finds a teacher
SCARCE = Schedule(150.0, 3.0, (2, 5), _ALL)  # a missing lesson costs a thousand
LARGE = Schedule(50.0, 4.0, (2, 5), _SAMPLE)
HUGE = Schedule(30.0, 8.0, (2, 5), _SAMPLE)
REPAIR = Schedule(20.0, 1.0, (1, 5), _ALL)
PROBE = Schedule(10.0, 10.0, (2, 5), _ALL)
PROBED = 1 / 64  # of a search, to see whether teachers are scarce
SMALL_FROM, LARGE_FROM, HUGE_FROM = 40, 500, 4000  # requests


def schedule(requests: int, in_force: bool, missing: int) -> Schedule:
    """For so many requests; whether a plan in force should mostly stay; lessons not covered yet."""
    if requests < SMALL_FROM:
        return TINY
    if in_force:
        return REPAIR
    if requests >= LARGE_FROM:
        return LARGE if requests < HUGE_FROM else HUGE
    return SCARCE if missing else PLENTY


class Share(NamedTuple):
    """What one worker does in one round: some moves or seconds of the schedule from `begin` on.

    `start` None goes on from the plan at hand.
    """

    start: Assignment | None
    schedule: Schedule
    begin: float
    end: float
    seed: int
    moves: int | None
    seconds: float | None


def probe(seconds: float | None, moves: int | None, seed: int) -> Share:
    """A short search at the beginning of one so long."""
    return Share(
        start=None,
        schedule=PROBE,
        begin=0.0,
        end=1.0,
        seed=seed,
        moves=None if moves is None else int(moves * PROBED),
        seconds=None if seconds is None else seconds * PROBED,
    )


def run(
    kernel: Kernel, share: Share, monotonic: Callable[[], float], go_on: Callable[[int], bool]
) -> int:
    """Do a share, a slice at a time; `go_on` hears the moves done so far.  Returns the moves."""
    if share.start is not None:
        kernel.load(share.start)
    kernel.effort(share.schedule.effort)
    kernel.seed(share.seed)
    began, done, size = monotonic(), 0, FIRST_SLICE
    cooling = share.schedule.temperature
    while True:
        passed = _passed(share, done, monotonic() - began)
        if passed >= 1 or not go_on(done):
            return done
        if share.moves is not None:
            size = min(share.moves - done, FIRST_SLICE)
        ahead = min(1.0, _passed(share, done + size, monotonic() - began + SLICE))
        span = share.end - share.begin
        high, low = (cooling(share.begin + span * part) for part in (passed, ahead))
        at = monotonic()
        kernel.search(size, high, low, share.schedule.ruined)
        done += size
        if share.moves is None:
            size = _next_size(size, monotonic() - at)


def _passed(share: Share, moves: int, seconds: float) -> float:
    """How much of a share is over, from 0 to 1."""
    if share.moves is not None:
        return moves / share.moves if share.moves else 1.0
    return seconds / share.seconds if share.seconds else 1.0


def _next_size(size: int, took: float) -> int:
    """So many moves that they take about a slice."""
    fitting = int(size * SLICE / took) if took > 0 else 2 * size
    return max(1, min(fitting, 2 * size, MOST_IN_SLICE))

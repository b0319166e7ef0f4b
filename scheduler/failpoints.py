"""Places where a test makes this process fail; without CHUNGTAY_FAIL each does nothing.

`CHUNGTAY_FAIL=name:mode[:n]`: when the place is come to for the n-th time (the first, if not
said), the process is killed, stopped (SIGSTOP), kept asleep for a while, or an error is raised.
"""

import itertools
import os
import signal
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

# Of a batch of messages.
SENDING = (
    "after_claim",
    "after_prepare",
    "after_begin",
    "after_send",
    "after_journal",
    "after_mark",
    "before_give_back",
    "after_sweep",
)
# Of a teacher who takes a lesson over, one transaction.
TAKING_OVER = (
    "after_offer_ended",
    "after_lessons",
    "after_history",
    "after_news",
    "after_hand_over",
    "after_thanks",
)
NAMES = (*SENDING, *TAKING_OVER)
ASLEEP_SECONDS = 3.0


class Failure(RuntimeError):
    """Raised where a test wants an error that nobody foresaw."""


def _raise() -> None:
    raise Failure("a failpoint was told to raise")


MODES: Mapping[str, Callable[[], None]] = MappingProxyType(
    {
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
        "sleep": lambda: time.sleep(ASLEEP_SECONDS),
        "raise": _raise,
    }
)


class Failpoint:
    """One place, one way to fail, once."""

    def __init__(self, told: str) -> None:
        name, mode, *times = told.split(":")
        if name not in NAMES or mode not in MODES or len(times) > 1:
            raise ValueError(f"CHUNGTAY_FAIL={told}: write name:mode[:n]")
        self.name = name
        self._fail = MODES[mode]
        self._last = int(times[0]) if times else 1
        self._counter = itertools.count(1)  # next() on it is one step for all threads

    def reached(self) -> None:
        if next(self._counter) == self._last:
            self._fail()


_armed: list[Failpoint] = []


def arm(told: str) -> None:
    """Fail as told; raises ValueError for words that are none of ours."""
    _armed.append(Failpoint(told))


def at(name: str) -> None:
    """This is the place `name`."""
    for each in _armed:
        if each.name == name:
            each.reached()


if "CHUNGTAY_FAIL" in os.environ:
    arm(os.environ["CHUNGTAY_FAIL"])

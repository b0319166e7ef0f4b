"""The compiled search kernel: one search over a table, as Python sees it.

kernel.c and the headers it includes hold the search; twin.py defines what they price.  The kernel
leaves the interpreter lock while it works, so that searches run side by side in threads.
"""

import ctypes
from collections.abc import Sequence
from ctypes import POINTER, c_double, c_int32, c_int64, c_uint64, c_void_p
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scheduler.matching import library
from scheduler.matching.prices import Prices
from scheduler.matching.table import DAY, NOBODY, Ints, Table

MOST = 2**31 - 1
ARRAYS = (  # as struct Instance in state.h has them
    "request_school", "request_class", "request_per_week", "request_places", "request_priority",
    "request_need", "request_slots_first", "slot_request", "slot_weekday", "slot_start", "slot_end",
    "slot_rank", "slot_kind", "slot_weeks", "slot_standing_first", "standing_week",
    "standing_teacher", "slot_current", "kind_first", "candidate_teacher", "candidate_weeks",
    "candidate_if_needed", "teacher_per_day", "teacher_per_week", "teacher_total", "wish_first",
    "wish_school", "school_rooms", "school_wanted", "school_requests_first", "school_requests",
    "fixed_request", "fixed_teacher", "fixed_week", "fixed_weekday", "fixed_start", "fixed_end",
)  # fmt: skip
SIZES = (
    "weeks", "gap", "requests", "slots", "kinds", "teachers", "schools", "fixed", "places",
    "shortest",
)  # fmt: skip


class _Instance(ctypes.Structure):
    _fields_ = (*((name, c_int32) for name in SIZES), *((name, c_void_p) for name in ARRAYS))


class _Prices(ctypes.Structure):
    _fields_ = tuple((field.name, c_double) for field in fields(Prices))


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard an insertion looks.

    `slots` are priced for each weekly slot to fill, the one it had before first; of the usable
    candidates of a slot `scanned` are gathered and the `kept` most promising priced; of a list
    more than twice as long as `sample` only those just freed and a sample are looked at (0: all);
    `blink` of 256 candidates are passed over by chance, `cut` seen without some of their weeks.
    A move begins with the dearest of `worst` requests, and in it the price of a teacher may
    be wrong by `noise` times the temperature.
    """

    slots: int = 1 << 20
    scanned: int = 512
    kept: int = 32
    sample: int = 0
    blink: int = 0
    cut: int = 0
    worst: int = 1
    noise: float = 0.0


THOROUGH = Effort()


class _Effort(ctypes.Structure):
    _fields_ = tuple(
        (field.name, c_double if field.type is float else c_int32) for field in fields(Effort)
    )


class Assignment(NamedTuple):
    """A plan but for what must stay: slot by (request, place), teacher by (request, place, week).

    Both hold NOBODY (-1) where there is none.
    """

    slot: Ints
    who: Ints


class Limits(NamedTuple):
    """Change at most so many lessons in force, of at most so many teachers; None: any number.

    `keepable` is like `slot_current` of the table, NOBODY where a lesson cannot stay anyway.
    """

    lessons: int | None
    teachers: int | None
    keepable: Ints


class Kernel:
    """One search: a plan in the making, the best it has seen, and its luck."""

    def __init__(self, table: Table, prices: Prices) -> None:
        self.table = table
        self._library = _declared(library.load(table.words))
        self._arrays = [_contiguous(getattr(table, name)) for name in ARRAYS]
        instance = _Instance(*_sizes(table), *map(_pointer, self._arrays))
        priced = _Prices(*(getattr(prices, field.name) for field in fields(Prices)))
        self._kernel = self._library.kernel_new(ctypes.byref(instance), ctypes.byref(priced))
        self.limits: Limits | None = None
        self._everything = np.arange(table.requests, dtype=np.int32)
        self.effort(THOROUGH)
        self.seed(1)

    def __del__(self) -> None:
        if kernel := getattr(self, "_kernel", None):
            self._library.kernel_free(kernel)

    def seed(self, seed: int) -> None:
        self._library.kernel_seed(self._kernel, seed & (1 << 64) - 1)

    def effort(self, effort: Effort) -> None:
        found = _Effort(*(getattr(effort, field.name) for field in fields(Effort)))
        self._library.kernel_effort(self._kernel, ctypes.byref(found))

    def limit(self, limits: Limits) -> None:
        """From the next load on, change no more than that."""
        self.limits = limits._replace(keepable=np.ascontiguousarray(limits.keepable, np.int32))
        counts = (-1 if n is None else min(n, MOST) for n in limits[:2])
        self._library.kernel_budget(self._kernel, *counts, _pointer(self.limits.keepable))

    def cost(self, best: bool = True) -> float:
        """Of the best plan or the one at hand, but for what is the same in every plan."""
        return float(self._library.kernel_cost(self._kernel, best))

    def taught(self, best: bool = True) -> int:
        return int(self._library.kernel_taught(self._kernel, best))

    def load(self, plan: Assignment | None) -> None:
        """Begin anew from a plan that keeps the hard rules; None: only what must stay."""
        slot = _contiguous(plan.slot) if plan else None
        who = _contiguous(plan.who) if plan else None
        self._library.kernel_load(self._kernel, _pointer(slot), _pointer(who))

    def read(self, best: bool = True) -> Assignment:
        shape = self.table.requests, self.table.places
        slot = np.full(shape, NOBODY, dtype=np.int32)
        who = np.full((*shape, self.table.calendar.weeks), NOBODY, dtype=np.int32)
        self._library.kernel_read(self._kernel, _pointer(slot), _pointer(who), best)
        return Assignment(slot, who)

    def construct(self, order: Sequence[int] | Ints) -> None:
        """Insert requests one by one, in this order."""
        found = np.ascontiguousarray(order, dtype=np.int32)
        self._library.kernel_construct(self._kernel, _pointer(found), len(found))

    def adopt(self, plan: Assignment) -> int:
        """Begin anew from what still keeps the rules of a plan; how many lessons that loses."""
        slot, who = _contiguous(plan.slot), _contiguous(plan.who)
        return int(self._library.kernel_adopt(self._kernel, _pointer(slot), _pointer(who)))

    def renew(self, requests: Sequence[int] | Ints) -> None:
        """Take requests out and insert them anew, one by one, each where that is cheaper."""
        found = np.ascontiguousarray(requests, dtype=np.int32)
        self._library.kernel_renew(self._kernel, _pointer(found), len(found))

    def search(
        self,
        moves: int,
        high: float,
        low: float,
        ruined: tuple[int, int],
        begin: Ints | None = None,
    ) -> int:
        """Ruin and recreate some requests at a time, as told; how many moves were kept.

        The temperature falls from high to low over the moves.  Each begins with one of the requests
        `begin`; None: with any.
        """
        requests = self._everything if begin is None else begin
        kept = self._library.kernel_search(
            self._kernel, moves, high, low, *ruined, _pointer(requests), len(requests)
        )
        return int(kept)

    def staff(self, slot: int) -> tuple[float, Ints]:
        """The price of one more weekly slot for its request, and its teachers by week.

        Below 0 where it pays; 0 where nobody could come.
        """
        who = np.full(self.table.calendar.weeks, NOBODY, dtype=np.int32)
        price = self._library.kernel_staff(self._kernel, slot, _pointer(who))
        return float(price), who

    def substitutes(self, place: int, week: int) -> list[tuple[int, float]]:
        """Who could give one lesson instead, and what the plan would cost more, the least first.

        `place` is request * places + n.
        """
        most = self.table.teachers
        teachers, prices = np.zeros(most, dtype=np.int32), np.zeros(most)
        count = self._library.kernel_substitutes(
            self._kernel, place, week, _pointer(teachers), _pointer(prices), most
        )
        found = zip(teachers[:count].tolist(), prices[:count].tolist(), strict=True)
        return sorted(found, key=lambda pair: pair[1])


def _sizes(table: Table) -> tuple[int, ...]:
    lengths = np.concatenate(
        [table.slot_end - table.slot_start, table.fixed_end - table.fixed_start]
    )
    return (
        table.calendar.weeks,
        table.gap_minutes,
        table.requests,
        table.slots,
        len(table.kinds),
        table.teachers,
        len(table.school_rooms),
        len(table.fixed_request),
        table.places,
        int(lengths.min(initial=DAY)),
    )


def _contiguous(array: NDArray[Any] | None) -> NDArray[Any] | None:
    return None if array is None else np.ascontiguousarray(array)


def _pointer(array: NDArray[Any] | None) -> c_void_p | None:
    return None if array is None else c_void_p(array.ctypes.data)


def _declared(lib: ctypes.CDLL) -> ctypes.CDLL:
    """The library with the types of what it exports."""
    p = c_void_p
    functions: dict[str, tuple[Any, list[Any]]] = {
        "kernel_new": (p, [POINTER(_Instance), POINTER(_Prices)]),
        "kernel_free": (None, [p]),
        "kernel_seed": (None, [p, c_uint64]),
        "kernel_effort": (None, [p, POINTER(_Effort)]),
        "kernel_budget": (None, [p, c_int32, c_int32, p]),
        "kernel_cost": (c_double, [p, c_int32]),
        "kernel_taught": (c_int32, [p, c_int32]),
        "kernel_load": (None, [p, p, p]),
        "kernel_read": (None, [p, p, p, c_int32]),
        "kernel_construct": (None, [p, p, c_int32]),
        "kernel_adopt": (c_int32, [p, p, p]),
        "kernel_renew": (None, [p, p, c_int32]),
        "kernel_search": (
            c_int64,
            [p, c_int64, c_double, c_double, c_int32, c_int32, p, c_int32],
        ),
        "kernel_staff": (c_double, [p, c_int32, p]),
        "kernel_substitutes": (c_int32, [p, c_int32, c_int32, p, p, c_int32]),
    }
    for name, (result, arguments) in functions.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib

"""The calls into lagrange.c: the parts of the relaxation at given prices."""

import ctypes
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from scheduler.matching import library
from scheduler.matching.prices import Prices
from scheduler.matching.relaxation import Relaxation
from scheduler.matching.table import Ints, Reals, Table

_SIZES = ("weeks", "teachers", "requests", "longest", "places", "kinds")
_NOT_IN_C = ("row_room", "cell_room", "load", "short", "wanted", "priority", "weeks")
_ARRAYS = tuple(f.name for f in fields(Relaxation) if f.name not in _NOT_IN_C)
_PRICES = (
    "handover",
    "extra_teacher",
    "if_needed",
    "not_preferred",
    "changed_teacher",
    "changed_time",
)
_MULTIPLIERS = ("reward", "row", "cell", "run")
_ANSWER = ("value", "series", "who", "taught", "row", "cell", "run", "price", "run_price", "least")


class _Problem(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int32) for name in _SIZES),
        *((name, ctypes.c_void_p) for name in _ARRAYS),
        *((f"price_{name}", ctypes.c_double) for name in _PRICES),
    )


class _Multipliers(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_void_p) for name in _MULTIPLIERS)


class _Answer(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_void_p) for name in _ANSWER)


def _pointers(arrays: Sequence[NDArray[np.generic] | None]) -> list[int | None]:
    return [None if array is None or not array.size else array.ctypes.data for array in arrays]


class Parts:
    """The latest choice of each request and teacher, and what they take of what is scarce."""

    def __init__(self, table: Table, relaxation: Relaxation, prices: Prices) -> None:
        self.relaxation = relaxation
        self.library = library.load(table.words)
        self.library.lagrange_requests.restype = ctypes.c_double
        self.library.lagrange_teachers.restype = ctypes.c_double
        arrays = [getattr(relaxation, name) for name in _ARRAYS]
        self.kept = [None if array is None else np.ascontiguousarray(array) for array in arrays]
        requests, weeks, places = table.requests, relaxation.weeks, table.places
        kinds = len(relaxation.kind_first) - 1
        sizes = (weeks, table.teachers, requests, relaxation.longest, places, kinds)
        paid = (getattr(prices, name) for name in _PRICES)
        self.problem = _Problem(*sizes, *_pointers(self.kept), *paid)
        self.value = np.zeros(requests)
        self.series = np.full((requests, places), -1, np.int32)
        self.who = np.full((requests, places, weeks), -1, np.int32)
        self.taught = np.zeros(requests, np.int32)
        self.row = np.zeros(relaxation.row_room.shape, np.int32)
        self.cell = np.zeros(relaxation.cell_room.shape, np.int32)
        self.run = np.zeros((table.teachers, relaxation.longest + 1), np.int32)
        candidates = len(relaxation.teacher)
        self.price = np.zeros(candidates * weeks)
        self.run_price = np.zeros(candidates * (relaxation.longest + 1))
        self.least = np.zeros((kinds, weeks))
        self.answer = _Answer(*_pointers([getattr(self, name) for name in _ANSWER]))

    def requests(self, which: Ints, reward: Reals, row: Reals, cell: Reals, run: Reals) -> float:
        """The least price of the requests listed, whose choices it takes."""
        multipliers = _Multipliers(*_pointers((reward, row, cell, run)))
        return float(
            self.library.lagrange_requests(
                ctypes.byref(self.problem),
                ctypes.byref(multipliers),
                ctypes.byref(self.answer),
                *map(ctypes.c_void_p, _pointers([which])),
                ctypes.c_int32(len(which)),
            )
        )

    def teachers(self, run: Reals) -> tuple[float, Ints]:
        """The least price of the teachers, and the runs that requests choose beyond them."""
        runs, load = self.run.copy(), self.relaxation.load
        value = self.library.lagrange_teachers(
            ctypes.byref(self.problem),
            ctypes.c_int32(load.shape[1] - 1),
            *map(ctypes.c_void_p, _pointers((load, run, runs))),
        )
        return float(value), runs

"""Block insertion: the cheapest staffing of one weekly slot, all else fixed.

Dynamic programming over the weeks.  A teacher takes a block of weeks; the labels say what the
cheapest staffing up to a week costs, and remember their path, so that what a teacher has
already been given on it is taken off what he has left.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from scheduler.matching.candidates import Candidate, WeeklySlot, weeks_of
from scheduler.matching.state import (
    Placement,
    Staffing,
    State,
    change_saved,
    placement_cost,
)

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to look: slots priced per insertion, candidates kept per slot, share passed over."""

    slots: int
    candidates: int
    blink: float


THOROUGH = Effort(slots=1000, candidates=24, blink=0.0)
QUICK = Effort(slots=3, candidates=10, blink=0.05)


@dataclass(frozen=True, slots=True)
class Offer:
    """What one teacher could do for a slot, and at what price.

    `places` are indexes into the weeks of the path; `prices[n]` is the price of place n without
    load; `load` the load of the first lesson, `step` what each further one adds to that.
    """

    teacher: int
    places: tuple[int, ...]
    prices: list[float]
    load: float
    step: float
    extra: float
    left: int


@dataclass(frozen=True, slots=True)
class Label:
    """The end of a path: its last block is offer `offer` from its place `first` up to `stop`."""

    before: "Label | None"
    teacher: int
    offer: int  # -1: a lesson that must stay
    first: int
    stop: int


Path = tuple[float, Label | None]


def insert(state: State, request: int, rng: Random, effort: Effort, hints: Iterable[int]) -> None:
    """Give a request its weekly slots, the most useful first, as long as they are worth it.

    `hints` are numbers of the slots it had before: those are priced first.
    """
    row, hints = state.table.requests[request], tuple(hints)
    for _ in range(row.per_week - len(state.placed[request])):
        placement = _best(state, request, rng, effort, hints)
        if placement is None:
            return
        state.place(placement)


def _best(
    state: State, request: int, rng: Random, effort: Effort, hints: tuple[int, ...]
) -> Placement | None:
    if state.missing(request) <= 0 and not any(
        slot.current for slot in state.table.requests[request].slots
    ):
        return None
    used = {placement.slot.weekday for placement in state.placed[request]}
    slots = [s for s in state.table.requests[request].slots if s.weekday not in used and s.weeks]
    if len(slots) > effort.slots:
        rng.shuffle(slots)
    slots.sort(key=lambda slot: slot.number not in hints)
    value, best = 0.0, None
    teachers, worth = state.teachers(request), _worth(state, request)
    for slot in slots[: effort.slots]:
        found = staff(state, slot, rng, effort, teachers, worth, value)
        if found is not None:
            value, best = found[0], found[1]
    return best


def _worth(state: State, request: int) -> float:
    """What one more lesson is worth: the slope of its school's unmet price, where it will end."""
    row = state.table.requests[request]
    wanted = state.table.wanted[row.school]
    if not wanted or state.missing(request) <= 0:
        return 0.0
    short = max(0.0, state.short[row.school] - 0.9 * row.need * row.priority)
    return state.prices.unmet * row.priority * (1 + (2 * short + row.priority) / wanted)


def staff(
    state: State,
    slot: WeeklySlot,
    rng: Random,
    effort: Effort,
    teachers: set[int],
    worth: float,
    beat: float,
) -> tuple[float, Placement] | None:
    """The best staffing of a slot found, with its price, if that is below the price to beat.

    The price counts handover, extra teacher, rank, if needed, wish, change and load of the
    lessons, less `worth` for each; `teachers` are those whom the request has already.
    """
    usable = _usable(state, slot, rng, effort, teachers)
    if not usable:
        return None
    weeks = weeks_of(_union(mask for _, mask in usable) | sum(1 << w for w in slot.fixed))
    offers = [_offer(state, slot, one, mask, weeks, worth, teachers) for one, mask in usable]
    search = Search(state, slot, weeks, offers, bool(teachers), beat)
    value, staffing = search.run()
    if value >= beat - 1e-9 or not staffing:
        return None
    if not slot.current:
        staffing = _trim(staffing, state.missing(slot.request))
    needed = {one.teacher: one.if_needed for one, _ in usable}
    cost = placement_cost(state, slot, staffing, needed)
    return value, Placement(slot, staffing, _union(mask for _, mask in staffing), cost)


def _usable(
    state: State, slot: WeeklySlot, rng: Random, effort: Effort, teachers: set[int]
) -> list[tuple[Candidate, int]]:
    """The candidates with the weeks they could take, the most promising where they are many."""
    open_weeks = state.open_weeks(slot)
    usable = []
    for one in slot.candidates if open_weeks else ():
        weeks = one.weeks & open_weeks
        if not weeks or state.total[one.teacher] >= state.max_total[one.teacher]:
            continue
        if effort.blink and rng.random() < effort.blink:
            continue
        if weeks := state.free(one.teacher, weeks, slot):
            usable.append((one, weeks))
    if len(usable) > effort.candidates:
        usable.sort(key=lambda pair: _promise(state, slot, pair[0], pair[1], teachers))
        del usable[effort.candidates :]
    return usable


def _promise(
    state: State, slot: WeeklySlot, one: Candidate, weeks: int, teachers: set[int]
) -> float:
    """Roughly what a lesson of the teacher costs: the fewer a block holds, the more."""
    prices, total = state.prices, state.total[one.teacher]
    most = state.max_total[one.teacher]
    count = min(weeks.bit_count(), most - total)
    block = prices.handover + (0.0 if one.teacher in teachers else prices.extra_teacher)
    load = prices.load * (2 * total + count) / (most * most)
    return block / count + load + _wish(state, slot, one.teacher)


def _wish(state: State, slot: WeeklySlot, teacher: int) -> float:
    wishes = state.table.wishes[teacher]
    if wishes is None or state.row(slot).school in wishes:
        return 0.0
    return state.prices.not_preferred


def _offer(
    state: State,
    slot: WeeklySlot,
    one: Candidate,
    mask: int,
    weeks: tuple[int, ...],
    worth: float,
    teachers: set[int],
) -> Offer:
    prices, total, most = state.prices, state.total[one.teacher], state.max_total[one.teacher]
    each = prices.rank * slot.rank + _wish(state, slot, one.teacher) - worth
    places = tuple(n for n, week in enumerate(weeks) if mask >> week & 1)
    priced = [each] * len(places)
    if one.if_needed or slot.current:
        for n, place in enumerate(places):
            week = weeks[place]
            priced[n] += prices.if_needed if one.if_needed >> week & 1 else 0.0
            if week in slot.current:
                priced[n] -= change_saved(prices, slot.current[week] == one.teacher)
    return Offer(
        teacher=one.teacher,
        places=places,
        prices=priced,
        load=prices.load * (2 * total + 1) / (most * most),
        step=2 * prices.load / (most * most),
        extra=0.0 if one.teacher in teachers else prices.extra_teacher,
        left=most - total,
    )


class Search:
    """One run of the dynamic programme; `weeks` are those on offer and those that must stay.

    best[x] is the least price of a path over the first x weeks.  Lessons that must stay are walls:
    each path passes through them, blocks end before them.  With no lesson at all the price is 0.
    """

    def __init__(
        self,
        state: State,
        slot: WeeklySlot,
        weeks: tuple[int, ...],
        offers: Sequence[Offer],
        taught: bool,
        beat: float,
    ) -> None:
        self.weeks = weeks
        self.offers = offers
        self.taught = taught  # the request has a teacher: the first one here may be extra
        self.handover = state.prices.handover
        self.fixed = slot.fixed
        self.size = len(weeks)
        self.least = min(min(o.prices) + o.load for o in offers)  # of one lesson
        self.best: list[float] = [NEVER] * (self.size + 1)
        self.labels: list[Label | None] = [None] * (self.size + 1)
        self.best[0] = 0.0
        self.bare: Path = (0.0, None)  # the path of nothing but lessons that must stay
        self.walls = [n for n, week in enumerate(weeks) if week in slot.fixed]
        self.beat = beat + self._standing_cost()

    def run(self) -> tuple[float, Staffing]:
        """The price of the best staffing, less than 0 where it is worth it, and its blocks."""
        if self._hopeless():
            return 0.0, ()
        starts: list[list[tuple[int, int]]] = [[] for _ in self.weeks]
        for number, offer in enumerate(self.offers):
            for first, place in enumerate(offer.places):
                starts[place].append((number, first))
        for place, week in enumerate(self.weeks):
            if week in self.fixed:
                self._pass(place, self.fixed[week])
                continue
            if self.best[place] < self.best[place + 1]:
                self.best[place + 1] = self.best[place]
                self.labels[place + 1] = self.labels[place]
            self._start(place, starts[place])
        return self.best[-1] - self._standing_cost(), self._staffing(self.labels[-1])

    def _standing_cost(self) -> float:
        teachers = [self.fixed[self.weeks[wall]] for wall in self.walls]
        changes = sum(a != b for a, b in pairwise(teachers))
        return self.handover * changes

    def _hopeless(self) -> bool:
        """Whether even the cheapest lessons, all in few blocks or some in one, are too dear."""
        if self.walls:
            return False
        sizes = [min(len(offer.places), offer.left) for offer in self.offers]
        lessons, most = min(sum(sizes), self.size), max(sizes)
        blocks = -(-lessons // most)
        extra = min(offer.extra for offer in self.offers) if self.taught else 0.0
        all_of_them = lessons * self.least + self.handover * (blocks - 1)
        return min(all_of_them, most * self.least) + extra >= self.beat

    def _pass(self, place: int, teacher: int) -> None:
        """Through a lesson that must stay."""
        bare, label = self.bare
        price = self.handover if label and label.teacher != teacher else 0.0
        self.bare = bare + price, Label(None, teacher, -1, 0, 0)
        label = self.labels[place]
        price = self.handover if label and label.teacher != teacher else 0.0
        self.best[place + 1] = self.best[place] + price
        self.labels[place + 1] = Label(label, teacher, -1, 0, 0)

    def _start(self, place: int, starts: list[tuple[int, int]]) -> None:
        """Try every block that begins at this place, after the best path and after none."""
        here, label = self.best[place], self.labels[place]
        rest = (self.size - place) * self.least
        last = label.teacher if label else -1
        given = _given(label)
        wall = next((wall for wall in self.walls if wall > place), self.size)
        for number, first in starts:
            offer, taken = self.offers[number], given.get(number, 0)
            price, before = self._bare(offer), self.bare[1]
            if label is not self.bare[1] and taken < offer.left:
                after = here + (0.0 if offer.teacher == last else self.handover)
                after += 0.0 if taken else offer.extra
                if after < price:
                    price, before = after, label
            if before is not label:
                taken = 0
            elif offer.teacher == last and label and label.offer >= 0:
                continue  # the same as a longer block
            if price + rest < min(self.beat, self.best[-1]):
                self._grow(offer, number, first, taken, wall, price, before)

    def _bare(self, offer: Offer) -> float:
        """The price of beginning with this offer: after nothing but what must stay."""
        price, label = self.bare
        if label and label.teacher != offer.teacher:
            price += self.handover
        return price + (offer.extra if self.taught else 0.0)

    def _grow(
        self,
        offer: Offer,
        number: int,
        first: int,
        taken: int,
        wall: int,
        price: float,
        before: Label | None,
    ) -> None:
        """Lengthen a block lesson by lesson, and note where it is the best way."""
        best, places, prices, least = self.best, offer.places, offer.prices, self.least
        load, step, size = offer.load + taken * offer.step, offer.step, self.size
        limit = min(self.beat, best[-1])
        for n in range(first, min(len(places), first + offer.left - taken)):
            place = places[n]
            if place >= wall:
                return
            price += prices[n] + load
            load += step
            if price + (size - place - 1) * least >= limit:
                return
            if price < best[place + 1]:
                best[place + 1] = price
                self.labels[place + 1] = Label(before, offer.teacher, number, first, n + 1)

    def _staffing(self, label: Label | None) -> Staffing:
        blocks = []
        while label:
            if label.offer >= 0:
                places = self.offers[label.offer].places[label.first : label.stop]
                blocks.append((label.teacher, sum(1 << self.weeks[place] for place in places)))
            label = label.before
        return tuple(reversed(blocks))


def _given(label: Label | None) -> dict[int, int]:
    """Lessons given to each offer along a path."""
    given: dict[int, int] = {}
    while label:
        if label.offer >= 0:
            given[label.offer] = given.get(label.offer, 0) + label.stop - label.first
        label = label.before
    return given


def _union(masks: Iterable[int]) -> int:
    union = 0
    for mask in masks:
        union |= mask
    return union


def _trim(staffing: Staffing, lessons: int) -> Staffing:
    """The first so many lessons: more than a request asks for are worth nothing."""
    kept = []
    for teacher, mask in staffing:
        weeks = weeks_of(mask)[: max(0, lessons)]
        lessons -= len(weeks)
        if weeks:
            kept.append((teacher, sum(1 << week for week in weeks)))
    return tuple(kept)

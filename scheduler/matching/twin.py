"""What the compiled kernel prices, in plain Python: the definition that the tests hold it to.

Slow and short.  `Twin.cost` is the price of a plan, `Twin.staff` the cheapest staffing of one more
weekly slot with all else fixed: block insertion by dynamic programming over the weeks.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from scheduler.matching import prices as price
from scheduler.matching.kernel import Assignment
from scheduler.matching.prices import Prices
from scheduler.matching.table import Table, number, weeks_of


class Given(NamedTuple):
    """One lesson; `slot` is None for one that must stay."""

    request: int
    teacher: int
    week: int
    weekday: int
    start: int
    end: int
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """The end of a path: its last block, taken by `teacher` over `weeks`; before it, `before`."""

    price: float
    before: "Label | None"
    teacher: int
    weeks: tuple[int, ...]  # none: a lesson that must stay

    def given(self, teacher: int) -> int:
        """Lessons that the path gives to a teacher."""
        here = len(self.weeks) if self.teacher == teacher else 0
        return here + (self.before.given(teacher) if self.before else 0)


class Offer(NamedTuple):
    """A teacher who could take the slot in `weeks`, at a price each without load."""

    teacher: int
    weeks: tuple[int, ...]
    prices: dict[int, float]
    extra: float


class Twin:
    """A table, its prices and a plan for it."""

    def __init__(self, table: Table, prices: Prices, plan: Assignment) -> None:
        self.table = table
        self.prices = prices
        self.lessons = [*self._fixed(), *self._placed(plan)]

    def _fixed(self) -> Iterator[Given]:
        t = self.table
        people = t.fixed_request.tolist(), t.fixed_teacher.tolist()
        times = t.fixed_weekday.tolist(), t.fixed_start.tolist(), t.fixed_end.tolist()
        for row in zip(*people, t.fixed_week.tolist(), *times, strict=True):
            yield Given._make((*row, None))

    def _placed(self, plan: Assignment) -> Iterator[Given]:
        t = self.table
        for request, slots in enumerate(plan.slot.tolist()):
            for place, slot in enumerate(slots):
                for week, teacher in enumerate(plan.who[request, place].tolist()):
                    if teacher >= 0:
                        start, end = int(t.slot_start[slot]), int(t.slot_end[slot])
                        weekday = int(t.slot_weekday[slot])
                        yield Given(request, teacher, week, weekday, start, end, slot)

    # -- the price of a plan

    def cost(self) -> float:
        """But for lessons in force that lose their time: those are in every plan's price."""
        requests = sum(map(self._request, range(self.table.requests)))
        schools = sum(map(self._school, range(len(self.table.school_rooms))))
        load = Counter(lesson.teacher for lesson in self.lessons)
        teachers = (
            price.load(self.prices, count, int(self.table.teacher_total[teacher]))
            for teacher, count in load.items()
        )
        return requests + schools + sum(teachers)

    def _request(self, request: int) -> float:
        """Extra teachers, handovers, and the lessons one by one."""
        lessons = [lesson for lesson in self.lessons if lesson.request == request]
        cost = price.extra_teacher(self.prices, len({lesson.teacher for lesson in lessons}))
        for slot in {lesson.slot for lesson in lessons if lesson.slot is not None}:
            who = {x.week: x.teacher for x in lessons if x.slot == slot}
            cost += self.handovers(self.standing(slot) | who)
            cost -= self.handovers(self.standing(slot))
            cost += sum(self.lesson(slot, teacher, week) for week, teacher in who.items())
        return cost

    def standing(self, slot: int) -> dict[int, int]:
        """Week and teacher of the lessons that must stay at the slot's time."""
        found = slice(*self.table.slot_standing_first[slot : slot + 2].tolist())
        weeks, teachers = self.table.standing_week[found], self.table.standing_teacher[found]
        last = {week: n for n, week in enumerate(weeks.tolist())}
        return {week: int(teachers[n]) for week, n in last.items()}

    def handovers(self, who: dict[int, int]) -> float:
        teachers = [who[week] for week in sorted(who)]
        return sum(price.handover(self.prices, a, b) for a, b in pairwise(teachers))

    def lesson(self, slot: int, teacher: int, week: int) -> float:
        """Rank, if needed, wish and change of one lesson."""
        prices, cost = self.prices, price.rank(self.prices, int(self.table.slot_rank[slot]))
        if self.table.candidate_if_needed is not None:
            only = self.table.candidate_if_needed[self._row(slot, teacher)]
            cost += price.if_needed(prices, bool(number(only) >> week & 1))
        wishes = slice(*self.table.wish_first[teacher : teacher + 2].tolist())
        wished = tuple(map(str, self.table.wish_school[wishes]))
        school = self.table.request_school[self.table.slot_request[slot]]
        cost += price.not_preferred(prices, str(school), wished)
        if self.table.slot_current is not None and self.table.slot_current[slot, week] != -1:
            same = bool(self.table.slot_current[slot, week] == teacher)
            cost += price.change(prices, True, same) - price.change(prices, False, False)
        return cost

    def _row(self, slot: int, teacher: int) -> int:
        return next(
            n for n in self.table.candidates_of(slot) if self.table.candidate_teacher[n] == teacher
        )

    def _school(self, school: int) -> float:
        return price.unmet(self.prices, self.shortage(school), self.table.school_wanted[school])

    def shortage(self, school: int) -> float:
        """Lessons the school misses, weighted by priority."""
        of_school = [
            r for r in range(self.table.requests) if self.table.request_school[r] == school
        ]
        return sum(max(0, self.missing(r)) * int(self.table.request_priority[r]) for r in of_school)

    def missing(self, request: int) -> int:
        given = sum(lesson.request == request for lesson in self.lessons)
        return int(self.table.request_need[request]) - given

    # -- what is free

    def open_weeks(self, slot: int) -> set[int]:
        """Weeks in which the class, a room and one of the week's lessons are free (rules 2, 5)."""
        return {w for w in weeks_of(number(self.table.slot_weeks[slot])) if self._is_open(slot, w)}

    def _is_open(self, slot: int, week: int) -> bool:
        t, request = self.table, int(self.table.slot_request[slot])
        start, end = int(t.slot_start[slot]), int(t.slot_end[slot])
        in_week = [x for x in self.lessons if x.week == week]
        if sum(x.request == request for x in in_week) >= t.request_per_week[request]:
            return False
        beside = [
            x
            for x in in_week
            if x.weekday == t.slot_weekday[slot] and x.start < end and start < x.end
            and t.request_school[x.request] == t.request_school[request]
        ]  # fmt: skip
        if any(t.request_class[x.request] == t.request_class[request] for x in beside):
            return False
        moments = {start, *(x.start for x in beside if x.start > start)}
        rooms = t.school_rooms[t.request_school[request]]
        return all(sum(x.start <= m < x.end for x in beside) < rooms for m in moments)

    def is_free(self, teacher: int, slot: int, week: int) -> bool:
        """Whether the teacher can take one more lesson then (rule 4, but for the term's total)."""
        t, mine = self.table, [x for x in self.lessons if (x.teacher, x.week) == (teacher, week)]
        today = [x for x in mine if x.weekday == t.slot_weekday[slot]]
        gap, start, end = t.gap_minutes, t.slot_start[slot], t.slot_end[slot]
        return (
            len(mine) < t.teacher_per_week[teacher]
            and len(today) < t.teacher_per_day[teacher]
            and not any(x.start < end + gap and start < x.end + gap for x in today)
        )

    # -- block insertion

    def worth(self, request: int) -> float:
        """What one more lesson is worth: the slope of its school's unmet price where it ends."""
        school = self.table.request_school[request]
        priority = int(self.table.request_priority[request])
        wanted = float(self.table.school_wanted[school])
        if not wanted or self.missing(request) <= 0:
            return 0.0
        all_of_it = 0.9 * int(self.table.request_need[request]) * priority
        short = max(0.0, self.shortage(int(school)) - all_of_it)
        return self.prices.unmet * priority * (1 + (2 * short + priority) / wanted)

    def staff(self, slot: int) -> float:
        """The price of the best staffing of one more weekly slot; 0 where none pays.

        It counts handover, extra teacher, rank, if needed, wish, change and load of the lessons,
        less what each is worth.
        """
        request = int(self.table.slot_request[slot])
        taught = {x.teacher for x in self.lessons if x.request == request}
        offers = list(self._offers(slot, self.worth(request), taught))
        standing = self.standing(slot)
        weeks = sorted({week for offer in offers for week in offer.weeks} | set(standing))
        best: Label | None = None  # of the paths with a lesson up to the week at hand
        bare: Label | None = None  # nothing but lessons that must stay
        found: dict[int, Label] = {}
        walls = sorted(standing)
        for week in weeks:
            if (at := found.get(week)) and (best is None or at.price < best.price):
                best = at
            if week in standing:
                best, bare = (self._pass(label, standing[week]) for label in (best, bare or None))
                bare = bare or Label(0.0, None, standing[week], ())
                continue
            wall = next((w for w in walls if w > week), weeks[-1] + 1)
            for offer in offers:
                if week in offer.weeks:
                    self._grow(offer, week, wall, best, bare, bool(taught), weeks, found)
        if (at := found.get(weeks[-1] + 1 if weeks else 0)) and (
            best is None or at.price < best.price
        ):
            best = at
        return min(0.0, best.price - self.handovers(standing)) if best else 0.0

    def _offers(self, slot: int, worth: float, taught: set[int]) -> Iterator[Offer]:
        t, open_weeks = self.table, self.open_weeks(slot)
        for row in t.candidates_of(slot):
            teacher = int(t.candidate_teacher[row])
            mine = weeks_of(number(t.candidate_weeks[row]))
            weeks = tuple(w for w in mine if w in open_weeks and self.is_free(teacher, slot, w))
            if weeks and self.left(teacher) > 0:
                prices = {week: self.lesson(slot, teacher, week) - worth for week in weeks}
                extra = 0.0 if teacher in taught else self.prices.extra_teacher
                yield Offer(teacher, weeks, prices, extra)

    def count(self, teacher: int) -> int:
        return sum(lesson.teacher == teacher for lesson in self.lessons)

    def left(self, teacher: int) -> int:
        return int(self.table.teacher_total[teacher]) - self.count(teacher)

    def _pass(self, label: Label | None, teacher: int) -> Label | None:
        """A path goes through a lesson that must stay."""
        if label is None:
            return None
        cost = price.handover(self.prices, label.teacher, teacher)
        return Label(label.price + cost, label, teacher, ())

    def _grow(
        self,
        offer: Offer,
        week: int,
        wall: int,
        best: Label | None,
        bare: Label | None,
        taught: bool,
        weeks: list[int],
        found: dict[int, Label],
    ) -> None:
        """Every block of the teacher that begins in that week, after the better of two paths.

        `found[week]` is the best path that ends before the week.
        """
        teacher = offer.teacher
        cost, used = (bare.price if bare else 0.0) + (offer.extra if taught else 0.0), 0
        cost += price.handover(self.prices, bare.teacher if bare else None, teacher)
        before = bare
        if best is not None and best.given(teacher) < self.left(teacher):
            given = best.given(teacher)
            after = best.price + price.handover(self.prices, best.teacher, teacher)
            after += 0.0 if given else offer.extra
            if after < cost:
                if best.teacher == teacher and best.weeks:
                    return  # the same as a longer block
                cost, used, before = after, given, best
        block: tuple[int, ...] = ()
        most, total = int(self.table.teacher_total[teacher]), self.count(teacher) + used
        for one in offer.weeks:
            if one < week or one >= wall or len(block) >= self.left(teacher) - used:
                continue
            step = price.load(self.prices, total + len(block) + 1, most)
            step -= price.load(self.prices, total + len(block), most)
            cost, block = cost + offer.prices[one] + step, (*block, one)
            after = next((w for w in weeks if w > one), weeks[-1] + 1)
            if after not in found or cost < found[after].price:
                found[after] = Label(cost, before, teacher, block)

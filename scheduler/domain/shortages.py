"""Where lessons of one week are certain to find no teacher.  Pure: no clock, no database.

The bound forgets some rules (rooms, rests between schools, whom a class knows), so that what it
says can be given is never less than what any plan gives: what lies above it is short for certain.
Nothing above it proves nothing.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from scheduler.domain.flows import Flow, Givers, Wanted
from scheduler.domain.people import HalfDay, Level, TeacherId
from scheduler.domain.requests import RequestId

Span = tuple[int, int, int]  # weekday, and minutes since midnight; the end is not part of it
Place = tuple[int, HalfDay, Level]


@dataclass(frozen=True, slots=True)
class Time:
    """A time of the week at which a class could have a lesson."""

    weekday: int
    half_day: HalfDay
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Asking:
    """What a request asks of the week: so many lessons, one a day at most; the times it likes best
    in front."""

    request_id: RequestId
    level: Level
    lessons: int
    times: tuple[Time, ...]

    @property
    def days(self) -> frozenset[int]:
        return frozenset(time.weekday for time in self.times)

    @property
    def asked(self) -> int:
        return min(self.lessons, len(self.days))

    def without(self, weekdays: Collection[int]) -> "Asking":
        """What is left to ask where a lesson stands on these days already."""
        times = tuple(time for time in self.times if time.weekday not in weekdays)
        return replace(self, lessons=max(0, self.lessons - len(weekdays)), times=times)

    def first_wishes(self) -> tuple[Time, ...]:
        """The best liked time of each of its best liked days, as many as its lessons."""
        best: dict[int, Time] = {}
        for time in self.times:
            best.setdefault(time.weekday, time)
        return tuple(best.values())[: self.lessons]

    def forced(self) -> tuple[Time, ...]:
        """The times of days on which it must have a lesson, and can in one half-day alone."""
        if self.lessons < len(self.days):
            return ()
        halves: dict[int, set[HalfDay]] = {}
        for time in self.times:
            halves.setdefault(time.weekday, set()).add(time.half_day)
        return tuple(time for time in self.times if len(halves[time.weekday]) == 1)


@dataclass(frozen=True, slots=True)
class Giving:
    """A teacher in that week: when free, and how much a day and in the week at most."""

    teacher_id: TeacherId
    levels: frozenset[Level]
    per_day: int
    per_week: int
    free: tuple[Span, ...]


@dataclass
class Supply:
    """All teachers of the week; who could come to a time is looked up once."""

    givers: Sequence[Giving]
    gap_minutes: int
    _free: dict[tuple[int, Level], dict[tuple[int, int], list[int]]] = field(default_factory=dict)
    _known: dict[tuple[Time, Level], tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for n, each in enumerate(self.givers):
            for weekday, start, end in each.free:
                for level in each.levels:
                    spans = self._free.setdefault((weekday, level), {})
                    spans.setdefault((start, end), []).append(n)

    def able(self, time: Time, level: Level) -> tuple[int, ...]:
        """The positions of those who could give a lesson of the level then."""
        if (time, level) not in self._known:
            free = self._free.get((time.weekday, level), {})
            found = set[int]()
            for (start, end), givers in free.items():
                if start <= time.start and time.end <= end:
                    found.update(givers)
            self._known[time, level] = tuple(sorted(found))
        return self._known[time, level]

    def givers_of(self, options: Sequence[tuple[Time, Level]]) -> Givers:
        """Who could give which of these."""
        by_end = sorted(options, key=lambda option: option[0].end)

        @cache
        def most_a_day(giver: int, weekday: int) -> int:
            who = self.givers[giver]
            if who.per_day <= 1:
                return who.per_day
            free = [span for span in who.free if span[0] == weekday]
            times = (
                time
                for time, level in by_end
                if time.weekday == weekday
                and level in who.levels
                and any(start <= time.start and time.end <= end for _, start, end in free)
            )
            return min(who.per_day, _in_a_row(times, self.gap_minutes))

        return Givers(
            weekdays=[time.weekday for time, _ in options],
            able=[self.able(time, level) for time, level in options],
            most_a_day=most_a_day,
            per_week=[each.per_week for each in self.givers],
        )


def _in_a_row(times: Iterable[Time], gap_minutes: int) -> int:
    """How many of the times, given by their ends, one teacher could give one after the other."""
    count, until = 0, -gap_minutes
    for time in times:
        if time.start >= until + gap_minutes:
            count, until = count + 1, time.end
    return count


@dataclass(frozen=True, slots=True)
class Group:
    """Requests that compete for the same teachers, who cannot give what they ask together."""

    requests: tuple[Asking, ...]
    asked: int
    most: int
    givers: int

    @property
    def short(self) -> int:
        return self.asked - self.most

    @property
    def places(self) -> tuple[Place, ...]:
        """The half-days and levels that they ask for, in order of the week."""
        found = {(t.weekday, t.half_day, r.level) for r in self.requests for t in r.times}
        return tuple(sorted(found, key=_in_week))


@dataclass(frozen=True, slots=True)
class Bound:
    """At most `most` of the lessons asked for can be given in the week, whatever the plan."""

    asked: int
    most: int
    groups: tuple[Group, ...]

    @property
    def short(self) -> int:
        return self.asked - self.most


@dataclass(frozen=True, slots=True)
class Cell:
    """A half-day of a weekday and a level.

    `asked` lessons like it best; `only` can be nowhere else, and of these `certain` find no
    teacher.  `strained` of those that like it best have to move.  `free` teachers could come.
    """

    weekday: int
    half_day: HalfDay
    level: Level
    asked: int
    only: int
    free: int
    certain: int
    strained: int


def certain(found: Bound, known: Iterable[Cell]) -> int:
    """How many lessons are certain to find nobody: as the whole week shows, or its half-days added
    up, whichever is more.  A half-day looks at its own times alone and may see more there."""
    return max(found.short, sum(cell.certain for cell in known))


def cells(
    asking: Sequence[Asking], supply: Supply, left: Sequence[Asking] | None = None
) -> tuple[Cell, ...]:
    """Every half-day and level for which anybody asks, in order of the week; `left`: what of it has
    no lesson yet, which alone can be short (None: nothing has)."""
    liked = _by_place(asking, Asking.first_wishes)
    forced = _by_place(asking if left is None else left, Asking.forced)
    able = dict[Place, set[Time]]()
    for each in asking:
        for time in each.times:
            able.setdefault((time.weekday, time.half_day, each.level), set()).add(time)
    return tuple(
        _cell(place, liked.get(place, ()), forced.get(place, ()), able[place], supply)
        for place in sorted(able, key=_in_week)
    )


def _in_week(place: Place) -> tuple[int, int, int]:
    return place[0], list(HalfDay).index(place[1]), list(Level).index(place[2])


def _by_place(
    asking: Iterable[Asking], times: Callable[[Asking], Iterable[Time]]
) -> dict[Place, list[Asking]]:
    """What those times of a request ask of each half-day: one lesson at most, as it is one a
    day."""
    found = dict[Place, list[Asking]]()
    for each in asking:
        by_place = dict[Place, list[Time]]()
        for time in times(each):
            by_place.setdefault((time.weekday, time.half_day, each.level), []).append(time)
        for place, inside in by_place.items():
            one = Asking(each.request_id, each.level, min(each.lessons, 1), tuple(inside))
            found.setdefault(place, []).append(one)
    return found


def _cell(
    place: Place,
    liked: Sequence[Asking],
    forced: Sequence[Asking],
    times: Collection[Time],
    supply: Supply,
) -> Cell:
    weekday, half_day, level = place
    best, must = bound(liked, supply), bound(forced, supply)
    return Cell(
        weekday=weekday,
        half_day=half_day,
        level=level,
        asked=best.asked,
        only=must.asked,
        free=len({giver for time in times for giver in supply.able(time, level)}),
        certain=must.short,
        strained=best.short,
    )


# -- the bound


def bound(asking: Sequence[Asking], supply: Supply) -> Bound:
    """What can be given at most, and which requests together ask for more than that."""
    asking = [each for each in asking if each.asked]
    options = {(time, each.level): 0 for each in asking for time in each.times}
    options = {option: n for n, option in enumerate(options)}
    wanted = [Wanted(each.asked, _options(each, options)) for each in asking]
    flow = Flow(wanted, supply.givers_of(list(options)))
    groups = [
        Group(
            requests=tuple(asking[n] for n in members),
            asked=sum(asking[n].asked for n in members),
            most=sum(flow.given[n] for n in members),
            givers=givers,
        )
        for members, givers in flow.groups()
    ]
    worst_first = sorted(groups, key=lambda group: (-group.short, group.requests[0].request_id))
    return Bound(sum(each.asked for each in asking), sum(flow.given), tuple(worst_first))


def _options(each: Asking, options: Mapping[tuple[Time, Level], int]) -> dict[int, list[int]]:
    """Where a request could go, by weekday."""
    found: dict[int, list[int]] = {}
    for time in each.times:
        found.setdefault(time.weekday, []).append(options[time, each.level])
    return found

"""Where lessons of one week are certain to find no teacher.  Pure: no clock, no database.

The bound forgets some rules (rooms, rests between schools, whom a class knows), so that what it
says can be given is never less than what any plan gives: what lies above it is short for certain.
Nothing above it proves nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

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

    def must(self, weekday: int, half_day: HalfDay) -> bool:
        """Whether one of its lessons can be nowhere but in this half-day."""
        there = [time for time in self.times if time.weekday == weekday]
        inside = bool(there) and all(time.half_day is half_day for time in there)
        return inside and self.lessons >= len(self.days)


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
    _free: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)
    _known: dict[tuple[Time, Level], tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for n, each in enumerate(self.givers):
            for weekday, start, end in each.free:
                self._free.setdefault(weekday, []).append((start, end, n))

    def able(self, time: Time, level: Level) -> tuple[int, ...]:
        """The positions of those who could give a lesson of the level then."""
        if (time, level) not in self._known:
            found = {
                giver
                for start, end, giver in self._free.get(time.weekday, ())
                if start <= time.start and time.end <= end and level in self.givers[giver].levels
            }
            self._known[time, level] = tuple(sorted(found))
        return self._known[time, level]

    def most_a_day(self, giver: int, times: Iterable[Time]) -> int:
        """How many of the times one teacher could give in a day, one after the other."""
        count, until = 0, -self.gap_minutes
        for time in sorted(times, key=lambda time: time.end):
            if time.start >= until + self.gap_minutes:
                count, until = count + 1, time.end
        return min(count, self.givers[giver].per_day)


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


def cells(asking: Sequence[Asking], supply: Supply) -> tuple[Cell, ...]:
    """Every half-day and level for which anybody asks, in order of the week."""
    places = {(t.weekday, t.half_day, each.level) for each in asking for t in each.times}
    return tuple(_cell(asking, supply, place) for place in sorted(places, key=_in_week))


def _in_week(place: Place) -> tuple[int, int, int]:
    return place[0], list(HalfDay).index(place[1]), list(Level).index(place[2])


def _cell(asking: Sequence[Asking], supply: Supply, place: Place) -> Cell:
    weekday, half_day, level = place
    mine = [each for each in asking if each.level is level]
    best = [_at(each, each.first_wishes(), place) for each in mine]
    only = [_at(each, each.times, place) for each in mine if each.must(weekday, half_day)]
    times = {time for each in mine for time in _at(each, each.times, place).times}
    liked, forced = bound(best, supply), bound(only, supply)
    return Cell(
        weekday=weekday,
        half_day=half_day,
        level=level,
        asked=liked.asked,
        only=forced.asked,
        free=len({giver for time in times for giver in supply.able(time, level)}),
        certain=forced.short,
        strained=liked.short,
    )


def _at(each: Asking, times: Iterable[Time], place: Place) -> Asking:
    """What a request asks of one half-day: one lesson at most, as it is one a day."""
    inside = tuple(time for time in times if (time.weekday, time.half_day) == place[:2])
    return replace(each, lessons=1, times=inside)


# -- the bound: as much as can flow from requests over their days to teachers' days and weeks


def bound(asking: Sequence[Asking], supply: Supply) -> Bound:
    """What can be given at most, and which requests together ask for more than that."""
    wanted = [each for each in asking if each.asked]
    net = _Network()
    sink = net.node()
    starts = [net.node() for _ in wanted]
    _connect(net, wanted, starts, supply, sink)
    given = [0] * len(wanted)
    for n, (each, start) in enumerate(zip(wanted, starts, strict=True)):
        while given[n] < each.asked and net.push(start, sink):
            given[n] += 1
    asked = sum(each.asked for each in wanted)
    return Bound(asked, sum(given), tuple(_groups(net, wanted, starts, given)))


def _connect(
    net: "_Network", wanted: Sequence[Asking], starts: Sequence[int], supply: Supply, sink: int
) -> None:
    """An edge from each request to each of its days, and on to the teachers who could come."""
    able: dict[tuple[int, int], list[Time]] = {}  # times by teacher and weekday
    ways: list[tuple[int, int, int]] = []  # from a request's day to a teacher's
    for each, start in zip(wanted, starts, strict=True):
        for weekday in sorted(each.days):
            day = net.node()
            net.edge(start, day, 1)
            coming: set[int] = set()
            for time in (time for time in each.times if time.weekday == weekday):
                for giver in supply.able(time, each.level):
                    able.setdefault((giver, weekday), []).append(time)
                    coming.add(giver)
            ways += [(day, giver, weekday) for giver in sorted(coming)]
    weeks = {giver: net.node(giver) for giver in sorted({giver for giver, _ in able})}
    days = {}
    for (giver, weekday), times in able.items():
        days[giver, weekday] = net.node(giver)
        net.edge(days[giver, weekday], weeks[giver], supply.most_a_day(giver, times))
    for giver, node in weeks.items():
        net.edge(node, sink, supply.givers[giver].per_week)
    for day, giver, weekday in ways:
        net.edge(day, days[giver, weekday], 1)


def _groups(
    net: "_Network", wanted: Sequence[Asking], starts: Sequence[int], given: Sequence[int]
) -> list[Group]:
    found: dict[int, list[int]] = {}
    for n, start in enumerate(starts):
        if start in net.stuck:
            found.setdefault(net.stuck[start], []).append(n)
    groups = [
        Group(
            requests=tuple(wanted[n] for n in members),
            asked=sum(wanted[n].asked for n in members),
            most=sum(given[n] for n in members),
            givers=len({who for node, who in net.givers.items() if net.stuck.get(node) == key}),
        )
        for key, members in found.items()
    ]
    return sorted(groups, key=lambda group: -group.short)


class _Network:
    """Edges with room for so much; edge n runs back as n ^ 1.

    `stuck` are nodes from which no way leads to the sink any more, each with its group: what once
    has no way out never gets one, so nobody looks there again.
    """

    def __init__(self) -> None:
        self.out: list[list[int]] = []
        self.ends: list[int] = []
        self.room: list[int] = []
        self.stuck: dict[int, int] = {}
        self.givers: dict[int, int] = {}

    def node(self, giver: int | None = None) -> int:
        self.out.append([])
        if giver is not None:
            self.givers[len(self.out) - 1] = giver
        return len(self.out) - 1

    def edge(self, start: int, end: int, room: int) -> None:
        for a, b, space in ((start, end, room), (end, start, 0)):
            self.out[a].append(len(self.ends))
            self.ends.append(b)
            self.room.append(space)

    def push(self, start: int, sink: int) -> bool:
        """Send one more lesson on its way; False when there is none."""
        came: dict[int, int] = {start: -1}
        ahead, met = [start], set[int]()
        while ahead:
            for edge in self.out[ahead.pop()]:
                end = self.ends[edge]
                if not self.room[edge] or end in came:
                    continue
                if end in self.stuck:
                    met.add(self.stuck[end])
                    continue
                came[end] = edge
                ahead.append(end)
            if sink in came:
                self._send(came, sink)
                return True
        self._close(came, met)
        return False

    def _send(self, came: dict[int, int], sink: int) -> None:
        edge = came[sink]
        while edge >= 0:
            self.room[edge] -= 1
            self.room[edge ^ 1] += 1
            edge = came[self.ends[edge ^ 1]]

    def _close(self, came: Iterable[int], met: set[int]) -> None:
        """These nodes are one group from now on, with the groups that they met."""
        here = list(came)
        met |= {self.stuck[node] for node in here if node in self.stuck}
        key = min([here[0], *met])
        for node, group in self.stuck.items():
            if group in met:
                self.stuck[node] = key
        self.stuck.update(dict.fromkeys(here, key))

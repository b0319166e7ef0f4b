"""Changes worth trying for the lessons that one request misses, the smallest first.  Pure.

Each proposal covers its weeks by what the timetable shows; only a trial (fixes.py) tells.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from scheduler.matching.obstacles import Option, Timetable, fits
from scheduler.matching.plan import Fix, FixCode, PlannedLesson, ReasonCode, Unfilled
from scheduler.matching.problem import Request

EACH = 2  # proposals of one code for one request, at most
LOOKED_AT = 6  # times of other classes worth a closer look
MORE = 4  # lessons that one teacher is asked to add to the promise for a term, at most
NEAR = 60  # minutes that a window is stretched before it is another one
LIFTED = {
    ReasonCode.NOT_AVAILABLE: FixCode.WINDOW,
    ReasonCode.DAY_LIMIT: FixCode.DAY_LIMIT,
    ReasonCode.WEEK_LIMIT: FixCode.WEEK_LIMIT,
    ReasonCode.TERM_LIMIT: FixCode.TERM_LIMIT,
}


@dataclass(frozen=True, slots=True, order=True)
class Weekly:
    """A time of the week."""

    weekday: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """Changes to be made together, and for each week (its Monday) the one that should cover it.

    Where there are several, each teaches one lesson and holds without the others.
    """

    changes: tuple[Fix, ...]
    weeks: Mapping[date, Fix]


def proposals(timetable: Timetable, gaps: Sequence[Unfilled]) -> Iterator[Proposal]:
    """In the order of FixCode; `gaps` are the weeks of one request."""
    case = _Case(timetable, gaps)
    yield from case.slots()
    yield from case.lifted()
    yield from case.make_ups()
    yield from case.rooms()
    yield from case.new_teachers()


def periods(timetable: Timetable, school: str) -> tuple[Weekly, ...]:
    """The times of a school's week: each period it has, on each weekday it has lessons."""
    slots = [s for r in timetable.requests.values() if r.school == school for s in r.slots]
    times = sorted({(slot.start, slot.end) for slot in slots})
    weekdays = sorted({slot.weekday for slot in slots})
    return tuple(Weekly(weekday, *time) for weekday in weekdays for time in times)


class _Case:
    """One request with the weeks in which it misses lessons."""

    def __init__(self, timetable: Timetable, gaps: Sequence[Unfilled]) -> None:
        self.timetable = timetable
        self.request: Request = timetable.requests[gaps[0].request]
        self.level = self.request.level
        self.gaps = {gap.week: gap for gap in gaps}
        self.used = timetable.weekly(self.request.id)
        self.own = [
            Weekly(slot.weekday, slot.start, slot.end)
            for slot in sorted(self.request.slots, key=lambda slot: slot.rank)
        ]
        self.foreign = list(self._foreign())
        self.options = [
            option for week in self.gaps for option in timetable.options(self.request, week)[0]
        ]
        self.taught_by = Counter(x.teacher for x in timetable.by_request[self.request.id])

    # A slot more

    def slots(self) -> Iterator[Proposal]:
        """Other periods of the school; the timetable of the class may move there as a whole."""
        tally = {time: self._free_weeks(time, self.gaps) for time in self.foreign}
        likely = sorted(tally, key=lambda time: (-len(tally[time]), not self._same_day(time), time))
        found: list[tuple[int, Weekly, Mapping[date, int]]] = []
        for time in [time for time in likely if tally[time]][:LOOKED_AT]:
            gain, weeks = self._moved_to(time)
            if weeks:
                found.append((gain, time, weeks))
        found.sort(key=lambda one: (-one[0], not self._same_day(one[1]), one[1]))
        for _, time, weeks in found[:EACH]:
            fix = _weekly(FixCode.SLOT, time)
            yield Proposal((fix,), {week: replace(fix, free=n) for week, n in weeks.items()})

    def _foreign(self) -> Iterator[Weekly]:
        """Periods of the school that the class does not accept, as long as its own lessons are."""
        lengths = {time.end - time.start for time in self.own}
        known = {(time.weekday, time.start) for time in self.own}
        for time in periods(self.timetable, self.request.school):
            if (time.weekday, time.start) not in known and time.end - time.start in lengths:
                yield time

    def _same_day(self, time: Weekly) -> bool:
        return any(time.weekday == own.weekday for own in self.own)

    def _moved_to(self, time: Weekly) -> tuple[int, Mapping[date, int]]:
        """The lessons a slot would gain, and the teachers free in each missing week it covers.

        Where the timetable of the class is full, the slot stands in for another one; a few
        lessons are no reason to move many.
        """
        if fits(self.request, time.weekday, time.start, self.used):
            weeks = self._free_weeks(time, self.gaps)
            return len(weeks), weeks
        gone = self._given_up(time)
        all_weeks = self.timetable.weeks(self.request)
        with self.timetable.without(gone):
            weeks = self._free_weeks(time, sorted(all_weeks))
        gain = len(weeks) - len(gone)
        if gain < 1 or 2 * gain < len(gone):
            return 0, {}
        return gain, {week: free for week, free in weeks.items() if week in self.gaps}

    def _given_up(self, time: Weekly) -> list[PlannedLesson]:
        """The lessons of the weekly slot that a new one would replace."""
        same_day = [slot for slot in self.used if slot[0] == time.weekday]
        place = min(same_day or self.used, key=lambda slot: (self.used[slot], slot))
        lessons = self.timetable.moved(self.request.id)
        return [x for x in lessons if (x.day.weekday(), x.start) == place]

    def _free_weeks(self, time: Weekly, weeks: Iterable[date]) -> dict[date, int]:
        """The weeks in which somebody could come then, with how many; nobody beyond the promise."""
        promised: Counter[str] = Counter()
        found = {}
        for week in weeks:
            option = self._at(time, week)
            if option is None or option.closed:
                continue
            free = self.timetable.free(self.level, option)
            left = {name: self.timetable.spare(name) - promised[name] for name in free}
            name = max(left, key=lambda one: left[one], default="")
            if name and left[name] > 0:
                promised[name] += 1
                found[week] = len(free)
        return found

    def _at(self, time: Weekly, week: date) -> Option | None:
        """The time in that week, if the class could have a lesson that day."""
        day = week + timedelta(days=time.weekday)
        if self.timetable.shut(self.request, day):
            return None
        return self.timetable.option(self.request, day, time.start, time.end)

    # A teacher more at hand

    def lifted(self) -> Iterator[Proposal]:
        """Teachers between whom and the class stands one thing, and it can be lifted."""
        short: dict[FixCode, dict[tuple[str, Weekly], list[date]]] = defaultdict(dict)
        for option in self.options:
            for teacher in self.timetable.qualified[self.level] if not option.closed else ():
                code = LIFTED.get(self.timetable.only(teacher, option) or ReasonCode.FREE)
                if code:
                    weeks = short[code].setdefault((teacher.id, _time_of(option)), [])
                    weeks.append(option.week)
        for code in LIFTED.values():
            ranked = sorted(short[code].items(), key=lambda one: self._size(code, *one))
            for (name, time), weeks in ranked[:EACH]:
                yield self._lift(code, name, time, weeks)

    def _size(
        self, code: FixCode, who: tuple[str, Weekly], weeks: list[date]
    ) -> tuple[float, int, int, str, Weekly]:
        """How much is asked of a teacher, against what it covers: the best comes first."""
        teacher, time = who
        covered = len(self._in_reach(code, teacher, weeks))
        far = self._stretch(teacher, time) if code is FixCode.WINDOW else 0
        worth = covered * (1 if far > NEAR else 2)
        return -worth, far, -self.taught_by[teacher], teacher, time

    def _in_reach(self, code: FixCode, teacher: str, weeks: list[date]) -> list[date]:
        return weeks[: MORE if code is FixCode.TERM_LIMIT else self.timetable.spare(teacher)]

    def _stretch(self, teacher: str, time: Weekly) -> int:
        """The minutes that the nearest window of that weekday misses; a day where there is none."""
        windows = self.timetable.windows.get((teacher, time.weekday), ())
        return min(
            (max(0, w.start - time.start) + max(0, time.end - w.end) for w in windows),
            default=24 * 60,
        )

    def _lift(self, code: FixCode, teacher: str, time: Weekly, weeks: list[date]) -> Proposal:
        weeks = self._in_reach(code, teacher, weeks)
        fix = Fix(code, len(weeks), teacher)
        if code is FixCode.WINDOW:
            fix = replace(_weekly(code, time), teacher=teacher)
        else:
            fix = replace(fix, limit=self._limit(code, teacher, time, weeks))
        return Proposal((fix,), dict.fromkeys(weeks, fix))

    def _limit(self, code: FixCode, teacher: str, time: Weekly, weeks: list[date]) -> int:
        """The least limit with which the teacher could give those lessons as well."""
        table = self.timetable
        if code is FixCode.TERM_LIMIT:
            return len(table.by_teacher[teacher]) + len(weeks)
        if code is FixCode.WEEK_LIMIT:
            return 1 + max(table.per_week[teacher, week] for week in weeks)
        days = (week + timedelta(days=time.weekday) for week in weeks)
        return 1 + max(len(table.on_day.get((teacher, day), ())) for day in days)

    # A lesson beside the timetable

    def make_ups(self) -> Iterator[Proposal]:
        """In each week one lesson at a time when the class, a room and a teacher are free."""
        promised: Counter[str] = Counter()
        found = {}
        for week in self.gaps:
            for option in self._any_time(week):
                able = [] if option.closed else self.timetable.free(self.level, option)
                able = [name for name in able if promised[name] < self.timetable.spare(name)]
                if able:
                    name = min(able, key=lambda one: (-self.taught_by[one], self._load(one), one))
                    promised[name] += 1
                    found[week] = replace(_dated(FixCode.MAKE_UP, option), teacher=name)
                    break
        if found:
            yield Proposal(tuple(found.values()), found)

    def _any_time(self, week: date) -> Iterator[Option]:
        """All the times of a week the class could sit before a screen; those it accepts first."""
        for time in (*self.own, *self.foreign):
            option = self._at(time, week)
            if option and option.closed is not ReasonCode.CLASS_TAUGHT:
                yield option

    def _load(self, teacher: str) -> float:
        most = self.timetable.teachers[teacher].max_total
        return len(self.timetable.by_teacher.get(teacher, ())) / most

    # A room, a teacher

    def rooms(self) -> Iterator[Proposal]:
        full = [option for option in self.options if option.closed is ReasonCode.ROOM_FULL]
        able = [option for option in full if self.timetable.free(self.level, option)]
        weeks = dict.fromkeys(option.week for option in able)
        if weeks:
            fix = Fix(FixCode.ROOM, len(weeks), limit=self._rooms() + 1)
            yield Proposal((fix,), dict.fromkeys(weeks, fix))

    def _rooms(self) -> int:
        return self.timetable.schools[self.request.school].rooms

    def new_teachers(self) -> Iterator[Proposal]:
        """Somebody each week at a time of the class, or at one it could have; or on one day."""
        left = set(self.gaps)
        while weekly := self._new_weekly(left):
            yield weekly
            left -= weekly.weeks.keys()
        dated = {week: self._new_on_a_day(week) for week in self.gaps}
        found = {week: fix for week, fix in dated.items() if fix}
        plain = {week: fix for week, fix in found.items() if fix.limit is None}
        if plain:
            yield Proposal(tuple(plain.values()), plain)
        for week, fix in found.items():
            if fix.limit is not None:  # another room helps more than this one lesson: try alone
                yield Proposal((fix,), {week: fix})

    def _new_weekly(self, weeks: Collection[date]) -> Proposal | None:
        """The time at which somebody more would cover the most of these weeks."""
        own = self._by_time(option for option in self.options if option.week in weeks)
        at = own or {
            time: options
            for time, options in self._by_time(self._new_times(weeks)).items()
            if len(options) > 1  # for one week, one lesson is the smaller thing to ask
        }
        if not at:
            return None
        time = min(at, key=lambda one: (-len(at[one]), any(o.closed for o in at[one]), one))
        fix = _weekly(FixCode.NEW_TEACHER, time)
        if any(option.closed for option in at[time]):
            fix = replace(fix, limit=self._rooms() + 1)
        return Proposal((fix,), {option.week: fix for option in at[time]})

    def _new_times(self, weeks: Iterable[date]) -> Iterator[Option]:
        """Periods of the school that the class does not accept, and could beside its timetable."""
        for time in self.foreign:
            if fits(self.request, time.weekday, time.start, self.used):
                yield from (option for week in weeks if (option := self._at(time, week)))

    def _by_time(self, options: Iterable[Option]) -> dict[Weekly, list[Option]]:
        at: dict[Weekly, list[Option]] = defaultdict(list)
        for option in options:
            if option.closed is not ReasonCode.CLASS_TAUGHT:
                at[_time_of(option)].append(option)
        return at

    def _new_on_a_day(self, week: date) -> Fix | None:
        options = list(self._any_time(week))
        if not options:
            return None
        option = next((one for one in options if not one.closed), options[0])
        fix = _dated(FixCode.NEW_TEACHER, option)
        return replace(fix, limit=self._rooms() + 1) if option.closed else fix


def _time_of(option: Option) -> Weekly:
    return Weekly(option.day.weekday(), option.start, option.end)


def _weekly(code: FixCode, time: Weekly) -> Fix:
    return Fix(code, 0, weekday=time.weekday, start=time.start, end=time.end)


def _dated(code: FixCode, option: Option) -> Fix:
    return Fix(code, 1, day=option.day, start=option.start, end=option.end)

"""A plan as a timetable, and what keeps each teacher from one more lesson in it.  Pure.

Obstacles come in the order of ReasonCode.  Teachers are looked up once for each level and time,
so that the many classes that miss a lesson then cost little.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from scheduler.matching.plan import Plan, PlannedLesson, ReasonCode
from scheduler.matching.problem import Instance, Request, Teacher, Window
from scheduler.matching.verify import Books, is_open, monday

Stops = dict[str, ReasonCode]  # teacher -> what stops her first; who is not available is left out


@dataclass(frozen=True, slots=True)
class Option:
    """A time on a day of a week (its Monday); `closed` tells what the school has in the way."""

    week: date
    day: date
    start: int
    end: int
    closed: ReasonCode | None = None  # CLASS_TAUGHT or ROOM_FULL


class Timetable:
    """The lessons of a plan that keeps the hard rules, by all that the next one asks about."""

    def __init__(self, instance: Instance, plan: Plan) -> None:
        books = Books(instance, plan)
        self.instance = instance
        self.need = books.need
        self.requests, self.schools, self.teachers = books.requests, books.schools, books.teachers
        self.stays = books.stays
        self.by_request = defaultdict(list, books.by_request)
        self.by_teacher = defaultdict(list, books.by_teacher)
        self.by_school_day = defaultdict(list, books.by_school_day)
        self.on_day: dict[tuple[str, date], list[PlannedLesson]] = defaultdict(list)
        self.per_week: Counter[tuple[str, date]] = Counter()
        for lesson in books.known:
            self.on_day[lesson.teacher, lesson.day].append(lesson)
            self.per_week[lesson.teacher, monday(lesson.day)] += 1
        self.qualified: dict[str, list[Teacher]] = defaultdict(list)
        self.windows: dict[tuple[str, int], list[Window]] = defaultdict(list)
        for teacher in instance.teachers:
            for level in set(teacher.levels):
                self.qualified[level].append(teacher)
            for window in teacher.available:
                self.windows[teacher.id, window.weekday].append(window)
        self.about: dict[tuple[str, int], list[Teacher]] = {}
        self.known_stops: dict[tuple[str, date, int, int], Stops] = {}
        self.open_days: dict[tuple[str, date], bool] = {}

    def moved(self, request: str) -> list[PlannedLesson]:
        """The lessons of a request that may still change."""
        return [lesson for lesson in self.by_request[request] if not self.stays(lesson)]

    def weekly(self, request: str) -> dict[tuple[int, int], int]:
        """The weekly slots that a class has, (weekday, start), with the lessons on each."""
        return Counter((lesson.day.weekday(), lesson.start) for lesson in self.moved(request))

    def is_open(self, school: str, day: date) -> bool:
        key = (school, day)
        if key not in self.open_days:
            self.open_days[key] = is_open(self.instance, self.schools[school], day)
        return self.open_days[key]

    def eligible(self, request: Request, day: date) -> bool:
        return request.first_day <= day <= request.last_day and self.is_open(request.school, day)

    def weeks(self, request: Request) -> Counter[date]:
        """Per week (its Monday) the days on which the request could be taught."""
        weekdays = {slot.weekday for slot in request.slots}
        first = max(request.first_day, self.instance.term.first_day)
        last = min(request.last_day, self.instance.term.last_day)
        dates = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return Counter(
            monday(day)
            for day in dates
            if day.weekday() in weekdays and self.is_open(request.school, day)
        )

    def shut(self, request: Request, day: date) -> ReasonCode | None:
        """Why the class cannot have one more lesson that day, whoever gives it."""
        taught = any(lesson.day == day for lesson in self.by_request[request.id])
        if taught or not self.eligible(request, day):
            return ReasonCode.NO_DAY
        return ReasonCode.PAST if self.instance.is_past(day) else None

    def option(self, request: Request, day: date, start: int, end: int) -> Option:
        closed = self._closed(request, day, start, end)
        return Option(monday(day), day, start, end, closed)

    def options(self, request: Request, week: date) -> tuple[list[Option], ReasonCode]:
        """Where the class could still get a lesson in that week; what it is when there is none."""
        found, why, used = [], ReasonCode.NO_DAY, self.weekly(request.id)
        for slot in request.slots:
            day = week + timedelta(days=slot.weekday)
            if not fits(request, slot.weekday, slot.start, used):
                continue
            shut = self.shut(request, day)
            if shut is None:
                found.append(self.option(request, day, slot.start, slot.end))
            elif shut is ReasonCode.PAST:
                why = shut
        return found, why

    def beside(self, request: Request, option: Option) -> list[PlannedLesson]:
        """The lessons of the school at that time."""
        lessons = self.by_school_day.get((request.school, option.day), ())
        return [x for x in lessons if x.start < option.end and option.start < x.end]

    def stops(self, level: str, option: Option) -> Stops:
        """What stops each qualified teacher first; FREE where nothing does but perhaps the school.

        Those who are not available then are left out.
        """
        key = (level, option.day, option.start, option.end)
        if key not in self.known_stops:
            there = [one for one in self._about(level, option) if self._available(one, option)]
            self.known_stops[key] = {one.id: self._stop(one, option) for one in there}
        return self.known_stops[key]

    def _about(self, level: str, option: Option) -> list[Teacher]:
        """The qualified teachers who are free at some time on that weekday."""
        key = (level, option.day.weekday())
        if key not in self.about:
            qualified = self.qualified[level]
            self.about[key] = [one for one in qualified if (one.id, key[1]) in self.windows]
        return self.about[key]

    def free(self, level: str, option: Option) -> list[str]:
        """The teachers who could come then."""
        stops = self.stops(level, option)
        return [name for name, code in stops.items() if code is ReasonCode.FREE]

    def _stop(self, teacher: Teacher, option: Option) -> ReasonCode:
        """What stops a teacher first who is available then."""
        return next(self._promises(teacher, option), ReasonCode.FREE)

    def only(self, teacher: Teacher, option: Option) -> ReasonCode | None:
        """The one thing between a qualified teacher and a time; None when there are more."""
        found = list(islice(self._obstacles(teacher, option), 2))
        return found[0] if len(found) == 1 else None

    def spare(self, teacher: str) -> int:
        """The lessons that a teacher may still be given in the term."""
        return self.teachers[teacher].max_total - len(self.by_teacher.get(teacher, ()))

    def held_by(self, teacher: str, code: ReasonCode, option: Option) -> Iterable[PlannedLesson]:
        """The lessons that make a teacher's obstacle."""
        if code is ReasonCode.TERM_LIMIT:
            return self.by_teacher.get(teacher, ())
        if code is ReasonCode.WEEK_LIMIT:
            return (x for x in self.by_teacher.get(teacher, ()) if monday(x.day) == option.week)
        lessons = self.on_day.get((teacher, option.day), ())
        if code is ReasonCode.DAY_LIMIT:
            return lessons
        return (x for x in lessons if self._too_close(x, option))

    def add(self, lesson: PlannedLesson) -> None:
        self._count(lesson, 1)
        for lessons in self._lists(lesson):
            lessons.append(lesson)

    def remove(self, lesson: PlannedLesson) -> None:
        self._count(lesson, -1)
        for lessons in self._lists(lesson):
            lessons.remove(lesson)

    @contextmanager
    def without(self, lessons: Sequence[PlannedLesson]) -> Iterator[None]:
        """The timetable as if those lessons were not in it."""
        stops, self.known_stops = self.known_stops, {}
        for lesson in lessons:
            self.remove(lesson)
        try:
            yield
        finally:
            for lesson in lessons:
                self.add(lesson)
            self.known_stops = stops

    def _count(self, lesson: PlannedLesson, more: int) -> None:
        self.known_stops.clear()
        self.per_week[lesson.teacher, monday(lesson.day)] += more

    def _lists(self, lesson: PlannedLesson) -> Iterator[list[PlannedLesson]]:
        yield self.by_request[lesson.request]
        yield self.by_teacher[lesson.teacher]
        yield self.by_school_day[self.requests[lesson.request].school, lesson.day]
        yield self.on_day[lesson.teacher, lesson.day]

    def _closed(self, request: Request, day: date, start: int, end: int) -> ReasonCode | None:
        beside = self.beside(request, Option(day, day, start, end))
        if any(self.requests[x.request].class_name == request.class_name for x in beside):
            return ReasonCode.CLASS_TAUGHT
        moments = {start, *(x.start for x in beside if x.start > start)}
        crowd = max(sum(x.start <= moment < x.end for x in beside) for moment in moments)
        full = crowd >= self.schools[request.school].rooms
        return ReasonCode.ROOM_FULL if full else None

    def _obstacles(self, teacher: Teacher, option: Option) -> Iterator[ReasonCode]:
        """All that is between a qualified teacher and a time, in order."""
        if not self._available(teacher, option):
            yield ReasonCode.NOT_AVAILABLE
        yield from self._promises(teacher, option)

    def _promises(self, teacher: Teacher, option: Option) -> Iterator[ReasonCode]:
        """What else a teacher who is available then has promised, or how little she did."""
        day, start, end = option.day, option.start, option.end
        if any(span.holds(day) for span in teacher.unavailable):
            yield ReasonCode.AWAY
        if any(x.day == day and x.start < end and start < x.end for x in teacher.busy):
            yield ReasonCode.BUSY
        if self.spare(teacher.id) <= 0:
            yield ReasonCode.TERM_LIMIT
        if self.per_week[teacher.id, option.week] >= teacher.max_per_week:
            yield ReasonCode.WEEK_LIMIT
        lessons = self.on_day.get((teacher.id, day), ())
        if len(lessons) >= teacher.max_per_day:
            yield ReasonCode.DAY_LIMIT
        if any(self._too_close(x, option) for x in lessons):
            yield ReasonCode.TEACHING

    def _available(self, teacher: Teacher, option: Option) -> bool:
        day, term = option.day, self.instance.term
        for window in self.windows.get((teacher.id, day.weekday()), ()):
            if window.start <= option.start and option.end <= window.end:
                first, last = window.first_day or term.first_day, window.last_day or term.last_day
                if first <= day <= last:
                    return True
        return False

    def _too_close(self, lesson: PlannedLesson, option: Option) -> bool:
        gap = self.instance.gap_minutes
        return lesson.start < option.end + gap and option.start < lesson.end + gap


def fits(request: Request, weekday: int, start: int, used: Iterable[tuple[int, int]]) -> bool:
    """Whether the class keeps its timetable with a lesson on that slot."""
    used = set(used)
    if (weekday, start) in used:
        return True
    return len(used) < request.lessons_per_week and all(other != weekday for other, _ in used)

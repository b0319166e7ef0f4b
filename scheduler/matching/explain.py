"""Why a lesson is not covered: for each request and week, what keeps each teacher from it.

Every teacher counts once, with the obstacle that stops him last on the slot where he comes
furthest; the obstacles stand in the order of ReasonCode.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.matching.plan import Plan, PlannedLesson, Reason, ReasonCode, Unfilled
from scheduler.matching.problem import Instance, Request, Slot, Teacher, Window
from scheduler.matching.verify import Books, is_open, monday

ORDER = {code: n for n, code in enumerate(ReasonCode)}


@dataclass(frozen=True, slots=True)
class Option:
    """A slot on a day of the week in question; `closed` tells what the school has in the way."""

    day: date
    start: int
    end: int
    closed: ReasonCode | None  # CLASS_TAUGHT or ROOM_FULL


def explain(instance: Instance, plan: Plan) -> tuple[Unfilled, ...]:
    """Each request and week with lessons missing; the plan must keep the hard rules."""
    return tuple(_Explainer(instance, plan).unfilled())


class _Explainer:
    def __init__(self, instance: Instance, plan: Plan) -> None:
        self.instance = instance
        self.books = Books(instance, plan)
        self.timetable: dict[str, set[tuple[int, int]]] = defaultdict(set)
        for lesson in self.books.new:
            self.timetable[lesson.request].add((lesson.day.weekday(), lesson.start))
        self.qualified: dict[str, list[Teacher]] = defaultdict(list)
        self.windows: dict[tuple[str, int], list[Window]] = defaultdict(list)
        for teacher in instance.teachers:
            for level in set(teacher.levels):
                self.qualified[level].append(teacher)
            for window in teacher.available:
                self.windows[teacher.id, window.weekday].append(window)
        self.per_week = Counter((x.teacher, monday(x.day)) for x in self.books.known)
        self.on_day: dict[tuple[str, date], list[PlannedLesson]] = defaultdict(list)
        for lesson in self.books.known:
            self.on_day[lesson.teacher, lesson.day].append(lesson)

    def unfilled(self) -> Iterator[Unfilled]:
        for request in self.instance.requests:
            given = self.books.by_request.get(request.id, [])
            if len(given) >= self.books.need[request.id]:
                continue
            taught = Counter(monday(lesson.day) for lesson in given)
            for week, days in sorted(self._weeks(request).items()):
                missing = min(request.lessons_per_week, days) - taught[week]
                if missing > 0:
                    yield Unfilled(request.id, week, missing, self._reasons(request, week))

    def _weeks(self, request: Request) -> Counter[date]:
        """Per week (its Monday) the days on which the request could be taught."""
        days = (request.last_day - request.first_day).days + 1
        weekdays = {slot.weekday for slot in request.slots}
        dates = (request.first_day + timedelta(days=n) for n in range(days))
        return Counter(
            monday(day)
            for day in dates
            if day.weekday() in weekdays and self._eligible(request, day)
        )

    def _eligible(self, request: Request, day: date) -> bool:
        if not request.first_day <= day <= request.last_day:
            return False
        return is_open(self.instance, self.books.schools[request.school], day)

    def _reasons(self, request: Request, week: date) -> tuple[Reason, ...]:
        options = list(self._options(request, week))
        qualified = self.qualified[request.level]
        found = Counter(self._obstacle(teacher, week, options) for teacher in qualified)
        found[ReasonCode.NOT_QUALIFIED] = len(self.instance.teachers) - len(qualified)
        return tuple(Reason(code, found[code]) for code in ReasonCode if found[code])

    def _options(self, request: Request, week: date) -> Iterator[Option]:
        """The slots on which the class could still get a lesson in that week."""
        used = self.timetable[request.id]
        taken = {x.day for x in self.books.by_request.get(request.id, [])}
        for slot in request.slots:
            day = week + timedelta(days=slot.weekday)
            if day in taken or self.instance.is_past(day) or not self._eligible(request, day):
                continue
            if self._fits(request, slot, used):
                yield Option(day, slot.start, slot.end, self._closed(request, day, slot))

    def _fits(self, request: Request, slot: Slot, used: set[tuple[int, int]]) -> bool:
        """Whether the class keeps its timetable with a lesson on that slot."""
        if (slot.weekday, slot.start) in used:
            return True
        return len(used) < request.lessons_per_week and all(w != slot.weekday for w, _ in used)

    def _closed(self, request: Request, day: date, slot: Slot) -> ReasonCode | None:
        lessons = self.books.by_school_day.get((request.school, day), [])
        beside = [x for x in lessons if x.start < slot.end and slot.start < x.end]
        classes = (self.books.requests[x.request].class_name for x in beside)
        if request.class_name in classes:
            return ReasonCode.CLASS_TAUGHT
        moments = {slot.start, *(x.start for x in beside if x.start > slot.start)}
        crowd = max(sum(x.start <= moment < x.end for x in beside) for moment in moments)
        full = crowd >= self.books.schools[request.school].rooms
        return ReasonCode.ROOM_FULL if full else None

    def _obstacle(self, teacher: Teacher, week: date, options: list[Option]) -> ReasonCode:
        if not options:
            return ReasonCode.NO_DAY
        found = (self._stop(teacher, week, option) for option in options)
        return max(found, key=lambda code: ORDER[code])

    def _stop(self, teacher: Teacher, week: date, option: Option) -> ReasonCode:
        """The first obstacle between a teacher and a slot."""
        free = self.windows.get((teacher.id, option.day.weekday()), ())
        if not any(self._covers(window, option) for window in free):
            return ReasonCode.NOT_AVAILABLE
        if any(span.holds(option.day) for span in teacher.unavailable):
            return ReasonCode.AWAY
        if any(
            other.day == option.day and other.start < option.end and option.start < other.end
            for other in teacher.busy
        ):
            return ReasonCode.BUSY
        return self._limit(teacher, week, option) or option.closed or ReasonCode.FREE

    def _limit(self, teacher: Teacher, week: date, option: Option) -> ReasonCode | None:
        if len(self.books.by_teacher.get(teacher.id, ())) >= teacher.max_total:
            return ReasonCode.TERM_LIMIT
        if self.per_week[teacher.id, week] >= teacher.max_per_week:
            return ReasonCode.WEEK_LIMIT
        lessons = self.on_day.get((teacher.id, option.day), [])
        if len(lessons) >= teacher.max_per_day:
            return ReasonCode.DAY_LIMIT
        gap = self.instance.gap_minutes
        close = (x.start < option.end + gap and option.start < x.end + gap for x in lessons)
        return ReasonCode.TEACHING if any(close) else None

    def _covers(self, window: Window, option: Option) -> bool:
        term = self.instance.term
        return (
            window.start <= option.start
            and option.end <= window.end
            and (window.first_day or term.first_day) <= option.day
            and option.day <= (window.last_day or term.last_day)
        )

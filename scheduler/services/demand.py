"""What classes ask of a week, who is free then, and what is certain to find nobody."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.domain import access, shortages
from scheduler.domain import requests as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.availability import Pledge, Window
from scheduler.domain.intervals import DaySpan, Interval, dated, midnight
from scheduler.domain.people import HalfDay, ReceivingSchool, TeacherId
from scheduler.domain.plans import Placement
from scheduler.domain.requests import Request, RequestId, Slot
from scheduler.domain.shortages import Asking, Bound, Cell, Giving, Span, Supply, Time
from scheduler.domain.terms import Choice, Term
from scheduler.services import programmes
from scheduler.services.context import Context
from scheduler.services.programmes import Wanted
from scheduler.store import availability, busy, lessons, requests, roles, terms

_WEEK = timedelta(days=7)
NOON, EVENING = 12 * 60, 18 * 60  # where no bell says which half-day it is


@dataclass(frozen=True, slots=True)
class Demand:
    """A week of a term, half-day by half-day and level by level; `bound` is of all of it
    together that has no lesson yet: what stands is not short, whoever promised what.  `asked`: with
    what stands.  `teachers`: with a promise and free at some time; `classes`: names by request;
    `previous` and `following` are Mondays inside the term."""

    choice: Choice
    monday: date
    cells: tuple[Cell, ...]
    asked: int
    bound: Bound
    teachers: int
    classes: Mapping[RequestId, str]
    previous: date | None
    following: date | None

    @property
    def term(self) -> Term:
        return self.choice.term

    @property
    def certain(self) -> tuple[Cell, ...]:
        """Where lessons can be nowhere else and find nobody, the worst first."""
        return tuple(sorted((x for x in self.cells if x.certain), key=lambda x: -x.certain))

    @property
    def short(self) -> int:
        return shortages.certain(self.bound, self.cells)


def of_week(ctx: Context, actor: Actor, day: date | None = None, wanted: Wanted = None) -> Demand:
    """The week of `day` (None: the present one, moved into the term); holidays, closed schools,
    absences and appointments count.  Raises NotFound for who coordinates no programme."""
    programme_id = programmes.own(actor)
    access.require(actor, Action.SEE_PROGRAMME, programme_id)
    with ctx.reading() as db:
        choice = programmes.choose(db, programme_id, wanted, ctx.now())
        term = choice.term
        first = term.week_of(day or term.today(ctx.now()))
        week = _Week(term, first)
        schools = {school.id: school for school in terms.schools(db, programme_id)}
        closed = terms.closed_spans(db, programme_id)
        asked = requests.of_term(db, term.id)
        promised = availability.pledges(db, term.id)
        gone = roles.gone(db, programme_id)
        taken = busy.all_times(db, programme_id, week.whole)
        stands = week.standing(lessons.placements(db, term.id, week.whole))
    asking = [week.asking(x, schools[x.school_id], closed.get(x.school_id, ())) for x in asked]
    asking = [each for each in asking if each.asked]
    giving = [
        week.giving(teacher, pledge, [x.span for x in taken.get(teacher, ()) if not x.soft])
        for teacher, pledge in promised.items()
        if teacher not in gone
    ]
    beside = term.weeks_beside(first)
    supply = Supply(giving, term.gap_minutes)
    left = [each.without(stands.get(each.request_id, frozenset())) for each in asking]
    return Demand(
        choice=choice,
        monday=first,
        cells=shortages.cells(asking, supply, left),
        asked=sum(each.asked for each in asking),
        bound=shortages.bound(left, supply),
        teachers=sum(bool(each.free) for each in giving),
        classes={x.id: f"{x.class_name} ({schools[x.school_id].name})" for x in asked},
        previous=beside[0],
        following=beside[1],
    )


@dataclass(frozen=True, slots=True)
class _Week:
    """A week of a term: what requests and promises come to on its days."""

    term: Term
    monday: date

    @property
    def whole(self) -> Interval:
        zone = self.term.zone
        return Interval(midnight(self.monday, zone), midnight(self.monday + _WEEK, zone))

    def standing(self, placed: Iterable[Placement]) -> dict[RequestId, frozenset[int]]:
        """The weekdays on which requests have a lesson in force."""
        found = dict[RequestId, frozenset[int]]()
        for place in placed:
            if self.monday <= place.day < self.monday + _WEEK:
                days = found.get(place.request_id, frozenset())
                found[place.request_id] = days | {place.day.weekday()}
        return found

    def day(self, weekday: int) -> date:
        return self.monday + timedelta(days=weekday)

    def asking(
        self, request: Request, school: ReceivingSchool, closed: Iterable[DaySpan]
    ) -> Asking:
        shut = tuple(closed)
        open_ = (
            slot
            for slot in request.slots
            if rules.may_be_taught(request, self.term, self.day(slot.weekday), shut)
        )
        liked = sorted(open_, key=lambda slot: (slot.rank, slot.weekday, slot.start))
        times = tuple(
            Time(slot.weekday, _half_day(slot, school), slot.start, slot.end) for slot in liked
        )
        return Asking(request.id, request.level, request.lessons_per_week, times)

    def giving(self, teacher: TeacherId, pledge: Pledge, taken: Iterable[Interval]) -> Giving:
        free = [span for window in pledge.windows for span in self._free(window, pledge)]
        for interval in taken:
            free = [part for span in free for part in self._without(span, interval)]
        return Giving(
            teacher_id=teacher,
            levels=frozenset(pledge.levels),
            per_day=pledge.max_per_day,
            per_week=min(pledge.max_per_week, pledge.max_total),
            free=tuple(free),
        )

    def _free(self, window: Window, pledge: Pledge) -> Iterable[Span]:
        day = self.day(window.weekday)
        if window.opens(day) and not any(day in span for span in pledge.absences):
            yield window.weekday, window.start, window.end

    def _without(self, span: Span, taken: Interval) -> Iterable[Span]:
        """What an appointment leaves of a free time: one or two parts, or none."""
        weekday, start, end = span
        whole = dated(self.day(weekday), start, end, self.term.zone)
        if not whole.overlaps(taken):
            yield span
            return
        begins = start + (taken.start - whole.start) // timedelta(minutes=1)
        ends = end - (whole.end - taken.end) // timedelta(minutes=1)
        if start < begins:
            yield weekday, start, begins
        if ends < end:
            yield weekday, ends, end


def _half_day(slot: Slot, school: ReceivingSchool) -> HalfDay:
    """What the school calls the time; by the clock where none of its bells rings then."""
    bell = next((each for each in school.periods if each.start == slot.start), None)
    if bell is not None:
        return bell.half_day
    if slot.start < NOON:
        return HalfDay.MORNING
    return HalfDay.AFTERNOON if slot.start < EVENING else HalfDay.EVENING

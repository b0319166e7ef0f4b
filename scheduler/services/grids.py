"""The week of a whole programme before its coordinators: every school, every lesson."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time

from scheduler.domain import access, grids
from scheduler.domain.access import Action, Actor
from scheduler.domain.grids import Line, Placed, Unfilled, Wish
from scheduler.domain.lessons import LessonState
from scheduler.domain.people import ReceivingSchool
from scheduler.domain.terms import Term
from scheduler.services import programmes
from scheduler.services.context import Context
from scheduler.store import grids as rows
from scheduler.store import terms
from scheduler.store.bells import Bells

_EVERYTHING = Wish()


@dataclass(frozen=True, slots=True)
class Grid:
    """The lines of a week in order of time, those that a wish left in; `previous` and `following`
    are Mondays inside the term.  `schools`: all of them, by code."""

    term: Term
    monday: date
    today: date
    now: datetime
    schools: tuple[ReceivingSchool, ...]
    lines: tuple[Line, ...]
    wish: Wish
    previous: date | None
    following: date | None

    @property
    def shown(self) -> tuple[ReceivingSchool, ...]:
        """The schools that have a line; all of them where nothing is left out."""
        there = {line.school_id for line in self.lines}
        return tuple(x for x in self.schools if not self.wish.some or x.id in there)

    @property
    def lessons(self) -> int:
        """Those that take place."""
        placed = (line for line in self.lines if isinstance(line, Placed))
        return sum(line.state is not LessonState.CANCELLED for line in placed)

    @property
    def covers(self) -> int:
        """Those ahead that look for another teacher."""
        return sum(
            isinstance(line, Placed) and line.state is LessonState.COVER and line.needs(self.now)
            for line in self.lines
        )

    @property
    def open(self) -> int:
        """Those that nobody gives yet."""
        return sum(isinstance(line, Unfilled) for line in self.lines)


def week(ctx: Context, actor: Actor, day: date | None = None, wish: Wish = _EVERYTHING) -> Grid:
    """The week of `day` (None: the present one, moved into its term); three
    queries.  Raises NotFound for who coordinates no programme."""
    programme_id = programmes.own(actor)
    access.require(actor, Action.SEE_PROGRAMME, programme_id)
    now = ctx.now()
    with ctx.reading() as db:
        term = (
            programmes.of_day(db, programme_id, day)
            if day
            else programmes.running(db, programme_id, now)
        )
        today = term.today(now)
        first = term.week_of(day or today)
        schools, rung = terms.ringing_schools(db, programme_id)
        read = rows.of_week(db, term, first, rung)
    missing = grids.unfilled(read.short, read.placed, first, term)
    lines: tuple[Line, ...] = (*read.placed, *(_named(each, rung) for each in missing))
    beside = term.weeks_beside(first)
    chosen = grids.chosen(lines, wish, today, now)
    return Grid(
        term=term,
        monday=first,
        today=today,
        now=now,
        schools=schools,
        lines=tuple(sorted(chosen, key=lambda line: (line.day, line.start, line.class_name))),
        wish=wish,
        previous=beside[0],
        following=beside[1],
    )


def _named(line: Unfilled, rung: Bells) -> Unfilled:
    """The line with what its school calls the time."""
    at = datetime.combine(line.day, time(*divmod(line.start, 60)))
    bell = rung.at(line.school_id, at)
    return replace(line, half_day=bell.half_day, period=bell.number) if bell else line

"""The programme's report: what was given, lost and is open, beside what schools asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from scheduler.domain import access
from scheduler.domain.access import Action, Actor
from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import PersonId, SchoolId, TeacherId
from scheduler.domain.records import LOST, OPEN, Outcome, Sums
from scheduler.services import fairness, programmes, records
from scheduler.services.context import Context
from scheduler.services.records import Record
from scheduler.store import people, terms
from scheduler.store.database import Session

_AWAY = (Outcome.CALLED_OFF, Outcome.MERGED)
_HAD = (Outcome.GIVEN, Outcome.MERGED)  # by the class, in a lesson of its own or as a guest


@dataclass(frozen=True, slots=True)
class Ends:
    """The same lessons in four heaps that add up to all of them.

    `called_off`: or its class joined another; `ahead`: of those open, what has not been yet.
    """

    given: int
    lost: int
    called_off: int
    open: int
    ahead: int


def ends(sums: Sums) -> Ends:
    return Ends(
        sums.given.lessons,
        sums.of(*LOST).lessons,
        sums.of(*_AWAY).lessons,
        sums.of(*OPEN).lessons,
        sums.of(Outcome.AHEAD).lessons,
    )


@dataclass(frozen=True, slots=True)
class Summary:
    """`asked`: lessons that each receiving school asked for on these days; `people`: who each
    teacher is."""

    record: Record
    asked: Mapping[SchoolId, int]
    people: Mapping[TeacherId, PersonId]

    @property
    def wanted(self) -> int:
        return sum(self.asked.values())

    @property
    def coverage(self) -> float | None:
        """Of what schools asked for, what their classes had; None where nothing was asked for."""
        had = self.record.whole.of(*_HAD).lessons
        return had / self.wanted if self.wanted else None


def of_programme(
    ctx: Context, actor: Actor, first_day: date | None = None, last_day: date | None = None
) -> Summary:
    """The report of the actor's programme, by default on its newest term; raises Invalid for days
    in the wrong order, NotFound for who coordinates none."""
    programme_id = programmes.own(actor)
    access.require(actor, Action.KEEP_RECORDS, programme_id)
    found = records.of_programme(ctx, actor, first_day, last_day)
    with ctx.reading() as db:
        who = {each.id: each.person_id for each in people.teachers(db, programme_id)}
        return Summary(found, _asked(db, programme_id, found.days), who)


def _asked(db: Session, programme_id: int, days: DaySpan) -> dict[SchoolId, int]:
    """Over all terms that these days touch."""
    found: dict[SchoolId, int] = {}
    for term in terms.of_programme(db, programme_id):
        if term.first_day <= days.last_day and days.first_day <= term.last_day:
            for school, count in fairness.asked_by_school(db, term, days).items():
                found[school] = found.get(school, 0) + count
    return found

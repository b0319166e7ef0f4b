"""What was given and what was lost: of one teacher, and of the whole programme."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from scheduler.domain.people import TeacherId
from scheduler.domain.records import Outcome, Sums
from scheduler.services import records
from scheduler.services.records import Part, Record
from scheduler.web.api.bodies import Day
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(tags=["records"])

First = Annotated[Day | None, Query(description="The first day; else the newest term's.")]
Last = Annotated[Day | None, Query(description="The last day; else the newest term's.")]


@dataclass(frozen=True, slots=True)
class SumsOut:
    """Lessons by what became of them, and those not held by cause; "" is none that was told."""

    lessons: dict[Outcome, int]
    minutes_given: int
    causes: dict[str, int]


@dataclass(frozen=True, slots=True)
class PartOut:
    """The sums of one teacher, school or class."""

    name: str
    sums: SumsOut


@dataclass(frozen=True, slots=True)
class MeetingsOut:
    """Joint sessions that took place; `came`: how many were there, each counted every time."""

    sessions: int
    minutes: int
    came: int


@dataclass(frozen=True, slots=True)
class RecordOut:
    """`whose`: the teacher's name; empty: it is the whole programme's.  Months by first days."""

    programme: str
    first_day: date
    last_day: date
    whose: str
    whole: SumsOut
    months: dict[date, SumsOut]
    teachers: list[PartOut]
    donor_schools: list[PartOut]
    schools: list[PartOut]
    classes: list[PartOut]
    joint_sessions: MeetingsOut


def _sums(sums: Sums) -> SumsOut:
    return SumsOut(
        lessons={outcome: sums.of(outcome).lessons for outcome in Outcome},
        minutes_given=sums.given.minutes,
        causes={cause.value if cause else "": x.lessons for cause, x in sums.causes.items()},
    )


def _parts(parts: Iterable[Part]) -> list[PartOut]:
    return [PartOut(part.name, _sums(part.sums)) for part in parts]


def _record(found: Record) -> RecordOut:
    return RecordOut(
        programme=found.programme.name,
        first_day=found.days.first_day,
        last_day=found.days.last_day,
        whose=found.whose,
        whole=_sums(found.whole),
        months={month: _sums(sums) for month, sums in found.months.items()},
        teachers=_parts(found.teachers),
        donor_schools=_parts(found.donor_schools),
        schools=_parts(found.schools),
        classes=_parts(found.classes),
        joint_sessions=MeetingsOut(found.met.sessions, found.met.minutes, found.met.came),
    )


@router.get("/records/programme")
def of_programme(
    ctx: Ctx, actor: ApiActor, first_day: First = None, last_day: Last = None
) -> RecordOut:
    """The record of the whole programme, for its coordinators."""
    return _record(records.of_programme(ctx, actor, first_day, last_day))


@router.get("/records/own")
def own(ctx: Ctx, actor: ApiActor, first_day: First = None, last_day: Last = None) -> RecordOut:
    """One's own record as a volunteer."""
    return _record(records.own(ctx, actor, first_day, last_day))


@router.get("/teachers/{teacher_id}/record")
def of_teacher(
    ctx: Ctx, actor: ApiActor, teacher_id: RowId, first_day: First = None, last_day: Last = None
) -> RecordOut:
    """One teacher's record, for themselves and their coordinators."""
    return _record(records.of_teacher(ctx, actor, TeacherId(teacher_id), first_day, last_day))

"""A teacher is away, schools are closed: what it concerns, and one step for all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field, model_validator
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.disruptions import Absence, Choice, Closure, Disruption, Way
from scheduler.domain.intervals import DaySpan, clock_text, minutes_of
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import SchoolId, TeacherId
from scheduler.errors import text
from scheduler.services import disruptions
from scheduler.services.context import Context
from scheduler.services.disruptions import Line, Preview
from scheduler.web.api.beliefs import Believed, tag
from scheduler.web.api.bodies import (
    MOST_ITEMS,
    Body,
    Clock,
    Day,
    Flag,
    Id,
    Ids,
    Name,
    Seen,
    Words,
    example,
)
from scheduler.web.api.lessons import LessonOut, lesson_out
from scheduler.web.api.wording import said
from scheduler.web.guard import ApiActor, Ctx

router = APIRouter(prefix="/disruptions", tags=["disruptions"])


class _DaysIn(Body):
    first_day: Day
    last_day: Day
    reason: Words

    @property
    def span(self) -> DaySpan:
        return DaySpan(self.first_day, self.last_day)


class AbsenceIn(_DaysIn):
    """A teacher is away on these days."""

    kind: Literal["absence"]
    teacher: Id

    model_config = example(
        kind="absence",
        teacher=3,
        first_day="2023-10-04",
        last_day="2023-10-06",
        reason="Đi công tác",
    )


class ClosureIn(_DaysIn):
    """These schools take no lesson on these days."""

    kind: Literal["closure"]
    schools: Ids

    model_config = example(
        kind="closure",
        schools=[1],
        first_day="2023-10-04",
        last_day="2023-10-04",
        reason="Hội thao",
    )


class StormIn(_DaysIn):
    """The same by codes of schools, by districts, or everywhere."""

    kind: Literal["storm"]
    codes: Annotated[tuple[Name, ...], Field(max_length=MOST_ITEMS)] = ()
    districts: Annotated[tuple[Name, ...], Field(max_length=MOST_ITEMS)] = ()
    everywhere: Flag = False

    model_config = example(
        kind="storm", districts=["Lục Yên"], first_day="2023-10-04", last_day="2023-10-05",
        reason="Bão số 4",
    )  # fmt: skip


OneOf = Annotated[AbsenceIn | ClosureIn | StormIn, Field(discriminator="kind")]


class ChoiceIn(Body):
    """What is to become of one lesson instead of the proposal; a move needs a day and a start."""

    lesson: Id
    way: Way
    day: Day | None = None
    start: Clock | None = None
    teacher: Id | None = None

    model_config = example(lesson=41, way="move", day="2023-10-05", start="08:25")

    @property
    def choice(self) -> Choice:
        start = minutes_of(self.start) if self.start else None
        return Choice(self.way, self.day, start, TeacherId(self.teacher) if self.teacher else None)


class DisruptionIn(Body):
    """Who is away or which schools are closed, on which days."""

    disruption: OneOf

    model_config = example(disruption=AbsenceIn.shown())


class ApplyIn(DisruptionIn):
    """`fingerprint`: what the preview printed, where it is not sent as If-Match; choices for
    single lessons."""

    fingerprint: Seen | None = None
    choices: Annotated[tuple[ChoiceIn, ...], Field(max_length=MOST_ITEMS)] = ()

    model_config = example(
        disruption=AbsenceIn.shown(), fingerprint="5f2a…", choices=[ChoiceIn.shown()]
    )

    @model_validator(mode="after")
    def _once(self) -> "ApplyIn":
        if len({each.lesson for each in self.choices}) < len(self.choices):
            raise ValueError(text("A lesson is named twice. Keep one of the two."))
        return self

    @property
    def chosen(self) -> Mapping[LessonId, Choice]:
        return {LessonId(each.lesson): each.choice for each in self.choices}


@dataclass(frozen=True, slots=True)
class ConcernedOut:
    """One lesson and what becomes of it; `new_…` of one that moves."""

    lesson: LessonOut
    way: Way
    why: str
    could_come: int
    new_day: date | None
    new_start: str | None
    new_teacher: str | None


@dataclass(frozen=True, slots=True)
class ProposalsOut:
    """`fingerprint` is what applying wants to be told."""

    fingerprint: str
    counts: dict[Way, int]
    lines: list[ConcernedOut]


def _named(ctx: Context, actor: Actor, body: AbsenceIn | ClosureIn | StormIn) -> Disruption:
    match body:
        case AbsenceIn():
            return Absence(TeacherId(body.teacher), body.span, body.reason)
        case ClosureIn():
            schools = tuple(SchoolId(each) for each in sorted(set(body.schools)))
            return Closure(schools, body.span, body.reason)
        case StormIn():
            return disruptions.closure_of(
                ctx, actor, body.span, body.reason,
                codes=body.codes, districts=body.districts, everywhere=body.everywhere,
            )  # fmt: skip


def _preview(ctx: Context, actor: Actor, seen: Preview) -> ProposalsOut:
    lines = [_line(ctx, actor, each) for each in seen.lines]
    return ProposalsOut(seen.fingerprint, seen.counts, lines)


def _line(ctx: Context, actor: Actor, line: Line) -> ConcernedOut:
    made = line.proposal
    return ConcernedOut(
        lesson=lesson_out(line.lesson, ctx.now()),
        way=made.way,
        why=said(made.why, actor),
        could_come=made.could_come,
        new_day=made.after.day if made.after else None,
        new_start=clock_text(made.after.start) if made.after else None,
        new_teacher=line.teacher or None,
    )


@router.post("/preview")
def preview(ctx: Ctx, actor: ApiActor, response: Response, body: DisruptionIn) -> ProposalsOut:
    """Every lesson it concerns, each with the smallest change that works; nothing is changed."""
    asked = _named(ctx, actor, body.disruption)
    found = disruptions.preview(ctx, actor, asked)
    tag(response, found.fingerprint)
    return _preview(ctx, actor, found)


@router.post("/apply")
def apply(ctx: Ctx, actor: ApiActor, belief: Believed, body: ApplyIn) -> ProposalsOut:
    """Keep these days, and do for each lesson what was seen or chosen: all of it or nothing."""
    asked = _named(ctx, actor, body.disruption)
    seen = belief.seen(body.fingerprint)
    done = disruptions.apply(ctx, actor, asked, seen, body.chosen)
    return _preview(ctx, actor, done)


@router.post("/withdraw", status_code=204)
def withdraw(ctx: Ctx, actor: ApiActor, body: DisruptionIn) -> None:
    """Take these days back; the lessons stay as they stand by now."""
    disruptions.withdraw(ctx, actor, _named(ctx, actor, body.disruption))

"""A teacher's own hours for a term, by default the newest: weekly windows, limits, wishes."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, model_validator
from starlette.responses import Response

from scheduler.domain import availability as rules
from scheduler.domain.availability import Pledge, Wanted, Window
from scheduler.domain.intervals import clock_text, minutes_of
from scheduler.domain.people import Level
from scheduler.errors import text
from scheduler.services import availability
from scheduler.services.availability import Desk
from scheduler.web.api.beliefs import Believed, tag
from scheduler.web.api.bodies import MOST_ITEMS, Body, Clock, Day, Flag, Name, Seen, example
from scheduler.web.guard import ApiActor, Ctx
from scheduler.web.terms import TermOf

router = APIRouter(prefix="/availability", tags=["availability"])


@dataclass(frozen=True, slots=True)
class WindowOut:
    """A weekly time, weekday 0 = Monday; without days it holds the whole term."""

    weekday: int
    start: str
    end: str
    first_day: date | None
    last_day: date | None
    if_needed: bool


@dataclass(frozen=True, slots=True)
class AvailabilityOut:
    """`fingerprint` is what changing wants to be told; `classes`, of so many `schools`, fit."""

    term: int
    windows: list[WindowOut]
    levels: list[Level]
    max_per_day: int
    max_per_week: int
    max_total: int
    wishes: list[str]
    wanted: Wanted
    confirmed_at: datetime | None
    classes: int
    schools: int
    fingerprint: str


class WindowIn(Body):
    """A weekly time, weekday 0 = Monday; without days it holds the whole term."""

    weekday: Annotated[int, Field(strict=True, ge=0, le=6)]
    start: Clock
    end: Clock
    first_day: Day | None = None
    last_day: Day | None = None
    if_needed: Flag = False

    model_config = example(weekday=1, start="13:15", end="17:05", if_needed=False)

    @model_validator(mode="after")
    def _in_order(self) -> "WindowIn":
        if minutes_of(self.end) <= minutes_of(self.start):
            raise ValueError(text("The end is not after the start."))
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise ValueError(text("The last day is before the first day."))
        return self

    @property
    def window(self) -> Window:
        return Window(
            self.weekday, minutes_of(self.start), minutes_of(self.end), self.first_day,
            self.last_day, self.if_needed,
        )  # fmt: skip


class AvailabilityIn(Body):
    """All of it, as it is to be; days away are told as disruptions."""

    windows: Annotated[tuple[WindowIn, ...], Field(max_length=MOST_ITEMS)]
    levels: Annotated[tuple[Level, ...], Field(max_length=len(Level))]
    max_per_day: Annotated[int, Field(strict=True, ge=1, le=rules.MOST_PER_DAY)]
    max_per_week: Annotated[int, Field(strict=True, ge=1, le=rules.MOST_PER_WEEK)]
    max_total: Annotated[int, Field(strict=True, ge=1, le=rules.MOST_TOTAL)]
    wishes: Annotated[tuple[Name, ...], Field(max_length=MOST_ITEMS)] = ()
    wanted: Wanted = Wanted.SAME
    fingerprint: Seen | None = None

    model_config = example(
        windows=[WindowIn.shown()], levels=["lower_secondary"], max_per_day=1, max_per_week=2,
        max_total=12, wishes=["YB01"], wanted="same", fingerprint="5f2a…",
    )  # fmt: skip

    @property
    def pledge(self) -> Pledge:
        return Pledge(
            levels=tuple(dict.fromkeys(self.levels)),
            max_per_day=self.max_per_day,
            max_per_week=self.max_per_week,
            max_total=self.max_total,
            windows=tuple(dict.fromkeys(each.window for each in self.windows)),
            wishes=tuple(dict.fromkeys(self.wishes)),
        )


@router.get("")
def mine(ctx: Ctx, actor: ApiActor, response: Response, term: TermOf = None) -> AvailabilityOut:
    """When one can teach oneself, and how many classes that fits."""
    found = availability.desk(ctx, actor, term)
    tag(response, found.fingerprint)
    return _out(found)


@router.put("")
def change(
    response: Response,
    ctx: Ctx,
    actor: ApiActor,
    belief: Believed,
    body: AvailabilityIn,
    term: TermOf = None,
) -> AvailabilityOut:
    """Take over one's own hours as a whole; published lessons stay, whatever the hours."""
    seen = belief.seen(body.fingerprint)
    availability.tell(ctx, actor, body.pledge, body.wanted, seen, term)
    found = availability.desk(ctx, actor, term)
    tag(response, found.fingerprint)
    return _out(found)


def _out(desk: Desk) -> AvailabilityOut:
    pledge = desk.pledge
    return AvailabilityOut(
        term=desk.term.id,
        windows=[
            WindowOut(
                w.weekday, clock_text(w.start), clock_text(w.end), w.first_day, w.last_day,
                w.if_needed,
            )
            for w in pledge.windows
        ],
        levels=list(pledge.levels),
        max_per_day=pledge.max_per_day,
        max_per_week=pledge.max_per_week,
        max_total=pledge.max_total,
        wishes=list(pledge.wishes),
        wanted=desk.own.wanted,
        confirmed_at=desk.own.confirmed_at,
        classes=desk.fit.classes,
        schools=desk.fit.schools,
        fingerprint=desk.fingerprint,
    )  # fmt: skip

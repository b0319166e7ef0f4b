"""What classes of a school ask for: asked, changed, taken back."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, model_validator
from starlette.responses import Response

from scheduler.domain import requests as rules
from scheduler.domain.intervals import clock_text, minutes_of
from scheduler.domain.people import SchoolId
from scheduler.domain.requests import LAST_RANK, MOST_A_WEEK, NewRequest, Request, RequestId, Slot
from scheduler.errors import text
from scheduler.services import requests
from scheduler.web.api.beliefs import Believed, tag
from scheduler.web.api.bodies import Body, Clock, Day, Name, Seen, example
from scheduler.web.guard import ApiActor, Ctx, RowId
from scheduler.web.terms import TermOf

router = APIRouter(tags=["requests"])

MOST_SLOTS = 70  # ten periods on each day of a week


@dataclass(frozen=True, slots=True)
class SlotOut:
    """A weekly time, weekday 0 = Monday; rank 0 is liked best."""

    weekday: int
    start: str
    end: str
    rank: int


@dataclass(frozen=True, slots=True)
class RequestOut:
    """What one class asks for; `fingerprint` is what changing wants to be told."""

    id: int
    school: int
    class_name: str
    lessons_per_week: int
    first_day: date
    last_day: date
    priority: int
    slots: list[SlotOut]
    fingerprint: str


class SlotIn(Body):
    """A weekly time of the school's own bell times; rank 0 is liked best."""

    weekday: Annotated[int, Field(strict=True, ge=0, le=6)]
    start: Clock
    end: Clock
    rank: Annotated[int, Field(strict=True, ge=0, le=LAST_RANK)] = 0

    model_config = example(weekday=1, start="07:30", end="08:15", rank=0)

    @property
    def slot(self) -> Slot:
        return Slot(self.weekday, minutes_of(self.start), minutes_of(self.end), self.rank)


class RequestIn(Body):
    """So many lessons a week in one of these weekly times, from one day to another."""

    class_name: Name
    lessons_per_week: Annotated[int, Field(strict=True, ge=1, le=MOST_A_WEEK)]
    first_day: Day
    last_day: Day
    priority: Annotated[int, Field(strict=True, ge=1, le=3)] = 2
    slots: Annotated[list[SlotIn], Field(min_length=1, max_length=MOST_SLOTS)]

    model_config = example(
        class_name="7A", lessons_per_week=2, first_day="2023-10-02", last_day="2023-12-31",
        priority=2, slots=[SlotIn.shown()],
    )  # fmt: skip

    @model_validator(mode="after")
    def _once(self) -> "RequestIn":
        if len({(each.weekday, each.start) for each in self.slots}) < len(self.slots):
            raise ValueError(text("A weekly time is named twice. Keep one of the two."))
        return self

    @property
    def new(self) -> NewRequest:
        return NewRequest(
            class_name=self.class_name,
            lessons_per_week=self.lessons_per_week,
            first_day=self.first_day,
            last_day=self.last_day,
            priority=self.priority,
            slots=tuple(sorted(each.slot for each in self.slots)),
        )


class ChangedRequestIn(RequestIn):
    """All of it as it is to be; `fingerprint`: of how it was read, where it is not sent as
    If-Match."""

    fingerprint: Seen | None = None

    model_config = example(
        class_name="7A", lessons_per_week=1, first_day="2023-10-02", last_day="2023-12-31",
        priority=1, slots=[SlotIn.shown()], fingerprint="5f0c2f9a1b3d4e6f",
    )  # fmt: skip


def _out(response: Response, found: Request) -> RequestOut:
    fingerprint = rules.seen_as(found)
    tag(response, fingerprint)
    slots = [
        SlotOut(each.weekday, clock_text(each.start), clock_text(each.end), each.rank)
        for each in sorted(found.slots)
    ]
    return RequestOut(
        id=found.id,
        school=found.school_id,
        class_name=found.class_name,
        lessons_per_week=found.lessons_per_week,
        first_day=found.first_day,
        last_day=found.last_day,
        priority=found.priority,
        slots=slots,
        fingerprint=fingerprint,
    )


@router.post("/schools/{school_id}/requests", status_code=201)
def ask(
    ctx: Ctx,
    actor: ApiActor,
    school_id: RowId,
    response: Response,
    body: RequestIn,
    term: TermOf = None,
) -> RequestOut:
    """Ask for lessons for a class of a school; it enters the next run."""
    made = requests.submit(ctx, actor, SchoolId(school_id), body.new, term)
    return _out(response, requests.get(ctx, actor, made))


@router.get("/requests/{request_id}")
def one_request(ctx: Ctx, actor: ApiActor, request_id: RowId, response: Response) -> RequestOut:
    """One request, for whoever may change it; taken back or not."""
    return _out(response, requests.get(ctx, actor, RequestId(request_id)))


@router.put("/requests/{request_id}")
def change(
    ctx: Ctx, actor: ApiActor, request_id: RowId, response: Response, belief: Believed,
    body: ChangedRequestIn,
) -> RequestOut:  # fmt: skip
    """Make a request ask for something else; the next run takes it so, lessons stay until then."""
    which = RequestId(request_id)
    requests.change(ctx, actor, which, body.new, belief.seen(body.fingerprint))
    return _out(response, requests.get(ctx, actor, which))


@router.post("/requests/{request_id}/withdraw", status_code=204)
def withdraw(ctx: Ctx, actor: ApiActor, request_id: RowId) -> None:
    """Take a request back; published lessons stay until the next plan."""
    requests.withdraw(ctx, actor, RequestId(request_id))


@router.post("/requests/{request_id}/restore", status_code=204)
def restore(ctx: Ctx, actor: ApiActor, request_id: RowId) -> None:
    """Undo taking a request back, while no run has heard of it."""
    requests.restore(ctx, actor, RequestId(request_id))

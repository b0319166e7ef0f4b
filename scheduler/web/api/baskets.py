"""Changes by hand, several lessons at once, looked at together."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from scheduler.domain.access import Actor
from scheduler.domain.baskets import MOST_MOVES, CautionKind
from scheduler.domain.terms import TermId
from scheduler.services import basket_files, baskets
from scheduler.services.baskets import Check
from scheduler.web.api.bodies import Body, Clock, Day, Id, Name, Words, example
from scheduler.web.api.plans import DraftOut
from scheduler.web.api.suggestions import ToldOut, told_out
from scheduler.web.api.wording import said
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(prefix="/terms/{term_id}/baskets", tags=["baskets"])


class MoveIn(Body):
    """A lesson by number with another teacher (mail address) or time, or with a reason to call it
    off; or a request (SCHOOL/CLASS) with date, start, end and teacher of one more lesson."""

    lesson: Id | None = None
    request: Name | None = None
    teacher: Name | None = None
    date: Day | None = None
    start: Clock | None = None
    end: Clock | None = None
    call_off: Words | None = None

    model_config = example(
        lesson=41, teacher="lan@truong.example", date="2023-10-05", start="08:25"
    )


class BasketIn(Body):
    """The changes, looked at together."""

    moves: Annotated[list[MoveIn], Field(min_length=1, max_length=MOST_MOVES)]

    model_config = example(moves=[MoveIn.shown()])

    @property
    def data(self) -> object:
        """As the file of a basket says it: what is not named stays as it is."""
        return self.model_dump(mode="json", exclude_none=True, include={"moves"})


class DraftIn(BasketIn):
    """`note`: why, for the history and for pins."""

    note: Words = ""

    model_config = example(moves=[MoveIn.shown()], note="Theo đề nghị của nhà trường")


@dataclass(frozen=True, slots=True)
class ClashOut:
    """A rule that the basket would break, and the lessons that break it together."""

    rule: str
    lessons: list[ToldOut]


@dataclass(frozen=True, slots=True)
class CautionOut:
    """What is allowed and still deserves a look."""

    kind: CautionKind
    lesson: ToldOut


@dataclass(frozen=True, slots=True)
class CheckOut:
    """It can become a draft when there are no clashes; costs by cause, `dearer` in all."""

    clashes: list[ClashOut]
    cautions: list[CautionOut]
    dearer: float
    before: dict[str, float]
    after: dict[str, float]


def _check(actor: Actor, seen: Check) -> CheckOut:
    return CheckOut(
        clashes=[
            ClashOut(said(x.rule, actor), list(map(told_out, x.lessons))) for x in seen.clashes
        ],
        cautions=[CautionOut(each.kind, told_out(each.lesson)) for each in seen.cautions],
        dearer=seen.dearer,
        before={charge.term: charge.points for charge in seen.before},
        after={charge.term: charge.points for charge in seen.after},
    )


@router.post("/check")
def check(ctx: Ctx, actor: ApiActor, term_id: RowId, body: BasketIn) -> CheckOut:
    """What the basket would break, and what it costs; nothing is changed."""
    moves = basket_files.read(ctx, actor, TermId(term_id), body.data)
    return _check(actor, baskets.check(ctx, actor, TermId(term_id), moves))


@router.post("", status_code=201)
def draft(ctx: Ctx, actor: ApiActor, term_id: RowId, body: DraftIn) -> DraftOut:
    """Keep the basket as a draft, to be previewed and published like any other."""
    moves = basket_files.read(ctx, actor, TermId(term_id), body.data)
    return DraftOut(baskets.draft(ctx, actor, TermId(term_id), moves, body.note))

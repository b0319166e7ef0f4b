"""Two teachers exchange a lesson each."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter

from scheduler.domain.lessons import LessonId
from scheduler.domain.swaps import Reply, Swap, SwapEnd, SwapId
from scheduler.services import swap_partners, swaps
from scheduler.services.swaps import Glimpse, Proposal
from scheduler.web.api.bodies import Body, Id, Words, example
from scheduler.web.api.paging import Paged, newest_first
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(tags=["swaps"])


@dataclass(frozen=True, slots=True)
class GlimpseOut:
    """All that a teacher sees of another one's lesson."""

    lesson: int
    teacher: str
    class_name: str
    school: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class ProposalOut:
    """A proposal as its reader sees it; `asked`: it is theirs to answer."""

    id: int
    asked: bool
    gives: GlimpseOut
    gets: GlimpseOut
    words: str
    asked_at: datetime
    deadline: datetime
    end: SwapEnd | None


@dataclass(frozen=True, slots=True)
class SwapOut:
    """A proposal as a coordinator sees it, by numbers."""

    id: int
    given: int
    asker: int
    wanted: int
    asked: int
    asked_at: datetime
    deadline: datetime
    end: SwapEnd | None


class SwapIn(Body):
    """One's own lesson, the colleague's that is wanted, and a few words."""

    given: Id
    wanted: Id
    words: Words = ""

    model_config = example(given=41, wanted=57, words="Hôm đó em bận họp")


def _glimpse(seen: Glimpse) -> GlimpseOut:
    return GlimpseOut(
        lesson=seen.lesson_id,
        teacher=seen.teacher_name,
        class_name=seen.class_name,
        school=seen.school_name,
        starts_at=seen.starts_at,
        ends_at=seen.ends_at,
    )


def _proposal(found: Proposal) -> ProposalOut:
    swap = found.swap
    return ProposalOut(
        id=swap.id,
        asked=found.asked,
        gives=_glimpse(found.gives),
        gets=_glimpse(found.gets),
        words=swap.words,
        asked_at=swap.asked_at,
        deadline=swap.deadline,
        end=found.end,
    )


def _swap(swap: Swap) -> SwapOut:
    return SwapOut(
        id=swap.id,
        given=swap.given_id,
        asker=swap.asker_id,
        wanted=swap.wanted_id,
        asked=swap.asked_id,
        asked_at=swap.asked_at,
        deadline=swap.deadline,
        end=swap.end,
    )


@router.get("/swaps")
def mine(ctx: Ctx, actor: ApiActor, paged: Paged) -> list[ProposalOut]:
    """The proposals that one made or got, the newest first."""
    told = paged.cut(swaps.mine(ctx, actor), lambda each: newest_first(each.swap.id))
    return [_proposal(each) for each in told]


@router.get("/swaps/all")
def of_programme(ctx: Ctx, actor: ApiActor, paged: Paged) -> list[SwapOut]:
    """All proposals of a coordinator's programme, the newest first."""
    told = paged.cut(swaps.of_programme(ctx, actor), lambda each: newest_first(each.id))
    return [_swap(each) for each in told]


@router.get("/lessons/{lesson_id}/partners")
def partners(ctx: Ctx, actor: ApiActor, lesson_id: RowId) -> list[GlimpseOut]:
    """Lessons of colleagues for which one's own could be swapped, the nearest in time first."""
    return [_glimpse(each) for each in swap_partners.of_lesson(ctx, actor, LessonId(lesson_id))]


@router.post("/swaps", status_code=201)
def ask(ctx: Ctx, actor: ApiActor, body: SwapIn) -> ProposalOut:
    """Propose to give one's own lesson for another teacher's."""
    given, wanted = LessonId(body.given), LessonId(body.wanted)
    return _proposal(swaps.ask(ctx, actor, given, wanted, body.words))


@router.get("/swaps/{swap_id}")
def proposal(ctx: Ctx, actor: ApiActor, swap_id: RowId) -> ProposalOut:
    """One proposal, for its two teachers."""
    return _proposal(swaps.proposal(ctx, swaps.of_actor(actor, SwapId(swap_id))))


@router.post("/swaps/{swap_id}/accept")
def accept(ctx: Ctx, actor: ApiActor, swap_id: RowId) -> ProposalOut:
    """Agree: both lessons change hands at once."""
    asked = swaps.of_actor(actor, SwapId(swap_id))
    return _proposal(swaps.answer(ctx, asked, Reply.ACCEPT))


@router.post("/swaps/{swap_id}/decline")
def decline(ctx: Ctx, actor: ApiActor, swap_id: RowId) -> ProposalOut:
    """Say no; nothing changes."""
    asked = swaps.of_actor(actor, SwapId(swap_id))
    return _proposal(swaps.answer(ctx, asked, Reply.DECLINE))


@router.post("/swaps/{swap_id}/withdraw")
def withdraw(ctx: Ctx, actor: ApiActor, swap_id: RowId) -> ProposalOut:
    """Take one's own proposal back."""
    asked = swaps.of_actor(actor, SwapId(swap_id))
    return _proposal(swaps.answer(ctx, asked, Reply.WITHDRAW))

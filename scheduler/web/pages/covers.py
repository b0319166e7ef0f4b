"""Lessons that look for cover: all of them, and the search of one in values ready to print."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.candidates import Obstacle
from scheduler.domain.cover import (
    PREPARING,
    Offer,
    OfferEnd,
    Ranked,
    Wave,
    is_too_late,
    next_wave,
)
from scheduler.errors import Text, text
from scheduler.locale import Language
from scheduler.services import cover
from scheduler.services.cover import Board, Search
from scheduler.services.words import excuse_words, obstacle_words
from scheduler.store.covers import CoverCall
from scheduler.web import frame, guard
from scheduler.web.forms import Fields
from scheduler.web.guard import CoordinatorActor, Ctx, Form
from scheduler.web.view import local, render, see_other

router = APIRouter()

HERE = "/coordinator/covers"
MOST_SHOWN = 12  # candidates
WAVES: dict[Wave, Text] = {
    Wave.BY_HAND: text("Asked by hand"),
    Wave.CLASS: text("Wave 1 · who knows the class"),
    Wave.SCHOOL: text("Wave 2 · colleagues of the teacher"),
    Wave.ALL: text("Wave 3 · all who fit"),
}
ENDS: dict[OfferEnd, tuple[Text, str, str]] = {  # word, icon, tone
    OfferEnd.ACCEPTED: (text("Accepted"), "check", "ok"),
    OfferEnd.DECLINED: (text("Declined"), "x", "bad"),
    OfferEnd.LAPSED: (text("No answer"), "clock", ""),
    OfferEnd.TAKEN: (text("Somebody was quicker"), "off", ""),
    OfferEnd.WITHDRAWN: (text("Not needed any more"), "off", ""),
}


@dataclass(frozen=True, slots=True)
class WaveShown:
    """One step of the search.  `state`: past, now or ahead; `since`, `until` on the lesson's wall;
    counts of who was asked in it, None: nobody yet."""

    name: Text
    state: str
    since: datetime | None = None
    until: datetime | None = None
    asked: int = 0
    seen: int = 0
    declined: int = 0


@dataclass(frozen=True, slots=True)
class CandidateShown:
    """A teacher in the table; `offer`: the last one made, `end`: how that ended, in words; `why`
    not; `may_ask`: a message may go out."""

    line: Ranked
    rank: int
    offer: Offer | None
    end: tuple[Text, str, str] | None
    why: Text | None
    may_ask: bool


@dataclass(frozen=True, slots=True)
class CoverShown:
    """A search for cover in values ready to print.  `fresh`: how many a next wave would ask;
    `hindered`: why the others cannot, and how many; `free_by_phone`: who may agree by telephone."""

    board: Board
    call: CoverCall | None
    reason: str
    waves: tuple[WaveShown, ...]
    candidates: tuple[CandidateShown, ...]
    more: int
    hindered: tuple[tuple[Text, int], ...]
    fresh: int
    late: bool
    open_offers: tuple[Offer, ...]
    free_by_phone: tuple[tuple[Ranked, Text | None], ...]

    @property
    def asked(self) -> int:
        """How many were asked in the open call: what a press on the next wave has seen."""
        return sum(self.call is not None and x.call_id == self.call.id for x in self.board.offers)


@dataclass(frozen=True, slots=True)
class Line:
    """A lesson in the list: why, how far the search is, and until when."""

    search: Search
    reason: str
    wave: Text
    due: datetime
    open: int
    declined: int


# -- all of them


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    language = frame.language_of(request, guard.seen(request))
    found = cover.searches(ctx, actor)
    now = ctx.now()
    lines = sorted((_listed(each, language, now) for each in found), key=lambda line: line.due)
    return render(
        request,
        "coordinator/covers.html",
        lines=lines,
        now=now,
        automatic=cover.automatic(ctx, actor),
    )


def _listed(each: Search, language: Language, now: datetime) -> Line:
    call = each.call
    due = min(call.look_at or each.lesson.starts_at, each.lesson.starts_at)
    return Line(
        search=each,
        reason=excuse_words(call.reason, language),
        wave=text("Nobody is left to ask") if call.exhausted_at else WAVES[call.wave],
        due=due,
        open=sum(offer.end is None and now < offer.deadline for offer in each.offers),
        declined=sum(offer.end is OfferEnd.DECLINED for offer in each.offers),
    )


@router.post(f"{HERE}/automatic")
def automatic(ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    on = Fields(form).typed("on") == "yes"
    cover.automatic(ctx, actor, on=on)
    told = text("Teachers are asked wave after wave.") if on else text("You ask teachers by hand.")
    return see_other(HERE, told)


# -- one of them, for its lesson's page


def shown(
    board: Board, now: datetime, language: Language, *, everybody: bool = False
) -> CoverShown:
    """`everybody`: all who fit, not only the first ones."""
    call, begins = board.call, board.lesson.starts_at
    own = [x for x in board.offers if call is not None and x.call_id == call.id]
    late = is_too_late(now, begins)
    fit = [line for line in board.ranked if line.fits]
    newest = {offer.teacher_id: offer for offer in board.offers}
    rows = [
        _candidate(line, rank, newest.get(line.who.teacher_id), now, open_=bool(call) and not late)
        for rank, line in enumerate(fit, start=1)
    ]
    most = len(rows) if everybody else MOST_SHOWN
    why = Counter(line.obstacles[0] for line in board.ranked if line.obstacles)
    asked = {offer.teacher_id for offer in own}
    following = next_wave(board.ranked, asked, call.wave, now, begins) if call else ()
    return CoverShown(
        board=board,
        call=call,
        reason=excuse_words(call.reason, language) if call else "",
        waves=tuple(_waves(call, own, begins, board.lesson.zone)) if call else (),
        candidates=tuple(rows[:most]),
        more=max(0, len(rows) - most),
        hindered=tuple((obstacle_words(each), n) for each, n in why.most_common()),
        fresh=len(following),
        late=late,
        open_offers=tuple(x for x in own if x.end is None and now < x.deadline),
        free_by_phone=tuple(_by_phone(board.ranked)),
    )


def _candidate(
    line: Ranked, rank: int, offer: Offer | None, now: datetime, *, open_: bool
) -> CandidateShown:
    waits = offer is not None and offer.end is None and now < offer.deadline
    end = ENDS[offer.end or OfferEnd.LAPSED] if offer and not waits else None
    return CandidateShown(line, rank, offer, end, None, open_ and not waits)


def _by_phone(ranked: Sequence[Ranked]) -> list[tuple[Ranked, Text | None]]:
    """Those who fit, and those whom only a promise of their own keeps from it."""
    own = (Obstacle.TERM_LIMIT, Obstacle.WEEK_LIMIT, Obstacle.DAY_LIMIT, Obstacle.NOT_AVAILABLE)
    found = [x for x in ranked if len(x.obstacles) <= 1 and set(x.obstacles) <= set(own)]
    told = [(x, obstacle_words(x.obstacles[0]) if x.obstacles else None) for x in found]
    return told[:40]


def _waves(call: CoverCall, own: Sequence[Offer], begins: datetime, zone: str) -> list[WaveShown]:
    found = [each for each in Wave if each is not Wave.BY_HAND or any(x.wave is each for x in own)]
    steps = [_wave(each, call, [x for x in own if x.wave is each], zone) for each in found]
    last = "now" if call.exhausted_at is not None else "ahead"
    from_then = local(begins - PREPARING, zone)
    return [*steps, WaveShown(text("If nobody takes it"), last, until=from_then)]


def _wave(wave: Wave, call: CoverCall, asked: Sequence[Offer], zone: str) -> WaveShown:
    if not asked:
        return WaveShown(WAVES[wave], "past" if wave < call.wave else "ahead")
    waits = any(x.end is None for x in asked) and call.exhausted_at is None
    return WaveShown(
        name=WAVES[wave],
        state="now" if waits else "past",
        since=local(min(x.asked_at for x in asked), zone),
        until=local(max(x.deadline for x in asked), zone),
        asked=len(asked),
        seen=sum(x.seen_at is not None for x in asked),
        declined=sum(x.end is OfferEnd.DECLINED for x in asked),
    )

"""What came between and stands: absences and closed days, and taking them back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.lessons import LessonId
from scheduler.domain.names import fold
from scheduler.domain.plans import Fingerprint
from scheduler.errors import Stale, Text, text
from scheduler.services import kept
from scheduler.services.context import Context
from scheduler.services.kept import Board, Fate, Kept
from scheduler.web.forms import Fields
from scheduler.web.guard import DISRUPTIONS, CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages.people import Number, pages_of
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = f"{DISRUPTIONS}/kept"
AT_ONCE = 50
AHEAD, BEHIND = "ahead", "behind"
_Typed = Annotated[str, Query(max_length=80)]
FATES: dict[Fate, tuple[Text, str, str]] = {  # word, icon, tone
    Fate.RETURNS: (text("Takes place after all"), "undo", "ok"),
    Fate.KEEPS: (text("Its teacher gives it"), "check", "ok"),
    Fate.STAYS: (text("Stays as it is"), "minus", ""),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A link of the filter and how many it shows; `href` None: it is shown."""

    label: Text
    count: int
    href: str | None


@router.get(HERE)
def page(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    when: _Typed = AHEAD,
    q: _Typed = "",
    number: Number = 1,
) -> Response:
    """What is still ahead, or else what is over; those that the search finds."""
    found, shown = _searched(kept.board(ctx, actor), q), BEHIND if when == BEHIND else AHEAD
    rows = found.behind if shown == BEHIND else found.ahead
    asked = {"when": shown if shown == BEHIND else "", "q": q}
    return render(
        request,
        "coordinator/kept.html",
        section="/coordinator",
        rows=rows[(number - 1) * AT_ONCE : number * AT_ONCE],
        count=len(rows),
        pages=pages_of(HERE, len(rows), number, asked, AT_ONCE),
        choices=list(_choices(found, shown)),
        when=shown,
        q=q,
        address=address,
    )


def address(each: Kept) -> str:
    """Where taking these days back is looked at, and done."""
    return f"{HERE}/{'absences' if each.away else 'closures'}/{each.id}"


def _searched(found: Board, q: str) -> Board:
    words = fold(q)
    if not words:
        return found

    def fits(each: Kept) -> bool:
        told = (*each.names, each.disruption.reason, each.by)
        return words in fold(" ".join(told))

    return Board(tuple(filter(fits, found.ahead)), tuple(filter(fits, found.behind)))


def _choices(found: Board, shown: str) -> Iterator[Choice]:
    named = ((AHEAD, text("Ahead"), found.ahead), (BEHIND, text("Past"), found.behind))
    for value, label, rows in named:
        yield Choice(label, len(rows), None if value == shown else value)


@router.get(f"{HERE}/absences/{{absence_id}}")
def absence(request: Request, ctx: Ctx, actor: CoordinatorActor, absence_id: RowId) -> Response:
    return _look(request, ctx, actor, absence_id, away=True)


@router.post(f"{HERE}/absences/{{absence_id}}")
def undo_absence(
    request: Request, ctx: Ctx, actor: CoordinatorActor, absence_id: RowId, form: Form
) -> Response:
    return _undo(request, ctx, actor, absence_id, form, away=True)


@router.get(f"{HERE}/closures/{{closure_id}}")
def closure(request: Request, ctx: Ctx, actor: CoordinatorActor, closure_id: RowId) -> Response:
    return _look(request, ctx, actor, closure_id, away=False)


@router.post(f"{HERE}/closures/{{closure_id}}")
def undo_closure(
    request: Request, ctx: Ctx, actor: CoordinatorActor, closure_id: RowId, form: Form
) -> Response:
    return _undo(request, ctx, actor, closure_id, form, away=False)


def _undo(
    request: Request, ctx: Context, actor: Actor, kept_id: int, form: FormData, *, away: bool
) -> Response:
    fields = Fields(form)
    named = (each for each in fields.many("back") if each.isascii() and each.isdecimal())
    wanted = {LessonId(int(each)) for each in named if len(each) < 10}
    seen = Fingerprint(fields.typed("seen"))
    try:
        done = kept.undo(ctx, actor, kept_id, seen, wanted, away=away)
    except Stale as fault:
        return _look(request, ctx, actor, kept_id, fault.message, away=away)
    said = text(
        "Taken back. {returned} lessons take place after all, for {kept} nobody is looked for any "
        "more.",
        returned=done.returned, kept=done.kept,
    )  # fmt: skip
    return see_other(HERE, said)


def _look(
    request: Request,
    ctx: Context,
    actor: Actor,
    kept_id: int,
    refused: Text | None = None,
    *,
    away: bool,
) -> Response:
    seen = kept.look(ctx, actor, kept_id, away=away)
    changing = sum(line.fate is not Fate.STAYS for line in seen.lines)
    return render(
        request,
        "coordinator/kept_undo.html",
        status=409 if refused else 200,
        section="/coordinator",
        look=seen,
        fates=FATES,
        changing=changing,
        here=address(seen.kept),
        refused=refused,
    )

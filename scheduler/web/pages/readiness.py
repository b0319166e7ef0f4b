"""Who is ready for the next search, and reminding those who are not: a look first, then sending."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.plans import Fingerprint
from scheduler.domain.readiness import Stand
from scheduler.errors import Conflict, Stale, text
from scheduler.services import readiness
from scheduler.web.forms import Fields
from scheduler.web.guard import CoordinatorActor, Ctx, Form
from scheduler.web.pages.people import Number, pages_of
from scheduler.web.terms import TermOf, with_term
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/readiness"
SECTION = "/coordinator/demand"
SCHOOLS_SHOWN = 12  # in front; the rest of a page is folded away
SCHOOLS_AT_ONCE = 300


@router.get(HERE)
def page(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    number: Number = 1,
    wanted: TermOf = None,
) -> Response:
    found = readiness.look(ctx, actor, wanted)
    kept = {"term": str(wanted)} if wanted else {}
    first = (number - 1) * SCHOOLS_AT_ONCE
    return render(
        request,
        "coordinator/readiness.html",
        section=SECTION,
        found=found,
        counts={stand.value: found.count(stand) for stand in Stand},
        rows=found.schools[first : first + SCHOOLS_AT_ONCE],
        pages=pages_of(HERE, len(found.schools), number, kept, SCHOOLS_AT_ONCE),
        shown=SCHOOLS_SHOWN,
    )


@router.get(f"{HERE}/{Stand.SILENT}")
@router.get(f"{HERE}/{Stand.UNCONFIRMED}")
def preview(request: Request, ctx: Ctx, actor: CoordinatorActor, wanted: TermOf = None) -> Response:
    try:
        return _preview(request, readiness.preview(ctx, actor, _stand(request), wanted))
    except Conflict as error:
        return see_other(with_term(HERE, wanted), error.message)


@router.post(f"{HERE}/{Stand.SILENT}")
@router.post(f"{HERE}/{Stand.UNCONFIRMED}")
def send(
    request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form, wanted: TermOf = None
) -> Response:
    stand, back = _stand(request), with_term(HERE, wanted)
    try:
        seen = Fingerprint(Fields(form).typed("seen"))
        sent = readiness.send(ctx, actor, stand, seen, wanted)
    except Stale as error:
        return _preview(request, readiness.preview(ctx, actor, stand, wanted), error)
    except Conflict as error:
        return see_other(with_term(HERE, wanted), error.message)
    if not sent:
        return see_other(back, text("All of them had this reminder today. Nothing was sent."))
    return see_other(back, text("The reminder is on its way to {count} teachers.", count=sent))


def _stand(request: Request) -> Stand:
    """Which of the two addresses this is."""
    return Stand(request.url.path.rpartition("/")[2])


def _preview(request: Request, nudge: readiness.Nudge, refused: Conflict | None = None) -> Response:
    return render(
        request,
        "coordinator/nudge.html",
        status=409 if refused else 200,
        section=SECTION,
        nudge=nudge,
        refused=refused.message if refused else None,
    )

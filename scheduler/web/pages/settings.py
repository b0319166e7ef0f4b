"""The programme's settings: the days of its terms, and where all else is set."""

import re
from collections.abc import Iterator, Mapping
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.plans import Fingerprint
from scheduler.domain.term_wishes import MOST_GAP, TermWish
from scheduler.domain.terms import Term, TermId
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.services import terms
from scheduler.services.terms import Beyond, TermDesk
from scheduler.web.forms import Fields, read_day
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/settings"
SECTION = "/coordinator"
NAMES = ("name", "first_day", "last_day", "gap_minutes", "holidays")
LONGEST = 2000  # letters of a list of holidays
_BETWEEN = re.compile(r"[\s;,]+")


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    return render(
        request,
        "coordinator/settings.html",
        section=SECTION,
        terms=terms.of_actor(ctx, actor),
        meeting_url=ctx.settings.meeting_url,
        mail_from=ctx.settings.mail_from,
    )


@router.get(f"{HERE}/terms/{{term_id}}")
def term_page(request: Request, ctx: Ctx, actor: CoordinatorActor, term_id: RowId) -> Response:
    return _term(request, terms.one(ctx, actor, TermId(term_id)))


@router.post(f"{HERE}/terms/{{term_id}}")
def change(
    request: Request, ctx: Ctx, actor: CoordinatorActor, term_id: RowId, form: Form
) -> Response:
    fields = Fields(form)
    found = terms.one(ctx, actor, TermId(term_id))  # strangers learn nothing of what is wrong
    try:
        wish, seen = _wish(fields), Fingerprint(fields.typed("seen"))
        outside, agreed = terms.beyond(ctx, actor, TermId(term_id), wish), fields.typed("agreed")
        if outside.seen != agreed:
            return _term(request, found, _typed(fields), seen=seen, outside=outside)
        terms.change(ctx, actor, TermId(term_id), wish, seen, agreed)
    except Invalid as fault:
        return _term(request, found, _typed(fields), fault.fields, status=422)
    except Conflict as fault:
        return _term(request, found, _typed(fields), refused=fault.message, status=409)
    said = text("The term is stored. The next plan goes by these days.")
    return see_other(HERE, said)


def _wish(fields: Fields) -> TermWish:
    wish = TermWish(
        name=fields.text("name"),
        first_day=fields.day("first_day"),
        last_day=fields.day("last_day"),
        gap_minutes=fields.number("gap_minutes", 0, MOST_GAP),
        holidays=tuple(sorted(set(_holidays(fields)))),
    )
    fields.check()
    return wish


def _holidays(fields: Fields) -> Iterator[date]:
    """The days of the box, however they are parted; the first that is none is said."""
    for typed in filter(None, _BETWEEN.split(fields.typed("holidays")[:LONGEST])):
        day = read_day(typed)
        if isinstance(day, date):
            yield day
        else:
            said = text("“{found}”: {why}", found=typed[:20], why=day)
            fields.errors.setdefault("holidays", said)


def _typed(fields: Fields) -> dict[str, str]:
    return {name: fields.typed(name) for name in NAMES}


def _kept(term: Term) -> dict[str, str]:
    return {
        "name": term.name,
        "first_day": f"{term.first_day:%d/%m/%Y}",
        "last_day": f"{term.last_day:%d/%m/%Y}",
        "gap_minutes": str(term.gap_minutes),
        "holidays": "\n".join(f"{day:%d/%m/%Y}" for day in term.holidays),
    }


def _term(
    request: Request,
    found: TermDesk,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, Text] | None = None,
    refused: Text | None = None,
    status: int = 200,
    seen: Fingerprint | None = None,
    outside: Beyond | None = None,
) -> Response:
    """`seen`: as it was when the form was filled in; `outside`: what is to be agreed to first."""
    return render(
        request,
        "coordinator/term_days.html",
        status=status,
        section=SECTION,
        found=found,
        typed=typed or _kept(found.term),
        errors=errors or {},
        refused=refused,
        seen=seen or found.seen,
        outside=outside,
    )

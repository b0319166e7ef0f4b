"""The programme's settings: the days of its terms, and where all else is set."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.intervals import DaySpan
from scheduler.domain.plans import Fingerprint
from scheduler.domain.term_wishes import LONGEST as LONGEST_TERM
from scheduler.domain.term_wishes import MOST_GAP, TermWish
from scheduler.domain.terms import Term, TermId
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.services import meetings, public_holidays, terms
from scheduler.services.context import Context
from scheduler.services.terms import Beyond, TermDesk
from scheduler.web.forms import Fields, read_day
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/settings"
SECTION = "/coordinator"
NEW_NAMES = ("code", "name", "first_day", "last_day", "gap_minutes", "holidays")
NAMES = ("name", "first_day", "last_day", "gap_minutes", "holidays")
LONGEST = 2000  # letters of a list of holidays
LONGEST_CODE, MOST_TICKS = 40, 100
_BETWEEN = re.compile(r"[\s;,]+")


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    return render(
        request,
        "coordinator/settings.html",
        section=SECTION,
        terms=terms.of_actor(ctx, actor),
        meetings=meetings.usual(ctx, actor),
        mail_from=ctx.settings.mail_from,
    )


@router.get(f"{HERE}/terms")
def new_page(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    newest = next(iter(terms.of_actor(ctx, actor)), None)
    rest = str(newest.term.gap_minutes) if newest else ""
    return _new(request, ctx, dict.fromkeys(NEW_NAMES, "") | {"gap_minutes": rest})


@router.post(f"{HERE}/terms")
def add(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    """Store the term; or, by the other button, show the public holidays of its days first."""
    fields = Fields(form)
    typed = {name: fields.typed(name) for name in NEW_NAMES}
    if fields.typed("show"):
        days = _days(fields)
        return _new(request, ctx, typed, fields.errors, days=days, status=422 if not days else 200)
    try:
        code, wish = fields.text("code", most=LONGEST_CODE), _wish(fields)
        term_id = terms.add(ctx, actor, code, wish)
    except Invalid as fault:
        ticked = frozenset(fields.many("public"))
        return _new(
            request, ctx, typed, fault.fields, days=_days(fields), ticked=ticked, status=422
        )
    return see_other(f"{HERE}#term-{term_id}", text("{name} is stored.", name=wish.name))


def _days(fields: Fields) -> DaySpan | None:
    """The days as they are typed, if a term can have them."""
    first, last = fields.day("first_day"), fields.day("last_day")
    sound = not {"first_day", "last_day"} & fields.errors.keys()
    return DaySpan(first, last) if sound and first <= last <= first + LONGEST_TERM else None


def _new(
    request: Request,
    ctx: Context,
    typed: Mapping[str, str],
    errors: Mapping[str, Text] | None = None,
    *,
    days: DaySpan | None = None,
    ticked: frozenset[str] | None = None,
    status: int = 200,
) -> Response:
    """`ticked`: of the public holidays in these days; None: all of them."""
    proposed = public_holidays.within(ctx, days) if days else ()
    return render(
        request,
        "coordinator/term_new.html",
        status=status,
        section=SECTION,
        typed=typed,
        errors=errors or {},
        proposed=proposed,
        days=days,
        ticked=ticked if ticked is not None else {f"{x.day:%d/%m/%Y}" for x in proposed},
    )


@router.get(f"{HERE}/terms/{{term_id}}")
def term_page(request: Request, ctx: Ctx, actor: CoordinatorActor, term_id: RowId) -> Response:
    return _term(request, ctx, terms.one(ctx, actor, TermId(term_id)))


@router.post(f"{HERE}/terms/{{term_id}}")
def change(
    request: Request, ctx: Ctx, actor: CoordinatorActor, term_id: RowId, form: Form
) -> Response:
    fields = Fields(form)
    ticked = fields.many("public")
    found = terms.one(ctx, actor, TermId(term_id))  # strangers learn nothing of what is wrong
    try:
        wish, seen = _wish(fields), Fingerprint(fields.typed("seen"))
        outside, agreed = terms.beyond(ctx, actor, TermId(term_id), wish), fields.typed("agreed")
        if outside.seen != agreed:
            return _term(
                request, ctx, found, _typed(fields), seen=seen, outside=outside, ticked=ticked
            )
        terms.change(ctx, actor, TermId(term_id), wish, seen, agreed)
    except Invalid as fault:
        return _term(request, ctx, found, _typed(fields), fault.fields, status=422, ticked=ticked)
    except Conflict as fault:
        return _term(
            request, ctx, found, _typed(fields), refused=fault.message, status=409, ticked=ticked
        )
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
    """The days of the box, however they are parted, and those that are ticked; the first that is
    none is said."""
    boxed = _BETWEEN.split(fields.typed("holidays")[:LONGEST])
    for typed in filter(None, (*boxed, *fields.many("public")[:MOST_TICKS])):
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
    ctx: Context,
    found: TermDesk,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, Text] | None = None,
    refused: Text | None = None,
    status: int = 200,
    seen: Fingerprint | None = None,
    outside: Beyond | None = None,
    ticked: Collection[str] = (),
) -> Response:
    """`seen`: as it was when the form was filled in; `outside`: what is to be agreed to first;
    `ticked`: of the public holidays that the term does not have."""
    held = set(found.term.holidays)
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
        proposed=[x for x in public_holidays.within(ctx, _span(found.term)) if x.day not in held],
        ticked=ticked,
    )


def _span(term: Term) -> DaySpan:
    return DaySpan(term.first_day, term.last_day)

"""Pairs of units: what each pledged, what came of it, and what it means for matching."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler import security
from scheduler.domain.access import Actor
from scheduler.domain.partnerships import MOST, Binding, PartnershipId, Terms
from scheduler.errors import Conflict, Invalid, Stale, Text, text
from scheduler.services import joint_lists, partnerships
from scheduler.services.context import Context
from scheduler.web.forms import Fields
from scheduler.web.guard import CoordinatorActor, Ctx, Form, RowId
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/partnerships"
SECTION = "/coordinator/balance"
WORDS = {
    Binding.NONE: text("Nothing"),
    Binding.WISH: text("A wish: rather to these schools than elsewhere"),
    Binding.RULE: text("A rule: to these schools and no others"),
}
BLANK = {
    "donor_unit": "",
    "receiving_unit": "",
    "lessons_pledged": "",
    "joint_sessions_pledged": "0",
    "binding": Binding.NONE.value,
}


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    return _page(request, ctx, actor, BLANK)


@router.post(HERE)
def add(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    fields = Fields(form)
    try:
        told = _read(fields)
        partnerships.add(ctx, actor, told)
    except Invalid as error:
        return _page(request, ctx, actor, _typed(fields), error.fields)
    said = text("{donor} and {receiver} are partners now.",
                donor=told.donor_unit, receiver=told.receiving_unit)  # fmt: skip
    return see_other(HERE, said)


@router.get(f"{HERE}/{{partnership_id}}")
def one(request: Request, ctx: Ctx, actor: CoordinatorActor, partnership_id: RowId) -> Response:
    found = partnerships.get(ctx, actor, PartnershipId(partnership_id))
    return _one(request, ctx, actor, found.id, found.terms, _shown(found.terms))


@router.post(f"{HERE}/{{partnership_id}}")
def change(
    request: Request, ctx: Ctx, actor: CoordinatorActor, partnership_id: RowId, form: Form
) -> Response:
    found = partnerships.get(ctx, actor, PartnershipId(partnership_id))
    fields = Fields(form)
    typed = _typed(fields)
    try:
        told = _read(fields)
        if told != found.terms and fields.typed("seen") != _stamp(ctx, found.terms):
            raise Stale("This partnership was changed while you were looking. Look at it again.")
        partnerships.change(ctx, actor, found.id, told, found.terms)
    except Invalid as error:
        return _one(request, ctx, actor, found.id, found.terms, typed, error.fields)
    except Conflict as error:
        return _one(request, ctx, actor, found.id, found.terms, typed, refused=error.message)
    return see_other(HERE, text("Saved."))


@router.post(f"{HERE}/{{partnership_id}}/remove")
def remove(
    request: Request, ctx: Ctx, actor: CoordinatorActor, partnership_id: RowId, form: Form
) -> Response:
    found = partnerships.get(ctx, actor, PartnershipId(partnership_id))
    try:
        if Fields(form).typed("seen") != _stamp(ctx, found.terms):
            raise Stale("This partnership was changed while you were looking. Look at it again.")
        gone = partnerships.remove(ctx, actor, found.id, found.terms).terms
    except Conflict as error:
        kept = _shown(found.terms)
        return _one(request, ctx, actor, found.id, found.terms, kept, refused=error.message)
    said = text("{donor} and {receiver} are no partners any more. Their lessons stay.",
                donor=gone.donor_unit, receiver=gone.receiving_unit)  # fmt: skip
    return see_other(HERE, said)


def _read(fields: Fields) -> Terms:
    told = Terms(
        donor_unit=fields.text("donor_unit"),
        receiving_unit=fields.text("receiving_unit"),
        lessons_pledged=fields.number("lessons_pledged", 0, MOST),
        joint_sessions_pledged=fields.number("joint_sessions_pledged", 0, MOST),
        binding=fields.choice("binding", Binding),
    )
    fields.check()
    return told


def _typed(fields: Fields) -> dict[str, str]:
    return {name: fields.typed(name) for name in BLANK}


def _shown(terms: Terms) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(terms).items()}


def _stamp(ctx: Context, terms: Terms) -> str:
    """What somebody saw, so that a change meanwhile is noticed."""
    return security.stamp(ctx.key, "partnership", json.dumps(_shown(terms), sort_keys=True))


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    typed: Mapping[str, str],
    errors: Mapping[str, Text] | None = None,
) -> Response:
    return render(
        request,
        "coordinator/partnerships.html",
        status=422 if errors else 200,
        section=SECTION,
        desk=partnerships.desk(ctx, actor),
        words=WORDS,
        typed=typed,
        errors=errors or {},
    )


def _one(
    request: Request,
    ctx: Context,
    actor: Actor,
    partnership_id: PartnershipId,
    terms: Terms,
    typed: Mapping[str, str],
    errors: Mapping[str, Text] | None = None,
    refused: Text | None = None,
) -> Response:
    return render(
        request,
        "coordinator/partnership.html",
        status=409 if refused else 422 if errors else 200,
        section=SECTION,
        id=partnership_id,
        terms=terms,
        seen=_stamp(ctx, terms),
        desk=partnerships.desk(ctx, actor),
        words=WORDS,
        typed=typed,
        errors=errors or {},
        refused=refused,
        sessions=joint_lists.desk(ctx, actor, partnership_id),
        now=ctx.now(),
    )

"""A teacher is away, schools are closed, a storm comes: named, looked at, and met in one press."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.disruptions import Absence, Choice, Disruption, Proposal, Way
from scheduler.domain.intervals import DaySpan, clock_text
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import TeacherId
from scheduler.domain.plans import Fingerprint
from scheduler.errors import Conflict, Invalid, NotFound, Text, text
from scheduler.services import disruptions
from scheduler.services.context import Context
from scheduler.services.disruptions import Preview
from scheduler.web.forms import Fields
from scheduler.web.guard import DISRUPTIONS, LARGEST_ID, CoordinatorActor, Ctx, Form
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = DISRUPTIONS
AWAY, CLOSED = "away", "closed"
WAYS: dict[Way, tuple[Text, str, str]] = {  # word, icon, tone
    Way.LEAVE: (text("Stays as it is"), "check", "ok"),
    Way.COVER: (text("Look for cover"), "hand", "warn"),
    Way.MOVE: (text("Moves"), "swap", "plan"),
    Way.CALL_OFF: (text("Is called off"), "off", "bad"),
}
_ONE = ("kind", "teacher", "first_day", "last_day", "reason", "everywhere")
_MANY = ("district", "school")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person may want instead for one lesson: (value, word), as proposed in front."""

    name: str
    options: tuple[tuple[str, Text], ...]
    chosen: str


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    return _form(request, ctx, actor)


@router.post(HERE)
def meet(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    """What would become of the lessons of these days; sent again with what was seen, it is done."""
    fields = Fields(form)
    try:
        asked = _named(ctx, actor, fields)
        if not fields.typed("seen"):
            return _preview(request, ctx, actor, asked, fields)
        done = disruptions.apply(
            ctx, actor, asked, Fingerprint(fields.typed("seen")), _choices(fields)
        )
    except Invalid as fault:
        return _form(request, ctx, actor, fields, fault)
    except NotFound as gone:  # of a teacher without a promise in this term, for instance
        field = "teacher" if fields.typed("kind") == AWAY else "district"
        return _form(
            request, ctx, actor, fields, Invalid(gone.message, fields={field: gone.message})
        )
    except Conflict as fault:
        return _preview(request, ctx, actor, asked, fields, fault.message)
    said = text(
        "Done: {cover} lessons look for cover, {moved} move, {off} are called off. All concerned "
        "are told.",
        cover=done.counts[Way.COVER], moved=done.counts[Way.MOVE], off=done.counts[Way.CALL_OFF],
    )  # fmt: skip
    return see_other("/coordinator", said)


def _named(ctx: Context, actor: Actor, fields: Fields) -> Disruption:
    kind = fields.one_of("kind", (AWAY, CLOSED))
    fields.check()
    first = fields.day("first_day")
    last = fields.day("last_day") if fields.typed("last_day").strip() else first
    reason = fields.text("reason")
    if kind == AWAY:
        teacher = TeacherId(fields.number("teacher", 1, LARGEST_ID))
        if "teacher" in fields.errors:
            fields.errors["teacher"] = text("Choose a teacher.")
        fields.check()
        return Absence(teacher, DaySpan(first, last), reason)
    districts, codes = fields.many("district"), fields.many("school")
    everywhere = fields.checked("everywhere")
    if not (districts or codes or everywhere):
        fields.errors["district"] = text("Choose where: schools, districts, or all of them.")
    fields.check()
    span = DaySpan(first, last)
    return disruptions.closure_of(
        ctx, actor, span, reason, codes=codes, districts=districts, everywhere=everywhere
    )


def _choices(fields: Fields) -> Mapping[LessonId, Choice]:
    """Another way than the one that was proposed, by lesson."""
    ways = {each.value: each for each in (Way.LEAVE, Way.COVER, Way.CALL_OFF)}
    named = ((name[4:], fields.typed(name)) for name in fields.form if name.startswith("way-"))
    return {
        LessonId(int(lesson)): Choice(ways[way])
        for lesson, way in named
        if way in ways and lesson.isascii() and lesson.isdecimal() and len(lesson) < 10
    }


# -- what is shown


def _form(
    request: Request,
    ctx: Context,
    actor: Actor,
    typed: Fields | None = None,
    fault: Invalid | None = None,
) -> Response:
    known = disruptions.known(ctx, actor)
    kind = typed.typed("kind") if typed else ""
    errors = fault.fields if fault else {}
    return render(
        request,
        "coordinator/disruptions.html",
        status=422 if fault else 200,
        section="/coordinator",
        teachers=[
            ("", text("Choose…")),
            *((each.id, f"{each.name} ({each.school.name})") for each in known.teachers),
        ],
        schools=known.schools,
        districts=sorted({each.district for each in known.schools}),
        kind=kind,
        typed={name: typed.typed(name) if typed else "" for name in _ONE},
        many={name: typed.many(name) if typed else () for name in _MANY},
        errors=errors,
        problems=[(f"{kind or AWAY}-{name}", said) for name, said in errors.items()],
        fault=fault.message if fault else None,
    )


def _preview(
    request: Request,
    ctx: Context,
    actor: Actor,
    asked: Disruption,
    fields: Fields,
    refused: Text | None = None,
) -> Response:
    seen = disruptions.preview(ctx, actor, asked)
    sent = [(name, fields.typed(name)) for name in _ONE]
    sent += [(name, each) for name in _MANY for each in fields.many(name)]
    return render(
        request,
        "coordinator/disruption.html",
        status=409 if refused else 200,
        section="/coordinator",
        seen=seen,
        lines=[(line, _choosing(line.proposal, seen, fields)) for line in seen.lines],
        counts=[(WAYS[way], n) for way, n in seen.counts.items() if n],
        ways=WAYS,
        clock=clock_text,
        sent=sent,
        refused=refused,
    )


def _choosing(proposal: Proposal, seen: Preview, fields: Fields) -> Choices:
    away = isinstance(seen.disruption, Absence)
    other = [Way.COVER, Way.CALL_OFF] if away else [Way.CALL_OFF]
    ways = [way for way in (Way.LEAVE, *other) if way is not proposal.way]
    name = f"way-{proposal.lesson_id}"
    options = [("", text("As proposed")), *((way.value, WAYS[way][0]) for way in ways)]
    return Choices(name, tuple(options), fields.typed(name))

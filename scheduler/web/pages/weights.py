"""The weights of the programme: what the engine is to avoid, and how much, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.weights import MOST, NAMES, Weights
from scheduler.errors import Invalid, Text, text
from scheduler.services import programmes, weights
from scheduler.services.context import Context
from scheduler.services.weights import DEFAULTS
from scheduler.web.forms import Fields
from scheduler.web.guard import CoordinatorActor, Ctx, Form
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/matching/weights"


@dataclass(frozen=True, slots=True)
class Line:
    """One weight in the form: its word, what it does, what is typed, and the usual points."""

    name: str
    word: Text
    meaning: Text
    typed: str
    usual: float


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    return _page(request, ctx, actor)


@router.post(HERE)
def choose(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    fields = Fields(form)
    try:
        chosen = Weights(**{name: fields.number(name, 0, MOST) for name in NAMES})
        fields.check()
        weights.choose(ctx, actor, programmes.own(actor), chosen)
    except Invalid as error:
        typed = {name: fields.typed(name) for name in NAMES}
        return _page(request, ctx, actor, typed, error.fields, status=422)
    return see_other(HERE, text("Saved. The next search goes by these weights."))


@router.post(f"{HERE}/reset")
def reset(ctx: Ctx, actor: CoordinatorActor, _form: Form) -> Response:
    weights.reset(ctx, actor, programmes.own(actor))
    return see_other(HERE, text("Saved. The next search goes by the usual weights."))


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, Text] | None = None,
    status: int = 200,
) -> Response:
    seen = weights.of_programme(ctx, actor, programmes.own(actor))
    shown = typed or {name: f"{points:g}" for name, points in asdict(seen.weights).items()}
    lines = {name: _line(name, shown[name]) for name in NAMES}
    return render(
        request,
        "coordinator/weights.html",
        status=status,
        section="/coordinator/matching",
        seen=seen,
        groups=[(word, [lines[name] for name in names]) for word, names in _GROUPS],
        most=MOST,
        errors=errors or {},
        here=HERE,
    )


def _line(name: str, typed: str) -> Line:
    return Line(name, *_WORDS[name], typed, getattr(DEFAULTS, name))


def unusual(chosen: Weights) -> Iterator[tuple[Text, float, float]]:
    """The weights that differ from the usual ones: word, points, usual points."""
    for name, points in asdict(chosen).items():
        usual = getattr(DEFAULTS, name)
        if points != usual:
            yield _WORDS[name][0], points, usual


_GROUPS = (
    (text("For the classes"), ("unmet", "handover", "extra_teacher", "rank")),
    (text("For the teachers"), ("load", "if_needed", "not_preferred")),
    (text("For the published timetable"), ("changed_teacher", "changed_time")),
)
_WORDS = {
    "unmet": (
        text("A lesson stays without a teacher"),
        text(
            "For each such lesson, and more for each further one of the same school. "
            "Higher: more lessons are given, at less convenient times. "
            "Lower: convenience counts for more."
        ),
    ),
    "handover": (
        text("A class gets another teacher"),
        text(
            "Each time a class's weekly lesson goes from one teacher to another. "
            "Higher: classes keep one teacher, at the price of unevenly loaded teachers. "
            "Lower: teachers take turns."
        ),
    ),
    "extra_teacher": (
        text("One more teacher for a class"),
        text(
            "For each teacher of a class beyond the first. "
            "Higher: a class meets fewer people. Lower: more teachers share a class."
        ),
    ),
    "rank": (
        text("A time in reserve"),
        text(
            "For each lesson at the school's second choice; twice that at its third. "
            "Higher: schools get the times they wished for. "
            "Lower: teachers are easier to find."
        ),
    ),
    "load": (
        text("Unequal loads"),
        text(
            "For a teacher with all lessons she promised; a quarter of it with half of them. "
            "Higher: lessons are spread evenly over the teachers. "
            "Lower: some teach much and others little, and classes change teachers less."
        ),
    ),
    "if_needed": (
        text("A time given only if needed"),
        text(
            "For each lesson at a time that its teacher gives only if needed. "
            "Higher: such times stay a reserve. Lower: they are used like any other."
        ),
    ),
    "not_preferred": (
        text("A school the teacher did not wish for"),
        text(
            "For each lesson at another school than those its teacher wished for. "
            "Higher: wishes come true more often. Lower: lessons are easier to fill."
        ),
    ),
    "changed_teacher": (
        text("A published lesson changes its teacher"),
        text(
            "For each lesson that keeps its time and gets another teacher. "
            "Higher: a new plan disturbs fewer people. Lower: it improves more."
        ),
    ),
    "changed_time": (
        text("A published lesson loses its time"),
        text(
            "For each lesson that is moved or dropped. "
            "Higher: what people have in their calendars stays. Lower: a new plan improves more."
        ),
    ),
}

"""Changes by hand: another teacher or time for a lesson, gathered in a basket, looked at together.

The basket is a cookie of its person: a few numbers that are held against the rules each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.baskets import Alter, Time
from scheduler.domain.intervals import MINUTES_A_DAY, clock_text
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import TeacherId
from scheduler.domain.terms import TermId
from scheduler.errors import Conflict, Invalid, NotFound, Text, text
from scheduler.services import baskets, lessons, programmes, standing, suggestions
from scheduler.services.baskets import CAUTIONS, Check
from scheduler.services.context import Context
from scheduler.services.standing import Told
from scheduler.services.suggestions import BARS, TimeLine
from scheduler.services.words import obstacle_words
from scheduler.web import guard
from scheduler.web.forms import YEARS, Fields
from scheduler.web.guard import LARGEST_ID, CoordinatorActor, Ctx, Form, RowId
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/basket"
MOST = 40  # changes that a cookie holds with ease
MOST_TEACHERS = 15
SECONDS = 12 * 3600
KEEP = "keep"
_CHANGED = text("The basket changed while you were looking. Look at it again.")


@dataclass(frozen=True, slots=True)
class TimeShown:
    """Another time of the week: the value of its radio, and why not, in words."""

    line: TimeLine
    value: str
    clock: str
    bars: tuple[Text, ...]
    obstacle: Text | None


# -- one lesson


@router.get("/coordinator/lessons/{lesson_id}/change")
def choose(request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId) -> Response:
    return _choices(request, ctx, actor, LessonId(lesson_id))


@router.post("/coordinator/lessons/{lesson_id}/change")
def put(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson_id: RowId, form: Form
) -> Response:
    fields, lesson = Fields(form), LessonId(lesson_id)
    lessons.visible_lesson(ctx, actor, lesson)
    try:
        move = _chosen(fields, lesson)
        kept = [each for each in _read(request, actor) if _lesson(each) != lesson]
        if len(kept) >= MOST:
            raise Invalid(
                text(
                    "The basket is full: it holds {most} changes. Make a draft of them or take one "
                    "out; what you chose still stands on this page.",
                    most=MOST,
                )
            )
    except Invalid as fault:
        return _choices(request, ctx, actor, lesson, fields, fault)
    said = text("It lies in the basket. Nothing has changed for anybody yet.")
    return _kept(ctx, actor, [*kept, move], see_other(HERE, said))


def _chosen(fields: Fields, lesson: LessonId) -> Alter:
    teacher = time = None
    if fields.typed("teacher") not in ("", KEEP):
        teacher = TeacherId(fields.number("teacher", 1, LARGEST_ID))
    if fields.typed("time") not in ("", KEEP):
        time = _time(fields.typed("time").split())
        if time is None:
            fields.errors["time"] = text("Choose one of these.")
    if teacher is None and time is None and not fields.errors:
        fields.errors["teacher"] = text("Choose another teacher or another time.")
    fields.check()
    return Alter(lesson, teacher, time)


def _choices(
    request: Request,
    ctx: Context,
    actor: Actor,
    lesson_id: LessonId,
    typed: Fields | None = None,
    fault: Invalid | None = None,
) -> Response:
    try:
        found = suggestions.of_lesson(ctx, actor, lesson_id)
    except NotFound:
        lessons.visible_lesson(ctx, actor, lesson_id)  # a stranger's is not there
        gone = text("This lesson is called off: nothing of it can be changed.")
        return see_other(f"/coordinator/lessons/{lesson_id}", gone)
    fit = [line for line in found.teachers if not line.obstacles]
    return render(
        request,
        "coordinator/change.html",
        status=422 if fault else 200,
        section="/coordinator",
        lesson_id=lesson_id,
        lesson=found.lesson,
        clock=_clock(found.lesson),
        teachers=fit[:MOST_TEACHERS],
        more=max(0, len(fit) - MOST_TEACHERS),
        others=len(found.teachers) - len(fit),
        times=[_time_shown(line) for line in found.times],
        typed={name: typed.typed(name) if typed else "" for name in ("teacher", "time")},
        errors=fault.fields if fault else {},
        fault=fault.message if fault else None,
        held=len(_read(request, actor)),
    )


def _time_shown(line: TimeLine) -> TimeShown:
    return TimeShown(
        line=line,
        value=f"{line.day} {line.start} {line.end}",
        clock=f"{clock_text(line.start)}–{clock_text(line.end)}",
        bars=tuple(BARS[each] for each in line.bars),
        obstacle=obstacle_words(line.obstacles[0]) if line.obstacles else None,
    )


def _clock(told: Told) -> str:
    return f"{clock_text(told.start)}–{clock_text(told.end)}"


# -- the basket


@router.get(HERE)
def page(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    return _page(request, ctx, actor)


@router.post(f"{HERE}/remove")
def remove(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    out = Fields(form).many("lesson")
    kept = [each for each in _read(request, actor) if str(_lesson(each)) not in out]
    return _kept(ctx, actor, kept, see_other(HERE, text("Taken out of the basket.")))


@router.post(f"{HERE}/empty")
def empty(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    """Of what was seen alone: another tab may have put something into it since."""
    if Fields(form).typed("seen") != _written(_read(request, actor)):
        return _page(request, ctx, actor, fault=Conflict(_CHANGED))
    return _kept(ctx, actor, [], see_other(HERE, text("The basket is empty.")))


@router.post(f"{HERE}/draft")
def draft(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    """A draft of it, which shows what changes and whom it concerns before it is published."""
    fields = Fields(form)
    moves = _read(request, actor)
    if fields.typed("seen") != _written(moves):
        return _page(request, ctx, actor, fields, Conflict(_CHANGED))
    try:
        term = standing.term_of(ctx, actor, moves[0].lesson_id) if moves else None
        made = baskets.draft(
            ctx, actor, term or programmes.present(ctx, actor).id, moves, fields.typed("note")
        )
    except (Invalid, Conflict, NotFound) as fault:
        return _page(request, ctx, actor, fields, fault)
    said = text("A draft of your changes. Nobody else sees it until you publish it.")
    return _kept(ctx, actor, [], see_other(f"/coordinator/plans/{made}", said))


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    typed: Fields | None = None,
    fault: Invalid | Conflict | NotFound | None = None,
) -> Response:
    moves = _read(request, actor)
    check, lost = _checked(ctx, actor, moves)
    return render(
        request,
        "coordinator/basket.html",
        status=_status(fault),
        section="/coordinator",
        count=len(moves),
        check=check,
        lost=sorted(lost),
        cautions=CAUTIONS,
        clock=_clock,
        seen=_written(moves),
        hours=SECONDS // 3600,
        note=typed.typed("note") if typed else "",
        errors=fault.fields if isinstance(fault, Invalid) else {},
        fault=fault.message if fault else None,
    )


def _status(fault: Invalid | Conflict | NotFound | None) -> int:
    if fault is None:
        return 200
    return 422 if isinstance(fault, Invalid) else 409


def _checked(
    ctx: Context, actor: Actor, moves: Sequence[Alter]
) -> tuple[Check | None, set[LessonId]]:
    """What it would do, without the lessons that nothing can be done with any more; these."""
    named = {each.lesson_id for each in moves}
    term = next(filter(None, (_term(ctx, actor, each.lesson_id) for each in moves)), None)
    if term is None:
        return None, named
    try:
        return baskets.check(ctx, actor, term, moves), set()
    except NotFound:
        lost = baskets.gone(ctx, actor, term, moves)
    left = [each for each in moves if each.lesson_id not in lost]
    return (baskets.check(ctx, actor, term, left) if left else None), lost


def _term(ctx: Context, actor: Actor, lesson_id: LessonId) -> TermId | None:
    """None where the lesson is no more."""
    try:
        return standing.term_of(ctx, actor, lesson_id)
    except NotFound:
        return None


# -- kept in the browser: 17~12.3.0.0.0_15.0.2023-10-05.505.550


def _read(request: Request, actor: Actor) -> list[Alter]:
    """Empty for whoever else signs in to the same browser, and for what we never wrote."""
    settings = request.app.state.ctx.settings
    kept = request.cookies.get(guard.cookie_name(settings, "basket"), "")
    whose, _, written = kept.partition("~")
    if whose != str(actor.person_id) or not written:
        return []
    moves = [move for each in written.split("_")[:MOST] if (move := _move(each)) is not None]
    return list({each.lesson_id: each for each in moves}.values())


def _move(written: str) -> Alter | None:
    parts = written.split(".")
    if len(parts) != 5 or not (_is_id(parts[0]) and (parts[1] == "0" or _is_id(parts[1]))):
        return None
    teacher = TeacherId(int(parts[1])) if parts[1] != "0" else None
    return Alter(LessonId(int(parts[0])), teacher, _time(parts[2:]))


def _is_id(typed: str) -> bool:
    return typed.isascii() and typed.isdecimal() and 0 < int(typed[:11]) <= LARGEST_ID


def _time(parts: Sequence[str]) -> Time | None:
    try:
        day, start, end = date.fromisoformat(parts[0]), int(parts[1]), int(parts[2])
    except (ValueError, IndexError):
        return None
    sound = YEARS[0] <= day.year < YEARS[1] and 0 <= start < end <= MINUTES_A_DAY
    return Time(day, start, end) if sound else None


def _written(moves: Sequence[Alter]) -> str:
    return "_".join(
        f"{each.lesson_id}.{each.teacher_id or 0}."
        + (f"{each.time.day}.{each.time.start}.{each.time.end}" if each.time else "0.0.0")
        for each in moves
    )


def _kept(ctx: Context, actor: Actor, moves: Sequence[Alter], response: Response) -> Response:
    written = f"{actor.person_id}~{_written(moves)}" if moves else ""
    guard.set_cookie(response, ctx.settings, "basket", written, seconds=SECONDS if moves else 0)
    return response


def _lesson(move: Alter) -> LessonId:
    return move.lesson_id

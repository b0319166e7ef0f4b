"""One lesson of a volunteer's: what to read before it, what became of it, and a swap."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain import briefs as brief_rules
from scheduler.domain import line, remarks
from scheduler.domain.access import Actor
from scheduler.domain.lessons import Deed, LessonId, LessonState
from scheduler.domain.reminders import AHEAD, Side
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.locale import Language
from scheduler.services import answers, briefs, lessons, sides, swap_partners, swaps
from scheduler.services.context import Context
from scheduler.services.joins import DOORS_OPEN
from scheduler.services.swaps import Proposal
from scheduler.services.words import DEEDS, LEVELS, Wall
from scheduler.store.history import Version
from scheduler.web import frame, guard
from scheduler.web.forms import Fields
from scheduler.web.guard import Ctx, Form, RowId, TeacherActor
from scheduler.web.pages.reports import brief_fields, read_brief
from scheduler.web.view import render, see_other, shown_state

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a lesson's history."""

    when: str
    what: Text
    by: str
    reason: str


@router.get("/teacher/lessons/{lesson_id}")
def page(request: Request, ctx: Ctx, actor: TeacherActor, lesson_id: RowId) -> Response:
    return _page(request, ctx, actor, LessonId(lesson_id))


@router.post("/teacher/lessons/{lesson_id}/brief")
def write(
    request: Request, ctx: Ctx, actor: TeacherActor, lesson_id: RowId, form: Form
) -> Response:
    speaker = sides.of_actor(ctx, actor, LessonId(lesson_id), Side.TEACHER)
    fields = Fields(form)
    try:
        briefs.write(ctx, speaker, read_brief(fields))
    except Invalid as fault:
        return _page(request, ctx, actor, LessonId(lesson_id), fields, fault)
    saved = text("Thank you. Whoever teaches this class reads it.")
    return see_other(f"/teacher/lessons/{lesson_id}", saved)


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    lesson_id: LessonId,
    typed: Fields | None = None,
    fault: Invalid | None = None,
) -> Response:
    asked = answers.question(ctx, answers.of_actor(actor, lesson_id))
    brief = briefs.of_speaker(ctx, sides.of_actor(ctx, actor, lesson_id, Side.TEACHER))
    lesson, now, wall = asked.lesson, ctx.now(), _wall(request)
    faults = fault.fields if fault else {}
    last_when = wall.day(brief.last.starts_at, lesson.zone) if brief.last else ""
    return render(
        request,
        "teacher/lesson.html",
        status=422 if fault else 200,
        section="/teacher/lessons",
        lesson=lesson,
        level=LEVELS[brief.level],
        state=shown_state(lesson, now),
        when=wall.when(lesson.starts_at, lesson.ends_at, lesson.zone),
        now=now,
        near=now + AHEAD,
        confirmed={lesson.id} if asked.standing == "confirmed" else set(),
        ahead=asked.open,
        try_line=asked.open and line.is_near(lesson.starts_at, now),
        enter=lesson.state is not LessonState.CANCELLED and now < lesson.ends_at,
        doors=lesson.starts_at - DOORS_OPEN <= now < lesson.ends_at,
        begun=lesson.starts_at <= now and lesson.state is not LessonState.CANCELLED,
        last=brief.last,
        last_when=last_when,
        own=brief.own,
        brief=brief_fields(brief, typed),
        errors={name: faults.get(name) for name in brief_rules.LONGEST},
        problems=list(faults.items()),
        title=fault.message if fault else "",
        most=brief_rules.LONGEST,
        proposals=_proposals(ctx, actor, lesson_id),
        events=[_event(x, wall, lesson.zone) for x in lessons.history(ctx, actor, lesson_id)],
    )


def _wall(request: Request) -> Wall:
    return Wall(Language(frame.language_of(request, guard.seen(request))), None)


def _proposals(ctx: Context, actor: Actor, lesson_id: LessonId) -> list[Proposal]:
    """The swaps of this lesson that wait for an answer."""
    mine = swaps.mine(ctx, actor)
    return [x for x in mine if x.end is None and x.gives.lesson_id == lesson_id]


def _event(told: Version, wall: Wall, zone: str) -> Event:
    stands = wall.when(told.starts_at, told.ends_at, zone)
    what = DEEDS[told.deed]
    if told.deed in (Deed.MOVED, Deed.PUBLISHED):
        what = text("{deed}: {when}, {teacher}", deed=what, when=stands, teacher=told.teacher_name)
    elif told.deed in (Deed.TAKEN_OVER, Deed.SWAPPED):
        what = text("{deed}: {teacher}", deed=what, teacher=told.teacher_name)
    return Event(wall.moment(told.at, zone), what, told.by, told.reason)


# -- a swap


@router.get("/teacher/lessons/{lesson_id}/swap")
def partners(request: Request, ctx: Ctx, actor: TeacherActor, lesson_id: RowId) -> Response:
    return _partners(request, ctx, actor, LessonId(lesson_id))


@router.post("/teacher/lessons/{lesson_id}/swap")
def ask(request: Request, ctx: Ctx, actor: TeacherActor, lesson_id: RowId, form: Form) -> Response:
    fields, given = Fields(form), LessonId(lesson_id)
    try:
        if not fields.typed("wanted"):
            fields.errors["wanted"] = text("Choose the lesson that you would take over.")
        fields.check(_NOTHING)
        wanted = LessonId(fields.number("wanted", 1, guard.LARGEST_ID))
        words = fields.text("words", most=remarks.LONGEST, needed=False)
        fields.check(_NOTHING)
        made = swaps.ask(ctx, actor, given, wanted, words)
    except (Invalid, Conflict) as fault:
        return _partners(request, ctx, actor, given, fields, fault)
    sent = text("{name} was asked. A mail tells you the answer.", name=made.gets.teacher_name)
    return see_other(f"/teacher/swaps/{made.swap.id}", sent)


_NOTHING = text("Nothing was sent yet.")


def _partners(
    request: Request,
    ctx: Context,
    actor: Actor,
    lesson_id: LessonId,
    typed: Fields | None = None,
    fault: Invalid | Conflict | None = None,
) -> Response:
    lesson = answers.question(ctx, answers.of_actor(actor, lesson_id)).lesson
    faults = fault.fields if isinstance(fault, Invalid) else {}
    if isinstance(fault, Conflict):
        faults = {"wanted": fault.message}
    wall = _wall(request)
    return render(
        request,
        "teacher/swap.html",
        status={Invalid: 422, Conflict: 409}.get(type(fault), 200) if fault else 200,
        section="/teacher/lessons",
        lesson=lesson,
        when=wall.when(lesson.starts_at, lesson.ends_at, lesson.zone),
        partners=[
            (each, wall.when(each.starts_at, each.ends_at, each.zone))
            for each in swap_partners.of_lesson(ctx, actor, lesson_id)
        ],
        proposals=_proposals(ctx, actor, lesson_id),
        wanted=typed.typed("wanted") if typed else "",
        words=typed.typed("words") if typed else "",
        errors={name: faults.get(name) for name in ("wanted", "words")},
        problems=list(faults.items()),
        title=_NOTHING if fault else "",
        most=remarks.LONGEST,
        here=f"/teacher/lessons/{lesson_id}/swap",
    )

"""How did the lesson go?  The page behind a link, and the same for who is signed in."""

from dataclasses import dataclass
from enum import StrEnum

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from scheduler.domain import briefs as brief_rules
from scheduler.domain import remarks
from scheduler.domain import reports as rules
from scheduler.domain.access import Actor
from scheduler.domain.briefs import Brief
from scheduler.domain.lessons import Cause, LessonId, LessonState
from scheduler.domain.people import Person
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Report
from scheduler.errors import Invalid, Text, text
from scheduler.locale import Language
from scheduler.security import Purpose
from scheduler.services import briefs, reports, sides
from scheduler.services.briefs import LessonBrief
from scheduler.services.context import Context
from scheduler.services.reports import Account
from scheduler.services.sides import Speaker
from scheduler.services.teacher_desk import Past
from scheduler.services.words import CAUSES, Wall, lesson_words, report_words
from scheduler.web import frame, guard
from scheduler.web.forms import Fields
from scheduler.web.guard import Ctx, Form, KeyedForm, RowId, SchoolActor, TeacherActor
from scheduler.web.view import render, see_other, title_of

router = APIRouter()

MOST_MINUTES = 600  # to read the number; the lesson's own length bounds it
_NOTHING = text("Nothing was sent yet.")
_TOLD = ("answer", "minutes_late", "cause", "note")


UNDO = "undo"


class Went(StrEnum):
    HELD = "held"
    LATE = "late"
    NOT_HELD = "not_held"


@dataclass(frozen=True, slots=True)
class Seat:
    """Who sits at this page, and where its forms post."""

    speaker: Speaker
    person: Person
    here: str


@router.get("/r/{token}")
def linked_page(request: Request, ctx: Ctx, token: str) -> Response:
    return _page(request, ctx, _linked(request, ctx, token))


@router.post("/r/{token}")
def linked_report(request: Request, ctx: Ctx, token: str, form: KeyedForm) -> Response:
    return _report(request, ctx, _linked(request, ctx, token), form)


@router.post("/r/{token}/brief")
def linked_brief(request: Request, ctx: Ctx, token: str, form: KeyedForm) -> Response:
    return _write(request, ctx, _linked(request, ctx, token), form)


@router.get("/teacher/lessons/{lesson_id}/report")
def teacher_page(request: Request, ctx: Ctx, actor: TeacherActor, lesson_id: RowId) -> Response:
    return _page(request, ctx, _own(ctx, actor, lesson_id, Side.TEACHER))


@router.post("/teacher/lessons/{lesson_id}/report")
def teacher_report(
    request: Request, ctx: Ctx, actor: TeacherActor, lesson_id: RowId, form: Form
) -> Response:
    return _report(request, ctx, _own(ctx, actor, lesson_id, Side.TEACHER), form)


@router.post("/teacher/lessons/{lesson_id}/report/brief")
def teacher_brief(
    request: Request, ctx: Ctx, actor: TeacherActor, lesson_id: RowId, form: Form
) -> Response:
    return _write(request, ctx, _own(ctx, actor, lesson_id, Side.TEACHER), form)


@router.get("/school/lessons/{lesson_id}/report")
def school_page(request: Request, ctx: Ctx, actor: SchoolActor, lesson_id: RowId) -> Response:
    return _page(request, ctx, _own(ctx, actor, lesson_id, Side.SCHOOL))


@router.post("/school/lessons/{lesson_id}/report")
def school_report(
    request: Request, ctx: Ctx, actor: SchoolActor, lesson_id: RowId, form: Form
) -> Response:
    return _report(request, ctx, _own(ctx, actor, lesson_id, Side.SCHOOL), form)


def _linked(request: Request, ctx: Context, token: str) -> Seat:
    speaker = sides.of_link(ctx, Purpose.REPORT, token)
    person = sides.person_of(ctx, speaker)
    request.state.language = person.language
    return Seat(speaker, person, f"/r/{token}")


def _own(ctx: Context, actor: Actor, lesson_id: int, side: Side) -> Seat:
    speaker = sides.of_actor(ctx, actor, LessonId(lesson_id), side)
    here = f"/{side.value}/lessons/{lesson_id}/report"
    return Seat(speaker, sides.person_of(ctx, speaker), here)


# -- what was sent


def _report(request: Request, ctx: Context, seat: Seat, form: FormData) -> Response:
    """A form without a choice acts on nothing: some programs that look through mail send forms."""
    fields = Fields(form)
    try:
        found, said = _tell(ctx, seat, fields)
    except Invalid as fault:
        return _page(request, ctx, seat, fields, fault)
    home = fields.typed("from") == "home"
    if home and request.headers.get("hx-request"):
        own = found.filed.get(seat.speaker.side)
        past = Past(found.lesson, report_words(own.report) if own else None)
        return render(request, "teacher/_told.html", each=past, spoken=said)
    return see_other("/teacher" if home else seat.here, _named(said, found) if home else said)


def _named(said: Text, found: Account) -> Text:
    """With the lesson it is about: the page that says it shows many."""
    return text("{said} {lesson}", said=said, lesson=title_of(found.lesson))


def _tell(ctx: Context, seat: Seat, fields: Fields) -> tuple[Account, Text]:
    if fields.typed("answer") == UNDO:
        return reports.take_back(ctx, seat.speaker), text("Your report is taken back.")
    return reports.report(ctx, seat.speaker, _read(fields)), text("Thank you. It is noted.")


def _read(fields: Fields) -> Report:
    if not fields.typed("answer"):
        fields.errors["answer"] = text("Choose your answer, then send it.")
    fields.check(_NOTHING)
    went = fields.choice("answer", Went)
    note = fields.text("note", most=remarks.LONGEST, needed=False)
    late, cause = 0, None
    if went is Went.LATE:
        late = fields.number("minutes_late", 1, MOST_MINUTES)
    if went is Went.NOT_HELD and not fields.typed("cause"):
        fields.errors["cause"] = text("Say why it was not held.")
    elif went is Went.NOT_HELD:
        cause = fields.choice("cause", Cause)
    fields.check(_NOTHING)
    return Report(went is not Went.NOT_HELD, late, cause, note)


def _write(request: Request, ctx: Context, seat: Seat, form: FormData) -> Response:
    fields = Fields(form)
    try:
        briefs.write(ctx, seat.speaker, read_brief(fields))
    except Invalid as fault:
        return _page(request, ctx, seat, fields, fault)
    return see_other(seat.here, text("Thank you. The next teacher of the class reads it."))


def read_brief(fields: Fields) -> Brief:
    """A brief as its form sends it; raises Invalid."""
    most = brief_rules.LONGEST
    told = Brief(
        unit=fields.text("unit", most=most["unit"], needed=False),
        pages=fields.text("pages", most=most["pages"], needed=False),
        done=fields.lines("done", most=most["done"], needed=False),
        next=fields.lines("next", most=most["next"], needed=False),
    )
    fields.check(_NOTHING)
    return told


# -- what is shown


def _page(
    request: Request,
    ctx: Context,
    seat: Seat,
    typed: Fields | None = None,
    fault: Invalid | None = None,
) -> Response:
    found = reports.account(ctx, seat.speaker)
    language = frame.language_of(request, guard.seen(request))
    wall = Wall(Language(language), seat.person.zone)
    faults = fault.fields if fault else {}
    own = seat.speaker.side is Side.TEACHER
    brief = _brief_of(ctx, seat, found)
    return render(
        request,
        "join/report.html",
        status=422 if fault else 200,
        section=f"/{seat.speaker.side}",
        lesson=lesson_words(found.lesson, wall, ctx.settings.base_url, own=own),
        heading=_heading(found, seat.speaker.side),
        note=found.closed or _note(found),
        said=_said(found, seat.speaker.side),
        open=found.closed is None,
        meant="change" in request.query_params or bool(_meant(request, typed)),
        told=found.closed is None and seat.speaker.side in found.filed,
        undo=rules.may_take_back(found.lesson),
        causes=[(cause.value, words) for cause, words in CAUSES.items()],
        last=brief.last if brief else None,
        last_when=wall.day(brief.last.starts_at, found.lesson.zone) if brief and brief.last else "",
        brief=brief_fields(brief, typed) if brief else None,
        typed=_typed(found, seat, typed) | _meant(request, typed),
        errors={name: faults.get(name) for name in (*_TOLD, *brief_rules.LONGEST)},
        problems=list(faults.items()),
        title=fault.message if fault else "",
        most={"note": remarks.LONGEST, **brief_rules.LONGEST},
        here=seat.here,
    )


def _typed(found: Account, seat: Seat, typed: Fields | None) -> dict[str, str]:
    """As sent, when it was; else as this side said it."""
    own = found.filed.get(seat.speaker.side)
    if typed is not None or own is None:
        return {name: typed.typed(name) if typed else "" for name in _TOLD}
    said = own.report
    went = Went.LATE if said.minutes_late else Went.HELD
    return {
        "answer": (went if said.held else Went.NOT_HELD).value,
        "minutes_late": str(said.minutes_late or ""),
        "cause": said.cause or "",
        "note": said.note,
    }


def _meant(request: Request, typed: Fields | None) -> dict[str, str]:
    """The answer that the link named, to be completed and sent; what was typed goes before it."""
    meant = request.query_params.get("answer", "")
    return {"answer": meant} if typed is None and meant in tuple(Went) else {}


def _heading(found: Account, side: Side) -> Text:
    match found.lesson.state:
        case LessonState.HELD:
            return text("This lesson was held. Thank you!")
        case LessonState.NOT_HELD:
            return text("This lesson was not held")
        case LessonState.DISPUTED:
            return text("Both sides said different things")
        case LessonState.CANCELLED:
            return text("This lesson is called off")
    return text("Thank you for telling us") if side in found.filed else text("How did it go?")


def _note(found: Account) -> Text | None:
    if found.lesson.state is LessonState.DISPUTED:
        return text("A coordinator will decide. Until then you can change what you said.")
    if found.filed:
        return text("As soon as both sides say the same, it is settled.")
    return None


def _said(found: Account, side: Side) -> list[tuple[Text, Text]]:
    """What each side said; the other's only to who has spoken, so that each tells what they saw."""
    if side not in found.filed and found.closed is None:
        return []
    names = {Side.TEACHER: text("The teacher said"), Side.SCHOOL: text("The school said")}
    return [(names[each], report_words(filed.report)) for each, filed in found.filed.items()]


def _brief_of(ctx: Context, seat: Seat, found: Account) -> LessonBrief | None:
    """What its teacher reads and writes; nobody else is asked for it."""
    lesson = found.lesson
    own = seat.speaker.side is Side.TEACHER and lesson.teacher_person_id == seat.person.id
    if not own or lesson.state is LessonState.CANCELLED:
        return None
    return briefs.of_speaker(ctx, seat.speaker)


def brief_fields(brief: LessonBrief, typed: Fields | None) -> dict[str, str]:
    """As sent, when it was; else as it is kept."""
    kept = brief.own.brief if brief.own else Brief()
    sent = typed is not None and any(name in typed.form for name in brief_rules.LONGEST)
    if typed is not None and sent:
        return {name: typed.typed(name) for name in brief_rules.LONGEST}
    return {name: str(getattr(kept, name)) for name in brief_rules.LONGEST}

"""A partnership's joint sessions before a coordinator: planning, moving, calling off, who came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from scheduler.domain.intervals import clock_text, dated, minute_of
from scheduler.domain.joint_sessions import (
    LONGEST_TITLE,
    LONGEST_URL,
    Attendee,
    Guest,
    JointSession,
    JointSessionId,
    Warnings,
    Wish,
)
from scheduler.domain.lessons import LessonState
from scheduler.domain.partnerships import PartnershipId
from scheduler.domain.people import PersonId
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.services import joint_attendance, joint_sessions
from scheduler.services.context import Context
from scheduler.services.joint_sessions import Opened, Planner
from scheduler.web.forms import Fields
from scheduler.web.guard import LARGEST_ID, CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages.partnerships import HERE as PARTNERSHIPS
from scheduler.web.pages.partnerships import SECTION
from scheduler.web.view import local, render, see_other, shown_state

router = APIRouter()

HERE = "/coordinator/joint-sessions"
TYPED = ("title", "day", "starts", "ends", "meeting_url")


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was sent, or as the session stands."""

    values: Mapping[str, str]
    people: frozenset[int]


# -- planning


@router.get(f"{PARTNERSHIPS}/{{partnership_id}}/sessions")
def blank(request: Request, ctx: Ctx, actor: CoordinatorActor, partnership_id: RowId) -> Response:
    known = joint_sessions.planner(ctx, actor, PartnershipId(partnership_id))
    usual = frozenset(int(guest.person_id) for guest in known.guests if guest.usual)
    return _form(request, known, Typed(dict.fromkeys(TYPED, ""), usual))


@router.post(f"{PARTNERSHIPS}/{{partnership_id}}/sessions")
def plan(
    request: Request, ctx: Ctx, actor: CoordinatorActor, partnership_id: RowId, form: Form
) -> Response:
    known = joint_sessions.planner(ctx, actor, PartnershipId(partnership_id))
    typed = _typed(form)
    try:
        wish = _read(form, known.zone)
        if (there := joint_sessions.check(ctx, known, wish)) is not None:
            return see_other(f"{HERE}/{there}")
        warnings = joint_sessions.foresee(ctx, actor, known, wish, None)
        if warnings and warnings.mark != Fields(form).typed("warned"):
            return _form(request, known, typed, warnings=warnings)
        made = joint_sessions.plan(ctx, actor, known.partnership.id, wish)
    except Invalid as error:
        return _form(request, known, typed, error.fields)
    said = text("Planned. Everybody invited hears of it, and their calendars show it.")
    return see_other(f"{HERE}/{made}", said)


# -- one session


@router.get(f"{HERE}/{{joint_session_id}}")
def one(request: Request, ctx: Ctx, actor: CoordinatorActor, joint_session_id: RowId) -> Response:
    return _one(request, ctx, joint_sessions.look(ctx, actor, JointSessionId(joint_session_id)))


@router.get(f"{HERE}/{{joint_session_id}}/change")
def change_page(
    request: Request, ctx: Ctx, actor: CoordinatorActor, joint_session_id: RowId
) -> Response:
    found, known = joint_sessions.mover(ctx, actor, JointSessionId(joint_session_id))
    if _closed(found.session, ctx.now()):
        return see_other(f"{HERE}/{joint_session_id}")
    return _form(request, known, _shown(found), found=found, seen=found.marker)


@router.post(f"{HERE}/{{joint_session_id}}/change")
def change(
    request: Request, ctx: Ctx, actor: CoordinatorActor, joint_session_id: RowId, form: Form
) -> Response:
    found, known = joint_sessions.mover(ctx, actor, JointSessionId(joint_session_id))
    typed, fields = _typed(form), Fields(form)
    seen = fields.typed("seen")
    try:
        wish = _read(form, known.zone)
        joint_sessions.check(ctx, known, wish)
        warnings = joint_sessions.foresee(ctx, actor, known, wish, found.session.id)
        if warnings and warnings.mark != fields.typed("warned"):
            return _form(request, known, typed, found=found, seen=seen, warnings=warnings)
        joint_sessions.change(ctx, actor, found.session.id, wish, seen)
    except Invalid as error:
        return _form(request, known, typed, error.fields, found=found, seen=seen)
    except Conflict as error:
        return _one(request, ctx, found, refused=error.message)
    return see_other(f"{HERE}/{joint_session_id}", text("Saved. Whoever it concerns is told."))


@router.post(f"{HERE}/{{joint_session_id}}/call-off")
def call_off(
    request: Request, ctx: Ctx, actor: CoordinatorActor, joint_session_id: RowId, form: Form
) -> Response:
    fields, which = Fields(form), JointSessionId(joint_session_id)
    reason = fields.typed("reason")
    try:
        joint_sessions.call_off(ctx, actor, which, reason, fields.typed("seen"))
    except Invalid as error:
        found = joint_sessions.look(ctx, actor, which)
        return _one(request, ctx, found, errors=error.fields, reason=reason)
    except Conflict as error:
        return _one(request, ctx, joint_sessions.look(ctx, actor, which), refused=error.message)
    return see_other(
        f"{HERE}/{joint_session_id}", text("Called off. Everybody invited is told why.")
    )


@router.post(f"{HERE}/{{joint_session_id}}/restore")
def restore(
    request: Request, ctx: Ctx, actor: CoordinatorActor, joint_session_id: RowId, form: Form
) -> Response:
    which = JointSessionId(joint_session_id)
    try:
        joint_sessions.restore(ctx, actor, which, Fields(form).typed("seen"))
    except Conflict as error:
        return _one(request, ctx, joint_sessions.look(ctx, actor, which), refused=error.message)
    return see_other(
        f"{HERE}/{joint_session_id}", text("It takes place after all. Everybody is told.")
    )


@router.post(f"{HERE}/{{joint_session_id}}/came")
def came(
    request: Request, ctx: Ctx, actor: CoordinatorActor, joint_session_id: RowId, form: Form
) -> Response:
    fields, which = Fields(form), JointSessionId(joint_session_id)
    there = None if fields.typed("went") == "no" else _people(form)
    try:
        count = joint_attendance.record(ctx, actor, which, there, fields.typed("seen"))
    except Invalid as error:
        found = joint_sessions.look(ctx, actor, which)
        return _one(request, ctx, found, errors=error.fields, came=there)
    except Conflict as error:
        return _one(request, ctx, joint_sessions.look(ctx, actor, which), refused=error.message)
    said = text("Noted: {count} came.", count=count) if count else text("Noted: it was not held.")
    return see_other(f"{HERE}/{joint_session_id}", said)


# -- reading forms


def _read(form: FormData, zone: str) -> Wish:
    fields = Fields(form)
    title, day = fields.text("title", most=LONGEST_TITLE), fields.day("day")
    starts, ends = fields.clock("starts"), fields.clock("ends")
    url = fields.text("meeting_url", most=LONGEST_URL, needed=False)
    fields.check()
    span = dated(day, starts, ends, zone)
    return Wish(title, span.start, span.end, url or None, _people(form))


def _people(form: FormData) -> frozenset[PersonId]:
    """Whoever is ticked; what is no number of a person names nobody."""
    typed = (each for each in Fields(form).many("people") if each.isdecimal() and len(each) < 11)
    return frozenset(PersonId(int(each)) for each in typed if int(each) <= LARGEST_ID)


def _typed(form: FormData) -> Typed:
    fields = Fields(form)
    return Typed({name: fields.typed(name) for name in TYPED}, frozenset(map(int, _people(form))))


def _shown(found: Opened) -> Typed:
    session = found.session
    starts, ends = (local(at, session.zone) for at in (session.starts_at, session.ends_at))
    values = {
        "title": session.title,
        "day": f"{starts:%d/%m/%Y}",
        "starts": clock_text(minute_of(starts)),
        "ends": clock_text(minute_of(ends)),
        "meeting_url": session.meeting_url or "",
    }
    return Typed(values, frozenset(int(each.person_id) for each in found.invited))


# -- pages


def _form(
    request: Request,
    known: Planner,
    typed: Typed,
    errors: Mapping[str, Text] | None = None,
    *,
    found: Opened | None = None,
    seen: str = "",
    warnings: Warnings | None = None,
) -> Response:
    one_path = f"{HERE}/{found.session.id}" if found else ""
    return render(
        request,
        "coordinator/joint_form.html",
        status=422 if errors else 200,
        section=SECTION,
        terms=known.partnership.terms,
        above=f"{PARTNERSHIPS}/{known.partnership.id}",
        session=found.session if found else None,
        here=f"{one_path}/change" if found else f"{PARTNERSHIPS}/{known.partnership.id}/sessions",
        back=one_path or f"{PARTNERSHIPS}/{known.partnership.id}",
        sides=_sides(known.guests),
        typed=typed,
        seen=seen,
        errors=errors or {},
        warnings=warnings or Warnings(),
        longest=LONGEST_TITLE,
    )


def _sides(guests: Sequence[Guest]) -> tuple[tuple[Guest, ...], tuple[Guest, ...]]:
    """The volunteers, and those who speak for schools."""
    giving = tuple(guest for guest in guests if guest.teacher_id is not None)
    return giving, tuple(guest for guest in guests if guest.teacher_id is None)


def _one(
    request: Request,
    ctx: Context,
    found: Opened,
    *,
    errors: Mapping[str, Text] | None = None,
    refused: Text | None = None,
    reason: str = "",
    came: frozenset[PersonId] | None = None,
) -> Response:
    """`came`: who was ticked in a form that was not taken."""
    session, now = found.session, ctx.now()
    ticked = frozenset(x.person_id for x in found.invited if _came(session, x))
    return render(
        request,
        "coordinator/joint_session.html",
        status=409 if refused else 422 if errors else 200,
        section=SECTION,
        above=f"{PARTNERSHIPS}/{session.partnership_id}",
        here=f"{HERE}/{session.id}",
        session=session,
        state=shown_state(session, now),
        seen=found.marker,
        invited=found.invited,
        ticked=ticked if came is None else came,
        ahead=now < session.starts_at,
        now=now,
        errors=errors or {},
        refused=refused,
        reason=reason,
    )


def _came(session: JointSession, each: Attendee) -> bool:
    """Who is ticked: as was noted; before anything is noted, who has not declined."""
    if session.state in (LessonState.HELD, LessonState.NOT_HELD):
        return each.attended is True
    return each.answer is None or each.answer.value == "coming"


def _closed(session: JointSession, now: datetime) -> bool:
    return session.off or session.starts_at <= now

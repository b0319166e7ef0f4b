"""Days on which a teacher is away; lessons on them are shown before anything is kept."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import Actor, Role
from scheduler.domain.disruptions import Absence, Choice, Way
from scheduler.domain.intervals import DaySpan
from scheduler.domain.lessons import LessonId
from scheduler.domain.plans import Fingerprint
from scheduler.domain.terms import TermId
from scheduler.errors import Invalid, NotFound, Stale, Text, text
from scheduler.locale import Language, translate
from scheduler.services import disruptions
from scheduler.services.disruptions import Preview
from scheduler.web import frame, guard
from scheduler.web.forms import Fields
from scheduler.web.guard import Ctx, Form, TeacherActor
from scheduler.web.pages import availability
from scheduler.web.terms import TermOf, with_term
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = f"{availability.HERE}/away"
_NAMES = ("first_day", "last_day", "reason")
_WHY = text("Busy")  # coordinators read it where the teacher gave no reason


@router.post(HERE)
def add(
    request: Request, ctx: Ctx, actor: TeacherActor, form: Form, wanted: TermOf = None
) -> Response:
    """Keep the days if no lesson lies on them, else show these lessons first."""
    fields = Fields(form)
    typed = {name: fields.typed(name) for name in _NAMES}
    try:
        absence = _absence(fields, actor, _language(request))
        fields.check()
        seen = disruptions.preview(ctx, actor, absence)
        if seen.lines:
            return _page(request, seen, wanted)
        disruptions.apply(ctx, actor, absence, seen.fingerprint)
    except Invalid as fault:
        return availability.refused(request, ctx, actor, typed, fault, wanted)
    return see_other(_back(wanted), _done(absence, 0))


@router.post(f"{HERE}/apply")
def apply(
    request: Request, ctx: Ctx, actor: TeacherActor, form: Form, wanted: TermOf = None
) -> Response:
    """Keep the days, and do for each lesson what its teacher chose."""
    fields = Fields(form)
    typed = {name: fields.typed(name) for name in _NAMES}
    try:
        absence = _absence(fields, actor, _language(request))
        fields.check()
        chosen = _choices(fields)
        done = disruptions.apply(
            ctx, actor, absence, Fingerprint(fields.typed("fingerprint")), chosen
        )
    except Invalid as fault:
        return availability.refused(request, ctx, actor, typed, fault, wanted)
    except Stale as fault:
        return _page(request, disruptions.preview(ctx, actor, absence), wanted, fault.message)
    return see_other(_back(wanted), _done(absence, done.counts[Way.COVER]))


@router.post(f"{HERE}/remove")
def remove(
    request: Request, ctx: Ctx, actor: TeacherActor, form: Form, wanted: TermOf = None
) -> Response:
    fields = Fields(form)
    absence = _absence(fields, actor, _language(request))
    fields.check()
    try:
        disruptions.withdraw(ctx, actor, absence)
    except NotFound:  # by the first of two taps
        return see_other(_back(wanted))
    said = text(
        "You are no longer away from {first} to {last}. Lessons that others took stay theirs.",
        first=absence.span.first_day,
        last=absence.span.last_day,
    )
    return see_other(_back(wanted), said)


def _absence(fields: Fields, actor: Actor, language: Language) -> Absence:
    """The days typed; one day where only the first is."""
    first = fields.day("first_day")
    last = fields.day("last_day") if fields.typed("last_day").strip() else first
    reason = fields.text("reason", needed=False)
    teacher = next(grant.teacher_id for grant in actor.with_role(Role.TEACHER))
    if teacher is None:
        raise NotFound("This page is for volunteer teachers.")
    return Absence(teacher, DaySpan(first, last), reason or translate(_WHY, language))


def _choices(fields: Fields) -> Mapping[LessonId, Choice]:
    chosen = {
        LessonId(int(name[1:])): Choice(Way.LEAVE)
        for name in fields.form
        if name[:1] == "l" and name[1:].isdecimal() and len(name) < 12 and name.isascii()
        and fields.typed(name) == Way.LEAVE
    }  # fmt: skip
    return {lesson: choice for lesson, choice in chosen.items() if lesson <= guard.LARGEST_ID}


def _done(absence: Absence, calls: int) -> Text:
    days = {"first": absence.span.first_day, "last": absence.span.last_day}
    if calls:
        return text(
            "Noted: away from {first} to {last}. Lessons that need somebody to stand in: {count}.",
            **days,
            count=calls,
        )
    return text("Noted: away from {first} to {last}.", **days)


def _language(request: Request) -> Language:
    return frame.language_of(request, guard.seen(request))


def _back(wanted: TermId | None) -> str:
    return f"{with_term(availability.HERE, wanted)}#away"


def _page(
    request: Request, seen: Preview, wanted: TermId | None, stale: Text | None = None
) -> Response:
    absence = seen.disruption
    return render(
        request,
        "teacher/away.html",
        status=409 if stale else 200,
        section=availability.HERE,
        span=absence.span,
        reason=absence.reason,
        lines=seen.lines,
        fingerprint=seen.fingerprint,
        stale=stale,
        here=HERE,
        wanted=wanted,
        back=with_term(availability.HERE, wanted),
    )

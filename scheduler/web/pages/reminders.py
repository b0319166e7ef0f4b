"""Which reminders come, when it must be quiet, and where the reader looks at the clock."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.choices import Choices
from scheduler.domain.intervals import MINUTES_A_DAY, clock_text
from scheduler.domain.messages import Channel, MessageKind
from scheduler.errors import Invalid, Text, text
from scheduler.locale import LANGUAGES, Language
from scheduler.services import choices
from scheduler.services.choices import Desk, Wish
from scheduler.services.context import Context
from scheduler.services.words import Wall, place_of
from scheduler.web import frame, guard
from scheduler.web.forms import Fields
from scheduler.web.guard import Ctx, Form, SchoolActor, TeacherActor
from scheduler.web.view import render, see_other

router = APIRouter()

TEACHER, SCHOOL = "/teacher/reminders", "/school/reminders"
_STEPS = ("digest", "day_before", "invitations", "hour_before", "soon", "after_confirming")
_NAMES = (*_STEPS, "quiet_from", "quiet_until", "zone", "zone_other", "language", "way")
_WAYS: dict[Channel, Text] = {
    Channel.MAIL: text("Mail"),
    Channel.PUSH: text("Notice on my phone or computer"),
    Channel.SMS: text("Text message"),
    Channel.ZALO: text("Zalo"),
}
ZONES = (
    "Europe/Berlin",
    "Europe/Paris",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
    "Australia/Sydney",
    "Asia/Singapore",
    "Asia/Seoul",
    "Asia/Tokyo",
)
_WHAT: dict[MessageKind, Text] = {
    MessageKind.DIGEST: text("the lessons of the week to come"),
    MessageKind.DAY_BEFORE: text("one day before"),
    MessageKind.HOUR_BEFORE: text("one hour before"),
    MessageKind.SOON: text("minutes before, with the link to the room"),
    MessageKind.JOINT_DAY: text("one day before a joint session"),
    MessageKind.JOINT_HOUR: text("one hour before a joint session"),
}


@router.get(TEACHER)
def teacher_page(request: Request, ctx: Ctx, actor: TeacherActor) -> Response:
    return _page(request, ctx, actor, TEACHER)


@router.post(TEACHER)
def teacher_save(request: Request, ctx: Ctx, actor: TeacherActor, form: Form) -> Response:
    return _save(request, ctx, actor, form, TEACHER)


@router.post(f"{TEACHER}/all")
def teacher_all(ctx: Ctx, actor: TeacherActor, form: Form) -> Response:
    return _switch(ctx, actor, form, TEACHER)


@router.get(SCHOOL)
def school_page(request: Request, ctx: Ctx, actor: SchoolActor) -> Response:
    return _page(request, ctx, actor, SCHOOL)


@router.post(SCHOOL)
def school_save(request: Request, ctx: Ctx, actor: SchoolActor, form: Form) -> Response:
    return _save(request, ctx, actor, form, SCHOOL)


@router.post(f"{SCHOOL}/all")
def school_all(ctx: Ctx, actor: SchoolActor, form: Form) -> Response:
    return _switch(ctx, actor, form, SCHOOL)


def _switch(ctx: Context, actor: Actor, form: FormData, here: str) -> Response:
    wanted = Fields(form).typed("all") == "start"
    choices.switch(ctx, actor, wanted=wanted)
    done = text("Reminders come again.") if wanted else text("No more reminders come.")
    return see_other(here, done)


def _save(request: Request, ctx: Context, actor: Actor, form: FormData, here: str) -> Response:
    """Back to the page, which offers the choices from before: they are in its address."""
    fields = Fields(form)
    kept = choices.desk(ctx, actor).wish
    try:
        before = choices.save(ctx, actor, _read(fields, kept, here))
    except Invalid as fault:
        typed = {name: fields.typed(name) for name in _NAMES}
        return _page(request, ctx, actor, here, typed, fault)
    return see_other(f"{here}?{urlencode({'saved': 'yes', **_form_of(before)})}")


def _read(fields: Fields, kept: Wish, here: str) -> Wish:
    """What the form says; what its page does not show stays."""
    chosen = replace(
        kept.choices,
        digest=fields.checked("digest"),
        day_before=fields.checked("day_before"),
        invitations=fields.checked("invitations"),
        quiet_from=_minute(fields, "quiet_from"),
        quiet_until=_minute(fields, "quiet_until"),
    )
    if here == TEACHER:
        chosen = replace(
            chosen,
            hour_before=fields.checked("hour_before"),
            soon=fields.checked("soon"),
            after_confirming=fields.checked("after_confirming"),
        )
    way = fields.typed("way")
    if way in set(Channel):
        chosen = replace(chosen, channels=tuple(dict.fromkeys((Channel(way), *chosen.channels))))
    zone = fields.text("zone_other", most=64, needed=False) or fields.typed("zone")
    language = fields.one_of("language", LANGUAGES)
    fields.check()
    return Wish(chosen, zone or None, language)


def _minute(fields: Fields, name: str) -> int | None:
    typed = fields.typed(name)
    if typed == "":
        return None
    return fields.number(name, 0, MINUTES_A_DAY - 1)


def _form_of(wish: Wish) -> dict[str, str]:
    """The fields that would choose this."""
    chosen = wish.choices
    found = {name: "yes" for name in _STEPS if getattr(chosen, name)}
    for name, minute in (("quiet_from", chosen.quiet_from), ("quiet_until", chosen.quiet_until)):
        found[name] = "" if minute is None else str(minute)
    way = chosen.channels[0].value if chosen.channels else ""
    return found | {"zone": wish.zone or "", "language": wish.language, "way": way}


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    here: str,
    typed: Mapping[str, str] | None = None,
    fault: Invalid | None = None,
) -> Response:
    desk = choices.desk(ctx, actor)
    language = frame.language_of(request, guard.seen(request))
    former = {name: request.query_params[name] for name in _NAMES if name in request.query_params}
    shown, faults = typed or _form_of(desk.wish), fault.fields if fault else {}
    return render(
        request,
        "teacher/reminders.html",
        section="/calendar" if here == TEACHER else "",
        status=422 if fault else 200,
        own=here == TEACHER,
        on=desk.on,
        chosen={name: shown.get(name, "") for name in _NAMES},
        example=_example(desk, language),
        minutes=_minutes(desk.wish.choices),
        zones=_zones(language, shown.get("zone", "")),
        ways=[(way.value, words) for way, words in _WAYS.items() if way in desk.ways],
        former=former if "saved" in request.query_params and not fault else {},
        errors={name: faults.get(name) for name in _NAMES},
        problems=list(faults.items()),
        title=fault.message if fault else "",
        here=here,
    )


def _example(desk: Desk, language: Language) -> Text | None:
    if desk.next is None:
        return None
    kind, at = desk.next
    when = Wall(language, desk.wish.zone).moment(at, desk.zone)
    return text("Your next reminder: {when}, {what}.", when=when, what=_WHAT[kind])


def _minutes(chosen: Choices) -> list[tuple[str, str]]:
    """Each half hour, and whatever was chosen."""
    every = {*range(0, MINUTES_A_DAY, 30), chosen.quiet_from, chosen.quiet_until}
    chosen_ones = sorted(minute for minute in every if minute is not None)
    return [(str(minute), clock_text(minute)) for minute in chosen_ones]


def _zones(language: Language, chosen: str) -> list[tuple[str, str]]:
    extra = (chosen,) if chosen and chosen not in ZONES else ()
    return [(zone, place_of(zone, language)) for zone in (*ZONES, *extra)]

"""Subscribing: one secret link a device, shown once, ended one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from urllib.parse import quote

import segno
from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.access import RUNNING, Actor, Role
from scheduler.domain.calendars import LONGEST_NAME, FeedKind, FeedLink
from scheduler.domain.people import SchoolId
from scheduler.domain.subscriptions import SLOW_CLIENTS
from scheduler.errors import Invalid, NotFound, Text, text
from scheduler.locale import translate
from scheduler.services import feeds, requests
from scheduler.services.context import Context
from scheduler.services.feeds import NewLink
from scheduler.web import frame, guard
from scheduler.web.forms import Fields
from scheduler.web.guard import Actor_, Ctx, Form, RowId
from scheduler.web.view import render, see_other

router = APIRouter()


class Device(StrEnum):
    """Where a calendar may be; each takes a link in its own way."""

    APPLE = "apple"
    GOOGLE = "google"
    OUTLOOK = "outlook"
    ANDROID = "android"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class DeviceWords:
    """`delay`: how long after the truth this device shows a change."""

    name: Text
    delay: Text


DEVICES = {
    Device.APPLE: DeviceWords(text("iPhone, iPad, Mac"), text("Shows changes after about 1 hour.")),
    Device.GOOGLE: DeviceWords(
        text("Google Calendar"),
        text("Shows changes after 8 to 24 hours. Set it up on a computer; the phone follows."),
    ),
    Device.OUTLOOK: DeviceWords(text("Outlook"), text("Shows changes after about 3 hours.")),
    Device.ANDROID: DeviceWords(
        text("Android without Google"),
        text("By the app ICSx5, in which you choose how often it looks."),
    ),
    Device.OTHER: DeviceWords(
        text("Another calendar"), text("Any that takes a calendar by its address.")
    ),
}


OPTIONS = {
    "show_cancelled": text(
        "Leave called-off lessons in the calendar, marked as such. Google Calendar drops them "
        "otherwise."
    ),
    "alarms": text("Ring 15 minutes before each lesson, when the door of the room opens."),
    "zoned": text(
        "Write times by the clock of the programme's zone. Only for a calendar that shows the "
        "lessons at a wrong hour."
    ),
}
_DAY = timedelta(days=1)
SLOW = {  # by program: how far it may be behind
    client: text("up to a day behind") if delay >= _DAY else text("some hours behind")
    for client, delay in SLOW_CLIENTS.items()
}
_SIGNS = (
    ("iphone", Device.APPLE),
    ("ipad", Device.APPLE),
    ("mac os", Device.APPLE),
    ("macintosh", Device.APPLE),
    ("android", Device.GOOGLE),
    ("windows", Device.OUTLOOK),
)


def _device_of(request: Request) -> Device | None:
    """What the reader holds, by the name that the browser gives itself."""
    said = request.headers.get("user-agent", "").lower()
    return next((device for sign, device in _SIGNS if sign in said), None)


def _nearest_first(device: Device | None) -> dict[Device, DeviceWords]:
    return dict(sorted(DEVICES.items(), key=lambda item: item[0] is not device))


@dataclass(frozen=True, slots=True)
class Offer:
    """A calendar that the reader may subscribe to."""

    kind: FeedKind
    owner_id: int
    label: Text

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.owner_id}"


@dataclass(frozen=True, slots=True)
class Opener:
    """A button that hands the link over to a calendar program."""

    label: Text
    href: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A link just made, with all ways of taking it along."""

    device: Device
    url: str
    openers: tuple[Opener, ...]
    qr: str


@router.get("/calendar")
def page(request: Request, ctx: Ctx, actor: Actor_) -> Response:
    return _page(request, ctx, actor, _offers(ctx, actor))


@router.post("/calendar")
def make(request: Request, ctx: Ctx, actor: Actor_, form: Form) -> Response:
    """A new link; the page that answers is the only one ever to show it."""
    offers, fields = _offers(ctx, actor), Fields(form)
    try:
        made = _made(request, ctx, actor, offers, fields)
    except Invalid as fault:
        return _page(request, ctx, actor, offers, fields=fields, errors=fault.fields)
    return _page(request, ctx, actor, offers, made=made)


def _made(
    request: Request, ctx: Context, actor: Actor, offers: Sequence[Offer], fields: Fields
) -> Shown:
    device = fields.choice("device", Device)
    wanted = fields.one_of("feed", [offer.key for offer in offers])
    name = fields.text("name", most=LONGEST_NAME, needed=False)
    fields.check()
    offer = next(offer for offer in offers if offer.key == wanted)
    language = frame.language_of(request, guard.seen(request))
    link = feeds.create_link(
        ctx,
        actor,
        offer.kind,
        offer.owner_id,
        name or translate(DEVICES[device].name, language),
        language=language,
        **{option: fields.checked(option) for option in OPTIONS},
    )
    return _shown(device, link, translate(offer.label, language))


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    offers: Sequence[Offer],
    *,
    made: Shown | None = None,
    fields: Fields | None = None,
    errors: dict[str, Text] | None = None,
) -> Response:
    links, device = feeds.links_of(ctx, actor), _device_of(request)
    return render(
        request,
        "teacher/calendar.html",
        status=422 if errors else 200,
        section="/calendar",
        made=made,
        offers=offers,
        devices=_nearest_first(device),
        links=links,
        labels={(offer.kind, offer.owner_id): offer.label for offer in offers},
        words={feed_link.id: _chosen(feed_link) for feed_link in links},
        typed={name: fields.typed(name) if fields else "" for name in ("name", "feed")},
        device=device,
        options=OPTIONS,
        checked={option for option in OPTIONS if fields and fields.checked(option)},
        slow=SLOW,
        errors=errors or {},
        zone=ctx.settings.timezone,
        own=bool(actor.with_role(Role.TEACHER)),
        most=LONGEST_NAME,
    )


def _offers(ctx: Context, actor: Actor) -> tuple[Offer, ...]:
    """What the actor's roles open; the widest first."""
    return tuple(_offered(ctx, actor))


def _offered(ctx: Context, actor: Actor) -> Iterator[Offer]:
    for grant in actor.with_role(*RUNNING):
        yield Offer(FeedKind.PROGRAMME, grant.programme_id, text("All lessons of the programme"))
    for grant in actor.with_role(Role.DONOR_HEAD):
        if grant.donor_school_id is not None:
            label = text("Lessons by our volunteers")
            yield Offer(FeedKind.DONOR_SCHOOL, grant.donor_school_id, label)
    for grant in actor.with_role(Role.SCHOOL):
        if grant.school_id is not None:
            yield from _of_school(ctx, actor, grant.school_id)
    for grant in actor.with_role(Role.TEACHER):
        if grant.teacher_id is not None:
            yield Offer(FeedKind.TEACHER, grant.teacher_id, text("My lessons"))


def _of_school(ctx: Context, actor: Actor, school_id: SchoolId) -> Iterator[Offer]:
    desk = requests.desk(ctx, actor, school_id)
    yield Offer(FeedKind.SCHOOL, school_id, text("All classes · {school}", school=desk.school.name))
    for each in desk.classes:
        label = text("Class {name} · {school}", name=each.name, school=desk.school.name)
        yield Offer(FeedKind.CLASS, each.id, label)


def _chosen(link: FeedLink) -> tuple[Text, ...]:
    """What its maker ticked, in two words each."""
    told = (
        (link.key.show_cancelled, text("with called-off lessons")),
        (link.key.alarms, text("rings before lessons")),
        (link.key.zoned, text("times of the zone")),
    )
    return tuple(words for ticked, words in told if ticked)


# -- ways of taking a link along


def _shown(device: Device, link: NewLink, label: str) -> Shown:
    return Shown(
        device=device,
        url=link.url,
        openers=_openers(device, link, label),
        qr=segno.make(link.webcal_url, micro=False).svg_data_uri(border=1, omitsize=True),
    )


def _openers(device: Device, link: NewLink, label: str) -> tuple[Opener, ...]:
    address, name = quote(link.url, safe=""), quote(f"Chung Tay · {label}", safe="")
    match device:
        case Device.APPLE:
            return (Opener(text("Open in Apple Calendar"), link.webcal_url),)
        case Device.ANDROID:
            return (Opener(text("Open in ICSx5"), link.webcal_url),)
        case Device.GOOGLE:
            wanted = quote(link.webcal_url, safe="")
            href = f"https://calendar.google.com/calendar/r?cid={wanted}"
            return (Opener(text("Add to Google"), href),)
        case Device.OUTLOOK:
            path = f"calendar/0/addfromweb?url={address}&name={name}"
            return (
                Opener(text("Add to Outlook at work"), f"https://outlook.office.com/{path}"),
                Opener(text("Add to Outlook.com"), f"https://outlook.live.com/{path}"),
            )
        case Device.OTHER:
            return ()


# -- ending a link, or another address in its place


@router.get("/calendar/links/{link_id}/end")
def end_page(request: Request, ctx: Ctx, actor: Actor_, link_id: RowId) -> Response:
    return _about_link(request, ctx, actor, link_id, "teacher/calendar_end.html")


@router.post("/calendar/links/{link_id}/end")
def end(ctx: Ctx, actor: Actor_, link_id: RowId, form: Form) -> Response:
    name = _own(ctx, actor, link_id).name
    feeds.revoke_link(ctx, actor, link_id, farewell=Fields(form).checked("farewell"))
    return see_other("/calendar", text("The link {name} has ended.", name=name))


@router.get("/calendar/links/{link_id}/renew")
def renew_page(request: Request, ctx: Ctx, actor: Actor_, link_id: RowId) -> Response:
    return _about_link(request, ctx, actor, link_id, "teacher/calendar_renew.html")


@router.post("/calendar/links/{link_id}/renew")
def renew(request: Request, ctx: Ctx, actor: Actor_, link_id: RowId, form: Form) -> Response:
    """Another address for the same calendar; as with a first one this page alone shows it."""
    fields = Fields(form)
    device = fields.choice("device", Device)
    try:
        fields.check()
    except Invalid:
        return _about_link(request, ctx, actor, link_id, "teacher/calendar_renew.html", status=422)
    made = feeds.replace_link(ctx, actor, link_id)
    shown = _shown(device, made, _own(ctx, actor, made.link_id).name)
    return _page(request, ctx, actor, _offers(ctx, actor), made=shown)


def _about_link(
    request: Request, ctx: Context, actor: Actor, link_id: int, page: str, status: int = 200
) -> Response:
    return render(
        request,
        page,
        status=status,
        section="/calendar",
        link=_own(ctx, actor, link_id),
        devices=_nearest_first(_device_of(request)),
        zone=ctx.settings.timezone,
    )


def _own(ctx: Context, actor: Actor, link_id: int) -> FeedLink:
    found = next((link for link in feeds.links_of(ctx, actor) if link.id == link_id), None)
    if found is None:
        raise NotFound("There is no such calendar link.")
    return found

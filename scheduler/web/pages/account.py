"""Coming in and going out: the sign-in link, its code; one's account; and the mail kept here."""

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler import security
from scheduler.delivery.mailfiles import StoredMail
from scheduler.domain import devices
from scheduler.domain.access import Role
from scheduler.domain.accounts import LINK_LIFE, LinkState
from scheduler.errors import Invalid, NotFound, Text, text
from scheduler.locale import LANGUAGES, wording
from scheduler.services import accounts, outbox, sessions
from scheduler.services.accounts import NewSession
from scheduler.services.context import Context
from scheduler.web import frame, guard
from scheduler.web.forms import Fields
from scheduler.web.guard import Ctx, Form, Signed
from scheduler.web.view import render, see_other

router = APIRouter()

MAILS_SHOWN = 50
MINUTES = LINK_LIFE // timedelta(minutes=1)
LINK_SECONDS = int(LINK_LIFE.total_seconds())
LANGUAGE_SECONDS = 365 * 24 * 3600


@router.get("/")
def first_page(request: Request) -> Response:
    session = guard.seen(request)
    if session:
        return see_other(frame.homes_of(session.actor)[0])
    return see_other(guard.PROOF if guard.known(request) else "/sign-in")


# -- asking for a link


@router.get("/sign-in")
def sign_in_page(request: Request, next: str = "") -> Response:
    if guard.seen(request):
        return see_other(frame.local_path(next))
    response = _sign_in_page(request)
    if frame.local_path(next) != "/":
        _remember(request, response, "next", frame.local_path(next), LINK_SECONDS)
    return response


@router.post("/sign-in")
def ask_for_link(request: Request, ctx: Ctx, form: Form) -> Response:
    email = Fields(form).typed("email").strip()
    try:
        browser = accounts.request_sign_in(ctx, email)
    except Invalid as fault:
        return _sign_in_page(request, email, fault.fields.get("email"))
    response = render(
        request,
        "account/sign_in_sent.html",
        status=202,
        email=email,
        minutes=MINUTES,
        action="/sign-in/code",
        error=None,
        tries_left=None,
    )
    _remember(request, response, "pending", browser, LINK_SECONDS)
    return response


def _sign_in_page(request: Request, email: str = "", error: Text | None = None) -> Response:
    label = frame.label_of(request, None)
    return render(
        request,
        "account/sign_in.html",
        status=422 if error else 200,
        email=email,
        error=error,
        minutes=MINUTES,
        welcome=_WELCOME | {"when": label} if label else None,
    )


_WELCOME: dict[str, object] = {
    "title": text("One lesson a week, from their school to yours"),
    "text": text("Volunteer teachers give live online lessons to classes far away."),
}


# -- using it


@router.get("/sign-in/code")
def code_page(request: Request) -> Response:
    return _code_page(request)


@router.post("/sign-in/code")
def use_code(request: Request, ctx: Ctx, form: Form) -> Response:
    """The code from the mail, typed into the browser that asked for it."""
    browser, code = guard.cookie(request, "pending"), Fields(form).typed("code")
    try:
        made = accounts.sign_in_by_code(ctx, code, browser=browser, device=_device(request))
    except (Invalid, NotFound):
        # One answer for both: else it would tell whether the address belongs to somebody.
        return _code_page(request, _WRONG_CODE)
    return _welcome(request, ctx, made)


_WRONG_CODE = text("That is not the code. It is in the mail, eight letters and digits.")


def _code_page(request: Request, error: Text | None = None) -> Response:
    return render(
        request,
        "account/sign_in_code.html",
        status=422 if error else 200,
        action="/sign-in/code",
        error=error,
        tries_left=None,
    )


@router.get("/sign-in/{token}")
def link_page(request: Request, ctx: Ctx, token: str) -> Response:
    """Looking never consumes a link: mail scanners look."""
    return _link_page(request, ctx, token)


@router.post("/sign-in/{token}")
def use_link(request: Request, ctx: Ctx, token: str, form: Form) -> Response:
    """The button of the link's page, or the code for whoever opened it in another browser."""
    browser, code = guard.cookie(request, "pending"), Fields(form).typed("code")
    try:
        if code:
            made = accounts.sign_in_by_code(
                ctx, code, token=token, browser=browser, device=_device(request)
            )
        else:
            made = accounts.sign_in(ctx, token, browser, _device(request))
    except Invalid as fault:
        return _link_page(request, ctx, token, fault.fields.get("code"))
    except NotFound:
        return _link_page(request, ctx, token)
    return _welcome(request, ctx, made)


def _link_page(request: Request, ctx: Context, token: str, error: Text | None = None) -> Response:
    state = accounts.link_state(ctx, token, guard.cookie(request, "pending"))
    if state in (LinkState.USED, LinkState.EXPIRED):
        if guard.seen(request):
            return see_other("/")
        return render(request, "account/sign_in_expired.html", status=410, minutes=MINUTES)
    response = render(
        request,
        "account/sign_in_confirm.html",
        status=422 if error else 200,
        same_browser=state is LinkState.READY and error is None,
        action=f"/sign-in/{token}",
        name=None,
        error=error,
        tries_left=None,
    )
    if not guard.cookie(request, "pending"):
        # Worth nothing here; that it comes back with the form shows the form was ours.
        _remember(request, response, "pending", security.new_token(), LINK_SECONDS)
    return response


def _device(request: Request) -> str:
    return devices.name_of(request.headers.get("user-agent", ""))


def _welcome(request: Request, ctx: Context, made: NewSession) -> Response:
    """Into the house, by a session that no earlier page of this browser knows."""
    sessions.sign_out(ctx, guard.cookie(request, "sid"))
    response = see_other(frame.local_path(guard.cookie(request, "next")))
    guard.set_session(response, ctx.settings, made.token)
    for name in ("pending", "next"):
        _remember(request, response, name, "", 0)
    return response


@router.post("/sign-out")
def sign_out(request: Request, ctx: Ctx, _form: Form) -> Response:
    sessions.sign_out(ctx, guard.cookie(request, "sid"))
    response = see_other("/sign-in", text("You are signed out on this device."))
    guard.set_session(response, ctx.settings, "")
    return response


def _remember(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    guard.set_cookie(response, request.app.state.ctx.settings, name, value, seconds=seconds)


# -- one's account


@dataclass(frozen=True, slots=True)
class Door:
    """A page about one's account, and what it is for."""

    href: str
    icon: str
    title: Text
    sentence: Text


def _colleagues(href: str) -> Door:
    said = text("Who shares this work with you, and inviting somebody to it.")
    return Door(href, "people", text("Colleagues"), said)


# A phone has no room for them in the bar at its bottom.
_BESIDE = (
    (
        Role.TEACHER,
        Door(
            "/teacher/reminders",
            "bell",
            text("Reminders"),
            text("Which of them come, and when it must be quiet."),
        ),
    ),
    (
        Role.SCHOOL,
        Door(
            "/calendar",
            "cal",
            text("Calendar"),
            text("The school's lessons in the calendar of a phone or computer."),
        ),
    ),
    (
        Role.SCHOOL,
        Door("/school/reminders", "bell", text("Reminders"), text("When and how we remind you.")),
    ),
    (Role.SCHOOL, _colleagues("/school/people")),
    (Role.DONOR_HEAD, _colleagues("/donor-school/people")),
)
_FACTOR = Door(
    "/account/factor",
    "lock",
    text("Second factor"),
    text("An app, a key or a fingerprint that opens this account together with your mail."),
)

DOORS: tuple[Door, ...] = (
    Door(
        "/account/sessions",
        "phone",
        text("Where I am signed in"),
        text("Sign out on a device that is lost, lent or sold."),
    ),
    _FACTOR,
    Door(
        "/account/address",
        "mail",
        text("Change my mail address"),
        text("Links and reminders then go to the new mailbox."),
    ),
    Door(
        "/devices",
        "bell",
        text("Messages on this phone or computer"),
        text("Reminders and changes then appear by themselves."),
    ),
    Door(
        "/account/tokens",
        "link",
        text("Access tokens for programs"),
        text("For a school's own program that reads or changes lessons in your name."),
    ),
    Door(
        "/account/data",
        "doc",
        text("What is kept about me"),
        text("Read it, take it along, or have it erased."),
    ),
    Door(
        "/account/leave",
        "hand",
        text("Leave the programme"),
        text("What happens to your lessons, and what stays."),
    ),
)


@router.get("/account")
def hub(request: Request, session: Signed) -> Response:
    actor = session.actor
    shown = [door for role, door in _BESIDE if actor.with_role(role)]
    shown += [door for door in DOORS if door is not _FACTOR or session.strict]
    return render(request, "account/account.html", actor=actor, doors=shown)


# -- language


@router.post("/language")
def choose_language(request: Request, ctx: Ctx, form: Form) -> Response:
    fields = Fields(form)
    language = fields.one_of("language", LANGUAGES)
    fields.check(text("Choose Vietnamese or English."))
    session = guard.known(request)
    if session:
        accounts.choose_language(ctx, session.actor, language)
    response = see_other(frame.local_path(fields.typed("next")))
    _remember(request, response, "lang", language, LANGUAGE_SECONDS)
    return response


# -- the mail kept here


@router.get("/mail")
def mails(request: Request, ctx: Ctx) -> Response:
    _mail_reader(request, ctx)
    kept = outbox.mails(ctx)
    return render(
        request,
        "account/mail_page.html",
        mail=None,
        mails=[_mail_line(request, ctx, mail) for mail in kept[:MAILS_SHOWN]],
        older=max(0, len(kept) - MAILS_SHOWN),
        back_href="/mail",
    )


@router.get("/mail/{name}")
def one_mail(request: Request, ctx: Ctx, name: str) -> Response:
    _mail_reader(request, ctx)
    mail = outbox.mail_kept(ctx, name)
    return render(
        request,
        "account/mail_page.html",
        mail=_mail_line(request, ctx, mail),
        mails=(),
        older=0,
        back_href="/mail",
    )


def _mail_reader(request: Request, ctx: Context) -> None:
    session = guard.seen(request)
    if not frame.may_read_mail(ctx, session.actor if session else None):
        raise NotFound("There is nothing here.")


def _mail_line(request: Request, ctx: Context, mail: StoredMail) -> dict[str, object]:
    language = frame.language_of(request, guard.seen(request))
    sent = mail.sent.astimezone(ZoneInfo(ctx.settings.timezone))
    return {
        "href": f"/mail/{mail.name}",
        "subject": mail.subject,
        "sender": mail.sender,
        "to": mail.to,
        "sent": wording.moment(sent, language),
        "text": mail.text,
    }

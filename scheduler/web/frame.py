"""What stands around the content of every page: who, where to, which day it is."""

from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Request

from scheduler import clock
from scheduler.config import Settings
from scheduler.domain import accounts as rules
from scheduler.domain.access import RUNNING, Actor, Role
from scheduler.domain.accounts import SessionSeen
from scheduler.domain.terms import ProgrammeId
from scheduler.errors import Text, text
from scheduler.locale import LANGUAGES, Language, translate, wording
from scheduler.services import programmes
from scheduler.services.context import Context
from scheduler.web import guard, keeping

LABEL_SECONDS = 60.0  # names of programmes and terms hardly ever change
LONGEST_PATH = 180  # it must fit into a cookie of ours


@dataclass(frozen=True, slots=True)
class NavItem:
    href: str
    label: Text
    icon: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What `templates/base.html` shows around the content; `path` leads back to this page.

    `kept`: the moment, in words, that a copy of this page would be of; empty: none may be kept.
    """

    actor: Actor | None
    nav: tuple[NavItem, ...]
    has_tabs: bool
    csrf: str
    flash: Text | None
    footer: str
    demo_banner: str
    mail_href: str
    path: str
    kept: str = ""


_CALENDAR = NavItem("/calendar", text("Calendar"), "cal")
_NAV: dict[str, tuple[NavItem, ...]] = {
    "/coordinator": (
        NavItem("/coordinator", text("Today"), "home"),
        NavItem("/coordinator/week", text("Week"), "grid"),
        NavItem("/coordinator/demand", text("Demand"), "list"),
        NavItem("/coordinator/matching", text("Matching"), "spark"),
        NavItem("/coordinator/covers", text("Cover"), "hand"),
        NavItem("/coordinator/balance", text("Balance"), "chart"),
        NavItem("/coordinator/people", text("People"), "people"),
        NavItem("/coordinator/messages", text("Messages"), "mail"),
    ),
    "/school": (
        NavItem("/school", text("This week"), "home"),
        NavItem("/school/requests", text("Requests"), "list"),
        NavItem("/school/timetable", text("Week plan"), "grid"),
        NavItem("/school/hours", text("Hours"), "clock"),
    ),
    "/donor-school": (
        NavItem("/donor-school", text("This week"), "grid"),
        NavItem("/donor-school/people", text("Colleagues"), "people"),
        _CALENDAR,
    ),
    "/teacher": (
        NavItem("/teacher", text("My page"), "home"),
        NavItem("/teacher/availability", text("Availability"), "clock"),
        NavItem("/teacher/lessons", text("Lessons"), "list"),
        _CALENDAR,
    ),
    "/calendar": (_CALENDAR,),
}
_HOMES = (
    ("/coordinator", RUNNING),
    ("/school", (Role.SCHOOL,)),
    ("/donor-school", (Role.DONOR_HEAD,)),
    ("/teacher", (Role.TEACHER,)),
)


def homes_of(actor: Actor) -> tuple[str, ...]:
    """The first pages of the actor's roles; the one that opens by itself in front."""
    found = tuple(path for path, roles in _HOMES if actor.with_role(*roles))
    return found or ("/calendar",)


def nav_of(actor: Actor, path: str, section: str = "") -> tuple[NavItem, ...]:
    """The places of the role that the path belongs to; `section` names the current one outright."""
    homes = homes_of(actor)
    home = next((each for each in homes if _inside(path, each)), homes[0])
    items = _NAV[home]
    current = max(
        (item.href for item in items if _inside(section or path, item.href)), key=len, default=""
    )
    return tuple(replace(item, current=item.href == current) for item in items)


def _inside(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")


def language_of(request: Request, session: SessionSeen | None) -> Language:
    """A signed-in person's own; a visitor's choice; the addressee's of a link; the house's."""
    settings: Settings = request.app.state.ctx.settings
    wishes = (
        session.actor.language if session else guard.cookie(request, "lang"),
        getattr(request.state, "language", ""),
        settings.locale,
    )
    return Language(next(wish for wish in wishes if wish in LANGUAGES))


def page_of(
    request: Request, session: SessionSeen | None, flash: Text | None, section: str = ""
) -> Page:
    ctx: Context = request.app.state.ctx
    actor = session.actor if session else None
    half = session is not None and rules.needs_proof(session, ctx.settings.second_factor)
    inside = None if half else actor
    return Page(
        actor=actor,
        nav=nav_of(inside, request.url.path, section) if inside else (),
        has_tabs=inside is not None and homes_of(inside)[0] != "/coordinator",
        csrf=session.csrf if session else "",
        flash=flash,
        footer=label_of(request, inside),
        demo_banner=_demo_banner(ctx, language_of(request, session)),
        mail_href="/mail" if may_read_mail(ctx, inside) else "",
        path=_way_back(request),
        kept=_kept(ctx, request, session, inside),
    )


def _kept(ctx: Context, request: Request, session: SessionSeen | None, actor: Actor | None) -> str:
    if actor is None or request.url.path not in keeping.pages_of(actor):
        return ""
    now = ctx.now().astimezone(ZoneInfo(ctx.settings.timezone))
    return wording.moment(now, language_of(request, session))


def _demo_banner(ctx: Context, language: Language) -> str:
    if not ctx.settings.demo:
        return ""
    now = ctx.now().astimezone(ZoneInfo(ctx.settings.timezone))
    day = wording.date_long(now, language)
    return translate(text("Trial version · {day}, {time}", day=day, time=now.time()), language)


def may_read_mail(ctx: Context, actor: Actor | None) -> bool:
    """Kept mail holds everybody's sign-in links: for the demo's visitors and coordinators only."""
    if ctx.settings.demo:
        return True
    kept = not ctx.settings.smtp_url.get_secret_value()
    return kept and actor is not None and actor.runs_programme


class Trouble(StrEnum):
    """Why a page is not the one asked for; BROKEN: the database may be what broke."""

    REFUSED = "refused"
    BROKEN = "broken"


def tell_trouble(request: Request, trouble: Trouble) -> None:
    """From here on the page frames an error: the same for every address, and with few needs."""
    request.state.trouble = trouble


def _trouble(request: Request) -> Trouble | None:
    found: Trouble | None = getattr(request.state, "trouble", None)
    return found


def _way_back(request: Request) -> str:
    """Where a reader who changes the language comes back to; a sent form has no such place."""
    lost = request.method != "GET" or _trouble(request) is not None
    return "/" if lost else here(request)


def here(request: Request) -> str:
    """The address of this page on this host, as a browser would write it."""
    path = quote(request.scope["path"], safe="/:@!$&'()*+,;=~")
    query = request.scope["query_string"].decode("latin-1")
    return local_path(f"{path}?{query}" if query else path)


def local_path(wish: object) -> str:
    """The wish, if it is a path on this very host that a browser cannot read otherwise; else /."""
    if not isinstance(wish, str) or len(wish) > LONGEST_PATH:
        return "/"
    plain = wish.isascii() and wish.isprintable() and "\\" not in wish
    return wish if plain and wish.startswith("/") and wish[1:2] != "/" else "/"


def label_of(request: Request, actor: Actor | None) -> str:
    """Hà Nội – Yên Bái · Học kỳ I, 2023–2024, for a visitor too while there is one programme."""
    programme_id = actor.grants[0].programme_id if actor and actor.grants else None
    known: dict[ProgrammeId | None, tuple[float, str]] = request.app.state.labels
    until, label = known.get(programme_id, (0.0, ""))
    if clock.monotonic() >= until and _trouble(request) is not Trouble.BROKEN:
        label = programmes.label(request.app.state.ctx, programme_id)
        known[programme_id] = (clock.monotonic() + LABEL_SECONDS, label)
    return label

"""The door: sessions and forms.  Every route says here who may come in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Path, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from scheduler import security
from scheduler.config import Settings
from scheduler.domain import accounts as rules
from scheduler.domain import scopes
from scheduler.domain.access import RUNNING, Actor, Role
from scheduler.domain.accounts import SESSION_LIFE, SessionSeen
from scheduler.domain.limits import API_BY_PERSON
from scheduler.domain.scopes import Noun, Scope
from scheduler.errors import Busy, Invalid, NotAllowed, NotFound, text
from scheduler.services import access_tokens, limits, sessions
from scheduler.services.context import Context
from scheduler.store.database import RENEWED

LARGEST_BODY = 1024 * 1024
MOST_FILES = 20  # in one form; how many are of use, a page says in words
MOST_FIELDS = 1000
MOST_CHOICES = 10_000  # of a storm, one for each lesson; the body is bounded as well
LONGEST_COOKIE = 200
LARGEST_ID = 2**31 - 1
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

# Forms whose address is the key.  What a mail program posts by itself (RFC 8058) has no page of
# ours, no cookie and no origin; nor has an answer's old browser, on a page without a session.
KEYED_FORMS = (
    "/stop/", "/a/", "/r/", "/c/", "/o/", "/w/", "/invitation/", "/address/",
)  # fmt: skip
# Pages whose address is itself a secret: it must not travel on in a Referer.
SECRET_ADDRESSES = ("/sign-in/", "/j/", *KEYED_FORMS)
# Open to whoever knows the address, and in no search engine.
UNLISTED = "/verify/"
# What gateways report, signed by themselves.
REPORTS = "/gateway/"
# What programs ask with an access token, and never by a cookie: no other site can send it.
API = "/api/"
ROOMS = "/api/v1/"  # of its nouns: each says which scope it needs
# Where lists are sent in: bodies as large as so many of the largest workbook.
UPLOADS = "/coordinator/imports"
DISRUPTIONS = "/coordinator/disruptions"
LARGEST_UPLOAD = 16 * LARGEST_BODY
UNFORMED = (*KEYED_FORMS, REPORTS, API)
# Asked for by machines, under whatever name they know us.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

PUBLIC = frozenset(
    {
        "/",
        "/sign-in",
        "/sign-in/code",
        "/sign-in/{token}",
        "/sign-out",
        "/language",
        "/mail",
        "/mail/{name}",
        "/j/{token}",
        "/stop/{token}",
        "/a/{token}",
        "/r/{token}",
        "/r/{token}/brief",
        "/c/{token}",
        "/o/{token}",
        "/w/{token}",
        "/invitation/{token}",
        "/address/{token}",
        "/verify/{code}",
        "/privacy",
        "/help",
        "/sw.js",
        "/gateway/{channel}",
        "/static",
        *PROBES,
    }
)


class ProofNeeded(Exception):
    """This browser is signed in by a mailbox alone, and its person runs a programme; or too long
    ago for what it wants.  `back`: where to go on to, when not to the very page asked for."""

    def __init__(self, back: str = "") -> None:
        super().__init__(back)
        self.back = back


class EarlierPage(NotAllowed):
    """The form is of a page from before this session began."""


class SignInNeeded(Exception):
    """The page is for people we know, and this browser is not signed in."""


LINK = "/sign-in/{token}"
PROOF = "/sign-in/factor"
# Where the second factor is shown, and where it is set up for the first time.
HALF_OPEN = frozenset({PROOF, f"{PROOF}/challenge", f"{PROOF}/set-up", f"{PROOF}/set-up/challenge"})

# -- who is at the door


async def context(request: Request) -> Context:
    found: Context = request.app.state.ctx
    return found


Ctx = Annotated[Context, Depends(context)]


def cookie_name(settings: Settings, name: str) -> str:
    """`__Host-…` over https: bound to this very host."""
    return f"__Host-{name}" if settings.secure else name


def cookie(request: Request, name: str) -> str:
    """The value of one of our cookies; empty when there is none that could be ours."""
    settings: Settings = request.app.state.ctx.settings
    found = request.cookies.get(cookie_name(settings, name), "")
    return found if len(found) <= LONGEST_COOKIE else ""


def set_cookie(
    response: Response, settings: Settings, name: str, value: str, *, seconds: int
) -> None:
    """Give the browser a cookie of ours; of 0 seconds: take it away."""
    response.set_cookie(
        cookie_name(settings, name),
        value,
        max_age=seconds,
        path="/",
        secure=settings.secure,
        httponly=True,
        samesite="lax",
    )


def seen(request: Request) -> SessionSeen | None:
    """Who is signed in with all that it takes, looked up once a request; None for a visitor."""
    if not hasattr(request.state, "seen"):
        ctx: Context = request.app.state.ctx
        secret = cookie(request, "sid")
        begun = sessions.who(ctx, secret)
        # Whatever the answer will be, `renewal.Renewal` sends it along.
        request.state.new_secret = sessions.renewed(ctx, begun, secret) if begun else ""
        proved = begun and not rules.needs_proof(begun, ctx.settings.second_factor)
        request.state.begun, request.state.seen = begun, begun if proved else None
    found: SessionSeen | None = request.state.seen
    return found


def set_session(response: Response, settings: Settings, secret: str) -> None:
    """What this browser is known by from now on; empty: by nothing."""
    seconds = int(SESSION_LIFE.total_seconds()) if secret else 0
    set_cookie(response, settings, "sid", secret, seconds=seconds)


def known(request: Request) -> SessionSeen | None:
    """Whose mailbox signed this browser in, whether or not more is needed; None for a visitor."""
    seen(request)
    found: SessionSeen | None = request.state.begun
    return found


def begun(request: Request) -> SessionSeen:
    """As `known`, for pages on the way to the second factor."""
    found = known(request)
    if found is None:
        raise SignInNeeded
    return found


def signed(request: Request) -> SessionSeen:
    found = seen(request)
    if found is None:
        begun(request)
        raise ProofNeeded
    return found


Begun = Annotated[SessionSeen, Depends(begun)]
Signed = Annotated[SessionSeen, Depends(signed)]


def signed_actor(session: Signed) -> Actor:
    return session.actor


Actor_ = Annotated[Actor, Depends(signed_actor)]


def bearer(request: Request, ctx: Ctx) -> Actor:
    """Whose access token came with the request; cookies count for nothing here.

    Raises TooMany for a person whose programs ask faster than any work needs.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise SignInNeeded
    needs: Scope | None = getattr(request.state, "needs", None)
    actor = access_tokens.actor(ctx, token.strip(), needs)
    if actor is None:
        raise SignInNeeded
    request.state.language, request.state.asker = actor.language, actor
    limits.take(ctx, API_BY_PERSON, str(actor.person_id))
    return actor


ApiActor = Annotated[Actor, Depends(bearer)]


@dataclass(frozen=True)
class Needs:
    """Declares of a route of the API what it is about: `bearer` asks the token for that scope.

    It must come before whatever asks who it is; the start-up check misses it where it is not.
    """

    noun: Noun

    async def __call__(self, request: Request) -> None:
        request.state.needs = self.scope(request.method)

    def scope(self, method: str) -> Scope:
        return scopes.scope(self.noun, writes=method not in SAFE)


def _with_role(*roles: Role) -> Callable[[Actor], Actor]:
    def check(actor: Actor_) -> Actor:
        if not actor.with_role(*roles):
            raise NotFound("There is nothing here.")
        return actor

    return check


TeacherActor = Annotated[Actor, Depends(_with_role(Role.TEACHER))]
SchoolActor = Annotated[Actor, Depends(_with_role(Role.SCHOOL))]
DonorHeadActor = Annotated[Actor, Depends(_with_role(Role.DONOR_HEAD))]
CoordinatorActor = Annotated[Actor, Depends(_with_role(*RUNNING))]

# The number of a row in a path; what no row can have is answered like a row that is not there.
RowId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


# -- times of change


async def schema_guard(request: Request) -> None:
    """Nobody is let in while the schema is another program's; on every route of the app."""
    if request.app.state.ctx.database.moved and request.url.path not in PROBES:
        raise Busy(RENEWED)


# -- forms


async def form_guard(request: Request) -> None:
    """Refuse what another site's page sends; on every route of the app."""
    if request.method in SAFE or request.url.path.startswith(UNFORMED):
        return
    if not _same_origin(request):
        raise NotAllowed("This form came from another site. Open the page here and send it again.")


def _same_origin(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin == "null" and request.url.path.startswith(SECRET_ADDRESSES):
        # From a no-referrer page browsers say "null"; those before 2023 say nothing else.
        # A SameSite cookie does not come along from another site.
        return bool(cookie(request, "pending") or cookie(request, "sid"))
    return origin is None or origin in _own_origins(request)


def _own_origins(request: Request) -> tuple[str, str]:
    settings: Settings = request.app.state.ctx.settings
    base = urlsplit(settings.base_url)
    return f"{base.scheme}://{base.netloc}", f"{base.scheme}://{request.headers.get('host', '')}"


async def read_form(request: Request) -> FormData:
    most = MOST_CHOICES if request.url.path.startswith(DISRUPTIONS) else MOST_FIELDS
    form = await request.form(max_fields=most, max_files=0, max_part_size=LARGEST_BODY)
    if any(not _storable(part) for item in form.multi_items() for part in item):
        raise Invalid("A field holds signs that cannot be stored.")
    return form


async def read_upload(request: Request) -> FormData:
    """Fields and files; those are on the disk while they are large.  Judged by whoever asks."""
    form = await request.form(
        max_fields=MOST_FIELDS, max_files=MOST_FILES, max_part_size=LARGEST_BODY
    )
    said = [part for name, value in form.multi_items() for part in (name, _named(value))]
    if not all(map(_storable, said)):
        raise Invalid("A field holds signs that cannot be stored.")
    return form


def _named(value: UploadFile | str) -> str:
    return value if isinstance(value, str) else ""


def checked_form(request: Request, form: Annotated[FormData, Depends(read_form)]) -> FormData:
    """The fields sent, from a page that we gave to this very session."""
    return _of_this_session(request, form)


def checked_upload(request: Request, form: Annotated[FormData, Depends(read_upload)]) -> FormData:
    """As `checked_form`, with files."""
    return _of_this_session(request, form)


def _of_this_session(request: Request, form: FormData) -> FormData:
    session = known(request)
    given = form.get("csrf")
    if session and not (isinstance(given, str) and security.same(given, session.csrf)):
        raise EarlierPage(
            text("This page is from an earlier session. Load it again, then send the form.")
        )
    return form


Form = Annotated[FormData, Depends(checked_form)]
Upload = Annotated[FormData, Depends(checked_upload)]
# Where the token in the address is the key: a mail's reader has no session, and no form token.
KeyedForm = Annotated[FormData, Depends(read_form)]


def _storable(value: object) -> bool:
    if not isinstance(value, str):
        return False
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


# -- the start-up check


def undeclared_routes(app: FastAPI) -> list[str]:
    """Routes that do not say who may come in, and forms that nobody checks; must be empty."""
    return sorted(_faults(app))


def _faults(app: FastAPI) -> Iterator[str]:
    for found in iter_route_contexts(app.routes):
        route, path = found.original_route, found.path or ""
        if not isinstance(route, APIRoute):
            if path not in PUBLIC:
                yield f"{path}: not in PUBLIC"
            continue
        calls = set(_calls(route.dependant))
        if path not in PUBLIC and _keeper(path) not in calls:
            yield f"{path}: says not who may come in"
        if path.startswith(ROOMS) and needs_of(found) is None:
            yield f"{path}: says not which scope a token needs"
        unsafe = set(route.methods or ()) - SAFE
        if (
            unsafe
            and calls.isdisjoint((checked_form, checked_upload))
            and not path.startswith(UNFORMED)
        ):
            yield f"{path}: its form is not checked"


def needs_of(found: RouteContext) -> Needs | None:
    """What a route of the API declares of itself, also through the routers that it is in."""
    return next((each for each in calls_of(found) if isinstance(each, Needs)), None)


def calls_of(found: RouteContext) -> Iterator[object]:
    """Whatever is asked before a route answers, and its own answer."""
    dependant: Dependant = found.dependant
    return _calls(dependant)


def _keeper(path: str) -> Callable[..., object]:
    """Which check a path that is not public must go through."""
    if path.startswith(API):
        return bearer
    return begun if path in HALF_OPEN else signed


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)

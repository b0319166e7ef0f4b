"""One table from what went wrong to what the reader is told: a page, a fragment or JSON."""

import logging
from collections.abc import Sequence
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import compile_path

from scheduler.domain.accounts import LINK_LIFE, SessionSeen
from scheduler.errors import (
    Busy,
    ChungTayError,
    Conflict,
    Invalid,
    NotAllowed,
    NoTerm,
    NotFound,
    Stale,
    Text,
    TooMany,
    text,
)
from scheduler.locale import Language, translate
from scheduler.services import audits
from scheduler.web import frame, guard, unreadable, view
from scheduler.web.frame import Trouble

log = logging.getLogger("scheduler.web")

STATUS: dict[type[Exception], int] = {
    NotFound: 404,
    NotAllowed: 403,
    Invalid: 422,
    Conflict: 409,
    Busy: 503,
    TooMany: 429,
}
RETRY_AFTER = "5"
_TOO_LARGE = text(
    "A workbook may have {most} MB. Remove pictures and other sheets, then send it again.", most=5
)
Faults = Sequence[tuple[str | Text, Text]]  # a field by its name, or a place; and what is wrong
PROBLEM = "application/problem+json"
_WORDS: dict[int, tuple[Text, Text]] = {
    400: (
        text("We cannot read this"),
        text("The browser sent something that cannot be read. Go back and try once more."),
    ),
    403: (text("This cannot be done from here"), text("Your account may not do this.")),
    404: (
        text("There is nothing here"),
        text("The address is wrong, or what was here is not for this account."),
    ),
    405: (
        text("This page takes no such request"),
        text("Open it from the first page instead."),
    ),
    409: (text("Something has changed in the meantime"), text("Load the page again.")),
    408: (
        text("This came too slowly"),
        text("The line is slow at the moment. Nothing was changed. Try once more."),
    ),
    413: (
        text("This is too much at once"),
        text("A form may hold up to {most} MB. Send less at a time.", most=1),
    ),
    412: (
        text("Something has changed in the meantime"),
        text("It is not as you read it any more. Read it again, then decide."),
    ),
    428: (
        text("Read it first"),
        text("Send If-Match with the ETag that you read, or the fingerprint in the body."),
    ),
    415: (
        text("This cannot be read"),
        text("Send JSON, and say so: Content-Type: application/json."),
    ),
    429: (text("Too often"), text("Wait a while, then try again.")),
    422: (text("This cannot be taken as it is"), text("Go back and look at what was typed.")),
    500: (
        text("Something broke on our side"),
        text(
            "Before you send something again, look whether it was saved. "
            "Tell your coordinator this number: {number}."
        ),
    ),
    503: (
        text("This does not work right now"),
        text("Nothing was changed. Try again in a few seconds."),
    ),
}


def install(app: FastAPI) -> None:
    """Answer for every way in which a route can fail."""
    app.add_exception_handler(ChungTayError, _told)
    app.add_exception_handler(guard.SignInNeeded, _sign_in)
    app.add_exception_handler(guard.EarlierPage, _earlier)
    app.add_exception_handler(guard.ProofNeeded, _prove)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)


def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, ChungTayError)  # noqa: S101 - what it is registered for
    if isinstance(error, NotAllowed):
        _note_refusal(request)
    if isinstance(error, NoTerm) and request.url.path.startswith("/coordinator"):
        return view.see_other(guard.UPLOADS, error.message)
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    if isinstance(error, Stale) and _by_tag(request):
        status = 412
    faults = _faults(error) if isinstance(error, Invalid) else ()
    # "Not there" and "not yours" must be the same answer, whatever the words inside.
    sentence = None if status == 404 else error.message
    response = answer(request, status, sentence, faults)
    if isinstance(error, TooMany):
        response.headers["retry-after"] = str(error.retry_after)
    return response


def _by_tag(request: Request) -> bool:
    """Whether what the caller believed stood in If-Match."""
    return request.url.path.startswith(guard.API) and "if-match" in request.headers


def _note_refusal(request: Request) -> None:
    """In the record, of people we know: by the route, for an address may itself be a secret."""
    asker = getattr(request.state, "asker", None)  # by an access token
    if asker is None and not request.url.path.startswith(guard.API):
        session = guard.seen(request)
        asker = session.actor if session else None
    if asker is not None:
        route = getattr(request.scope.get("route"), "path", "")
        audits.denied(request.app.state.ctx, asker.person_id, f"{request.method} {route}")


def _faults(error: Invalid) -> Faults:
    """By field first, then by place in what was handed in."""
    return [*error.fields.items(), *((problem.where, problem.what) for problem in error.problems)]


def _sign_in(request: Request, _error: Exception) -> Response:
    wish = f"?next={quote(frame.here(request), safe='/')}" if request.method == "GET" else ""
    if request.url.path.startswith(guard.API):
        return JSONResponse(
            _problem(401, "Unauthorized", "Send an access token: Authorization: Bearer …"),
            401,
            {"www-authenticate": "Bearer"},
            media_type=PROBLEM,
        )
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"hx-redirect": "/sign-in"})
    return view.see_other(f"/sign-in{wish}")


def _earlier(request: Request, error: Exception) -> Response:
    """The button of a sign-in link, in a second tab: the first has let this browser in."""
    if getattr(request.scope.get("route"), "path", "") == guard.LINK:
        return view.see_other("/")
    return _told(request, error)


def _prove(request: Request, error: Exception) -> Response:
    """To the second factor, and on from there to the page asked for."""
    assert isinstance(error, guard.ProofNeeded)  # noqa: S101 - what it is registered for
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"hx-redirect": guard.PROOF})
    response = view.see_other(guard.PROOF)
    back = error.back or (frame.here(request) if request.method == "GET" else "/")
    settings, seconds = request.app.state.ctx.settings, int(LINK_LIFE.total_seconds())
    guard.set_cookie(response, settings, "next", back, seconds=seconds)
    return response


def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    if any(fault["loc"][:1] == ("path",) for fault in error.errors()):
        return answer(request, 404)
    return answer(request, 422, faults=tuple(unreadable.fields(error.errors()).items()))


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    lists = error.status_code == 413 and request.url.path == guard.UPLOADS
    response = answer(request, error.status_code, _TOO_LARGE if lists else None)
    response.headers.update(error.headers or {})
    if error.status_code == 405:
        response.headers["allow"] = ", ".join(sorted(_allowed(request)))
    return response


def _allowed(request: Request) -> set[str]:
    """Every method that this address takes: the router tells those of its first route alone."""
    found: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        pattern, _form, _converters = compile_path(context.path or "")
        if pattern.fullmatch(request.url.path):
            found |= getattr(context.original_route, "methods", None) or set()
    found = found or {"GET"}  # what is mounted are files
    return found | {"HEAD"} if "GET" in found else found


def _broken(request: Request, error: Exception) -> Response:
    number = request.state.request_id
    log.error("request %s broke: %s", number, type(error).__name__)
    _title, sentence = _WORDS[500]
    return answer(request, 500, Text(sentence.msgid, {"number": number}))


def answer(
    request: Request,
    status: int,
    sentence: Text | None = None,
    faults: Faults = (),
) -> Response:
    """The answer in the form that was asked for."""
    session = _reader(request, status)
    title, usual = _WORDS.get(status, _WORDS[400])
    said = sentence or usual
    if request.url.path.startswith(guard.API):
        response = _json(request, session, status, title, said, faults)
    else:
        response = _html(request, session, status, title, said)
    if status == 503:
        response.headers["retry-after"] = RETRY_AFTER
    return response


def _reader(request: Request, status: int) -> SessionSeen | None:
    """Who reads it; when the database may be what broke, only if that is known already."""
    frame.tell_trouble(request, Trouble.BROKEN if status >= 500 else Trouble.REFUSED)
    found: SessionSeen | None = getattr(request.state, "begun", None)
    if request.url.path.startswith(guard.API):
        return None
    return found if status >= 500 else guard.known(request)


def _html(
    request: Request, session: SessionSeen | None, status: int, title: Text, sentence: Text
) -> Response:
    fragment = bool(request.headers.get("hx-request"))
    template = "errors/_error.html" if fragment else "errors/error.html"
    values = {"title": title, "sentence": sentence, "status": status, "way": None}
    return view.render_for(request, session, template, status, "", values)


def _json(
    request: Request,
    session: SessionSeen | None,
    status: int,
    title: Text,
    sentence: Text,
    faults: Faults,
) -> Response:
    language = frame.language_of(request, session)
    body = _problem(status, translate(title, language), translate(sentence, language))
    if faults:
        body["errors"] = [
            {"field": _place(where, language), "detail": translate(what, language)}
            for where, what in faults
        ]
    return JSONResponse(body, status, media_type=PROBLEM)


def _place(where: str | Text, language: Language) -> str:
    return translate(where, language) if isinstance(where, Text) else where


def _problem(status: int, title: str, detail: str) -> dict[str, object]:
    """RFC 9457."""
    return {"type": "about:blank", "title": title, "status": status, "detail": detail}

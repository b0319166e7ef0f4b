"""The shell around all pages: refuses impossible requests, bounds bodies, sets the headers."""

from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scheduler.config import Settings
from scheduler.origin import Origin, coming_from
from scheduler.web.guard import API, LARGEST_BODY, PROBES, SECRET_ADDRESSES, UNLISTED

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


class Shell:
    """Pure ASGI, around everything but the feeds."""

    def __init__(self, settings: Settings, inner: ASGIApp) -> None:
        self.settings = settings
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        origin = Origin(uuid4().hex[:12], _client(scope))
        scope.setdefault("state", {})["request_id"] = origin.request_id
        with coming_from(origin):
            await self._answer(_kept_secret(scope), receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        dressed = self._dress(scope, send)
        refusal = self._refusal(scope)
        if refusal:
            await refusal(scope, receive, dressed)
        elif scope["method"] == "HEAD":  # whatever can be got can be asked about
            await self.inner({**scope, "method": "GET"}, receive, _without_body(dressed))
        else:
            await self.inner(scope, _bounded(scope, receive), dressed)

    def _refusal(self, scope: Scope) -> Response | None:
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            return _refused(scope, "Bad Request")
        if scope["path"] not in PROBES and not self._known_host(Headers(scope=scope)):
            return _refused(scope, "Unknown host")
        return None

    def _known_host(self, headers: Headers) -> bool:
        """The configured name; on an installation without one, any name no stranger can own."""
        given, own = _host(f"//{headers.get('host', '')}"), _host(self.settings.base_url)
        return given == own or (_is_local(own) and _is_local(given))

    def _dress(self, scope: Scope, send: Send) -> Send:
        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._headers(scope, MutableHeaders(scope=message))
            await send(message)

        return dressed

    def _headers(self, scope: Scope, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        secret = scope["path"].startswith(SECRET_ADDRESSES)
        headers["referrer-policy"] = "no-referrer" if secret else "same-origin"
        if secret or scope["path"].startswith(UNLISTED):
            headers["x-robots-tag"] = "noindex"
        if self.settings.secure:
            headers["strict-transport-security"] = "max-age=31536000"
        headers.setdefault("cache-control", "no-store")
        headers["x-request-id"] = scope["state"]["request_id"]


def _refused(scope: Scope, why: str) -> Response:
    """Before anything is known of the reader: in English, to programs as RFC 9457."""
    if not scope["path"].startswith(API):
        return PlainTextResponse(why, 400)
    told = {"type": "about:blank", "title": why, "status": 400, "detail": why}
    return JSONResponse(told, 400, media_type="application/problem+json")


def _client(scope: Scope) -> str:
    """The address at the other end; empty where there is none, as behind a Unix socket."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _kept_secret(scope: Scope) -> Scope:
    """The scope for those inside; the one outside, which access logs print, names no secret."""
    room = next((room for room in SECRET_ADDRESSES if scope["path"].startswith(room)), None)
    if room is None:
        return scope
    inside = dict(scope)
    redacted = f"{room}[redacted]"
    scope.update(path=redacted, raw_path=redacted.encode(), query_string=b"")
    return inside


def _without_body(send: Send) -> Send:
    async def bare(message: Message) -> None:
        body = {"body": b""} if message["type"] == "http.response.body" else {}
        await send({**message, **body})

    return bare


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """Counts what really arrives; a stated length alone may lie."""
    stated = Headers(scope=scope).get("content-length", "0")
    read = 0

    async def bounded() -> Message:
        nonlocal read
        if stated.isdecimal() and int(stated) > LARGEST_BODY:
            raise HTTPException(413)
        message = await receive()
        read += len(message.get("body", b""))
        if read > LARGEST_BODY:
            raise HTTPException(413)
        return message

    return bounded


def _host(url: str) -> str:
    with suppress(ValueError):
        return urlsplit(url).hostname or ""
    return ""


def _is_local(host: str) -> bool:
    if host == "" or "." not in host:
        return host != ""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True

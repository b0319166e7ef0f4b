"""The shell around all pages: refuses impossible requests, bounds bodies, sets the headers."""

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit
from uuid import uuid4

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scheduler.config import Settings
from scheduler.origin import Origin, coming_from
from scheduler.web import proxies
from scheduler.web.guard import (
    API,
    LARGEST_BODY,
    LARGEST_UPLOAD,
    PROBES,
    SECRET_ADDRESSES,
    UNLISTED,
    UPLOADS,
)
from scheduler.web.headers import shared

LONGEST_COOKIES = 4 * 1024
LONGEST_HEAD = 32 * 1024  # octets of all headers together
_NO_HOST = frozenset("@/?#\\, \t")  # in an address around a host, or between two
PATIENCE = 30.0  # seconds for a whole body …
LEAST_RATE = 4 * 1024  # … and one more for so many octets of it: a village line is no attack


class Shell:
    """Pure ASGI, around everything but the feeds."""

    def __init__(self, settings: Settings, inner: ASGIApp) -> None:
        self.settings = settings
        self.inner = inner
        self.proxies = settings.proxies
        self.shared = shared(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        origin = Origin(uuid4().hex[:12], self._client(scope))
        scope.setdefault("state", {})["request_id"] = origin.request_id
        with coming_from(origin):
            await self._answer(_kept_secret(scope), receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        dressed = self._dress(scope, send)
        bounded, refusal = _Bounded(scope, receive), self._refusal(scope)
        if refusal:
            await refusal(scope, receive, dressed)
        elif scope["method"] == "HEAD":  # whatever can be got can be asked about
            await self.inner({**scope, "method": "GET"}, bounded, _without_body(dressed))
        else:
            await self.inner(scope, bounded, dressed)

    def _client(self, scope: Scope) -> str:
        """Whose address the request is from; empty where there is none, as behind a Unix socket."""
        if not scope.get("client"):
            return ""
        forwarded = Headers(scope=scope).getlist("x-forwarded-for") if self.proxies else ()
        return proxies.client(str(scope["client"][0]), forwarded, self.proxies)

    def _refusal(self, scope: Scope) -> Response | None:
        if _is_too_long(scope["headers"]):
            return _told(scope, 431, "Request Header Fields Too Large")
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            return _told(scope, 400, "Bad Request")
        if scope["path"] not in PROBES and not self._known_host(Headers(scope=scope)):
            return _told(scope, 400, "Unknown host")
        return None

    def _known_host(self, headers: Headers) -> bool:
        """The configured name; on an installation without one, any name no stranger can own."""
        (named, *more), own = headers.getlist("host") or [""], _host(self.settings.base_url)
        if more or not _NO_HOST.isdisjoint(named):
            return False
        given = _host(f"//{named}")
        return given == own or (_is_local(own) and _is_local(given))

    def _dress(self, scope: Scope, send: Send) -> Send:
        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._headers(scope, MutableHeaders(scope=message))
            await send(message)

        return dressed

    def _headers(self, scope: Scope, headers: MutableHeaders) -> None:
        for name, value in self.shared.items():
            headers.setdefault(name, value)
        secret = scope["path"].startswith(SECRET_ADDRESSES)
        headers["referrer-policy"] = "no-referrer" if secret else "same-origin"
        if secret or scope["path"].startswith(UNLISTED):
            headers["x-robots-tag"] = "noindex"
        headers.setdefault("cache-control", "no-store")
        headers["x-request-id"] = scope["state"]["request_id"]


def _told(scope: Scope, status: int, why: str) -> Response:
    """Before anything is known of the reader: in English, to programs as RFC 9457."""
    if not scope["path"].startswith(API):
        return PlainTextResponse(why, status)
    told = {"type": "about:blank", "title": why, "status": status, "detail": why}
    return JSONResponse(told, status, media_type="application/problem+json")


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


def _is_too_long(headers: list[tuple[bytes, bytes]]) -> bool:
    cookies = sum(len(value) for name, value in headers if name == b"cookie")
    whole = sum(len(name) + len(value) for name, value in headers)
    return cookies > LONGEST_COOKIES or whole > LONGEST_HEAD


@dataclass(slots=True)
class _Bounded:
    """Counts what really arrives, and how long it takes; a stated length alone may lie."""

    scope: Scope
    receive: Receive
    read: int = 0
    begun: float | None = None
    whole: bool = False

    @property
    def most(self) -> int:
        return LARGEST_UPLOAD if self.scope["path"] == UPLOADS else LARGEST_BODY

    async def __call__(self) -> Message:
        if self.whole:  # nothing comes any more but the end of the connection
            return await self.receive()
        stated = Headers(scope=self.scope).get("content-length", "0")
        if stated.isdecimal() and int(stated) > self.most:
            raise _refused(413)
        message = await self._next()
        self.read += len(message.get("body", b""))
        if self.read > self.most:
            raise _refused(413)
        self.whole = not message.get("more_body", False)
        return message

    async def _next(self) -> Message:
        now = anyio.current_time()
        self.begun = now if self.begun is None else self.begun
        left = self.begun + PATIENCE + self.read / LEAST_RATE - now
        with anyio.move_on_after(max(0.0, left)):
            return await self.receive()
        raise _refused(408)


def _refused(status: int) -> HTTPException:
    """With the rest of the body unread, no other request can follow on this connection."""
    return HTTPException(status, headers={"connection": "close"})


def _host(url: str) -> str:
    with suppress(ValueError):
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is no number
        return parts.hostname or ""
    return ""


def _is_local(host: str) -> bool:
    if host == "" or "." not in host:
        return host != ""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True

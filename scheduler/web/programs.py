"""Around the API: a tag on what is read, and answers kept for what must be done once."""

import hashlib

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scheduler.services import kept_answers
from scheduler.services.context import Context
from scheduler.services.kept_answers import Claim
from scheduler.web.guard import ROOMS

CLAIM = "once"  # in the state of a request: the key that it was let in with


class Programs:
    """Pure ASGI, between the shell and the pages."""

    def __init__(self, ctx: Context, inner: ASGIApp) -> None:
        self.ctx = ctx
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(ROOMS):
            await self.inner(scope, receive, send)
            return
        answer = _Answer()
        await self.inner(scope, receive, answer.take)
        if scope["method"] == "GET" and answer.status == 200:
            _tag(Headers(scope=scope), answer)
        claim = scope.get("state", {}).get(CLAIM)
        if isinstance(claim, Claim):
            kind = answer.headers.get("content-type", "")
            await run_in_threadpool(
                kept_answers.end, self.ctx, claim, answer.status, kind, answer.body
            )
        await answer.give(send)


class _Answer:
    """An answer of the API, whole: they are small enough to be held."""

    def __init__(self) -> None:
        self.start: Message = {"type": "http.response.start", "status": 500, "headers": []}
        self.body = b""

    @property
    def status(self) -> int:
        return int(self.start["status"])

    @property
    def headers(self) -> MutableHeaders:
        return MutableHeaders(scope=self.start)

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = {**message, "headers": list(message.get("headers", ()))}
        else:
            self.body += message.get("body", b"")

    async def give(self, send: Send) -> None:
        await send(self.start)
        await send({"type": "http.response.body", "body": self.body})


def _tag(asked: Headers, answer: _Answer) -> None:
    """A strong tag is the room's own, for If-Match; else the answer's, weak as it may be zipped."""
    headers = answer.headers
    if "etag" not in headers:
        headers["etag"] = f'W/"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
    headers["cache-control"] = "private, no-cache"
    given = {each.strip().removeprefix("W/") for each in asked.get("if-none-match", "").split(",")}
    if headers["etag"].removeprefix("W/") in given:
        answer.start["status"], answer.body = 304, b""
        for name in ("content-length", "content-type"):
            del headers[name]

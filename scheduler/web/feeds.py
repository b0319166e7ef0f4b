"""Calendar feeds to calendar clients: an ASGI application in front of all others.

Nothing here needs routing, a session or a template, and a 304 must cost next to nothing.  The
token is taken out of the request's scope at once, so that no log below or above can print it.
"""

import asyncio
import gzip
import logging
import math
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import quote

import anyio
from anyio import to_thread

from scheduler import clock, tracing
from scheduler.delivery import ical
from scheduler.domain import calendars
from scheduler.errors import Busy
from scheduler.locale import Language, translate
from scheduler.services import feeds
from scheduler.services.calendars import ENDED
from scheduler.services.context import Context
from scheduler.store.feed_links import Found, StoredBody
from scheduler.web import conditions, limits
from scheduler.web.conditions import PREFIX, Asked
from scheduler.web.headers import shared
from scheduler.web.tallies import FEED, Tally, known_method

PATIENCE = 2.0  # seconds to wait for the newest body while there is an older one
LONG_PATIENCE = 20.0
RENDERERS = 4
MOST_GIVEN = 2_000
BIG = 40_000  # octets, gzipped: from here on unpacking leaves the event loop

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Messages = tuple[Message, Message]
Question = tuple[Any, ...]  # method, path and headers
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_REDACTED = ("/feeds/[redacted]", b"", b"/feeds/[redacted]")
_ROBOTS = b"User-agent: *\nAllow: /feeds/\nDisallow: /\n"  # Google Calendar obeys it
_ALLOW = (b"allow", b"GET, HEAD, OPTIONS")
_PLAIN = (b"content-type", b"text/plain; charset=utf-8")
_CALENDAR = (b"content-type", b"text/calendar; charset=utf-8")
_JCAL = (b"content-type", b"application/calendar+json")
_ALWAYS: Headers = [
    (b"cache-control", b"private, max-age=0, must-revalidate"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex"),
]
_VARY = (b"vary", b"Accept-Encoding")

logger = logging.getLogger(__name__)


class Answer(NamedTuple):
    """`found`: what the link led to, where the same question may have the same answer again."""

    status: int
    headers: Headers
    body: bytes = b""
    found: Found | None = None


class Given(NamedTuple):
    """An answer as it went out: right again while its link leads to the very same thing."""

    found: Found
    week: date
    until: datetime
    digest: str
    client: str
    messages: Messages


class FeedApp:
    """Answers `/feeds/…` and `/robots.txt`; everything else goes on to `app`."""

    def __init__(self, app: AsgiApp, ctx: Context, tally: Tally | None = None) -> None:
        self._app = app
        self._ctx = ctx
        self._tally = tally or Tally()
        self._reader = feeds.open_reader(ctx)
        self._reads = feeds.read_log(ctx)
        self._limit = limits.Limit()
        self._reads.tell = self._limit.learn
        every = shared(ctx.settings).items()
        self._shared = [(name.encode(), value.encode()) for name, value in every]
        self._given: dict[Question, Given] = {}
        self._questions: dict[str, set[Question]] = {}  # those above, by their path
        self._rendering: dict[int, anyio.Lock] = {}
        self._renderers = anyio.CapacityLimiter(RENDERERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith(PREFIX):
            began, method = clock.monotonic(), scope["method"]
            question = (method, path, *scope["headers"])
            scope["path"], scope["query_string"], scope["raw_path"] = _REDACTED
            status = await (self._traced if tracing.is_on() else self._read)(question, send)
            self._tally.note_feed(method, status, clock.monotonic() - began)
        elif scope["type"] == "http" and path == "/robots.txt":
            await self._send(send, *_messages(Answer(200, [_PLAIN], _ROBOTS), scope["method"]))
        else:
            last = partial(self._closing, send) if scope["type"] == "lifespan" else send
            await self._app(scope, receive, last)

    async def _read(self, question: Question, send: Send) -> int:
        """Answer, with whatever comes of it; its status."""
        try:
            start, body = self._given_before(question) or await self._given_anew(question)
        except Busy as error:
            logger.warning("A calendar feed could not be read: %s", error)
            start, body = _messages(_try_later(), question[0])
        except Exception:  # a calendar client keeps what it has and comes again
            logger.exception("A calendar feed could not be read.")
            start, body = _messages(_try_later(), question[0])
        await self._send(send, start, body)
        status: int = start["status"]
        return status

    async def _traced(self, question: Question, send: Send) -> int:
        method = known_method(question[0])
        with tracing.span(f"{method} {FEED}") as span:
            status = await self._read(question, send)
            if span is not None:
                span.answered(method, FEED, status, "")
            return status

    async def _send(self, send: Send, start: Message, body: Message) -> None:
        if start["status"] != 304:  # its reader keeps those of the answer that it has
            start = {**start, "headers": [*start["headers"], *self._shared]}
        await send(start)
        await send(body)

    async def _closing(self, send: Send, message: MutableMapping[str, Any]) -> None:
        """Whoever serves may stop the loop at the last message: so ours goes before it."""
        if message["type"].startswith("lifespan.shutdown"):
            await to_thread.run_sync(self.close)
        await send(message)

    def close(self) -> None:
        """Write down the last reads and let the database go."""
        feeds.write_reads(self._ctx)
        self._reader.close()

    def _given_before(self, question: Question) -> Messages | None:
        """The answer to the same question, when nothing has changed since; counted as a read.

        Programs ask the same thing for months, and this way costs a third of the other.
        """
        given = self._given.get(question)
        now = self._ctx.now()
        if given is None or now >= given.until or self._ctx.database.moved:
            return None
        found = self._reader.remembered(given.digest, given.week)
        if found is not given.found or self._limit.wait(found.link_id, now) is not None:
            return None
        self._note(found, now, given.client)
        return given.messages

    async def _given_anew(self, question: Question) -> Messages:
        method, path, *headers = question
        if method == "OPTIONS":
            return _messages(Answer(204, [_ALLOW, *_ALWAYS]), method)
        if method not in ("GET", "HEAD"):
            return _messages(Answer(405, [_ALLOW, *_ALWAYS]), method)
        if self._ctx.database.moved:
            return _messages(_try_later(), method)
        asked = conditions.read(path, headers, zips=self._ctx.settings.feed_gzip)
        now = self._ctx.now()
        answer = await self._answer(asked, now)
        messages = _messages(answer, method)
        if answer.found is not None:
            self._keep(question, answer.found, asked, now, messages)
        return messages

    def _keep(
        self, question: Question, found: Found, asked: Asked, now: datetime, messages: Messages
    ) -> None:
        if len(self._given) >= MOST_GIVEN:
            self._given.clear()
            self._questions.clear()
        # Nobody asks again with the tag of a body that is gone: its answer would only take room.
        asked_here = self._questions.setdefault(question[1], set())
        for old in [x for x in asked_here if self._given[x].found is not found]:
            asked_here.discard(old)
            del self._given[old]
        asked_here.add(question)
        week, until = _week_of(now.date())
        self._given[question] = Given(found, week, until, asked.digest, asked.client, messages)

    async def _answer(self, asked: Asked, now: datetime) -> Answer:
        found = await self._find(asked.digest, now)
        if found is None or not asked.name.endswith((conditions.ICS, conditions.JSON)):
            return _unknown()
        if found.revoked_at is not None:
            return self._ended(found, found.revoked_at, now)
        # Whatever was wrong above cost a hash and a read: no more than counting it would save.
        wait = self._limit.wait(found.link_id, now)
        if wait is not None:
            return _too_often(wait)
        if not found.fresh:
            found = await self._renewed(found, asked.digest, now)
        if found is None:
            return _unknown()
        if found.etag is None or found.changed_at is None:
            return _try_later()
        self._note(found, now, asked.client)
        known = conditions.known_tag(asked, found.etag, found.changed_at, now)
        if known:
            by_tag = found if asked.if_none_match is not None and found.fresh else None
            return Answer(304, _headers(known, found.changed_at), found=by_tag)
        body = await self._body(found.feed_id, found.changed_at)
        return _try_later() if body is None else await _whole(body, asked, found)

    async def _find(self, digest: str, now: datetime) -> Found | None:
        week, _ = _week_of(now.date())
        if self._reader.quick:  # microseconds: a thread would cost more
            return self._reader.find(digest, week)
        known = self._reader.remembered(digest, week)
        return known or await to_thread.run_sync(self._reader.find, digest, week)

    async def _body(self, feed_id: int, changed_at: datetime) -> StoredBody | None:
        if self._reader.quick:
            return self._reader.body(feed_id, changed_at)
        kept = self._reader.kept_body(feed_id, changed_at)
        return kept or await to_thread.run_sync(self._reader.body, feed_id, changed_at)

    def _ended(self, found: Found, at: datetime, now: datetime) -> Answer:
        if now - at > calendars.GONE_FOR:
            return _unknown()
        language = Language(found.language)
        if found.farewell:
            body = feeds.farewell(self._ctx, found.link_id, at, language)
            return Answer(410, [_CALENDAR, *_ALWAYS], body)
        return Answer(410, [_PLAIN, *_ALWAYS], f"{translate(ENDED, language)}\n".encode())

    async def _renewed(self, found: Found, digest: str, now: datetime) -> Found | None:
        """The feed brought up to date, or after some patience as it is."""
        patience = LONG_PATIENCE if found.etag is None else PATIENCE
        turn = self._rendering.setdefault(found.feed_id, anyio.Lock())
        with anyio.move_on_after(patience):
            async with turn:
                newest = await self._find(digest, now)
                if newest is not None and not newest.fresh:
                    await self._render(found.feed_id)
        return await self._find(digest, now)

    async def _render(self, feed_id: int) -> None:
        try:
            await to_thread.run_sync(
                partial(feeds.render_feed, self._ctx, feed_id),
                abandon_on_cancel=True,
                limiter=self._renderers,
            )
        except Exception:  # the older body is better than none
            logger.exception("Feed %d could not be rendered.", feed_id)

    def _note(self, found: Found, now: datetime, client: str) -> None:
        if self._reads.note(found.link_id, now, client):
            asyncio.get_running_loop().run_in_executor(None, self._flush)

    def _flush(self) -> None:
        try:
            feeds.flush_reads(self._ctx)
        except Exception:  # nobody waits for these stamps
            logger.exception("Reads of calendar links could not be written down.")


@lru_cache(maxsize=8)
def _week_of(day: date) -> tuple[date, datetime]:
    """The week of a day in UTC, and when it ends."""
    begins = datetime.combine(day, time(), UTC)
    week = calendars.week_of(begins)
    return week, datetime.combine(week, time(), UTC) + timedelta(days=7)


@lru_cache(maxsize=1024)
def _headers(tag: str, changed_at: datetime) -> Headers:
    date = format_datetime(changed_at, usegmt=True).encode()
    return [(b"etag", tag.encode()), (b"last-modified", date), _VARY, *_ALWAYS]


async def _whole(stored: StoredBody, asked: Asked, found: Found) -> Answer:
    about = _headers(asked.tag(stored.etag), stored.changed_at)
    if asked.jcal:
        body = await to_thread.run_sync(_as_jcal, stored.etag, stored.packed)
        return Answer(200, [*about, _JCAL], body)
    headers = [*about, _CALENDAR, (b"content-disposition", _disposition(asked.name))]
    if asked.accepts_gzip:
        # Only this form is kept anyway.  The body may be newer than what the link led to.
        same = found if found.fresh and stored.changed_at == found.changed_at else None
        return Answer(200, [*headers, (b"content-encoding", b"gzip")], stored.packed, same)
    unpack = partial(gzip.decompress, stored.packed)
    big = len(stored.packed) > BIG
    return Answer(200, headers, await to_thread.run_sync(unpack) if big else unpack())


@lru_cache(maxsize=16)
def _as_jcal(_etag: str, packed: bytes) -> bytes:
    return ical.as_jcal(gzip.decompress(packed))


@lru_cache(maxsize=1024)
def _disposition(name: str) -> bytes:
    plain = calendars.slug(name.removesuffix(".ics"))
    full = quote(name, safe="", errors="replace")
    return f"inline; filename=\"{plain}.ics\"; filename*=UTF-8''{full}".encode()


def _unknown() -> Answer:
    """The same for a link that never was, a malformed one, and one of a disabled person."""
    return Answer(404, [_PLAIN, *_ALWAYS], b"There is no calendar at this address.\n")


def _too_often(wait: timedelta) -> Answer:
    seconds = str(math.ceil(wait.total_seconds())).encode()
    told = b"This calendar is read too often. Once an hour is enough.\n"
    return Answer(429, [_PLAIN, (b"retry-after", seconds), *_ALWAYS], told)


def _try_later() -> Answer:
    return Answer(503, [_PLAIN, (b"retry-after", b"60"), *_ALWAYS], b"Please try again.\n")


def _messages(answer: Answer, method: str) -> Messages:
    """HEAD has the headers of GET, its length too, and no body."""
    headers = answer.headers
    if answer.status not in (204, 304):
        headers = [*headers, (b"content-length", str(len(answer.body)).encode())]
    start = {"type": "http.response.start", "status": answer.status, "headers": headers}
    body = b"" if method == "HEAD" else answer.body
    return start, {"type": "http.response.body", "body": body}

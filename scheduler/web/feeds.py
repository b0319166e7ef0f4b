"""Calendar feeds to calendar clients: an ASGI application in front of all others.

Nothing here needs routing, a session or a template, and a 304 must cost next to nothing.  The
token is taken out of the request's scope at once, so that no log below or above can print it.
"""

import asyncio
import gzip
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import quote

import anyio
from anyio import to_thread

from scheduler import security
from scheduler.delivery import ical
from scheduler.domain import calendars
from scheduler.errors import text
from scheduler.locale import Language, translate
from scheduler.services import feeds
from scheduler.services.context import Context
from scheduler.store.feed_links import Found, StoredBody
from scheduler.web import limits

PATIENCE = 2.0  # seconds to wait for the newest body while there is an older one
LONG_PATIENCE = 20.0
RENDERERS = 4
BIG = 40_000  # octets, gzipped: from here on unpacking leaves the event loop

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_PREFIX = "/feeds/"
_REDACTED = "/feeds/[redacted]"
_ROBOTS = b"User-agent: *\nAllow: /feeds/\nDisallow: /\n"  # Google Calendar obeys it
_ALLOW = (b"allow", b"GET, HEAD, OPTIONS")
_PLAIN = (b"content-type", b"text/plain; charset=utf-8")
_CALENDAR = (b"content-type", b"text/calendar; charset=utf-8")
_JCAL = (b"content-type", b"application/calendar+json")
_ICS, _JSON = ".ics", ".json"
_ALWAYS: Headers = [
    (b"cache-control", b"private, max-age=0, must-revalidate"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex"),
    (b"x-content-type-options", b"nosniff"),
]
_VARY = (b"vary", b"Accept-Encoding")
_COUNTS = frozenset((b"if-none-match", b"if-modified-since", b"accept-encoding", b"user-agent"))

logger = logging.getLogger(__name__)


# These two are made at each request: tuples, for a frozen dataclass takes four times as long.
class Answer(NamedTuple):
    status: int
    headers: Headers
    body: bytes = b""


class Asked(NamedTuple):
    """What of a request counts here."""

    token: str
    name: str
    if_none_match: str | None
    if_modified_since: str | None
    accepts_gzip: bool
    client: str

    @property
    def jcal(self) -> bool:
        """The same calendar at a URL of its own: no client is asked what it would rather have."""
        return self.name.endswith(_JSON)

    @property
    def wanted(self) -> str:
        """Which of its forms the calendar has, as its tag ends."""
        return "-j" if self.jcal else "-gz" if self.accepts_gzip else ""


class FeedApp:
    """Answers `/feeds/…` and `/robots.txt`; everything else goes on to `app`."""

    def __init__(self, app: AsgiApp, ctx: Context) -> None:
        self._app = app
        self._ctx = ctx
        self._reader = feeds.open_reader(ctx)
        self._reads = feeds.read_log(ctx)
        self._limit = limits.Limit()
        self._rendering: dict[int, anyio.Lock] = {}
        self._renderers = anyio.CapacityLimiter(RENDERERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith(_PREFIX):
            await _send(await self._feed(scope, path), scope["method"], send)
        elif scope["type"] == "http" and path == "/robots.txt":
            await _send(Answer(200, [_PLAIN], _ROBOTS), scope["method"], send)
        else:
            last = partial(self._closing, send) if scope["type"] == "lifespan" else send
            await self._app(scope, receive, last)

    async def _closing(self, send: Send, message: MutableMapping[str, Any]) -> None:
        """Whoever serves may stop the loop at the last message: so ours goes before it."""
        if message["type"].startswith("lifespan.shutdown"):
            await to_thread.run_sync(self.close)
        await send(message)

    def close(self) -> None:
        """Write down the last reads and let the database go."""
        feeds.write_reads(self._ctx)
        self._reader.close()

    async def _feed(self, scope: Scope, path: str) -> Answer:
        method = scope["method"]
        asked = _asked(path, scope["headers"], self._ctx.settings.feed_gzip)
        scope["path"], scope["query_string"] = _REDACTED, b""
        scope["raw_path"] = _REDACTED.encode()
        if method == "OPTIONS":
            return Answer(204, [_ALLOW, *_ALWAYS])
        if method not in ("GET", "HEAD"):
            return Answer(405, [_ALLOW, *_ALWAYS])
        try:
            return await self._answer(asked)
        except Exception:  # a calendar client keeps what it has and comes again
            logger.exception("A calendar feed could not be read.")
            return _try_later()

    async def _answer(self, asked: Asked) -> Answer:
        now = self._ctx.now()
        digest = security.digest(asked.token)
        found = await self._find(digest, now)
        if found is None or not asked.name.endswith((_ICS, _JSON)):
            return _unknown()
        if found.revoked_at is not None:
            return self._ended(found, found.revoked_at, now)
        # Whatever was wrong above cost a hash and a read: no more than counting it would save.
        wait = self._limit.wait(found.link_id, now)
        if wait is not None:
            return _too_often(wait)
        if not found.fresh:
            found = await self._renewed(found, digest, now)
        if found is None:
            return _unknown()
        if found.etag is None or found.changed_at is None:
            return _try_later()
        self._note(found, now, asked.client)
        known = _known_tag(asked, found.etag, found.changed_at, now)
        if known:
            return Answer(304, _headers(known, found.changed_at))
        body = await self._body(found.feed_id, found.changed_at)
        return _try_later() if body is None else await _whole(body, asked)

    async def _find(self, digest: str, now: datetime) -> Found | None:
        week = _week_of(now.date())
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
        said = text("This calendar link has been ended. Make a new one on your Chung Tay page.")
        return Answer(410, [_PLAIN, *_ALWAYS], f"{translate(said, language)}\n".encode())

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
        self._reads.note(found.link_id, now, client)
        if self._reads.due(now):
            asyncio.get_running_loop().run_in_executor(None, self._flush)

    def _flush(self) -> None:
        try:
            feeds.flush_reads(self._ctx)
        except Exception:  # nobody waits for these stamps
            logger.exception("Reads of calendar links could not be written down.")


def _asked(path: str, headers: Iterable[tuple[bytes, bytes]], zips: bool) -> Asked:
    token, _, name = path[len(_PREFIX) :].partition("/")
    tags: list[str] = []
    since, gzips, client = None, False, ""
    for key, value in headers:
        if key not in _COUNTS:
            continue
        if key == b"if-none-match":
            tags.append(value.decode("latin-1"))
        elif key == b"accept-encoding":
            gzips = gzips or _accepts_gzip(value)
        elif key == b"user-agent":
            client = _client(value)
        else:
            since = value.decode("latin-1")
    given = ",".join(tags) if tags else None
    return Asked(token, name, given, since, zips and gzips, client)


@lru_cache(maxsize=8)
def _week_of(day: date) -> date:
    return calendars.week_of(datetime(day.year, day.month, day.day, tzinfo=UTC))


@lru_cache(maxsize=256)
def _client(user_agent: bytes) -> str:
    return calendars.client_of(user_agent[:500].decode("latin-1"))


@lru_cache(maxsize=256)
def _accepts_gzip(value: bytes) -> bool:
    """True when gzip is named: `*` is no request for it."""
    for item in value.decode("latin-1").lower().split(","):
        coding, _, weight = item.partition(";")
        if coding.strip() in ("gzip", "x-gzip"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _known_tag(asked: Asked, etag: str, changed_at: datetime, now: datetime) -> str | None:
    """The ETag that the client's copy has when that copy is still right, else None.

    Tags win over dates.  A copy in the other encoding is as right as one in this.
    """
    wanted = _tag(etag, asked.wanted)
    if asked.if_none_match is not None:
        if asked.if_none_match == wanted:
            return wanted
        given = {item.strip().removeprefix("W/") for item in asked.if_none_match.split(",")}
        if wanted in given or "*" in given:
            return wanted
        other = _tag(etag, "" if asked.accepts_gzip else "-gz")
        return other if other in given and not asked.jcal else None
    if asked.if_modified_since is not None:
        since = _date(asked.if_modified_since)
        if since is not None and changed_at <= since <= now:
            return wanted
    return None


@lru_cache(maxsize=256)
def _date(value: str) -> datetime | None:
    """An HTTP date; None for anything else."""
    try:
        read = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def _tag(etag: str, form: str) -> str:
    return f'"{etag}{form}"'


@lru_cache(maxsize=1024)
def _headers(tag: str, changed_at: datetime) -> Headers:
    date = format_datetime(changed_at, usegmt=True).encode()
    return [(b"etag", tag.encode()), (b"last-modified", date), _VARY, *_ALWAYS]


async def _whole(stored: StoredBody, asked: Asked) -> Answer:
    about = _headers(_tag(stored.etag, asked.wanted), stored.changed_at)
    if asked.jcal:
        body = await to_thread.run_sync(_as_jcal, stored.etag, stored.packed)
        return Answer(200, [*about, _JCAL], body)
    headers = [*about, _CALENDAR, (b"content-disposition", _disposition(asked.name))]
    if asked.accepts_gzip:
        return Answer(200, [*headers, (b"content-encoding", b"gzip")], stored.packed)
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


async def _send(answer: Answer, method: str, send: Send) -> None:
    """HEAD has the headers of GET, its length too, and no body."""
    headers = answer.headers
    if answer.status not in (204, 304):
        headers = [*headers, (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = b"" if method == "HEAD" else answer.body
    await send({"type": "http.response.body", "body": body})

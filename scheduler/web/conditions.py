"""What a calendar client asks: which form of the calendar, and which copy it has (RFC 9110)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from scheduler import security
from scheduler.domain import calendars

PREFIX = "/feeds/"
ICS, JSON = ".ics", ".json"
_COUNTS = frozenset((b"if-none-match", b"if-modified-since", b"accept-encoding", b"user-agent"))


class Asked(NamedTuple):
    """What of a request counts; of its token the hash.  A tuple: frozen dataclasses are slower."""

    digest: str
    name: str
    if_none_match: str | None
    if_modified_since: str | None
    accepts_gzip: bool
    client: str

    @property
    def jcal(self) -> bool:
        """The same calendar at a URL of its own: no client is asked what it would rather have."""
        return self.name.endswith(JSON)

    def tag(self, etag: str) -> str:
        """The tag of the calendar in the form asked for."""
        return _tag(etag, "-j" if self.jcal else "-gz" if self.accepts_gzip else "")


def read(path: str, headers: Iterable[tuple[bytes, bytes]], *, zips: bool) -> Asked:
    """The request for a feed's path; `zips`: gzip may be had at all."""
    token, _, name = path[len(PREFIX) :].partition("/")
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
    return Asked(security.digest(token), name, given, since, zips and gzips, client)


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


def known_tag(asked: Asked, etag: str, changed_at: datetime, now: datetime) -> str | None:
    """The tag that the client's copy has when that copy is still right, else None.

    Tags win over dates.  A copy in the other encoding is as right as one in this.
    """
    wanted = asked.tag(etag)
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

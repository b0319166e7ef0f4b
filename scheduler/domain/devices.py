"""Browsers that take messages: what one tells of itself, and how it is named.  Pure."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from urllib.parse import urlsplit

from scheduler.errors import Invalid, Text, text

DeviceId = NewType("DeviceId", int)

MOST_DEVICES = 10
LONGEST_ENDPOINT = 1000
LONGEST_NAME = 60
_BETWEEN = " · "
_P256DH, _AUTH = 65, 16  # bytes: an uncompressed point of P-256, a shared secret
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}={0,2}", re.ASCII)
_ENDPOINT = re.compile(r"https://[!-~]+", re.ASCII)

# The first that a browser's description of itself holds names it; some hold several.
_PROGRAMS = (
    ("edg", "Edge"),
    ("opr/", "Opera"),
    ("samsungbrowser", "Samsung Internet"),
    ("coc_coc", "Cốc Cốc"),
    ("firefox", "Firefox"),
    ("fxios", "Firefox"),
    ("crios", "Chrome"),
    ("chrome", "Chrome"),
    ("safari", "Safari"),
)
_MACHINES = (
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("android", "Android"),
    ("windows", "Windows"),
    ("cros", "Chromebook"),
    ("macintosh", "Mac"),
    ("linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a browser takes messages, and the keys that only it can open them with (base64url)."""

    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True)
class Device:
    """A browser of one person; `mark` tells it from others without telling its address."""

    id: DeviceId
    name: str
    mark: str
    created_at: datetime
    last_good_at: datetime | None


def subscription(endpoint: str, p256dh: str, auth: str) -> Subscription:
    """What a browser sent, if it can be one; raises Invalid."""
    good = (
        len(endpoint) <= LONGEST_ENDPOINT
        and _ENDPOINT.fullmatch(endpoint)
        and _has_host(endpoint)
        and _length(p256dh) == _P256DH
        and _length(auth) == _AUTH
    )
    if not good:
        raise Invalid(
            text("This browser did not say where it takes messages. Load the page and try again.")
        )
    return Subscription(endpoint, p256dh, auth)


def _has_host(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        return bool(parts.hostname) and "@" not in parts.netloc and parts.port in (None, 443)
    except ValueError:
        return False


def _length(key: str) -> int:
    if not _KEY.fullmatch(key):
        return 0
    try:
        return len(base64.urlsafe_b64decode(key.rstrip("=") + "=" * (-len(key.rstrip("=")) % 4)))
    except binascii.Error:
        return 0


def name_of(user_agent: str) -> str:
    """Chrome · Android: what its owner tells it from the others by; empty for one unheard of."""
    told = user_agent.lower()
    parts = (
        next((name for sign, name in known if sign in told), "") for known in (_PROGRAMS, _MACHINES)
    )
    return _BETWEEN.join(filter(None, parts))


def said(name: str) -> Text:
    """What `name_of` found, in a reader's words: Chrome trên Android, Trình duyệt khác."""
    program, _, machine = name.partition(_BETWEEN)
    if machine:
        return text("{program} on {machine}", program=program, machine=machine)
    return Text(name) if name else text("Another browser")

"""Read a calendar of another house over HTTP, and nothing but a public calendar.

The address is a secret of its owner: it is in no sentence, no log line, and no shown cause of an
error.
"""

import http.client
import re
import ssl
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urljoin

from scheduler.delivery import network as networks
from scheduler.delivery import targets
from scheduler.delivery.network import Deadline, Forbidden, Line, Network
from scheduler.delivery.targets import BadTarget, Target
from scheduler.domain.busy import Fetched
from scheduler.errors import Invalid, Text, text

SECONDS = 10.0
LARGEST_MB = 5
MOST_REDIRECTS = 5
LONGEST_ADDRESS = 2000
# Some calendars answer 500 to a program that they do not take for a browser.
USER_AGENT = "Mozilla/5.0 (compatible; ChungTay calendar reader)"

_LARGEST = LARGEST_MB * 1_000_000
_PIECE = 64 * 1024
_LONGEST_MARK = 500
_PUBLIC = Network()
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?\s*BEGIN:VCALENDAR\s", re.IGNORECASE)
_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml|head|body|!--)", re.IGNORECASE)

# One sentence for all: who tries addresses of a house from outside learns nothing from it.
_NOT_ALLOWED = text(
    "This address is not allowed. A calendar has a public https address, without a name, a password"
    " or a port in it. Copy it again from your calendar."
)
_OTHER_NAMES = {"webcal": "https", "webcals": "https"}


class Refused(Invalid):
    """The calendar was not read; the sentence says why and never where."""


def fetch(
    address: str,
    *,
    etag: str | None,
    last_modified: str | None,
    now: datetime,
    inside: frozenset[str] = frozenset(),
    network: Network = _PUBLIC,
) -> Fetched | None:
    """The calendar at this address; None when it is as it was at the reading that gave the marks.

    `etag` and `last_modified` are those of the last good reading; `inside` are the hosts of the
    house that the operator opened by name, whatever their addresses are.  Takes at most 10 seconds
    in all.  Raises Refused, with a sentence for the calendar's owner.
    """
    marks = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    asked = {name: value for name, value in marks.items() if value is not None}
    try:
        return _follow(address, asked, now, replace(network, inside=inside))
    except Refused:
        raise
    except Forbidden:
        raise Refused(_NOT_ALLOWED) from None
    except TimeoutError:
        raise Refused(
            text("The calendar took longer than {seconds} seconds to answer.", seconds=int(SECONDS))
        ) from None
    except ssl.SSLCertVerificationError:
        raise Refused(
            text("The calendar's server could not prove that it is the one of this address.")
        ) from None
    except (OSError, http.client.HTTPException, UnicodeError, ValueError, zlib.error):
        # Their words may quote the address, so they are not shown as the cause either.
        raise Refused(text("The calendar's server could not be reached or understood.")) from None


def _follow(address: str, marks: dict[str, str], now: datetime, network: Network) -> Fetched | None:
    deadline = Deadline(SECONDS)
    secure = False
    for _ in range(MOST_REDIRECTS + 1):
        target = _target(address, network)
        if secure and target.scheme != "https":
            raise Refused(text("The calendar is passed on to an address without encryption."))
        secure = target.scheme == "https"
        answer = _answer(target, marks, network, deadline)
        try:
            if answer.status not in _REDIRECTS:
                return _taken(answer, marks, now)
            address = urljoin(target.url, answer.getheader("Location") or "")
        finally:
            answer.close()
    raise Refused(text("The calendar is passed on from address to address without an end."))


def _target(address: str, network: Network) -> Target:
    if len(address) > LONGEST_ADDRESS:
        raise Refused(_NOT_ALLOWED)
    try:
        return targets.read(address.strip(), network, _OTHER_NAMES)
    except BadTarget:
        raise Refused(_NOT_ALLOWED) from None


def _answer(
    target: Target, marks: dict[str, str], network: Network, deadline: Deadline
) -> http.client.HTTPResponse:
    """The head of the answer from an address that was checked; closing it ends the line."""
    addresses = networks.checked_addresses(network, target.host, deadline)
    line = networks.connect(addresses, target.port, deadline)
    try:
        if target.scheme == "https":
            line.settimeout(deadline.left())
            line = network.authorities().wrap_socket(line, server_hostname=target.host)
        asking = http.client.HTTPConnection(target.bracketed, target.port)
        asking.sock = Line(line, deadline)
        asking.putrequest("GET", target.path, skip_host=True, skip_accept_encoding=True)
        for name, value in _headers(target, marks):
            asking.putheader(name, value)
        asking.endheaders()
        return asking.getresponse()
    except BaseException:
        line.close()
        raise


def _headers(target: Target, marks: dict[str, str]) -> Iterator[tuple[str, str]]:
    yield "Host", target.authority
    yield "User-Agent", USER_AGENT
    yield "Accept", "text/calendar, */*;q=0.5"
    yield "Accept-Encoding", "gzip"
    yield "Connection", "close"
    yield from marks.items()


def _taken(
    answer: http.client.HTTPResponse, marks: dict[str, str], now: datetime
) -> Fetched | None:
    if answer.status == HTTPStatus.NOT_MODIFIED and marks:
        return None
    if answer.status != HTTPStatus.OK:
        raise Refused(_words_for(answer.status))
    body = b"".join(_pieces(answer))
    if not body.strip():
        raise Refused(text("The calendar's server sent nothing."))
    if _PAGE.match(body):
        raise Refused(text("This address leads to a web page, not to a calendar."))
    if not _BEGINS.match(body):
        raise Refused(text("What is at this address is not a calendar."))
    etag, changed = _mark(answer.getheader("ETag")), _mark(answer.getheader("Last-Modified"))
    return Fetched(body, etag, changed, now)


def _words_for(status: int) -> Text:
    if status in (401, 403, 407):
        return text("The calendar is closed to us. Share it by a secret address and use that one.")
    if status in (404, 410):
        return text("There is no calendar at this address any more.")
    return text("The calendar's server has trouble of its own (answer {status}).", status=status)


def _mark(said: str | None) -> str | None:
    """A mark that can be sent back as it came; a longer or stranger one is no use."""
    if said is None or len(said) > _LONGEST_MARK or not (said.isascii() and said.isprintable()):
        return None
    return said


def _pieces(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """The body unpacked, refused as soon as it is too large or when its end is missing.

    Half a calendar would free its owner for all that the other half holds.
    """
    coding = (answer.getheader("Content-Encoding") or "identity").strip().lower()
    if coding not in ("identity", "gzip", "x-gzip"):
        raise Refused(text("What is at this address is not a calendar."))
    size = 0
    for piece in _unpacked(answer) if coding != "identity" else _raw(answer):
        size += len(piece)
        if size > _LARGEST:
            raise _too_large()
        yield piece


def _raw(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    size = 0
    while piece := answer.read(_PIECE):
        size += len(piece)
        if size > _LARGEST:
            raise _too_large()
        yield piece
    if answer.length:
        raise http.client.IncompleteRead(b"", answer.length)


def _unpacked(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    for packed in _raw(answer):
        if unpacking.eof:
            raise zlib.error("more after the end")
        waiting = packed
        while waiting:
            yield unpacking.decompress(waiting, _PIECE)
            waiting = unpacking.unconsumed_tail
        if unpacking.unused_data:
            raise zlib.error("more after the end")
    yield unpacking.flush()
    if not unpacking.eof:
        raise zlib.error("the end is missing")


def _too_large() -> Refused:
    return Refused(text("The calendar is larger than {most} MB.", most=LARGEST_MB))

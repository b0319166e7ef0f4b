"""Mail as bytes: templates and values become words, the words of a letter a message.

The message is put together from bytes: the standard library's builder takes a hundred times as
long, and what it makes reads the same.
"""

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr
from functools import cache, lru_cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from scheduler.config import data_dir
from scheduler.locale import Language, translations

LONGEST_SUBJECT = 200
LONGEST_NAME = 100
LONGEST_ADDRESS = 254
LONGEST_VALUE = 980  # of a header that must stay on one line, which may have 998 octets
_ENCODED = 39  # octets in one encoded word: a line with the longest header name stays under 76
_PLAIN = 60
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)")
# Line breaks of every kind, halves of letters, and marks that turn the order of what follows.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_PHRASE = re.compile(rf"{_ATOM}(?: {_ATOM})*")


class BadAddress(ValueError):
    """No mail can be addressed to this; it is not repeated, for errors reach logs."""

    def __init__(self) -> None:
        super().__init__("no address that mail can reach")


@dataclass(frozen=True, slots=True)
class Letter:
    """The words of a message, in the reader's language."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """All of a message but its words; `stop_url` ends the reminders at one press."""

    message_id: str
    sender: str
    name: str
    address: str
    date: datetime
    stop_url: str | None = None


def render(template: str, language: Language, subject: str, values: Mapping[str, object]) -> Letter:
    """The letter that `templates/mail/<template>.txt` and `.html` make of these values."""
    pages = _templates(language)
    given = {"subject": subject, "language": language, **values}
    plain = pages.get_template(f"mail/{template}.txt").render(given)
    rich = pages.get_template(f"mail/{template}.html").render(given)
    return Letter(subject, plain.strip() + "\n", rich)


@cache
def _templates(language: Language) -> Environment:
    pages = Environment(
        loader=FileSystemLoader(data_dir("templates")),
        auto_reload=False,  # looking at each file's time costs more than rendering it
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.policies["ext.i18n.trimmed"] = True
    pages.install_gettext_translations(  # type: ignore[attr-defined]  # made by the extension
        translations(language), newstyle=True
    )
    pages.globals["_"] = pages.globals["gettext"]  # else found anew by name for each sentence
    return pages


# A boundary with "=_" comes up neither in quoted-printable nor in base64.
_HEAD = b"""\
Subject: %b
From: %b
To: %b
Date: %b
Message-ID: %b
Auto-Submitted: auto-generated
%bMIME-Version: 1.0
""".replace(b"\n", b"\r\n")
_STOP = b"""\
List-Unsubscribe: <%b>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
""".replace(b"\n", b"\r\n")
_WORDS = b"""\
Content-Type: multipart/alternative; boundary="=_words"

--=_words
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

%b
--=_words
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

%b
%b--=_words--
""".replace(b"\n", b"\r\n")
_CALENDAR = b"""\
--=_words
Content-Type: text/calendar; charset="utf-8"; method=%b
Content-Transfer-Encoding: quoted-printable

%b
""".replace(b"\n", b"\r\n")
_WITH_FILE = b"""\
Content-Type: multipart/mixed; boundary="=_mixed"

--=_mixed
%b
--=_mixed
Content-Type: application/ics; name="invite.ics"
Content-Disposition: attachment; filename="invite.ics"
Content-Transfer-Encoding: quoted-printable

%b
--=_mixed--
""".replace(b"\n", b"\r\n")


def build(envelope: Envelope, letter: Letter, invitation: bytes | None = None) -> bytes:
    """The message as it goes out; raises BadAddress.  No value can add a header of its own.

    `invitation` is a calendar with a METHOD: programs that show invitations look for it among the
    alternatives, the others offer it as the file invite.ics.
    """
    stop = _STOP % _verbatim(envelope.stop_url) if envelope.stop_url else b""
    head = _HEAD % (
        b"\r\n ".join(_encoded(one_line(letter.subject)[:LONGEST_SUBJECT].strip())),
        _sender(envelope.sender),
        _mailbox(envelope.name, envelope_address(envelope.address)),
        format_datetime(envelope.date).encode(),
        _verbatim(envelope.message_id),
        stop,
    )
    calendar = b"" if invitation is None else _quoted(invitation)
    told = b"" if invitation is None else _CALENDAR % (_method(invitation), calendar)
    words = _WORDS % (_printable(letter.text), _printable(letter.html), told)
    return head + (words if invitation is None else _WITH_FILE % (words, calendar))


def one_line(value: str) -> str:
    """The text without line breaks and other signs that a header must not hold."""
    return " ".join(_CONTROL.sub(" ", value).split())


def envelope_address(address: str) -> str:
    """The address as relays take it, its domain in ASCII; raises BadAddress."""
    local, at, domain = address.rpartition("@")
    try:
        found = _ADDRESS.fullmatch(local + at + domain.encode("idna").decode())
    except UnicodeError:
        found = None
    if found is None or len(address) > LONGEST_ADDRESS:
        raise BadAddress
    return found[0]


@lru_cache(maxsize=16)
def _sender(written: str) -> bytes:
    name, address = parseaddr(written)
    return _mailbox(name, envelope_address(address))


def _mailbox(name: str, address: str) -> bytes:
    """A name and an address as a header holds them."""
    shown = one_line(name)[:LONGEST_NAME].strip()
    if not shown:
        return address.encode()
    if _PHRASE.fullmatch(shown) and _is_plain(shown):
        words = [shown.encode()]
    elif _is_plain(shown):
        words = [b'"%b"' % re.sub(r'(["\\])', r"\\\1", shown).encode()]
    else:
        words = list(_encoded(shown))
    together = len(words[-1]) + len(address) < _PLAIN
    return b"\r\n ".join(words) + (b" " if together else b"\r\n ") + b"<%b>" % address.encode()


def _is_plain(value: str) -> bool:
    return value.isascii() and len(value) <= _PLAIN and "=?" not in value


def _encoded(value: str) -> Iterator[bytes]:
    """The pieces of a header's value, one a line (RFC 2047); no letter is parted."""
    if _is_plain(value):
        yield value.encode()
        return
    raw = value.encode()
    while raw:
        cut = _ENCODED
        while raw[cut : cut + 1] and raw[cut] & 0xC0 == 0x80:
            cut -= 1
        yield b"=?utf-8?b?%b?=" % binascii.b2a_base64(raw[:cut], newline=False)
        raw = raw[cut:]


def _verbatim(value: str) -> bytes:
    """What must stand as it is: folded, a long link would no longer be one."""
    if len(value) > LONGEST_VALUE or not _VISIBLE.fullmatch(value):
        raise ValueError("this value cannot stand in a header")
    return value.encode()


def _printable(words: str) -> bytes:
    plain = words.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    return _quoted(plain.encode(errors="replace"))


def _quoted(content: bytes) -> bytes:
    """Quoted-printable, of lines that end in CRLF."""
    if b"\n" in content:
        return binascii.b2a_qp(content)
    return binascii.b2a_qp(content + b"\r\n")[:-2]  # it breaks lines as the first one ends


def _method(invitation: bytes) -> bytes:
    found = re.search(rb"(?m)^METHOD:([A-Z]+)\r$", invitation)
    if found is None:
        raise ValueError("an invitation says what is to be done with it")
    return found[1]

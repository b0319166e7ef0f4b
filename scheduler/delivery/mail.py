"""Mail: a letter becomes a message, and a transport says what became of it.

The relay is driven step by step, because what matters is how far a failed conversation came:
before the final dot nothing can have been accepted, after it only an answer tells.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, parseaddr
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from scheduler.config import data_dir
from scheduler.locale import Language, translations

TIMEOUT = 30.0
LONGEST_SUBJECT = 200
LONGEST_ADDRESS = 254
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class BadAddress(ValueError):
    """No mail can be addressed to this."""


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
    return pages


def build(envelope: Envelope, letter: Letter) -> bytes:
    """The message as it goes out; raises BadAddress.  No value can add a header of its own."""
    message = EmailMessage(policy=_POLICY)
    message["Subject"] = one_line(letter.subject)[:LONGEST_SUBJECT]
    message["From"] = _address(*parseaddr(envelope.sender))
    message["To"] = _address(envelope.name, envelope.address)
    message["Date"] = format_datetime(envelope.date)
    message["Message-ID"] = envelope.message_id
    message["Auto-Submitted"] = "auto-generated"
    if envelope.stop_url:
        message["List-Unsubscribe"] = f"<{envelope.stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return message.as_bytes()


def one_line(value: str) -> str:
    """The text without line breaks and other signs that a header must not hold."""
    return " ".join(_CONTROL.sub(" ", value).split())


def envelope_address(address: str) -> str:
    """The address as relays take it, its domain in ASCII; raises BadAddress."""
    return _address("", address).addr_spec


def _address(name: str, address: str) -> Address:
    local, at, domain = address.rpartition("@")
    try:
        found = _ADDRESS.fullmatch(local + at + domain.encode("idna").decode())
    except UnicodeError:
        found = None
    if found is None or len(address) > LONGEST_ADDRESS:
        raise BadAddress(address)
    return Address(one_line(name), found[1], found[2])


class _Verbatim(UnstructuredHeader, BaseHeader):
    """A header that is written as it is: folded, a long link would no longer be one."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _policy() -> Policy:
    headers = HeaderRegistry()
    for name in ("list-unsubscribe", "message-id"):
        headers.map_to_type(name, _Verbatim)
    return SMTP.clone(header_factory=headers)


_POLICY = _policy()

"""Mail: a letter becomes a message, and a transport says what became of it.

The relay is driven step by step, because what matters is how far a failed conversation came:
before the final dot nothing can have been accepted, after it only an answer tells.
"""

import re
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, parseaddr
from functools import cache
from urllib.parse import unquote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from scheduler.config import data_dir
from scheduler.delivery.channels import Outcome, Parcel, Receipt
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


class SmtpTransport:
    """A relay at `smtp://[user:password@]host[:port]`, or `smtps://` for TLS from the start.

    With `smtp://`, TLS is taken when the relay offers it; a password is never sent without it,
    but on this machine.
    """

    def __init__(self, url: str, sender: str, timeout: float = TIMEOUT) -> None:
        self.url = urlsplit(url)
        self.sender = _address(*parseaddr(sender))
        self.timeout = timeout
        self.relay: smtplib.SMTP | None = None
        if self.url.scheme not in ("smtp", "smtps") or not self.url.hostname:
            raise ValueError("write the relay as smtp://host:port or smtps://host:port")

    def send(self, parcel: Parcel) -> Receipt:
        """Hand one message over; never raises for what the relay does."""
        try:
            relay = self.relay = self.relay or self._connect(self.sender.domain)
        except (OSError, smtplib.SMTPException) as error:
            return Receipt(Outcome.REFUSED_FOR_NOW, repr(error), relay_away=True)
        try:
            receipt = _converse(relay, self.sender.addr_spec, parcel)
        except (OSError, smtplib.SMTPException) as error:  # before the final dot
            receipt = Receipt(Outcome.REFUSED_FOR_NOW, repr(error))
            self._drop()
        if receipt.outcome is not Outcome.SENT:
            self._start_over()
        return receipt

    def close(self) -> None:
        if self.relay is not None:
            with suppress(OSError, smtplib.SMTPException):
                self.relay.quit()
        self._drop()

    def _connect(self, own_name: str) -> smtplib.SMTP:
        host = self.url.hostname or ""
        relay: smtplib.SMTP
        context = ssl.create_default_context()
        if self.url.scheme == "smtps":
            port = self.url.port or smtplib.SMTP_SSL_PORT
            relay = smtplib.SMTP_SSL(host, port, own_name, timeout=self.timeout, context=context)
        else:
            port = self.url.port or smtplib.SMTP_PORT
            relay = smtplib.SMTP(host, port, own_name, timeout=self.timeout)
        with _closed_unless_well(relay):
            relay.ehlo_or_helo_if_needed()
            secure = self.url.scheme == "smtps"
            if not secure and relay.has_extn("starttls"):
                relay.starttls(context=context)
                relay.ehlo()
                secure = True
            if self.url.username:
                self._sign_in(relay, secure or host in _LOOPBACK)
        return relay

    def _sign_in(self, relay: smtplib.SMTP, safe: bool) -> None:
        if not safe:
            raise smtplib.SMTPNotSupportedError("no TLS: the password was not sent")
        relay.login(unquote(self.url.username or ""), unquote(self.url.password or ""))

    def _start_over(self) -> None:
        if self.relay is None:
            return
        try:
            code, _ = self.relay.rset()
        except (OSError, smtplib.SMTPException):
            code = -1
        if code != 250:
            self._drop()

    def _drop(self) -> None:
        if self.relay is not None:
            self.relay.close()
        self.relay = None


@contextmanager
def _closed_unless_well(relay: smtplib.SMTP) -> Iterator[None]:
    try:
        yield
    except BaseException:
        relay.close()
        raise


def _converse(relay: smtplib.SMTP, sender: str, parcel: Parcel) -> Receipt:
    """MAIL, RCPT, DATA, body, dot.  What is raised was raised before the dot was written."""
    (recipient,) = parcel.addresses
    code, reply = relay.mail(sender)
    if code != 250:  # about us, not about the recipient: no reason to give up
        return Receipt(Outcome.REFUSED_FOR_NOW, _said(code, reply), relay_away=code == 421)
    code, reply = relay.rcpt(recipient)
    if code not in (250, 251):
        refused = _refused(code, reply, Outcome.REFUSED_FOR_NOW)
        return replace(refused, gone=parcel.addresses if code // 100 == 5 else ())
    code, reply = relay.docmd("DATA")
    if code != 354:
        return _refused(code, reply, Outcome.REFUSED_FOR_NOW)
    body = re.sub(rb"(?m)^\.", b"..", parcel.content)
    relay.send(body if body.endswith(b"\r\n") else body + b"\r\n")
    try:
        relay.send(b".\r\n")
        code, reply = relay.getreply()
    except (OSError, smtplib.SMTPException) as error:
        return Receipt(Outcome.UNKNOWN, repr(error))
    if code == 250:
        return Receipt(Outcome.SENT, _said(code, reply))
    return _refused(code, reply, Outcome.UNKNOWN)


def _refused(code: int, reply: bytes, garbled: Outcome) -> Receipt:
    """By the class of the reply; `garbled` when it is none."""
    kinds = {4: Outcome.REFUSED_FOR_NOW, 5: Outcome.REFUSED}
    return Receipt(kinds.get(code // 100, garbled), _said(code, reply), relay_away=code == 421)


def _said(code: int, reply: bytes) -> str:
    return one_line(f"{code} {reply.decode('utf-8', 'replace')}")

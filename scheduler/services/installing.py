"""What the wizard asks before an installation begins, each answer held to the world at once."""

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import formataddr, parseaddr
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import quote, urlsplit

from pydantic import ValidationError

from scheduler import config
from scheduler.config import Settings
from scheduler.delivery import greeting
from scheduler.errors import Invalid, Text, text
from scheduler.locale import Language
from scheduler.services import accounts
from scheduler.store import migrations, probing

HERE = "http://127.0.0.1:8000"
_NONE = frozenset({"", "-", "no", "none", "không", "khong", "chưa", "chua"})
_LANGUAGES = {
    "vi": Language.VI, "tiếng việt": Language.VI, "tieng viet": Language.VI, "1": Language.VI,
    "en": Language.EN, "english": Language.EN, "2": Language.EN,
}  # fmt: skip
_SUBMISSION, _TLS_FIRST = 587, 465
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer in the form it is kept.  `said`: what was found; `doubt`: why it may not work yet,
    though it may be meant."""

    value: str
    said: Text | None = None
    doubt: Text | None = None


@dataclass(frozen=True, slots=True)
class Relay(Checked):
    """`asks`: the relay knows people by name and password, and was given none."""

    asks: bool = False


@dataclass(frozen=True, slots=True)
class Data(Checked):
    """`revision`: of our schema, where it is there already."""

    revision: str = ""


def language(answer: str) -> Checked:
    """vi or en; raises Invalid."""
    found = _LANGUAGES.get(answer.strip().lower())
    if found is None:
        raise Invalid(text("Write vi for Vietnamese or en for English."))
    return Checked(found.value)


def address(answer: str) -> Checked:
    """Where people reach us; raises Invalid for what could never work."""
    value = answer.strip().rstrip("/") or HERE
    if "://" not in value:
        value = f"https://{value}"
    if re.search(r"\s", value) or not _takes(base_url=value):
        raise Invalid(
            text("Write the address without a path, for example https://chungtay.truong.vn.")
        )
    host = urlsplit(value).hostname or ""
    if value.startswith("http://"):
        if not _is_here(host):
            raise Invalid(
                text(
                    "Over http:// whoever listens on the way could sign in as anybody. Write "
                    "https://{host}; a proxy such as Caddy (deploy/Caddyfile) gets the "
                    "certificate.",
                    host=host,
                )
            )
        return Checked(value, text("Only this machine will be able to open the pages."))
    return _known(value, host)


def _known(value: str, host: str) -> Checked:
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)[0][4][0]
    except (OSError, UnicodeError):
        doubt = text(
            "No machine is known by the name {host} yet. Whoever keeps your domain can enter it.",
            host=host,
        )
        return Checked(value, doubt=doubt)
    return Checked(value, text("{host} leads to {address}.", host=host, address=str(found)))


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def data(settings: Settings, answer: str) -> Data:
    """Where data are kept: empty for SQLite in a file.  Raises Invalid where they cannot be."""
    value = answer.strip()
    if value.lower() in _NONE | {"sqlite"}:
        value = ""
    if not _takes(database_url=value):
        raise Invalid(
            text(
                "Write postgresql://name:password@host/database, or press Enter for a file on this "
                "machine."
            )
        )
    url = settings.model_copy(update={"database_url": value}).database
    try:
        found = probing.look(url)
    except ValueError as error:  # a port that is none
        raise Invalid(text("This address cannot be read: {why}.", why=str(error))) from error
    if found.trouble is not None:
        raise Invalid(_DATA_TROUBLES[found.trouble](value, found.said))
    migrations.refuse_newer(found.revision)
    known = text("{engine} answers; data are there already.", engine=found.engine)
    new = text("{engine} answers; nothing is there yet.", engine=found.engine)
    return Data(value, known if found.revision else new, revision=found.revision)


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 5432}", parts.path.lstrip("/")


_DATA_TROUBLES: dict[probing.Trouble, Callable[[str, str], Text]] = {
    probing.Trouble.NOWHERE: lambda url, _said: text(
        "No machine is known by the name in {place}. Is it spelt right?", place=_place(url)[0]
    ),
    probing.Trouble.SILENT: lambda url, _said: text(
        "Nothing answers at {place}. Does PostgreSQL run there, and listen to other machines? Its "
        "usual port is 5432.",
        place=_place(url)[0],
    ),
    probing.Trouble.REFUSED: lambda url, _said: text(
        "PostgreSQL at {place} does not take this name and password. Signs such as @ : / # in a "
        "password are written as %40 %3A %2F %23.",
        place=_place(url)[0],
    ),
    probing.Trouble.MISSING: lambda url, _said: text(
        "PostgreSQL at {place} has no database {name}. Make it: createdb {name}",
        place=_place(url)[0],
        name=_place(url)[1],
    ),
    probing.Trouble.READ_ONLY: lambda _url, said: text(
        "Nothing may be written to {place}. Choose another place, or have it allowed.", place=said
    ),
    probing.Trouble.DAMAGED: lambda _url, _said: text(
        "There is a database already, and it is damaged. Bring a backup back first: chungtay "
        "restore FILE."
    ),
    probing.Trouble.OTHER: lambda _url, said: text("It does not open: {why}", why=said),
}


def sender(answer: str) -> Checked:
    """Who mails come from; raises Invalid."""
    name, mail = parseaddr(answer.strip())
    value = formataddr((name or "Chung Tay", mail)) if name.isascii() else f"{name} <{mail}>"
    if not mail or not _takes(mail_from=value):
        raise Invalid(text("Write it as Chung Tay <no-reply@truong.vn>."))
    return Checked(value)


def usual_sender(settings: Settings, base_url: str) -> str:
    """The sender that is set, or one of the public address's own domain."""
    host = urlsplit(base_url).hostname or ""
    is_set = settings.mail_from != Settings.model_fields["mail_from"].default
    if is_set or not base_url.startswith("https://"):
        return settings.mail_from
    return f"Chung Tay <no-reply@{host.removeprefix('www.')}>"


# -- the relay


def relay(answer: str, sender_of: str) -> Relay:
    """A relay, by its whole address or only host and port; empty for none.  It is greeted, and
    takes the password, if one stands in the address.  Raises Invalid for what is no address."""
    value = answer.strip()
    if value.lower() in _NONE:
        return Relay("", text("Mails are kept as files on this machine until there is one."))
    url = _relay_url(value)
    if not _takes(smtp_url=url):
        raise Invalid(text("Write the relay as smtp.truong.vn:587, or press Enter for none."))
    found = greeting.greet(url, sender_of)
    if found.trouble is None:
        told = _SECURE if found.secure else _PLAIN
        asks = found.asks and not urlsplit(url).username
        return Relay(_insisting(value, url, secure=found.secure), told, asks=asks)
    place = _relay_place(url)
    return Relay(url, doubt=_RELAY_TROUBLES[found.trouble](place, found.reply))


_SECURE = text("The relay answers, and speaks TLS.")
_PLAIN = text("The relay answers, without TLS: mails travel in clear as far as there.")


def with_password(url: str, name: str, password: str) -> str:
    """The address of a relay with name and password in it."""
    parts = urlsplit(url)
    known = f"{quote(name, safe='')}:{quote(password, safe='')}"
    return parts._replace(netloc=f"{known}@{parts.netloc.rpartition('@')[2]}").geturl()


def _relay_url(value: str) -> str:
    if "://" in value:
        return value
    port = re.search(r":(\d+)$", value)
    if port is None:
        return f"smtp://{value}:{_SUBMISSION}"
    return f"smtps://{value}" if int(port[1]) == _TLS_FIRST else f"smtp://{value}"


def _insisting(typed: str, url: str, *, secure: bool) -> str:
    """Who spoke TLS today must not do without it tomorrow; a whole address stays as it is typed."""
    return f"{url}?tls=required" if secure and "://" not in typed and url[:5] == "smtp:" else url


def _relay_place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (_TLS_FIRST if parts.scheme == 'smtps' else 25)}"


_RELAY_TROUBLES: dict[greeting.Trouble, Callable[[str, str], Text]] = {
    greeting.Trouble.NOWHERE: lambda place, _reply: text(
        "No machine is known by the name in {place}. Is it spelt right?", place=place
    ),
    greeting.Trouble.SILENT: lambda place, _reply: text(
        "Nothing answers at {place}. Most relays listen on 587; on 465 as smtps://; many networks "
        "close 25.",
        place=place,
    ),
    greeting.Trouble.TLS: lambda place, reply: text(
        "TLS with {place} fails ({why}). Port 465 is written smtps://, port 587 smtp://.",
        place=place,
        why=reply,
    ),
    greeting.Trouble.UNSAFE: lambda place, reply: text(
        "{place} offers no way that would be safe: {why}.", place=place, why=reply
    ),
    greeting.Trouble.REFUSED: lambda place, reply: text(
        "{place} does not take this name and password: {why}. Some providers want a password made "
        "for programs.",
        place=place,
        why=reply,
    ),
    greeting.Trouble.OTHER: lambda place, reply: text(
        "{place} answers otherwise than a relay does: {why}", place=place, why=reply
    ),
}


# -- the programme


def coordinator(answer: str) -> Checked:
    """Name <mail>, or the mail alone; raises Invalid."""
    name, mail = parseaddr(answer.strip())
    email = accounts.clean_email(mail or answer)
    return Checked(f"{name[:_LONGEST_NAME]} <{email}>" if name else email)


def programme(answer: str) -> Checked:
    """Its name, which schools and teachers read; raises Invalid."""
    value = " ".join(answer.split())
    if not value or len(value) > _LONGEST_NAME or not value.isprintable():
        raise Invalid(text("Write a name of at most 200 letters, for example Hà Nội – Yên Bái."))
    return Checked(value)


Answer = TypeVar("Answer", bound=Checked)


def sure(found: Answer) -> Answer:
    """The same, its doubt put aside."""
    return replace(found, doubt=None)


def _takes(**values: str) -> bool:
    """Whether our settings would take them."""
    try:
        config.load(_env_file=None, **values)
    except ValidationError as error:
        return not any(fault["loc"][0] in values for fault in error.errors() if fault["loc"])
    return True

"""Whether a mail relay takes us in: asked before any mail is entrusted to it."""

import smtplib
import socket
import ssl
from dataclasses import dataclass
from enum import StrEnum

from scheduler import clock
from scheduler.delivery.smtp import SmtpTransport, cause

PATIENCE = 10.0  # seconds: somebody waits for the answer


class Trouble(StrEnum):
    """Why a relay does not take us in."""

    NOWHERE = "nowhere"  # no machine is known by this name
    SILENT = "silent"  # nothing answers at this port, or not in time
    TLS = "tls"
    UNSAFE = "unsafe"  # a password or TLS is wanted, and the relay cannot
    REFUSED = "refused"  # name and password
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Greeting:
    """`trouble` None: the relay takes us in; `reply`: its own words, or what broke.  `asks`: it
    knows people by name and password; `secure`: it speaks TLS."""

    trouble: Trouble | None
    reply: str = ""
    asks: bool = False
    secure: bool = False


def greet(
    url: str, sender: str, *, patience: float = PATIENCE, trust: ssl.SSLContext | None = None
) -> Greeting:
    """Come in as for a mail from this sender, and go again; the address is one that settings take.

    Never raises for what the far end does.
    """
    return _Caller(url, sender, patience=patience, deadline=2 * patience, trust=trust).call()


class _Caller(SmtpTransport):
    def call(self) -> Greeting:
        try:
            self.line = line = self._connect(clock.monotonic() + self.deadline)
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            return Greeting(_trouble(error), cause(error))
        found = Greeting(None, "", line.has_extn("auth"), isinstance(line.sock, ssl.SSLSocket))
        self.close()
        return found


def _trouble(error: Exception) -> Trouble:
    match error:  # the standard library's own faults are OSErrors, too
        case socket.gaierror() | UnicodeError():
            return Trouble.NOWHERE
        case ssl.SSLError():
            return Trouble.TLS
        case smtplib.SMTPAuthenticationError():
            return Trouble.REFUSED
        case smtplib.SMTPNotSupportedError():
            return Trouble.UNSAFE
        case smtplib.SMTPException():
            return Trouble.OTHER
    return Trouble.SILENT

"""Mail on the wire: a relay is driven step by step, for how far a failed conversation came says
what became of the mail.

Before the final dot nothing can have been accepted; after it only an answer tells.
"""

import re
import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import replace
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

from scheduler import clock
from scheduler.delivery.channels import Outcome, Parcel, Receipt
from scheduler.delivery.mail import envelope_address, one_line

PATIENCE = 30.0  # seconds for one answer
DEADLINE = 60.0  # for all of one mail: holds against answers that come byte by byte
PARTING = 2.0
LONGEST_LINE = 1000  # octets kept of one line of an answer
LONGEST_REPLY = 8192
MOST_OF_A_REPLY = 1_000_000
LONGEST_SAID = 300
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NO_ANSWER = -1
_BREAKS = (OSError, smtplib.SMTPException)


class SmtpTransport:
    """A relay at `smtp://[user:password@]host[:port]`, or `smtps://` for TLS from the start.

    With `smtp://`, TLS is taken when the relay offers it; `?tls=required` refuses to go on without.
    A password is never sent without it, but on this machine.  `trust` says whose certificates are
    believed; None: those this machine believes.
    """

    def __init__(
        self,
        url: str,
        sender: str,
        *,
        patience: float = PATIENCE,
        deadline: float = DEADLINE,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self.url = urlsplit(url)
        if self.url.scheme not in ("smtp", "smtps") or not self.url.hostname:
            raise ValueError("write the relay as smtp://host:port or smtps://host:port")
        if self.url.query not in ("", "tls=required"):  # misspelt, it would protect nothing
            raise ValueError("after the address of a relay there may be ?tls=required only")
        self.sender = envelope_address(parseaddr(sender)[1])
        self.tls_required = bool(self.url.query)
        self.patience = patience
        self.deadline = deadline
        self.trust = trust
        self.line: _Line | None = None

    def send(self, parcel: Parcel) -> Receipt:
        """Hand one message over; never raises for what the relay does."""
        until = clock.monotonic() + self.deadline
        refusal = self._begin_on_kept(parcel, until)
        if self.line is None:
            try:
                self.line = self._connect(until)
            except (*_BREAKS, UnicodeError) as error:
                return Receipt(Outcome.REFUSED_FOR_NOW, cause(error), relay_away=True)
            refusal = _begin(self.line, self.sender, parcel)
        receipt = refusal or _hand_over(self.line, parcel)
        if receipt.outcome is not Outcome.SENT:
            self._start_over()
        return receipt

    def close(self) -> None:
        if self.line is not None:
            self.line.until = clock.monotonic() + min(PARTING, self.patience)
            with suppress(*_BREAKS):
                self.line.quit()
        self._drop()

    def _begin_on_kept(self, parcel: Parcel, until: float) -> Receipt | None:
        """Begin on the line of the mail before.  It may have ended meanwhile, by time or by number
        of mails, which says nothing about this one: then no line is left, for a new one."""
        if self.line is None:
            return None
        self.line.until = until
        refusal = _begin(self.line, self.sender, parcel)
        if refusal is not None and (refusal.relay_away or self.line.sock is None):
            self._drop()
        return refusal

    def _connect(self, until: float) -> "_Line":
        """A line on which the relay has taken us in; raises what tells why not."""
        host, secure = self.url.hostname or "", self.url.scheme == "smtps"
        port = self.url.port or (smtplib.SMTP_SSL_PORT if secure else smtplib.SMTP_PORT)
        line = _Line(self.sender.rpartition("@")[2], self.patience, until)
        try:
            line.dial(host, port)
            if secure:
                line.encrypt(self._trusted(), host)
            line.expect(220, *line.getreply())
            line.ehlo_or_helo_if_needed()
            if not secure:
                secure = self._take_tls(line, host)
            if self.url.username:
                self._sign_in(line, secure or host in _LOOPBACK)
        except BaseException:
            line.close()
            raise
        return line

    def _take_tls(self, line: "_Line", host: str) -> bool:
        if not line.has_extn("starttls"):
            if self.tls_required:
                raise smtplib.SMTPNotSupportedError("TLS is required, and the relay offers none")
            return False
        line.expect(220, *line.docmd("STARTTLS"))
        line.encrypt(self._trusted(), host)
        line.ehlo_or_helo_if_needed()
        return True

    def _trusted(self) -> ssl.SSLContext:
        if self.trust is None:  # not sooner: reading the list of authorities takes its time
            self.trust = ssl.create_default_context()
        return self.trust

    def _sign_in(self, line: "_Line", safe: bool) -> None:
        if not safe:
            raise smtplib.SMTPNotSupportedError("no TLS: the password was not sent")
        line.login(unquote(self.url.username or ""), unquote(self.url.password or ""))

    def _start_over(self) -> None:
        """Keep the line for the next mail where the relay still listens."""
        if self.line is None or self.line.sock is None:
            return self._drop()
        self.line.until = clock.monotonic() + PARTING
        try:
            code, _ = self.line.rset()
        except _BREAKS:
            code = _NO_ANSWER
        return None if code == 250 else self._drop()

    def _drop(self) -> None:
        if self.line is not None:
            self.line.close()
        self.line = None


# -- one mail


def _begin(line: "_Line", sender: str, parcel: Parcel) -> Receipt | None:
    """MAIL: None when the relay takes one from us.  A line that broke is closed."""
    size = len(parcel.content)
    most = line.largest()
    if most and size > most:
        return Receipt(Outcome.REFUSED, f"{size} octets; the relay takes {most} at most")
    announced = f" SIZE={size}" if most is not None else ""
    try:
        code, reply = line.docmd("MAIL", f"FROM:<{sender}>{announced}")
    except _BREAKS as error:
        line.close()
        return Receipt(Outcome.REFUSED_FOR_NOW, cause(error))
    if code == 250:
        return None
    if code == 552:
        return Receipt(Outcome.REFUSED, _said(code, reply))
    # About us, not about the recipient: no reason to give up.
    return _judged(line, code, reply, Outcome.REFUSED_FOR_NOW)


def _hand_over(line: "_Line", parcel: Parcel) -> Receipt:
    """RCPT, DATA, body, dot.  A line that broke, or on which nonsense was said, is closed."""
    (recipient,) = parcel.addresses
    try:
        receipt = _offer(line, recipient) or _pour(line, parcel.content)
    except _BREAKS as error:  # before the dot
        line.close()
        receipt = Receipt(Outcome.REFUSED_FOR_NOW, cause(error))
    receipt = receipt or _finish(line)
    return replace(receipt, reply=receipt.reply.replace(recipient, "..."))


def _offer(line: "_Line", recipient: str) -> Receipt | None:
    code, reply = line.docmd("RCPT", f"TO:<{recipient}>")
    if code not in (250, 251):
        refused = _refused(line, code, reply)
        return replace(refused, gone=(recipient,) if refused.outcome is Outcome.REFUSED else ())
    code, reply = line.docmd("DATA")
    return None if code == 354 else _refused(line, code, reply)


def _pour(line: "_Line", content: bytes) -> Receipt | None:
    """The body without its dot.  A relay that speaks before the dot has broken off."""
    body = (b"\n" + content).replace(b"\n.", b"\n..")[1:]
    line.pour(body if body.endswith(b"\r\n") else body + b"\r\n")
    if not line.is_speaking():
        return None
    code, reply = line.getreply()
    line.close()
    return _refused(line, code, reply)


def _finish(line: "_Line") -> Receipt:
    """The dot and its answer."""
    try:
        line.pour(b".\r\n")
    except ConnectionError as error:  # not even this left us
        line.close()
        return Receipt(Outcome.REFUSED_FOR_NOW, cause(error))
    except _BREAKS as error:
        line.close()
        return Receipt(Outcome.UNKNOWN, cause(error))
    try:
        code, reply = line.getreply()
    except _BREAKS as error:
        line.close()
        return Receipt(Outcome.UNKNOWN, cause(error))
    if code == 250:
        return Receipt(Outcome.SENT, _said(code, reply))
    return _judged(line, code, reply, _BY_CLASS.get(code // 100, Outcome.UNKNOWN))


_BY_CLASS = {4: Outcome.REFUSED_FOR_NOW, 5: Outcome.REFUSED}


def _refused(line: "_Line", code: int, reply: bytes) -> Receipt:
    """By the class of the reply; what is none is no reason to give up."""
    return _judged(line, code, reply, _BY_CLASS.get(code // 100, Outcome.REFUSED_FOR_NOW))


def _judged(line: "_Line", code: int, reply: bytes, outcome: Outcome) -> Receipt:
    """421 ends a conversation wherever it is said; after nonsense nobody knows where it is."""
    if code == 421 or code // 100 not in _BY_CLASS:
        line.close()
    return Receipt(outcome, _said(code, reply), relay_away=code == 421)


def _said(code: int, reply: bytes) -> str:
    known = "" if code == _NO_ANSWER else f"{code} "
    return one_line(known + reply.decode("utf-8", "replace"))[:LONGEST_SAID]


def cause(error: Exception) -> str:
    """Why a conversation broke off, on one line; never what was said in secret."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return one_line(f"the relay's certificate was not accepted: {error.verify_message}")
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return _said(error.smtp_code, said if isinstance(said, bytes) else said.encode())
    return one_line(f"{type(error).__name__}: {error}")[:LONGEST_SAID]


class _Line(smtplib.SMTP):
    """A connection to a relay: no answer takes longer than `timeout`, nor all past `until`.

    The standard library's own answers are read without an end to waiting, as long as something
    comes, and an answer too long for it is one of its making.
    """

    def __init__(self, own_name: str, patience: float, until: float) -> None:
        super().__init__(local_hostname=own_name, timeout=patience)
        self.until = until
        self.ahead = b""

    def dial(self, host: str, port: int) -> None:
        """Connect to the first of the host's addresses that answers."""
        failed: OSError | None = None
        for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            try:
                self.sock = socket.create_connection((str(address[0]), port), self._left())
            except OSError as error:
                failed = error
                continue
            # Else the dot waits until the body has been acknowledged.
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return
        raise failed or OSError("the relay's name leads nowhere")

    def encrypt(self, trust: ssl.SSLContext, host: str) -> None:
        """Speak TLS from here on; what was said before counts for nothing."""
        if self.ahead:
            raise smtplib.SMTPException("the relay said more than it was asked before TLS")
        plain = self._open()
        plain.settimeout(self._left())
        self.sock = trust.wrap_socket(plain, server_hostname=host)
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False

    def expect(self, wanted: int, code: int, reply: bytes) -> None:
        if code != wanted:
            raise smtplib.SMTPResponseException(code, reply)

    def largest(self) -> int | None:
        """The most octets the relay takes, 0 where it does not say; None: it counts none."""
        told = self.esmtp_features.get("size")
        if told is None:
            return None
        return int(told) if told.isascii() and told.isdigit() else 0

    def putcmd(self, cmd: str, args: str = "") -> None:
        self._open().settimeout(self._left())
        super().putcmd(cmd, args)

    def pour(self, content: bytes) -> None:
        """Send all of it within the time; `sendall` of TLS takes that time for each piece."""
        sock, rest, until = self._open(), memoryview(content), self._until()
        while rest:
            sock.settimeout(_left(until))
            rest = rest[sock.send(rest) :]

    def is_speaking(self) -> bool:
        """Whether the relay says something, or has hung up, at this moment."""
        sock = self._open()
        sock.settimeout(0)
        if self.ahead:
            return True
        try:
            self.ahead = sock.recv(LONGEST_REPLY) or _hung_up()
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        return True

    def getreply(self) -> tuple[int, bytes]:
        """The code, -1 for what is no answer, and the first part of its words."""
        until, words, room = self._until(), [], LONGEST_REPLY
        seen, more = 0, True
        while more:
            line, length = self._next_line(until)
            seen += length
            if seen > MOST_OF_A_REPLY:
                raise smtplib.SMTPException("the relay's answer has no end")
            if not re.match(rb"[2-5]\d\d(?:[ \-]|$)", line):
                return _NO_ANSWER, line
            if room > 0:
                words.append(line[4:].strip())
                room -= len(line)
            more = line[3:4] == b"-"
        return int(line[:3]), b"\n".join(words)

    def _next_line(self, until: float) -> tuple[bytes, int]:
        """The next line's first octets, and how long it is."""
        kept, length = b"", 0
        while b"\n" not in self.ahead:
            kept += self.ahead[: LONGEST_LINE - len(kept)]
            length += len(self.ahead)
            if length > MOST_OF_A_REPLY:
                return kept, length
            sock = self._open()
            sock.settimeout(_left(until))
            self.ahead = sock.recv(LONGEST_REPLY) or _hung_up()
        line, _, self.ahead = self.ahead.partition(b"\n")
        return (kept + line)[:LONGEST_LINE].rstrip(b"\r"), length + len(line)

    def _open(self) -> socket.socket:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the line is closed")
        return self.sock

    def _until(self) -> float:
        return min(self.until, clock.monotonic() + self.timeout)

    def _left(self) -> float:
        return _left(self._until())


def _left(until: float) -> float:
    left = until - clock.monotonic()
    if left <= 0:
        raise TimeoutError("the relay took too long")
    return left


def _hung_up() -> bytes:
    raise smtplib.SMTPServerDisconnected("the relay hung up")

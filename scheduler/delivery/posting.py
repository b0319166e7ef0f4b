"""Post a small body to a machine of another house over HTTP, and tell how far it came.

The address may be a secret of its owner (a browser's): it is in no answer and no sentence.
"""

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from socket import socket

from scheduler.delivery import network as networks
from scheduler.delivery import targets
from scheduler.delivery.network import Deadline, Forbidden, Line, Network
from scheduler.delivery.targets import BadTarget, Target

SECONDS = 10.0
USER_AGENT = "ChungTay"
_LARGEST_ANSWER = 4096  # more is not read: nothing of it is needed


@dataclass(frozen=True, slots=True)
class Answer:
    """What the far end said; `body` is the beginning of it.  Names of headers in small letters."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class NotSent(Exception):
    """The far end certainly did not get the whole request.

    `away`: it does not answer at all, whoever asks; otherwise the address itself is at fault.
    """

    def __init__(self, why: str, *, away: bool) -> None:
        super().__init__(why)
        self.away = away


class Broken(Exception):
    """The whole request was written, and no answer came: it may have been taken."""


def post(
    address: str,
    body: bytes,
    headers: Mapping[str, str],
    network: Network,
    deadline: Deadline | None = None,
) -> Answer:
    """Post once, follow nothing; raises NotSent or Broken.

    Only the schemes that the network names are used, each at its one port.
    """
    ends = deadline or Deadline(SECONDS)
    target = _target(address, network)
    line = _line(target, network, ends)
    try:
        asking = _written(target, body, headers, line, ends)
        return _answer(asking)
    finally:
        line.close()


def _target(address: str, network: Network) -> Target:
    try:
        return targets.read(address, network)
    except BadTarget as error:
        raise NotSent(f"no address that may be used: {error.fault}", away=False) from None


def _line(target: Target, network: Network, deadline: Deadline) -> socket:
    """A line to an address that was checked, encrypted where the scheme says so."""
    try:
        addresses = networks.checked_addresses(network, target.host, deadline)
        line = networks.connect(addresses, target.port, deadline)
    except Forbidden:
        raise NotSent("a place that may not be reached", away=False) from None
    except (OSError, UnicodeError) as error:
        raise NotSent(_kind(error), away=True) from None
    if target.scheme == "http":
        return line
    try:
        line.settimeout(deadline.left())
        return network.authorities().wrap_socket(line, server_hostname=target.host)
    except (OSError, ValueError) as error:
        line.close()
        raise NotSent(_kind(error), away=True) from None


def _written(
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    line: socket,
    deadline: Deadline,
) -> http.client.HTTPConnection:
    """The request is out, to its last byte: half a one is refused, or waited for in vain."""
    asking = http.client.HTTPConnection(target.bracketed, target.port)
    asking.sock = Line(line, deadline)
    usual = {
        "Host": target.authority,
        "User-Agent": USER_AGENT,
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    try:
        asking.putrequest("POST", target.path, skip_host=True, skip_accept_encoding=True)
        for name, value in {**usual, **headers}.items():
            asking.putheader(name, value)
        asking.endheaders(body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotSent(_kind(error), away=True) from None
    return asking


def _answer(asking: http.client.HTTPConnection) -> Answer:
    try:
        answer = asking.getresponse()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Broken(_kind(error)) from None
    headers = {name.lower(): value for name, value in answer.getheaders()}
    try:
        said = answer.read(_LARGEST_ANSWER)
    except (OSError, http.client.HTTPException, ValueError):
        said = b""  # the status tells what became of the request; the words are only for people
    answer.close()
    return Answer(answer.status, said, headers)


def _kind(error: Exception) -> str:
    """What happened, without the words of the error: they may quote the address."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return "no trust in the certificate"
    return type(error).__name__

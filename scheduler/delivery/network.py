"""How calendars of other houses are reached: where a reading may go, and a line with a deadline."""

import io
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from queue import Empty, SimpleQueue
from socket import AF_UNSPEC, SOCK_STREAM, create_connection, getaddrinfo, socket
from types import MappingProxyType
from typing import TYPE_CHECKING

from scheduler.clock import monotonic

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Address = IPv4Address | IPv6Address

_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """True for one machine of the public internet, also behind every form that wraps an IPv4."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    wrapped = [address.sixtofour] if address.sixtofour else list(address.teredo or ())
    return address in _UNICAST and address.is_global and all(map(is_public, wrapped))


def resolve(host: str) -> Sequence[str]:
    """All addresses of a host in the order in which the system would try them."""
    found = getaddrinfo(host, None, family=AF_UNSPEC, type=SOCK_STREAM)
    return [str(each[4][0]) for each in found]


@lru_cache(maxsize=1)
def authorities() -> ssl.SSLContext:
    """The certificate authorities of this machine; reading them takes long."""
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class Network:
    """Which addresses and ports may be reached, and whom to ask about names and certificates.

    The defaults are the public internet; tests give another to reach servers of their own.  Hosts
    of `inside`, by their names in small letters, may have any address: the operator named them.
    """

    allow: Callable[[Address], bool] = is_public
    inside: frozenset[str] = frozenset()
    ports: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType({"https": 443, "http": 80})
    )
    resolve: Callable[[str], Sequence[str]] = resolve
    authorities: Callable[[], ssl.SSLContext] = authorities


class Forbidden(Exception):
    """The name leads to a place that may not be reached."""


class Deadline:
    """The end of a piece of work, however many steps it takes."""

    def __init__(self, seconds: float) -> None:
        self._ends = monotonic() + seconds

    def left(self) -> float:
        """Seconds that remain, more than 0; raises TimeoutError when there are none."""
        seconds = self._ends - monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


def checked_addresses(network: Network, host: str, deadline: Deadline) -> tuple[str, ...]:
    """The addresses of a host: every one allowed, or Forbidden."""
    found = tuple(dict.fromkeys(_resolved(network, host, deadline)))
    named = host in network.inside
    if not found or not all(named or network.allow(ip_address(each)) for each in found):
        raise Forbidden
    return found


def _resolved(network: Network, host: str, deadline: Deadline) -> Sequence[str]:
    """In a thread of its own: the system's resolver cannot be told how long it may take."""
    answers: SimpleQueue[Sequence[str] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(network.resolve(host))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolver", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def connect(addresses: Sequence[str], port: int, deadline: Deadline) -> socket:
    """A line to the first of these that answers: addresses, so that no name is asked again."""
    trouble: OSError | None = None
    for tried, address in enumerate(addresses):
        share = deadline.left() / (len(addresses) - tried)  # one that is silent leaves some
        try:
            return create_connection((address, port), timeout=share)
        except OSError as error:
            trouble = error
    raise trouble or OSError("no address")


class Line:
    """A socket for http.client whose every read ends at the deadline, drop by drop or not."""

    def __init__(self, line: socket, deadline: Deadline) -> None:
        self._line, self._deadline = line, deadline

    def sendall(self, data: bytes) -> None:
        self._line.settimeout(self._deadline.left())
        self._line.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Drops(self._line, self._deadline))

    def close(self) -> None:
        """Does nothing: http.client asks for it before the body is read, whose reader closes."""


class _Drops(io.RawIOBase):
    def __init__(self, line: socket, deadline: Deadline) -> None:
        super().__init__()
        self._line, self._deadline = line, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        self._line.settimeout(self._deadline.left())
        return self._line.recv_into(buffer)

    def close(self) -> None:
        self._line.close()
        super().close()

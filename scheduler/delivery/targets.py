"""Addresses of other houses' machines, taken apart before anybody asks there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, urlsplit

from scheduler.delivery.network import Network

_HOST = re.compile(r"[0-9A-Za-z_](?:[0-9A-Za-z._-]*[0-9A-Za-z.])?|[0-9A-Fa-f:.]+", re.ASCII)
_USUAL = {"https": 443, "http": 80}


class Fault(StrEnum):
    MALFORMED = "malformed"
    NAME_OR_PASSWORD = "name_or_password"  # noqa: S105 - the name of a fault
    PORT = "port"


class BadTarget(Exception):
    """An address that may not be asked; its words never quote it."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Target:
    """`host` in ASCII, an IPv6 address without its brackets; `path` with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def authority(self) -> str:
        usual = _USUAL[self.scheme] == self.port
        return self.bracketed if usual else f"{self.bracketed}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def read(address: str, network: Network, other_names: Mapping[str, str] | None = None) -> Target:
    """The parts of an address that may be asked; no name is looked up yet.  Raises BadTarget.

    Only the schemes that the network names are used, each at its one port; `other_names` are
    schemes by which one of them is known as well.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
        if ":" not in host:
            host = host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        raise BadTarget(Fault.MALFORMED) from None
    if "@" in parts.netloc:
        raise BadTarget(Fault.NAME_OR_PASSWORD)
    scheme = (other_names or {}).get(parts.scheme, parts.scheme)
    if scheme not in network.ports or not _HOST.fullmatch(host):
        raise BadTarget(Fault.MALFORMED)
    if port not in (None, network.ports[scheme]):
        raise BadTarget(Fault.PORT)
    path = quote(parts.path or "/", safe="%/:=&~+!$,;'()*@")
    query = quote(parts.query, safe="%/:=&?~+!$,;'()*@[]")
    return Target(scheme, host, network.ports[scheme], f"{path}?{query}" if query else path)

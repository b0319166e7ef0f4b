"""How often something may be tried: a burst at once, then one more each while.  Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_MILLISECOND = timedelta(milliseconds=1)
_EPOCH_MS = 1000


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket of `burst` tries that gets one try back `every` while."""

    name: str
    burst: int
    every: timedelta

    @property
    def step(self) -> int:
        """Milliseconds that one try costs."""
        return self.every // _MILLISECOND


SIGN_IN_BY_ADDRESS = Limit("sign_in_address", 20, timedelta(seconds=45))  # 20 in 15 minutes
SIGN_IN_BY_MAILBOX = Limit("sign_in_mailbox", 5, timedelta(minutes=3))  # 5 in 15 minutes
CODES_BY_ADDRESS = Limit("codes_address", 20, timedelta(seconds=45))
FACTOR_BY_PERSON = Limit("factor_person", 10, timedelta(minutes=3))
VERIFY_BY_ADDRESS = Limit("verify_address", 30, timedelta(seconds=10))
INVITATIONS_BY_PERSON = Limit("invitations_person", 50, timedelta(minutes=10))
ADDRESS_CHANGES_BY_PERSON = Limit("address_changes_person", 5, timedelta(minutes=30))
# Mails that somebody else causes at an address, which need not have asked for any.
LETTERS_BY_MAILBOX = Limit("letters_mailbox", 10, timedelta(hours=1))
REFUSALS_NOTED_BY_PERSON = Limit("refusals_noted_person", 20, timedelta(minutes=1))
# Not by address: Google and Microsoft read for thousands from a few.
READS_BY_LINK = Limit("reads_link", 20, timedelta(minutes=1))
PAPERS_BY_PERSON = Limit("papers_person", 10, timedelta(minutes=1))  # each takes a process
UPLOADS_BY_PERSON = Limit("uploads_person", 20, timedelta(minutes=1))  # each takes processes
LINE_PINGS_BY_PERSON = Limit("line_pings_person", 250, timedelta(seconds=1))  # ten tests
LINE_BYTES_BY_PERSON = Limit("line_bytes_person", 10, timedelta(seconds=30))
API_BY_PERSON = Limit("api_person", 300, timedelta(milliseconds=200))


def milliseconds(at: datetime) -> int:
    """Since 1970: what buckets are kept in, so that both databases reckon alike."""
    return int(at.timestamp() * _EPOCH_MS)


def instant(ms: int) -> datetime:
    """The instant that is so many milliseconds after 1970."""
    return datetime.fromtimestamp(ms / _EPOCH_MS, UTC)


def network_of(address: str) -> str:
    """Whose tries count together: an IPv4 address alone, of an IPv6 address its /64."""
    found = _read(address)
    if found is None:
        return address
    return str(found) if found.version == 4 else str(ip_network((found, 64), strict=False)[0])


def narrowed(address: str) -> str:
    """What may be kept of an address for good: its /24, of IPv6 its /48; empty for no address."""
    found = _read(address)
    if found is None:
        return ""
    return str(ip_network((found, 24 if found.version == 4 else 48), strict=False))


def _read(address: str) -> IPv4Address | IPv6Address | None:
    """The address, an IPv4 one also where it came in the dress of IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found

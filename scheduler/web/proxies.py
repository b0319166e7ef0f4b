"""Who asks: the address at the other end, or what a proxy of ours says of it.  Pure."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]
MOST_HOPS = 20


def client(peer: str, forwarded: Iterable[str], trusted: Networks) -> str:
    """The address of the client of a request that came from `peer`.

    `forwarded`: the X-Forwarded-For headers in their order.  Each proxy adds whom it heard at the
    right end, so that the list is true from there as far as each who adds is ours; what stands left
    of the first that is not, anybody may have written.  So may whatever is no address.
    """
    heard = read(peer)
    if heard is None or not is_in(heard, trusted):
        return str(heard) if heard else peer
    hops = ",".join(forwarded).rsplit(",", MOST_HOPS)[-MOST_HOPS:]
    for hop in reversed(hops):
        told = read(hop.strip())
        if told is None:
            break
        heard = told
        if not is_in(heard, trusted):
            break
    return str(heard)


def read(hop: str) -> Address | None:
    """An address, also with a port after it, as some proxies write; None for anything else."""
    for bare in (hop, hop.rpartition(":")[0]):
        with suppress(ValueError):
            found = ip_address(bare.removeprefix("[").removesuffix("]"))
            if isinstance(found, IPv4Address):
                return found
            # A zone may hold any text and says something only on its own machine.
            return None if found.scope_id else found.ipv4_mapped or found
    return None


def is_in(address: Address, networks: Networks) -> bool:
    """Whether an address is in one of them."""
    return any(address.version == net.version and address in net for net in networks)

"""Which addresses others may have us call: public ones, and what the administrator lists.

A name is resolved once and the connection made to what was judged, so that a name that answers otherwise the
next time (DNS rebinding) leads nowhere.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from notify.message import Undelivered

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host name; OSError where it has none."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTargets:
    """What an administrator lists beside public addresses: host names in lower case, and networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[IpNetwork, ...] = ()

    def lists(self, host: str, address: str) -> bool:
        """Tell whether a host is listed, by its name or its address."""
        found = ipaddress.ip_address(address)
        return host.lower() in self.hosts or any(found in network for network in self.networks)


def listed(texts: Iterable[str]) -> ListedTargets:
    """Return what names, addresses and networks such as node-red.local, 10.0.0.7 and 10.0.0.0/8 mean.

    Raises:
        ValueError: one is none of these.
    """
    hosts, networks = set(), []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError:
            if "/" in text or not text.strip() or ":" in text:
                raise ValueError(f"{text!r} is no host, address or network") from None
            hosts.add(text.strip().lower())
    return ListedTargets(hosts=frozenset(hosts), networks=tuple(networks))


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def judged_address(host: str, port: int, *, targets: ListedTargets, resolve: Resolve = resolve) -> str:
    """Return the address to connect to.

    Raises:
        Undelivered: the host has none, or one that may not be called.
    """
    try:
        addresses = [ipaddress.ip_address(one.partition("%")[0]) for one in await resolve(host, port)]
    except UnicodeError:
        raise Undelivered(f"{host[:80]} can be no name of a host", permanent=True) from None
    except OSError:
        raise Undelivered(f"{host} has no address") from None
    if not addresses:
        raise Undelivered(f"{host} has no address")
    for address in addresses:
        if not (is_public(address) or targets.lists(host, str(address))):
            raise Undelivered(f"{host} is no public address, and not listed", permanent=True)
    return str(addresses[0])


def is_public(address: IpAddress) -> bool:
    """Tell whether an address is one of the internet's, also that of IPv4 which one of IPv6 stands for."""
    inner = _inner(address)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not address.is_multicast


def _inner(address: IpAddress) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour or (address.teredo[1] if address.teredo else None)

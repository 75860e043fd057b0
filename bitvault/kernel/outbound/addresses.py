"""Which addresses may be sent to: none inside, by whatever name or notation, unless operators have named its network.

A name is resolved once, all of its addresses are judged, and the connection is made to one of those: a name that leads elsewhere a moment
later leads nobody there.
"""

import ipaddress
import re
import socket
import threading
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from bitvault.kernel import db
from bitvault.kernel.outbound.networks import NETWORKS

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

URL_LIMIT = 2000
"""Characters of an address."""

RESOLVE_SECONDS = 5.0
"""How long a name server may take: what libraries wait by themselves is longer than people do."""

DEFAULT_PORTS = {"http": 80, "https": 443}
FREE_PORTS = 1024
"""Ports from here on may be named; below, on machines that are not ours, only that of https: no mail server is to be spoken to."""

_PLAIN = re.compile(r"[\x21-\x7e]+")

# Python counts some of these as global: they lead to addresses of another family, or to services of the local network.
_LEADS_ELSEWHERE = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("192.0.0.0/24", "192.88.99.0/24"),
        *("64:ff9b::/96", "64:ff9b:1::/48", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")


class Refused(Exception):
    """Nothing is sent to this address. ``reason``: what a caller may know of it, which is not where it leads."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse(url: str) -> SplitResult:
    """Take an address apart.

    :raises Refused: it is none that could be sent to.
    """
    if len(url) > URL_LIMIT:
        raise Refused("too_long")
    if not _PLAIN.fullmatch(url) or "\\" in url:
        raise Refused("malformed")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise Refused("malformed") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise Refused("scheme")
    if not host or port == 0:
        raise Refused("malformed")
    if "@" in parts.netloc:
        raise Refused("credentials")
    if parts.fragment:
        raise Refused("malformed")
    return parts


def port_of(parts: SplitResult) -> int:
    """Give the port of an address."""
    return parts.port or DEFAULT_PORTS[parts.scheme]


def require_fit(url: str) -> None:
    """Judge an address before it is kept: as it is when something is sent there.

    :raises Refused: nothing is sent there.
    """
    parts = parse(url)
    host, port = parts.hostname or "", port_of(parts)
    choose(resolve(host, port, seconds=RESOLVE_SECONDS), port=port, scheme=parts.scheme)


def resolve(host: str, port: int, *, seconds: float) -> list[Address]:
    """Ask name servers for all addresses of a host, once.

    :raises Refused: there are none, or no answer came in time.
    """
    db.forbid_transaction("asking a name server")
    found: list[Address] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(ipaddress.ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers)

    # The library call has no deadline of its own; a thread that is left behind ends with it.
    asking = threading.Thread(target=ask, name="resolve", daemon=True)
    asking.start()
    asking.join(max(seconds, 0.0))
    if asking.is_alive() or not found:
        raise Refused("unknown_host")
    return list(dict.fromkeys(found))


def choose(found: Sequence[Address], *, port: int, scheme: str) -> list[str]:
    """Judge all addresses of a host; gives them in the order in which they are tried.

    :raises Refused: one of them must not be reached, or not like this.
    """
    named = [_is_named(address) for address in found]
    if any(not is_named and not is_outside(address) for address, is_named in zip(found, named, strict=True)):
        raise Refused("inside")
    if not all(named):
        if scheme != "https":
            raise Refused("scheme")
        if port != DEFAULT_PORTS["https"] and port < FREE_PORTS:
            raise Refused("port")
    return [str(address) for address in found]


def find(host: str, port: int, *, scheme: str, seconds: float, is_trusted: bool) -> list[str]:
    """Give the addresses of a host in the order in which they are tried, judged unless operators have named the host themselves.

    :raises Refused: there are none, or one of them must not be reached.
    """
    found = resolve(host, port, seconds=seconds)
    return [str(address) for address in found] if is_trusted else choose(found, port=port, scheme=scheme)


def is_outside(address: Address) -> bool:
    """Tell whether an address is one of the public internet and nothing else."""
    if isinstance(address, ipaddress.IPv6Address):
        if address not in _GLOBAL_V6:
            return False
    elif address.is_reserved:
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _LEADS_ELSEWHERE if network.version == address.version)
    )


def _is_named(address: Address) -> bool:
    """Tell whether operators have named a network that the address lies in."""
    return any(
        address in network
        for network in map(ipaddress.ip_network, NETWORKS.get())
        if network.version == address.version
    )

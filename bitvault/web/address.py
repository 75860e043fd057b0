"""Where a request comes from, as far as that can be known."""

import ipaddress
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "0.0.0.0"  # noqa: S104 - an address to count by, not to bind to
"""The unspecified address: the peer is a socket that has none."""


def client_address(request: HttpRequest) -> str:
    """Tell the address of the client: the peer's, or the one that the outermost trusted proxy has seen.

    Each trusted proxy appends what it saw to ``X-Forwarded-For``; whatever stands further left was written by the client itself.
    """
    return find_address(request.META.get("REMOTE_ADDR") or "", request.headers.get("X-Forwarded-For", ""))


def find_address(peer: str, forwarded: str) -> str:
    """Tell the address of a client from its peer and the text of ``X-Forwarded-For``."""
    seen = [peer]
    if settings.BITVAULT_TRUSTED_PROXY_COUNT:
        seen = [part.strip() for part in forwarded.split(",") if part.strip()] + seen
    position = max(len(seen) - 1 - settings.BITVAULT_TRUSTED_PROXY_COUNT, 0)
    return _plain(seen[position])


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    """Give an address in its one canonical spelling, so that it cannot be counted twice; an IPv6 client is its /64 network.

    One customer is given a whole /64 (RFC 6177), so counting single addresses of it would count nothing.
    """
    try:
        address = ipaddress.ip_address(text.rpartition(":")[0] if text.count(":") == 1 else text.strip("[]"))
    except ValueError:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if not address.is_loopback:
            return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)

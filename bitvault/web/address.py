"""Where a request comes from and by which address it came, as far as that can be known."""

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port

from bitvault.kernel import tenancy

UNKNOWN = "0.0.0.0"  # noqa: S104 - an address to count by, not to bind to
"""The unspecified address: the peer is a socket that has none."""

DEFAULT_PORTS = {"http": 80, "https": 443}

SOCKET_PATH: str = settings.BITVAULT_SOCKET_PATH
"""Where the socket process tells devices and pages how far changes can be read."""

_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::\d{1,5})?")
_WITH_PORT = re.compile(r"([^:]*):\d{1,5}")


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
    text = text.strip().strip('"')
    ported = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address((ported[1] if ported else text).partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if not address.is_loopback:
            return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


def page_origin(host: str) -> str:
    """Name the origin of the pages at a host name: scheme and port are those of BITVAULT_BASE_URL, for every tenant."""
    base = urlsplit(settings.BITVAULT_BASE_URL)
    shown = f"[{host}]" if ":" in host else host
    port = "" if base.port in (None, DEFAULT_PORTS[base.scheme]) else f":{base.port}"
    return f"{base.scheme}://{shown}{port}"


def tenant_origin(request: HttpRequest) -> str:
    """Name the origin of the entered tenant's pages: the one that was asked, or, at a host that is no tenant's, that of its slug."""
    domain, _port = split_domain_port(request.get_host())
    if domain.strip("[]") in {settings.BITVAULT_BASE_HOST, *settings.BITVAULT_PLAIN_HOSTS}:
        return page_origin(f"{tenancy.current().slug}.{settings.BITVAULT_BASE_HOST}")
    return f"{request.scheme}://{request.get_host()}"


def normalise_origin(origin: str) -> str:
    """Give an origin in the spelling of browsers: lower case, no default port; what is none stays as it is."""
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname, parts.port
    except ValueError:
        return origin
    if parts.scheme not in DEFAULT_PORTS or not host or origin != f"{parts.scheme}://{parts.netloc}":
        return origin
    shown = f"[{host}]" if ":" in host else host.removesuffix(".")
    return f"{parts.scheme}://{shown}" + ("" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}")


def settle_host(request: HttpRequest) -> None:
    """Write ``Host`` and ``Origin`` of a request as browsers do, so that the two can be compared as texts.

    A proxy may name a port that the browser does not (nginx' ``$host:$server_port``), leave out one that it does (``$host``), or name that
    of its own container. A page at the address that BITVAULT_BASE_URL tells is one of ours whatever the proxy makes of the port.
    """
    domain, port = split_domain_port(request.get_host())
    number = int(port) if port else None
    host = domain if number in (None, DEFAULT_PORTS[str(request.scheme)]) else f"{domain}:{number}"
    if "HTTP_ORIGIN" in request.META:
        origin = request.META["HTTP_ORIGIN"] = normalise_origin(request.META["HTTP_ORIGIN"])
        if origin == page_origin(domain.strip("[]")):
            host = urlsplit(origin).netloc
    request.META["HTTP_HOST"] = host


def socket_origin(request: HttpRequest) -> str:
    """Name scheme, host and port of the sockets for whoever made this request, like ``wss://acme.vault.example.com``.

    The host name is the request's own: that is where a browser sends the session's cookie.
    """
    domain, _port = split_domain_port(request.get_host())
    if settings.BITVAULT_SOCKET_URL:
        sockets = urlsplit(settings.BITVAULT_SOCKET_URL)
        return f"{sockets.scheme}://{domain}" + (f":{sockets.port}" if sockets.port else "")
    name = domain.strip("[]")
    # Nobody's name has only the address by which the request came.
    own = f"{request.scheme}://{request.get_host()}" if name in settings.BITVAULT_PLAIN_HOSTS else page_origin(name)
    return f"ws{own.removeprefix('http')}"

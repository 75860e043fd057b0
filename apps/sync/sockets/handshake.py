"""What a client says when it asks for a socket, read from the ASGI scope without Django's request."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http.cookie import parse_cookie

from bitvault.web.address import find_address

_TICKET_LIMIT = 200
"""Characters of a query that are looked at; a ticket has 43."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """One asking; ``host`` is a name without its port."""

    host: str
    origin: str | None
    ticket: str | None
    session_key: str | None
    address: str

    @property
    def is_plain(self) -> bool:
        """Whether the host is nobody's name: the bare host or an address."""
        return self.host == settings.BITVAULT_BASE_HOST or self.host in settings.BITVAULT_PLAIN_HOSTS


def read(scope: dict[str, Any]) -> Handshake | None:
    """Read an asking; ``None`` when it says a thing twice or not at all, so that no two readers can understand it differently."""
    headers: dict[bytes, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.lower(), []).append(value.decode("latin-1"))
    hosts, origins = headers.get(b"host", []), headers.get(b"origin", [])
    if len(hosts) != 1 or len(origins) > 1:
        return None
    host = _name_of(hosts[0])
    if host is None:
        return None
    cookies = parse_cookie("; ".join(headers.get(b"cookie", [])))
    peer = scope.get("client")
    return Handshake(
        host=host,
        origin=origins[0] if origins else None,
        ticket=_read_ticket(scope.get("query_string", b"")),
        session_key=cookies.get(settings.SESSION_COOKIE_NAME),
        address=find_address(peer[0] if peer else "", ",".join(headers.get(b"x-forwarded-for", []))),
    )


def _read_ticket(query: bytes) -> str | None:
    if not query:
        return None
    found = parse_qs(query[:_TICKET_LIMIT].decode("latin-1"), keep_blank_values=True).get("ticket")
    # A ticket that is named twice is none that opens; it is still not passed over for a cookie.
    return None if found is None else found[0] if len(found) == 1 else ""


def _name_of(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None

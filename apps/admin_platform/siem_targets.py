"""Addresses of SIEM exports: an HTTPS collector, or a syslog server by TLS or TCP; taken apart and judged."""

from dataclasses import dataclass
from typing import Literal

from bitvault.kernel.outbound import addresses

_SYSLOG = {"syslog+tls": "https", "syslog+tcp": "http"}
"""Schemes, and what is as good or bad as they are: encrypted or not."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where entries are sent."""

    kind: Literal["https", "syslog"]
    url: str
    host: str
    port: int
    is_encrypted: bool

    @property
    def scheme(self) -> str:
        """The scheme by whose rules the address is judged."""
        return "https" if self.is_encrypted else "http"


def parse(url: str) -> Target:
    """Take an address apart: ``https://host/path``, ``syslog+tls://host:6514``, ``syslog+tcp://host:514``.

    :raises Refused: it is none that could be sent to.
    """
    scheme, separator, rest = url.partition("://")
    judged_as = _SYSLOG.get(scheme.lower())
    if judged_as is None or not separator:
        parts = addresses.parse(url)
        return Target("https", url, parts.hostname or "", addresses.port_of(parts), parts.scheme == "https")
    parts = addresses.parse(f"{judged_as}://{rest}")
    if parts.port is None or parts.path not in ("", "/") or parts.query:
        raise addresses.Refused("malformed")
    return Target("syslog", url, parts.hostname or "", parts.port, judged_as == "https")


def require_fit(url: str) -> None:
    """Judge an address before it is kept, as it is when something is sent there.

    :raises Refused: nothing is sent there.
    """
    target = parse(url)
    found = addresses.resolve(target.host, target.port, seconds=addresses.RESOLVE_SECONDS)
    addresses.choose(found, port=target.port, scheme=target.scheme)

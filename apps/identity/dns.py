"""The one question that is asked of the domain name system: which texts a name has. By dnspython, with a deadline, and without a cache."""

import dns.exception
import dns.resolver
from django.conf import settings

LOOKUP_SECONDS = 5.0
"""All tries together: somebody waits for the answer."""


class NoAnswer(Exception):
    """The servers said nothing that can be relied on: neither that there is a record nor that there is none."""


def find_texts(name: str) -> frozenset[str]:
    """Find the TXT records of a name; none where it has none, or does not exist.

    :raises NoAnswer: the servers could not be asked, or could not tell.
    """
    try:
        answer = _resolver().resolve(name, "TXT", lifetime=LOOKUP_SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return frozenset()
    except dns.exception.DNSException as error:
        raise NoAnswer from error
    return frozenset(b"".join(record.strings).decode("utf-8", "replace") for record in answer)


def _resolver() -> dns.resolver.Resolver:
    """Make a resolver of ``BITVAULT_DNS_SERVERS`` (``ADDRESS[:PORT]``), or of the machine's own where none are named."""
    if not settings.BITVAULT_DNS_SERVERS:
        return dns.resolver.Resolver()
    resolver = dns.resolver.Resolver(configure=False)
    servers = [
        server.rpartition(":") if server.count(":") == 1 else (server, "", "")
        for server in settings.BITVAULT_DNS_SERVERS
    ]
    resolver.nameservers = [address for address, _, _ in servers]
    resolver.nameserver_ports = {address: int(port) for address, _, port in servers if port}
    return resolver

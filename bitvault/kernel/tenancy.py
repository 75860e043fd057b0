"""Tenants: which one the running code works for, and the one way in.

``entered(tenant)`` says whose data the code works on. It does not touch the database: the transactions of ``kernel.db`` do, each for
itself and only for their own length, so nothing of a tenant is left on a connection, whatever pool or thread it comes from.
"""

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from bitvault.kernel.errors import ProgrammingError

PUBLIC_SCHEMA = "public"
TEMPLATE_SCHEMA = "t_template"
_SCHEMA = re.compile(r"t_(?:[0-9a-f]{32}|template)")


class NoTenant(ProgrammingError):
    """Code that needs a tenant ran without one."""


class TenantMismatch(ProgrammingError):
    """Code that works for one tenant met something that belongs to another."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """Who owns a schema. ``schema`` is the name of the schema and of the only database role that reaches it.

    ``locale`` and ``time_zone`` are what pages at its host take for who has chosen none; empty: the browser's. ``accent_light``,
    ``accent_dark`` (``#rrggbb``) and ``logo_id`` are how they look; empty or none: as BitVault does.
    """

    id: UUID
    slug: str
    name: str
    locale: str = field(default="", compare=False)
    time_zone: str = field(default="", compare=False)
    accent_light: str = field(default="", compare=False)
    accent_dark: str = field(default="", compare=False)
    logo_id: UUID | None = field(default=None, compare=False)

    @property
    def schema(self) -> str:
        """The schema and role of this tenant; made of the id, so it outlives any change of name."""
        return schema_of(self.id)


def schema_of(tenant_id: UUID) -> str:
    """Name the schema and database role of a tenant."""
    return f"t_{tenant_id.hex}"


def require_schema_name(schema: str) -> str:
    """Refuse whatever is not the name of a tenant's schema, before it comes near SQL.

    :raises ProgrammingError: ``schema`` is something else.
    """
    if not _SCHEMA.fullmatch(schema):
        raise ProgrammingError(f"{schema!r} is not the name of a tenant's schema")
    return schema


_current: ContextVar[Tenant | None] = ContextVar("bitvault_tenant", default=None)


def current() -> Tenant:
    """Tell the tenant that the running code works for.

    :raises NoTenant: it works for none.
    """
    tenant = _current.get()
    if tenant is None:
        raise NoTenant("this code needs a tenant; enter one with kernel.tenancy.entered()")
    return tenant


def find_current() -> Tenant | None:
    """Tell the tenant that the running code works for, if any."""
    return _current.get()


@contextmanager
def entered(tenant: Tenant) -> Iterator[Tenant]:
    """Work for ``tenant`` inside the block; entering it again is harmless.

    :raises TenantMismatch: the code already works for another tenant.
    """
    before = _current.get()
    enter(tenant)
    try:
        yield tenant
    finally:
        _current.set(before)


@contextmanager
def left() -> Iterator[None]:
    """Work for no tenant inside the block: what belongs to the installation enters each tenant itself."""
    before = _current.get()
    _current.set(None)
    try:
        yield
    finally:
        _current.set(before)


def enter(tenant: Tenant) -> None:
    """Work for ``tenant`` from here to the end of the context: only for frames that own theirs, as a request does.

    :raises TenantMismatch: the code already works for another tenant.
    """
    present = _current.get()
    if present is not None and present.id != tenant.id:
        raise TenantMismatch("this code already works for another tenant")
    _current.set(tenant)


def key(*parts: object) -> str:
    """Build the name of something outside the database (cache entry, lock, channel group, limit, object) for the current tenant.

    Every such name starts with the tenant's id, so no two tenants can meet in one.
    """
    return key_of(current().id, *parts)


def key_of(tenant_id: UUID, *parts: object) -> str:
    """Build such a name for any tenant, where work for several of them is done at once."""
    return ":".join((tenant_id.hex, *(str(part) for part in parts)))


def lock_number(name: str) -> int:
    """Number an advisory lock of the current tenant: 64 bits, of which 32 come from the tenant and 32 from the name."""
    tenant_half = zlib.crc32(current().id.bytes)
    name_half = zlib.crc32(key(name).encode())
    return ((tenant_half << 32) | name_half) - (1 << 63)

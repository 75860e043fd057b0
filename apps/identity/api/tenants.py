"""Doors by which tenants come to be, are suspended and let in again."""

from uuid import UUID

from apps.identity.config import SIGN_UP_OPEN, TENANT_DELETION_DAYS
from apps.identity.dtos import SignedUp, TenantOfUser
from apps.identity.operations import tenants
from bitvault.kernel.boundary import exposed


@exposed
def create_tenant(
    *, slug: str, name: str, owner_email: str, owner_password: str, owner_name: str = "", domain: str | None = None
) -> TenantOfUser:
    """Make a tenant with its schema, its stream and its owner: all of it or nothing, in under a second.

    :param domain: a host name that leads to it; ``<slug>.<bare host>`` always does.
    :raises InvalidSlug, InvalidLabel, InvalidEmail, InvalidDomain, WeakPassword: that value cannot be used.
    :raises SlugTaken, DomainTaken: another tenant has it.
    :raises InvalidCredentials: the owner's e-mail belongs to somebody who has another password.
    """
    return tenants.create(
        slug=slug,
        name=name,
        owner_email=owner_email,
        owner_password=owner_password,
        owner_name=owner_name,
        domain=domain,
    )


@exposed
def sign_up(*, slug: str, name: str, email: str, password: str, person_name: str = "", address: str) -> SignedUp:
    """Make a tenant for somebody who asks for one in a browser, and sign them in.

    They claim their address until they prove it (``prove_email``); whether somebody has it already is not told.

    :raises SignUpClosed: the installation does not offer it.
    :raises InvalidSlug, InvalidLabel, InvalidEmail, WeakPassword: that value cannot be used.
    :raises SlugTaken: another tenant has it.
    :raises TooManyRequests: too many were asked for from this address.
    """
    return tenants.sign_up(
        slug=slug, name=name, email=email, password=password, person_name=person_name, address=address
    )


@exposed
def is_sign_up_open() -> bool:
    """Tell whether strangers may make a vault of their own."""
    return SIGN_UP_OPEN.get()


@exposed
def get_deletion_days() -> int:
    """Tell how many days a vault waits for its deletion."""
    return TENANT_DELETION_DAYS.get()


@exposed
def suspend_tenant(*, tenant_id: UUID) -> None:
    """Let nobody in any more: sessions, tokens and the host stop working within a second; nothing is deleted."""
    tenants.suspend(tenant_id)


@exposed
def activate_tenant(*, tenant_id: UUID) -> None:
    """Let the members of a suspended tenant in again."""
    tenants.activate(tenant_id)

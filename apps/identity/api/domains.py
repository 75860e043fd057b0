"""Doors to the domains of tenants."""

from uuid import UUID

from apps.identity.dtos import OwnDomain
from apps.identity.operations import domains
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import Page
from bitvault.kernel.permissions import Permission


@exposed
def list_domains(*, actor: Actor) -> Page[OwnDomain]:
    """List the host names of the actor's tenant by name, all in one page.

    :raises PermissionMissing: the actor does not manage its settings.
    """
    _require_managing(actor)
    return Page(domains.list_own(actor))


@exposed
def add_domain(*, actor: Actor, domain: str) -> OwnDomain:
    """Name a host name of the tenant's own; it leads here once its record is found. One that is named already is given as it is.

    :raises PermissionMissing: the actor does not manage the settings.
    :raises InvalidDomain, DomainTaken, TooManyDomains: it cannot be this tenant's.
    """
    _require_managing(actor)
    return domains.add(actor=actor, domain=domain)


@exposed
def check_domain(*, actor: Actor, domain_id: UUID) -> OwnDomain:
    """Look at the record of a host name now, for five seconds at most; the answer tells what was found.

    :raises PermissionMissing: the actor does not manage the settings.
    :raises NotFound: the tenant has no such host name.
    :raises TooManyRequests: it has asked too often.
    """
    _require_managing(actor)
    return domains.check(actor=actor, domain_id=domain_id)


@exposed
def choose_primary_domain(*, actor: Actor, domain_id: UUID, is_primary: bool) -> OwnDomain:
    """Let mails name a host name, or the tenant's address below the installation again.

    :raises PermissionMissing: the actor does not manage the settings.
    :raises NotFound: the tenant has no such host name.
    :raises DomainUnproved: it does not lead here.
    """
    _require_managing(actor)
    return domains.choose_primary(actor=actor, domain_id=domain_id, is_primary=is_primary)


@exposed
def remove_domain(*, actor: Actor, domain_id: UUID) -> None:
    """Forget a host name: it leads here no more.

    :raises PermissionMissing: the actor does not manage the settings.
    :raises NotFound: the tenant has no such host name.
    """
    _require_managing(actor)
    domains.remove(actor=actor, domain_id=domain_id)


def _require_managing(actor: Actor) -> None:
    actor.require_scope(Scope.ADMIN)
    actor.require_permission(Permission.MANAGE_SETTINGS)

"""Domains of tenants: named by administrators, proved by a record that only who keeps the name can write, and looked at again each day.

A name that is proved has a row of ``Domain``, by which its host is found; that table's constraint keeps a name from leading to two tenants.
The domain name system is never asked inside a transaction.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Q

from apps.identity import dns, dtos, models, queries
from apps.identity.errors import DomainTaken, DomainUnproved, InvalidDomain, TooManyDomains
from apps.identity.models import DomainState
from apps.identity.operations import texts
from bitvault.events.api import publish
from bitvault.events.catalog.domains import (
    DomainAdded,
    DomainLost,
    DomainProved,
    DomainRecordFound,
    DomainRecordMissed,
    DomainRemoved,
    PrimaryDomainChosen,
)
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound
from bitvault.web import throttle

RECORD = "_bitvault"
"""The label below which the record stands: another than the name's own, so that no other record of it is touched."""

LIMIT = 20
"""Host names of one tenant: all are listed at once and looked at each day."""

CHECKS_LIMIT = 60
"""Looks that one tenant may ask for in an hour: each asks other people's servers."""

RECHECK = timedelta(days=1)
GRACE = timedelta(days=7)
"""How long the record of a proved name may be away: a change of the zone's keeper, and holidays."""

CONFIRMED_AFTER = timedelta(hours=1)
"""How long a record has to be away before administrators are told; and how often one that is away is looked at."""

NOTICE = timedelta(days=1)
"""How long the name leads here after they were told at least: looks may have failed to come for days."""

PATIENCE = timedelta(days=14)
"""How long a name that was never proved is looked at without being asked to."""

BATCH = 100
"""Names that one run looks at: at five seconds each, the worst, some minutes."""

_HOUR = 3600


def list_own(actor: Actor) -> list[dtos.OwnDomain]:
    """List the names of the actor's tenant."""
    return _to_dtos(models.OwnDomain.objects.filter(tenant_id=actor.tenant.id).order_by("domain"))


def add(*, actor: Actor, domain: str) -> dtos.OwnDomain:
    """Name a domain; one that is named already is given as it is.

    :raises InvalidDomain: it is no host name of one's own.
    :raises DomainTaken: it leads to another tenant, or was given to this one by operators.
    :raises TooManyDomains: the tenant has as many as it can have.
    """
    name = texts.read_domain(domain, slug="")
    if name in settings.BITVAULT_OWN_HOSTS:
        raise InvalidDomain("This host name is the installation's own.")
    with db.public_transaction():
        _lock_tenant(actor.tenant.id)
        own = models.OwnDomain.objects.filter(tenant_id=actor.tenant.id)
        present = own.filter(domain=name).first()
        if present is not None:
            return _to_dtos([present])[0]
        if own.count() >= LIMIT:
            raise TooManyDomains(limit=LIMIT)
        if models.Domain.objects.filter(domain=name).exists():
            raise DomainTaken(domain=name)
        row = models.OwnDomain.objects.create(
            id=ids.new_id(),
            tenant_id=actor.tenant.id,
            domain=name,
            token=secrets.token_hex(16),
            created_by=actor.user_id,
            created_at=clock.now(),
        )
        publish(DomainAdded(domain_id=row.id, domain=name, actor_id=actor.user_id))
    return _to_dtos([row])[0]


def check(*, actor: Actor, domain_id: UUID) -> dtos.OwnDomain:
    """Look at the record now.

    :raises NotFound: the tenant has no such name.
    :raises TooManyRequests: the tenant has asked too often.
    """
    row = _find(actor, domain_id)
    with tenancy.entered(actor.tenant):
        throttle.take("domain-check", [], limit=CHECKS_LIMIT, per_seconds=_HOUR, guards_secret=False)
    _look(row, by=actor.user_id)
    return _to_dtos([_find(actor, domain_id)])[0]


def remove(*, actor: Actor, domain_id: UUID) -> None:
    """Forget a name: it leads here no more.

    :raises NotFound: the tenant has no such name.
    """
    with db.public_transaction() as tx:
        row = _lock(actor, domain_id)
        _unlead(row)
        row.delete()
        publish(DomainRemoved(domain_id=row.id, domain=row.domain, actor_id=actor.user_id))
        tx.after_commit(queries.forget_remembered)


def choose_primary(*, actor: Actor, domain_id: UUID, is_primary: bool) -> dtos.OwnDomain:
    """Let mails and pages name this domain, or the address below the installation again.

    :raises NotFound: the tenant has no such name.
    :raises DomainUnproved: it does not lead here.
    """
    with db.public_transaction():
        row = _lock(actor, domain_id)
        if row.state != DomainState.PROVED:
            raise DomainUnproved(state=row.state)
        led = models.Domain.objects.filter(tenant_id=actor.tenant.id)
        if led.filter(domain=row.domain, is_primary=not is_primary).exists():
            led.update(is_primary=False)
            led.filter(domain=row.domain if is_primary else _own_host(actor.tenant.slug)).update(is_primary=True)
            chosen = row.domain if is_primary else _own_host(actor.tenant.slug)
            publish(PrimaryDomainChosen(domain=chosen, actor_id=actor.user_id))
    return _to_dtos([row])[0]


def recheck() -> int:
    """Look at the names whose last look is a day ago, an hour where the record was away, the longest ago first.

    Returns how many there were.
    """
    now = clock.now()
    due = Q(checked_at__isnull=True) | Q(checked_at__lte=now - RECHECK)
    due |= Q(failing_since__isnull=False, checked_at__lte=now - CONFIRMED_AFTER)
    waiting = ~Q(state=DomainState.PENDING) | Q(created_at__gt=now - PATIENCE)
    rows = models.OwnDomain.objects.filter(due & waiting, tenant__state=models.TenantState.ACTIVE)
    found = list(rows.exclude(state=DomainState.LOST).order_by("checked_at")[:BATCH])
    for row in found:
        _look(row, by=None)
    return len(found)


def _look(row: models.OwnDomain, *, by: UUID | None) -> None:
    """Ask for the record, and settle what follows from it."""
    problem = _find_problem(row)
    try:
        with db.public_transaction() as tx:
            now_row = models.OwnDomain.objects.select_for_update().filter(pk=row.pk).first()
            if now_row is None:  # removed meanwhile
                return
            now_row.checked_at = clock.now()
            now_row.problem = problem
            if not problem:
                _prove(now_row, by)
            elif now_row.state == DomainState.PROVED and problem != "no_answer":
                _miss(now_row)
            now_row.save(update_fields=["checked_at", "problem", "state", "proved_at", "failing_since", "told_at"])
            tx.after_commit(queries.forget_remembered)
    except IntegrityError:  # the name leads to another tenant
        with db.public_transaction():
            models.OwnDomain.objects.filter(pk=row.pk).update(problem="taken", checked_at=clock.now())


def _find_problem(row: models.OwnDomain) -> str:
    try:
        found = dns.find_texts(f"{RECORD}.{row.domain}")
    except dns.NoAnswer:
        return "no_answer"
    if _value_of(row) in found:
        return ""
    return "record_differs" if found else "record_missing"


def _prove(row: models.OwnDomain, by: UUID | None) -> None:
    was_told, row.failing_since, row.told_at = row.told_at is not None, None, None
    if row.state == DomainState.PROVED:
        if was_told:
            publish(DomainRecordFound(domain_id=row.id, domain=row.domain), tenant_id=row.tenant_id)
        return
    # Refused by the table where the name leads to another tenant.
    models.Domain.objects.bulk_create(
        [models.Domain(id=ids.new_id(), tenant_id=row.tenant_id, domain=row.domain, is_primary=False)]
    )
    row.state, row.proved_at = DomainState.PROVED, clock.now()
    publish(DomainProved(domain_id=row.id, domain=row.domain, actor_id=by), tenant_id=row.tenant_id)


def _miss(row: models.OwnDomain) -> None:
    """Note that the record of a proved name is away, and tell of it once it was so twice; after the grace the name leads here no more."""
    now = clock.now()
    row.failing_since = row.failing_since or now
    if row.told_at is None and row.failing_since <= now - CONFIRMED_AFTER:
        row.told_at = now
        missed = DomainRecordMissed(domain_id=row.id, domain=row.domain, leads_until=cast("datetime", _find_end(row)))
        publish(missed, tenant_id=row.tenant_id)
    end = _find_end(row)
    if end is None or row.told_at is None or now < end:
        return
    row.state = DomainState.LOST
    _unlead(row)
    publish(DomainLost(domain_id=row.id, domain=row.domain), tenant_id=row.tenant_id)


def _find_end(row: models.OwnDomain) -> datetime | None:
    """Tell until when a name leads here whose record is away."""
    if row.failing_since is None or row.state != DomainState.PROVED:
        return None
    return max(row.failing_since + GRACE, (row.told_at or clock.now()) + NOTICE)


def _unlead(row: models.OwnDomain) -> None:
    """Let the name lead here no more; if it was the primary one, the address below the installation is."""
    led = models.Domain.objects.filter(tenant_id=row.tenant_id)
    if row.proved_at is None:  # it never did
        return
    own = led.filter(domain=row.domain)
    was_primary = own.filter(is_primary=True).exists()
    own.delete()
    if was_primary:
        slug = models.Tenant.objects.values_list("slug", flat=True).get(pk=row.tenant_id)
        led.filter(domain=_own_host(slug)).update(is_primary=True)


def _own_host(slug: str) -> str:
    return f"{slug}.{settings.BITVAULT_BASE_HOST}"


def _value_of(row: models.OwnDomain) -> str:
    return f"bitvault-domain={row.token}"


def _lock_tenant(tenant_id: UUID) -> None:
    list(models.Tenant.objects.select_for_update(no_key=True, of=("self",)).filter(pk=tenant_id).values_list("pk"))


def _find(actor: Actor, domain_id: UUID) -> models.OwnDomain:
    row = models.OwnDomain.objects.filter(tenant_id=actor.tenant.id, pk=domain_id).first()
    if row is None:
        raise NotFound
    return row


def _lock(actor: Actor, domain_id: UUID) -> models.OwnDomain:
    row = models.OwnDomain.objects.select_for_update().filter(tenant_id=actor.tenant.id, pk=domain_id).first()
    if row is None:
        raise NotFound
    return row


def _to_dtos(rows: Iterable[models.OwnDomain]) -> list[dtos.OwnDomain]:
    found = list(rows)
    names = [row.domain for row in found]
    primary = set(models.Domain.objects.filter(domain__in=names, is_primary=True).values_list("domain", "tenant_id"))
    return [
        dtos.OwnDomain(
            id=row.id,
            domain=row.domain,
            state=cast("dtos.DomainStateName", row.state),
            record_name=f"{RECORD}.{row.domain}",
            record_value=_value_of(row),
            is_primary=(row.domain, row.tenant_id) in primary,
            problem=cast("dtos.DomainProblem | None", row.problem or None),
            created_at=row.created_at,
            checked_at=row.checked_at,
            proved_at=row.proved_at,
            failing_since=row.failing_since,
            leads_until=_find_end(row),
        )
        for row in found
    ]

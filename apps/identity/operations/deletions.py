"""The deletion of a tenant: wished, waited for, taken back or carried out. Each step can be done again; what is done is noted.

What other modules keep of the tenant goes by their own doors; the gateway calls them in turn.
"""

from datetime import timedelta
from uuid import UUID

from django.db.models import Q

from apps.identity import deletions, dtos, models, people, provisioning, queries
from apps.identity.config import TENANT_DELETION_DAYS
from apps.identity.errors import DeletionPending, NameDiffers
from apps.identity.operations import texts
from apps.identity.operations.endings import announce
from bitvault.events.api import publish
from bitvault.events.catalog.identity import TenantDeletionRequested, TenantDeletionWithdrawn
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound
from bitvault.kernel.permissions import Permission
from bitvault.mail import api as mail
from bitvault.web.wakeups import Bond, bond

SETTLED_AFTER = timedelta(minutes=30)
"""Addresses for uploads that were signed before the tenant was closed are good for a quarter of an hour, and an upload goes on a while."""

HOLD = timedelta(minutes=15)
"""How long one worker has a deletion; one that was killed leaves it to another after that."""


def request(*, actor: Actor, name: str) -> dtos.Deletion:
    """Have the actor's tenant deleted when the waiting time is over."""
    tenant = models.Tenant.objects.get(pk=actor.tenant.id)
    if name.strip() != tenant.name:
        raise NameDiffers(field="name")
    return _request(tenant, by=actor.user_id, is_by_operator=False, reason="")


def request_by_operator(*, tenant_id: UUID, slug: str, operator_id: UUID, reason: str) -> dtos.Deletion:
    """Have a tenant deleted when the waiting time is over, as operators do who type its address."""
    tenant = models.Tenant.objects.filter(pk=tenant_id).first()
    if tenant is None:
        raise NotFound
    if slug.strip() != tenant.slug:
        raise NameDiffers(field="slug")
    return _request(tenant, by=operator_id, is_by_operator=True, reason=texts.read_message(reason))


def _request(tenant: models.Tenant, *, by: UUID, is_by_operator: bool, reason: str) -> dtos.Deletion:
    now = clock.now()
    row = models.TenantDeletion(
        id=ids.new_id(),
        tenant_id=tenant.id,
        slug=tenant.slug,
        name=tenant.name,
        requested_by=by,
        is_by_operator=is_by_operator,
        reason=reason,
        requested_at=now,
        due_at=now + timedelta(days=TENANT_DELETION_DAYS.get()),
    )
    with tenancy.entered(queries.to_tenant(tenant)), db.public_transaction() as tx:
        # The tenant's row is locked: of two who wish it at once, one is told of the other.
        models.Tenant.objects.select_for_update(no_key=True).get(pk=tenant.id)
        pending = deletions.ask(tenant.id)
        if pending is not None:
            raise DeletionPending(due_at=pending.due_at.isoformat())
        row.save(force_insert=True)
        publish(TenantDeletionRequested(due_at=row.due_at.isoformat(), is_by_operator=is_by_operator, actor_id=by))
        _write_to_administrators(row)
        tx.after_commit(deletions.forget_remembered)
    return deletions.to_deletion(row)


def _write_to_administrators(row: models.TenantDeletion) -> None:
    """Write to each owner and administrator: whoever may manage settings."""
    wanted = people.list_ids(tenancy.current(), permission=Permission.MANAGE_SETTINGS)
    for user_id in wanted:
        mail.send("identity.tenant_deletion", reference=row.id, facts={"user_id": str(user_id)})


def withdraw(*, tenant_id: UUID, by: UUID, is_by_operator: bool) -> None:
    """Take the deletion of a tenant back, as long as it has not begun."""
    found = models.Tenant.objects.filter(pk=tenant_id).first()
    if found is None:
        raise NotFound
    with tenancy.entered(queries.to_tenant(found)), db.public_transaction() as tx:
        rows = models.TenantDeletion.objects.select_for_update().filter(
            tenant_id=tenant_id, state=models.DeletionState.WAITING
        )
        row = rows.first()
        if row is None:
            raise NotFound
        row.state, row.ended_at = models.DeletionState.WITHDRAWN, clock.now()
        row.save(update_fields=["state", "ended_at"])
        publish(TenantDeletionWithdrawn(is_by_operator=is_by_operator, actor_id=by))
        _write_to_administrators(row)
        tx.after_commit(deletions.forget_remembered)


def close_due() -> None:
    """Let nobody into the tenants whose waiting time is over; how many people they had is noted."""
    due = models.TenantDeletion.objects.filter(state=models.DeletionState.WAITING, due_at__lte=clock.now())
    for deletion_id, tenant_id in due.values_list("id", "tenant_id"):
        with db.public_transaction() as tx:
            row = models.TenantDeletion.objects.select_for_update().get(pk=deletion_id)
            if row.state != models.DeletionState.WAITING:
                continue
            row.state, row.closed_at = models.DeletionState.REMOVING, clock.now()
            row.people_count = models.Membership.objects.filter(tenant_id=tenant_id).count()
            row.save(update_fields=["state", "closed_at", "people_count"])
            models.Tenant.objects.filter(pk=tenant_id).update(state=models.TenantState.REMOVING)
            announce(tenant_id, bond(Bond.TENANT, tenant_id))
            tx.after_commit(queries.forget_remembered)
            tx.after_commit(deletions.forget_remembered)


def take_settled() -> dtos.DueDeletion | None:
    """Take one deletion that nobody works at, of a tenant that has been closed for long enough; ``None``: there is none."""
    now = clock.now()
    with db.public_transaction():
        rows = models.TenantDeletion.objects.select_for_update(skip_locked=True).filter(
            Q(held_until=None) | Q(held_until__lte=now),
            state=models.DeletionState.REMOVING,
            closed_at__lte=now - SETTLED_AFTER,
        )
        row = rows.order_by("closed_at").first()
        if row is None:
            return None
        row.held_until = now + HOLD
        row.save(update_fields=["held_until"])
    tenant = tenancy.Tenant(id=row.tenant_id, slug=row.slug, name=row.name)
    return dtos.DueDeletion(id=row.id, tenant=tenant, step=row.step)


def note_step(deletion_id: UUID, step: str) -> None:
    """Note that a step is done; the next one is not begun again with those before."""
    models.TenantDeletion.objects.filter(pk=deletion_id).update(step=step, held_until=clock.now() + HOLD)


def drop_schema(tenant_id: UUID) -> None:
    """Drop the tenant's tables with all that is in them."""
    with db.public_transaction():
        provisioning.drop_schema(tenant_id)


def finish(deletion_id: UUID, tenant_id: UUID) -> None:
    """Delete what identity keeps of the tenant, and note that it is done. People keep their accounts."""
    with db.public_transaction() as tx:
        models.Session.objects.filter(tenant_id=tenant_id).delete()
        models.ApiToken.objects.filter(tenant_id=tenant_id).delete()
        for table in (models.Invitation, models.Membership, models.CustomRole, models.Departure):
            table.objects.filter(tenant_id=tenant_id).delete()
        models.GroupMember.objects.filter(group__tenant_id=tenant_id).delete()
        models.Group.objects.filter(tenant_id=tenant_id).delete()
        models.OwnDomain.objects.filter(tenant_id=tenant_id).delete()
        models.Domain.objects.filter(tenant_id=tenant_id).delete()
        models.Tenant.objects.filter(pk=tenant_id).delete()
        models.TenantDeletion.objects.filter(pk=deletion_id).update(
            state=models.DeletionState.DONE, ended_at=clock.now(), held_until=None
        )
        tx.after_commit(queries.forget_remembered)

"""Pictures of people, and the logo of their tenant: what was drawn of an upload replaces what was there."""

from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet

from apps.identity import dtos, models, people, queries, roles
from bitvault.events.api import publish
from bitvault.events.catalog.identity import MemberPictureChanged, TenantChanged
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.errors import NotFound
from bitvault.kernel.tenancy import Tenant

KEPT = timedelta(days=1)
"""How long a picture that was removed can be had back."""


def set_own(actor: Actor, picture_id: UUID, drawn: dtos.Drawn) -> None:
    """Give the actor another picture."""
    with db.public_transaction():
        membership = models.Membership.objects.select_for_update().get(tenant_id=actor.tenant.id, user_id=actor.user_id)
        models.Picture.objects.filter(membership=membership).delete()
        _insert(actor, picture_id, drawn, membership_id=membership.id)
        publish(MemberPictureChanged(user_id=actor.user_id, is_removed=False, actor_id=actor.user_id))


def remove_own(actor: Actor) -> None:
    """Remove the actor's picture; where there is none nothing happens. For a day it can be had back."""
    with db.public_transaction():
        gone = _pictures_of(actor.tenant, actor.user_id).filter(removed_at=None).update(removed_at=clock.now())
        if gone:
            publish(MemberPictureChanged(user_id=actor.user_id, is_removed=True, actor_id=actor.user_id))


def bring_back_own(actor: Actor, picture_id: UUID) -> bool:
    """Let the actor have a picture again that they removed less than a day ago. Returns whether there was one."""
    with db.public_transaction():
        models.Membership.objects.select_for_update().get(tenant_id=actor.tenant.id, user_id=actor.user_id)
        found = _pictures_of(actor.tenant, actor.user_id)
        if not _bring_back(found, picture_id):
            return False
        publish(MemberPictureChanged(user_id=actor.user_id, is_removed=False, actor_id=actor.user_id))
        return True


def remove_of(actor: Actor, member_id: UUID) -> None:
    """Remove a member's picture for good, as who administers members; where there is none nothing happens.

    :raises NotFound: the tenant has no such member.
    :raises RoleTooStrong: they may do more than the actor.
    """
    found = people.find_member(actor.tenant, member_id)
    if found is None:
        raise NotFound
    roles.Choice(Role(found.role), found.custom_role).require_touched_by(actor)
    with db.public_transaction():
        gone, _ = _pictures_of(actor.tenant, found.user_id).delete()
        if gone:
            publish(MemberPictureChanged(user_id=found.user_id, is_removed=True, actor_id=actor.user_id))


def sweep() -> None:
    """Delete what was removed more than a day ago."""
    with db.public_transaction():
        models.Picture.objects.filter(removed_at__lte=clock.now() - KEPT).delete()


def set_logo(actor: Actor, picture_id: UUID, drawn: dtos.Drawn) -> None:
    """Give the actor's tenant another logo."""
    with db.public_transaction() as tx:
        tenant = models.Tenant.objects.select_for_update().get(pk=actor.tenant.id)
        models.Picture.objects.filter(tenant=tenant, membership=None).delete()
        _insert(actor, picture_id, drawn, membership_id=None)
        _name_logo(tenant, picture_id, actor, tx)


def remove_logo(actor: Actor) -> None:
    """Leave the actor's tenant without a logo; where there is none nothing happens. For a day it can be had back."""
    with db.public_transaction() as tx:
        tenant = models.Tenant.objects.select_for_update().get(pk=actor.tenant.id)
        if tenant.logo_id is not None:
            worn = models.Picture.objects.filter(tenant=tenant, membership=None, removed_at=None)
            worn.update(removed_at=clock.now())
            _name_logo(tenant, None, actor, tx)


def bring_back_logo(actor: Actor, picture_id: UUID) -> bool:
    """Let the actor's tenant have a logo again that was removed less than a day ago. Returns whether there was one."""
    with db.public_transaction() as tx:
        tenant = models.Tenant.objects.select_for_update().get(pk=actor.tenant.id)
        if not _bring_back(models.Picture.objects.filter(tenant=tenant, membership=None), picture_id):
            return False
        _name_logo(tenant, picture_id, actor, tx)
        return True


def _pictures_of(tenant: Tenant, user_id: UUID) -> QuerySet[models.Picture]:
    return models.Picture.objects.filter(membership__tenant_id=tenant.id, membership__user_id=user_id)


def _bring_back(found: QuerySet[models.Picture], picture_id: UUID) -> bool:
    """Show a removed picture in place of what is shown now, inside the open transaction."""
    removed = found.filter(id=picture_id, removed_at__gt=clock.now() - KEPT)
    if not removed.exists():
        return False
    found.exclude(id=picture_id).delete()
    return bool(removed.update(removed_at=None))


def _name_logo(tenant: models.Tenant, picture_id: UUID | None, actor: Actor, tx: db.Transaction) -> None:
    tenant.logo_id = picture_id
    tenant.save(update_fields=["logo_id"])
    publish(TenantChanged(changed=["logo"], policies=[], actor_id=actor.user_id))
    tx.after_commit(queries.forget_remembered)


def _insert(actor: Actor, picture_id: UUID, drawn: dtos.Drawn, *, membership_id: UUID | None) -> None:
    models.Picture.objects.create(
        id=picture_id,
        tenant_id=actor.tenant.id,
        membership_id=membership_id,
        small=drawn.small,
        large=drawn.large,
        created_at=clock.now(),
    )

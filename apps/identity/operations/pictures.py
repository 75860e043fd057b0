"""Pictures of people, and the logo of their tenant: what was drawn of an upload replaces what was there."""

from uuid import UUID

from apps.identity import dtos, models, queries
from bitvault.events.api import publish
from bitvault.events.catalog.identity import MemberPictureChanged, TenantChanged
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor


def set_own(actor: Actor, picture_id: UUID, drawn: dtos.Drawn) -> None:
    """Give the actor another picture."""
    with db.public_transaction():
        membership = models.Membership.objects.select_for_update().get(tenant_id=actor.tenant.id, user_id=actor.user_id)
        models.Picture.objects.filter(membership=membership).delete()
        _insert(actor, picture_id, drawn, membership_id=membership.id)
        publish(MemberPictureChanged(user_id=actor.user_id, is_removed=False, actor_id=actor.user_id))


def remove_own(actor: Actor) -> None:
    """Remove the actor's picture; where there is none nothing happens."""
    with db.public_transaction():
        gone, _ = models.Picture.objects.filter(
            membership__tenant_id=actor.tenant.id, membership__user_id=actor.user_id
        ).delete()
        if gone:
            publish(MemberPictureChanged(user_id=actor.user_id, is_removed=True, actor_id=actor.user_id))


def set_logo(actor: Actor, picture_id: UUID, drawn: dtos.Drawn) -> None:
    """Give the actor's tenant another logo."""
    with db.public_transaction() as tx:
        tenant = models.Tenant.objects.select_for_update().get(pk=actor.tenant.id)
        models.Picture.objects.filter(tenant=tenant, membership=None).delete()
        _insert(actor, picture_id, drawn, membership_id=None)
        _name_logo(tenant, picture_id, actor, tx)


def remove_logo(actor: Actor) -> None:
    """Leave the actor's tenant without a logo; where there is none nothing happens."""
    with db.public_transaction() as tx:
        tenant = models.Tenant.objects.select_for_update().get(pk=actor.tenant.id)
        if tenant.logo_id is not None:
            models.Picture.objects.filter(tenant=tenant, membership=None).delete()
            _name_logo(tenant, None, actor, tx)


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

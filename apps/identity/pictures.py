"""Reads of pictures of people, and of the logo of a tenant."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import FilteredRelation, Q, QuerySet

from apps.identity import dtos, models
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound
from bitvault.kernel.tenancy import Tenant


def list_of_people(tenant: Tenant, user_ids: Collection[UUID]) -> list[dtos.PictureOfPerson]:
    """Tell which pictures some people have in a tenant."""
    rows = models.Picture.objects.filter(
        membership__tenant_id=tenant.id,
        membership__user_id__in=user_ids,
        membership__state=models.MembershipState.ACTIVE,
        removed_at=None,
    )
    return [dtos.PictureOfPerson(*each) for each in rows.values_list("membership__user_id", "id")]


def find_appearance(actor: Actor) -> dtos.Appearance:
    """Tell what the actor's own page shows of them, in one query."""
    rows = models.Membership.objects.filter(tenant_id=actor.tenant.id, user_id=actor.user_id)
    rows = rows.annotate(worn=FilteredRelation("picture", condition=Q(picture__removed_at=None)))
    return dtos.Appearance(*(rows.values_list("custom_role__name", "worn__id").first() or (None, None)))


def get_of_person(tenant: Tenant, picture_id: UUID, size: dtos.PictureSize) -> bytes:
    """Give the picture of a person in a tenant.

    :raises NotFound: there is none.
    """
    return _get_bytes(models.Picture.objects.filter(membership__tenant_id=tenant.id, id=picture_id), size)


def get_logo(tenant: Tenant, picture_id: UUID, size: dtos.PictureSize) -> bytes:
    """Give the logo of a tenant.

    :raises NotFound: it is not the tenant's.
    """
    return _get_bytes(models.Picture.objects.filter(tenant_id=tenant.id, membership=None, id=picture_id), size)


def _get_bytes(rows: QuerySet[models.Picture], size: dtos.PictureSize) -> bytes:
    found = rows.filter(removed_at=None).values_list(size, flat=True).first()
    if found is None:
        raise NotFound
    return bytes(found)

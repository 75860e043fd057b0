"""Doors to pictures of people and to the logo of a tenant; ``bitvault/gateway/pictures.py`` draws them of what was uploaded."""

from collections.abc import Collection
from uuid import UUID

from apps.identity import colours, pictures
from apps.identity.dtos import Appearance, Drawn, PictureOfPerson, PictureSize
from apps.identity.operations import pictures as operations
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.permissions import Permission
from bitvault.kernel.tenancy import Tenant


@exposed
def set_own_picture(*, actor: Actor, picture_id: UUID, drawn: Drawn) -> None:
    """Give the actor a picture instead of what they have, under an id that no other has had."""
    actor.require_scope(Scope.ACCOUNT)
    operations.set_own(actor, picture_id, drawn)


@exposed
def remove_own_picture(*, actor: Actor) -> None:
    """Remove the actor's picture; a second time changes nothing."""
    actor.require_scope(Scope.ACCOUNT)
    operations.remove_own(actor)


@exposed
def bring_back_own_picture(*, actor: Actor, picture_id: UUID) -> bool:
    """Let the actor have a picture again that they removed less than a day ago; tells whether there was one."""
    actor.require_scope(Scope.ACCOUNT)
    return operations.bring_back_own(actor, picture_id)


@exposed
def remove_picture_of(*, actor: Actor, member_id: UUID) -> None:
    """Remove a member's picture for good; a second time changes nothing.

    :raises PermissionMissing: the actor does not manage members.
    :raises NotFound: the tenant has no such member.
    :raises RoleTooStrong: they may do more than the actor.
    """
    actor.require_scope(Scope.ADMIN)
    actor.require_permission(Permission.MANAGE_MEMBERS)
    operations.remove_of(actor, member_id)


@exposed
def require_logo_right(*, actor: Actor) -> None:
    """Refuse who may not choose the tenant's logo.

    :raises PermissionMissing: the actor does not manage its settings.
    """
    _require_logo_right(actor)


def _require_logo_right(actor: Actor) -> None:
    actor.require_scope(Scope.ADMIN)
    actor.require_permission(Permission.MANAGE_SETTINGS)


@exposed
def set_logo(*, actor: Actor, picture_id: UUID, drawn: Drawn) -> None:
    """Give the actor's tenant a logo instead of what it has, under an id that no other has had.

    :raises PermissionMissing: as ``require_logo_right``.
    """
    _require_logo_right(actor)
    operations.set_logo(actor, picture_id, drawn)


@exposed
def remove_logo(*, actor: Actor) -> None:
    """Leave the actor's tenant without a logo; a second time changes nothing.

    :raises PermissionMissing: as ``require_logo_right``.
    """
    _require_logo_right(actor)
    operations.remove_logo(actor)


@exposed
def bring_back_logo(*, actor: Actor, picture_id: UUID) -> bool:
    """Let the actor's tenant have a logo again that was removed less than a day ago; tells whether there was one.

    :raises PermissionMissing: as ``require_logo_right``.
    """
    _require_logo_right(actor)
    return operations.bring_back_logo(actor, picture_id)


@exposed
def find_appearance(*, actor: Actor) -> Appearance:
    """Tell what the actor's own page shows of them: a role of the tenant's own, and their picture."""
    return pictures.find_appearance(actor)


@exposed
def list_pictures(*, tenant: Tenant, user_ids: Collection[UUID]) -> list[PictureOfPerson]:
    """Tell which pictures some people have in a tenant; those without one, and strangers to it, are left out. One statement."""
    return pictures.list_of_people(tenant, user_ids)


@exposed
def get_picture(*, tenant: Tenant, picture_id: UUID, size: PictureSize) -> bytes:
    """Give the picture of somebody who is in a tenant, as WebP.

    :raises NotFound: there is none: it was replaced, or removed, or its person has left.
    """
    return pictures.get_of_person(tenant, picture_id, size)


@exposed
def get_logo(*, tenant: Tenant, picture_id: UUID, size: PictureSize) -> bytes:
    """Give the logo of a tenant, as WebP; for everybody.

    :raises NotFound: it is not the tenant's (any more).
    """
    return pictures.get_logo(tenant, picture_id, size)


@exposed
def choose_mail_colours(*, light: str) -> tuple[str, str]:
    """Give the colour of buttons in mails, which are light, and of what is written on them."""
    return light, colours.choose_ink(light)


@exposed
def write_accent_css(*, light: str, dark: str) -> str:
    """Write the style sheet of two colours (``#rrggbb``), whatever they are: what could not be read is made darker or lighter.

    :raises ColourUnfit: one is no colour.
    """
    return colours.to_stylesheet(light, dark)

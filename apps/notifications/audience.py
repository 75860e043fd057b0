"""Who hears of something: the people behind a principal, and people as the actors that they would be."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID

from apps.identity import api as identity
from apps.notifications.topics import ADMINISTERING, ADMINISTRATORS_ID
from apps.sharing import api as sharing
from bitvault.kernel import tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import EVERYONE_ID


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who is let in and can be written to."""

    actor: Actor
    email: str
    """Empty: none is proved, so nothing is mailed."""
    locale: str
    time_zone: str


def find_recipients(user_ids: Collection[UUID]) -> dict[UUID, Recipient]:
    """Find those of some people who are let in to the entered tenant; without what they may reach."""
    tenant = tenancy.current()
    found = identity.find_viewers(tenant=tenant, user_ids=user_ids) if user_ids else {}
    return {
        user_id: Recipient(
            one.actor,
            one.user.email if one.user.email_proved else "",
            one.user.locale or tenant.locale,
            one.user.time_zone or tenant.time_zone or "UTC",
        )
        for user_id, one in found.items()
    }


def find_mailable(user_ids: Collection[UUID]) -> dict[UUID, Recipient]:
    """Find those of some people who are let in to the entered tenant and have a proved address; without what they may reach."""
    return {user_id: one for user_id, one in find_recipients(user_ids).items() if one.email}


def find_recipient(user_id: UUID) -> Recipient | None:
    """Find somebody who is to be told now, with what they may reach at this moment; ``None``: they are not let in any more."""
    found = find_recipients([user_id]).get(user_id)
    if found is None:
        return None
    return replace(found, actor=replace(found.actor, reach=sharing.find_reach(actor=found.actor, fresh=True)))


def list_people(principal_id: UUID, *, is_group: bool) -> list[UUID]:
    """List the people of the entered tenant behind a principal."""
    tenant = tenancy.current()
    if principal_id == ADMINISTRATORS_ID:
        return identity.list_people_ids(tenant=tenant, permission=ADMINISTERING)
    if principal_id == EVERYONE_ID:
        return identity.list_people_ids(tenant=tenant)
    if is_group:
        return identity.list_people_ids(tenant=tenant, group_id=principal_id)
    return [principal_id]


def principals_of(actor: Actor) -> list[UUID]:
    """Give the principals by which something concerns somebody; a token that is narrowed to a folder hears of what is in it alone."""
    return [*actor.principal_ids, *([ADMINISTRATORS_ID] if actor.may(ADMINISTERING) else [])]

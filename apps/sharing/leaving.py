"""Leaving a share that came by a group or with everyone: it is gone for that person, who can take it back, and for nobody else."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from apps.sharing import dtos, listing, queries
from apps.sharing.models import LeftShare, Permission
from bitvault.events.api import publish
from bitvault.events.catalog.sharing import ShareLeft, ShareRejoined
from bitvault.kernel import clock, db, ids
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Reach
from bitvault.kernel.errors import NotFound

LISTED = 200
"""Left shares of one list, latest first: more than anybody leaves."""


def leave(*, actor: Actor, share_id: UUID) -> None:
    """Have a share give the actor nothing from now on; one that they have left already is no change and no event.

    :raises NotFound: there is no such share that reaches them.
    """
    with db.write_transaction() as tx:
        share = _find_received(actor, share_id)
        left = LeftShare(id=ids.new_id(), user_id=actor.user_id, share=share, left_at=clock.now())
        if LeftShare.objects.filter(user_id=actor.user_id, share=share).exists():
            return
        left.save(force_insert=True)
        publish(ShareLeft(actor_id=actor.user_id, share_id=share.id, node_id=share.node_id, user_id=actor.user_id))
        tx.after_commit(queries.forget_remembered)


def take_back(*, actor: Actor, share_id: UUID) -> None:
    """Have a share give the actor again what it gives; one that they have not left is no change and no event.

    :raises NotFound: there is no such share that reaches them.
    """
    with db.write_transaction() as tx:
        share = _find_received(actor, share_id)
        if not LeftShare.objects.filter(user_id=actor.user_id, share=share).delete()[0]:
            return
        publish(ShareRejoined(actor_id=actor.user_id, share_id=share.id, node_id=share.node_id, user_id=actor.user_id))
        tx.after_commit(queries.forget_remembered)


def _find_received(actor: Actor, share_id: UUID) -> Permission:
    """Lock a share that reaches an actor: two requests of theirs take turns.

    :raises NotFound: there is none.
    """
    rows = queries.holding().filter(id=share_id, principal_id__in=actor.principal_ids)
    share = rows.select_for_update().first()
    if share is None:
        raise NotFound
    return share


def list_left(actor: Actor) -> list[dtos.SharedItem]:
    """List what an actor has left and could take back, latest first."""
    with db.read_transaction():
        rows = list(
            queries.holding()
            .filter(lefts__user_id=actor.user_id, principal_id__in=actor.principal_ids)
            .order_by("-lefts__left_at", "-id")[:LISTED]
        )
    # They see by name what they would have again.
    whole = replace(actor, reach=Reach({row.node_id: row.capabilities for row in rows}))
    return listing.to_items(whole, rows)


def find_left(user_id: UUID, share_ids: Collection[UUID]) -> set[UUID]:
    """Tell which of some shares a person has left, inside the open transaction."""
    rows = LeftShare.objects.filter(user_id=user_id, share_id__in=share_ids)
    return set(rows.values_list("share_id", flat=True))


def forget_person(user_id: UUID) -> None:
    """Forget what somebody has left who is not in the tenant any more."""
    with db.write_transaction():
        LeftShare.objects.filter(user_id=user_id).delete()

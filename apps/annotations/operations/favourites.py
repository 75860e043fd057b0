"""Marking favourites. Only who may know of a node marks it; everybody may drop what they have marked."""

from uuid import UUID

from apps.annotations.errors import TooManyFavourites
from apps.annotations.models import Favourite
from apps.files import api as files
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor

LIMIT = 2_000
"""Favourites of one person: more are no longer at hand."""


def mark(actor: Actor, node_id: UUID) -> None:
    """Make a node a favourite; one that is stays as it is.

    :raises NotFound: there is no such node that the actor may know of.
    :raises TooManyFavourites: the actor has as many as one can have.
    """
    node = files.get_node(actor=actor, node_id=node_id)
    with db.write_transaction():
        own = Favourite.objects.filter(user_id=actor.user_id)
        if own.filter(node_id=node.id).exists():
            return
        if own.count() >= LIMIT:
            raise TooManyFavourites(limit=LIMIT)
        row = Favourite(user_id=actor.user_id, node_id=node.id, marked_at=clock.now())
        # Two tabs may mark it in the same moment.
        Favourite.objects.bulk_create([row], ignore_conflicts=True)


def unmark(actor: Actor, node_id: UUID) -> None:
    """Let a node be no favourite any more, whether or not the actor still sees it.

    :raises NotFound: it is none of theirs, and they may not know of it.
    """
    with db.write_transaction():
        count, _ = Favourite.objects.filter(user_id=actor.user_id, node_id=node_id).delete()
    if not count:
        files.get_node(actor=actor, node_id=node_id)

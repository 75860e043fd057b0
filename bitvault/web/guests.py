"""Which routes are open to guests: those that are named here by the roof, and no other. A route that is new is for members."""

from collections.abc import Iterable

from django.http import HttpRequest

from bitvault.kernel.actor import Actor, NotForGuests

_open: set[str] = set()


def open_routes(routes: Iterable[str]) -> None:
    """Open routes to guests, each as the URL configuration spells it (``api/v1/nodes/<uuid:node_id>/versions``)."""
    _open.update(routes)


def list_open() -> frozenset[str]:
    """List the routes that are open to guests."""
    return frozenset(_open)


def require_open(request: HttpRequest, actor: Actor) -> None:
    """Refuse a guest where a route is for members.

    :raises NotForGuests: it is, and the actor is a guest.
    """
    if not actor.is_guest:
        return
    match = request.resolver_match
    if match is None or match.route not in _open:
        raise NotForGuests

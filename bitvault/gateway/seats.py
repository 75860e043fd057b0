"""What a plan limits besides room: Identity counts people, Links counts links."""

from apps.identity.api import people as identity
from apps.links import api as links
from bitvault.kernel import policies
from bitvault.kernel.actor import Actor
from bitvault.web.seats import Seat, Seats


def count_seats(actor: Actor) -> Seats:
    """Count them (``settings.BITVAULT_SEAT_COUNTER``)."""
    people, policy = identity.count_seats(tenant=actor.tenant), policies.current()
    return Seats(
        members=Seat(people.member_count, people.invited_member_count, policy.member_limit),
        guests=Seat(people.guest_count, people.invited_guest_count, policy.guest_limit),
        links=Seat(links.count_links(), 0, policy.link_limit),
    )

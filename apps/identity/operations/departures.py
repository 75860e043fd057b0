"""What somebody holds who leaves a tenant: each module that keeps people's things has a job that hands them to the successor.

Those modules stand above identity, so it does not name them: their kinds of jobs follow ``FOLLOWED`` and take a payload ``{user_id}``. When
one runs it asks ``find_succession`` who has those things by then.
"""

from uuid import UUID

from apps.identity import models
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, ids
from bitvault.kernel.tenancy import Tenant

FOLLOWED = "identity.departure"


def begin(*, tenant: Tenant, user_id: UUID, successor_id: UUID, was_guest: bool, by: UUID | None) -> None:
    """Write down who succeeds, and ask for all that is to be handed over, in the open transaction."""
    now = clock.now()
    facts = {"successor_id": successor_id, "left_at": now, "was_guest": was_guest}
    models.Departure.objects.update_or_create(
        tenant_id=tenant.id, user_id=user_id, defaults=facts, create_defaults={"id": ids.new_id(), **facts}
    )
    requester = jobs.SYSTEM if by is None else jobs.Requester("user", by)
    # Each departure has jobs of its own: who comes back and leaves again has other things by then.
    jobs.enqueue_following(FOLLOWED, {"user_id": user_id}, key=f"{user_id.hex}:{ids.new_id().hex}", by=requester)

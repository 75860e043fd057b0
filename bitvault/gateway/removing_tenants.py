"""Carrying out the deletion of tenants, which takes several modules: each forgets the tenant by its own door, in an order.

What lies outside of PostgreSQL goes first, while the tables still say of it; then the stream and the jobs, the schema, and last the row of
the tenant. A step that is done is noted; one that fails is done again an hour later, and other tenants' deletions go on meanwhile.
"""

from collections.abc import Callable
from uuid import UUID

import structlog

from apps.admin_platform import api as administration
from apps.billing.api import noted, paying
from apps.identity import api as identity
from apps.identity.dtos import DueDeletion
from apps.search import api as search
from apps.storage import api as storage
from bitvault.events import operating as events
from bitvault.jobs import operating as jobs
from bitvault.kernel import tenancy

OBJECTS_AT_ONCE = 20_000
"""Objects that one run deletes of a tenant: a minute or a few, within the time that a worker has a deletion."""

DELETIONS_AT_ONCE = 20
"""Tenants that one run deletes."""

logger = structlog.get_logger(__name__)


class NotYet(Exception):
    """A step has done what it can in one run; there is more of it."""


def _forget_objects(tenant_id: UUID) -> None:
    if not storage.remove_tenant(limit=OBJECTS_AT_ONCE):
        raise NotYet


STEPS: tuple[tuple[str, Callable[[UUID], None]], ...] = (
    ("search", lambda tenant_id: search.forget_tenant(tenant_id=tenant_id)),
    ("objects", _forget_objects),
    ("features", lambda tenant_id: administration.forget_tenant(tenant_id=tenant_id)),
    ("room", lambda tenant_id: noted.forget_tenant(tenant_id=tenant_id)),
    ("payment", lambda tenant_id: paying.forget_payment(tenant_id=tenant_id)),
    ("jobs", lambda tenant_id: jobs.forget_tenant(tenant_id=tenant_id)),
    ("stream", lambda tenant_id: events.forget_tenant(tenant_id=tenant_id)),
    ("schema", lambda tenant_id: identity.drop_tenant_schema(tenant_id=tenant_id)),
)


def remove_tenants() -> None:
    """Close the tenants whose waiting time is over, and carry on with those that have been closed for long enough."""
    identity.close_due_tenants()
    for _ in range(DELETIONS_AT_ONCE):
        deletion = identity.take_deletion()
        if deletion is None:
            return
        try:
            remove(deletion)
        except NotYet:
            logger.info("tenant_removal_goes_on", tenant=deletion.tenant.id.hex)
        except Exception as error:  # noqa: BLE001 - one tenant's trouble holds up no other; the next run tries again
            logger.warning("tenant_removal_failed", tenant=deletion.tenant.id.hex, error=type(error).__name__)


def remove(deletion: DueDeletion) -> None:
    """Do the steps that are not done yet, and then forget the tenant.

    :raises NotYet: there is too much of it for one run.
    """
    names = [name for name, _ in STEPS]
    begin = names.index(deletion.step) + 1 if deletion.step in names else 0
    with tenancy.entered(deletion.tenant):
        for name, forget in STEPS[begin:]:
            forget(deletion.tenant.id)
            identity.note_deletion_step(deletion_id=deletion.id, step=name)
            logger.info("tenant_removal_step", tenant=deletion.tenant.id.hex, step=name)
        identity.finish_deletion(deletion_id=deletion.id, tenant_id=deletion.tenant.id)
    logger.info("tenant_removed", tenant=deletion.tenant.id.hex)

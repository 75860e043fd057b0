"""The base of every Celery task: it works for the tenant that its header names, or says that it needs none.

The library for this switches the schema in a signal whose errors Celery swallows: a task of a deleted tenant then ran in
``public``. Here the tenant is looked up in the call itself, and a task without one does not run.
"""

from collections.abc import Callable, Collection
from contextlib import nullcontext
from typing import Any, ClassVar
from uuid import UUID

from celery.contrib.django.task import DjangoTask
from django.db import close_old_connections

from bitvault.kernel import ids, tenancy
from bitvault.kernel.deadlines import background
from bitvault.kernel.request import set_request_id

TENANT_HEADER = "bitvault_tenant"

_find_tenant: list[Callable[[UUID], tenancy.Tenant | None]] = []
_select_present: list[Callable[[Collection[UUID]], set[UUID]]] = []


class TenantGone(Exception):
    """The tenant of a task is not there any more, or not let in; the task did not run."""


def find_tenants_by(
    function: Callable[[UUID], tenancy.Tenant | None], *, select: Callable[[Collection[UUID]], set[UUID]]
) -> None:
    """Tell how a tenant is found by its id, and which of many are there; identity does, when Django starts."""
    _find_tenant[:] = [function]
    _select_present[:] = [select]


def select_present(tenant_ids: Collection[UUID]) -> set[UUID]:
    """Tell which of these tenants are there and let in: a task for another one would not run."""
    return _select_present[0](tenant_ids)


def find_tenant(tenant_id: UUID) -> tenancy.Tenant:
    """Find the tenant that work is for.

    :raises TenantGone: it is gone or suspended.
    """
    tenant = _find_tenant[0](tenant_id)
    if tenant is None:
        raise TenantGone(f"the tenant {tenant_id} is gone or suspended")
    return tenant


class TenantTask(DjangoTask):  # type: ignore[misc] # celery has no types
    """Runs for one tenant: ``task.apply_async(args, headers=for_tenant(tenant))``."""

    tenant_required: ClassVar[bool] = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        close_old_connections()
        set_request_id(self.request.id or str(ids.new_id()))
        try:
            with background(), tenancy.entered(self._tenant()) if self.tenant_required else nullcontext():
                return super().__call__(*args, **kwargs)
        finally:
            set_request_id(None)
            close_old_connections()

    def _tenant(self) -> tenancy.Tenant:
        named = (self.request.headers or {}).get(TENANT_HEADER) or getattr(self.request, TENANT_HEADER, None)
        if not named:
            raise tenancy.NoTenant(f"the task {self.name} came without a tenant")
        return find_tenant(UUID(named))


def for_tenant(tenant_id: UUID) -> dict[str, str]:
    """Give the headers that name the tenant of a task."""
    return {TENANT_HEADER: str(tenant_id)}

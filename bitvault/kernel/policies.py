"""What a tenant's plan lets it do: one door for every limit that a plan decides. Billing resolves plan → the tenant's own figures."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from bitvault.kernel import tenancy
from bitvault.kernel.remembered import Remembered


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits of a tenant as they are now. Room is counted exactly by Billing, and not remembered here."""

    plan: str
    plan_name: str
    plan_version: int
    file_limit_bytes: int | None
    """The largest file; ``None``: whatever the store can hold."""
    trash_days: int
    member_limit: int | None
    """Members who are let in or invited; ``None``: as many as come."""
    guest_limit: int | None
    link_limit: int | None
    """Links that lead somewhere, file requests included."""

    @property
    def trash_retention(self) -> timedelta:
        """How long something that is put into the trash now can come back."""
        return timedelta(days=self.trash_days)


_remembered: Remembered[UUID, Policy] = Remembered()


def current() -> Policy:
    """Give the policy of the entered tenant, at most 0.8 s old; within a transaction or outside of one."""
    policy = _remembered.get(tenancy.current().id, _finder())
    assert policy is not None  # noqa: S101 - for the type: a finder that finds no plan raises
    return policy


def forget() -> None:
    """Ask anew: a plan or a tenant's own figures have changed in this process."""
    _remembered.forget()


@cache
def _finder() -> Callable[[], Policy]:
    found: Callable[[], Policy] = import_string(settings.BITVAULT_POLICY_FINDER)
    return found

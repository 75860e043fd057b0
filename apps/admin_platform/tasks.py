"""Scheduled work of administration."""

from celery import shared_task

from apps.admin_platform import anchoring, denials, repeats
from apps.admin_platform.siem import waking


@shared_task(name="admin_platform.write_omitted_denials")  # type: ignore[untyped-decorator] # celery has no types
def write_omitted_denials() -> int:
    """Write into one tenant's audit log how many denials were not written; returns how many."""
    return denials.write_omitted()


@shared_task(name="admin_platform.write_repeats")  # type: ignore[untyped-decorator] # celery has no types
def write_repeats() -> int:
    """Write into one tenant's audit log how often pages of operators have asked for the same again; returns how often."""
    return repeats.write_counts()


@shared_task(name="admin_platform.anchor_audit")  # type: ignore[untyped-decorator] # celery has no types
def anchor_audit() -> bool:
    """Sign the head of one tenant's audit log; returns whether it had moved."""
    return anchoring.anchor()


@shared_task(name="admin_platform.wake_siem_exports")  # type: ignore[untyped-decorator] # celery has no types
def wake_siem_exports() -> int:
    """Ask for the jobs of one tenant's SIEM exports that are behind; returns how many are."""
    return waking.sweep()

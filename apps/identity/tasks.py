"""Identity's own scheduled work."""

from celery import shared_task

from apps.identity.operations import domains, emails, impersonating, invitations, pictures
from apps.identity.session_store import SessionStore


@shared_task(name="identity.sweep_sessions", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def sweep_sessions() -> None:
    """Delete sessions, codes and invitations that are past their time; they let nobody in before that either."""
    SessionStore.clear_expired()
    emails.sweep_codes()
    invitations.sweep()
    pictures.sweep()


@shared_task(name="identity.check_domains", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def check_domains() -> None:
    """Look at the records of host names whose last look is a day ago."""
    domains.recheck()


@shared_task(name="identity.end_impersonations", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def end_impersonations() -> None:
    """Write down the end of what operators look at no longer; it let nobody in before that either."""
    impersonating.sweep()

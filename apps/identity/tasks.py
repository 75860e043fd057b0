"""Identity's own clockwork."""

from celery import shared_task

from apps.identity.operations import emails
from apps.identity.session_store import SessionStore


@shared_task(name="identity.sweep_sessions", tenant_required=False)  # type: ignore[untyped-decorator] # celery has no types
def sweep_sessions() -> None:
    """Delete sessions and codes that are past their time; they let nobody in before that either."""
    SessionStore.clear_expired()
    emails.sweep_codes()

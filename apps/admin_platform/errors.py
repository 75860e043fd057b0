"""Refusals of administration."""

from bitvault.kernel.errors import Conflict, Forbidden


class AdministratorsOnly(Forbidden):
    """Only owners and administrators of the tenant see this."""

    code = "admin_platform.administrators_only"
    title = "Only owners and administrators of the vault may see this"


class VerificationFailed(Conflict):
    """The job that was to verify the log has failed or was canceled; facts: ``job_id``, ``state``."""

    code = "admin_platform.verification_failed"
    title = "The log was not verified to its end; ask for it again"

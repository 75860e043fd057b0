"""Refusals of administration."""

from bitvault.kernel.errors import Forbidden


class AdministratorsOnly(Forbidden):
    """Only owners and administrators of the tenant see this."""

    code = "admin_platform.administrators_only"
    title = "Only owners and administrators of the vault may see this"

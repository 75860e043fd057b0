"""Django's handle on the module."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """Identity & Access: tenants, people, memberships, tokens, sessions."""

    name = "apps.identity"
    label = "identity"
    verbose_name = "Identity and access"

    def ready(self) -> None:
        """Tell the base of all tasks how tenants are found by their ids."""
        from apps.identity import queries
        from bitvault.kernel.tasks import find_tenants_by

        find_tenants_by(queries.find_tenant, select=queries.select_active)

"""Django's handles on the module, and on Django admin, whose people are ours."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class IdentityConfig(AppConfig):
    """Identity & Access: tenants, people, memberships, tokens, sessions."""

    default = True
    name = "apps.identity"
    label = "identity"
    verbose_name = _("Identity and access")

    def ready(self) -> None:
        """Tell the base of all tasks how tenants are found by their ids; make mails and pages known."""
        from apps.identity import mails, queries  # noqa: F401 - importing mails registers who writes them
        from apps.identity.ui import shell  # noqa: F401 - importing it registers what the frame shows
        from bitvault.kernel.tasks import find_tenants_by

        find_tenants_by(queries.find_tenant, select=queries.select_active)


class OperatorsAdminConfig(admin_apps.AdminConfig):
    """Django admin with the operators' own sign-in."""

    default = False
    default_site = "apps.identity.operators.OperatorsSite"

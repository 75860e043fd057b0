"""Django's handle on the module."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    """Billing and metering."""

    name = "apps.billing"
    label = "billing"
    verbose_name = _("Billing and metering")

    def ready(self) -> None:
        """Make the meter's functions, kinds of jobs and what the frame shows known."""
        from apps.billing import consumers, jobs  # noqa: F401 - importing it registers them
        from apps.billing.ui import shell  # noqa: F401 - the same

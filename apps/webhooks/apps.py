"""Django's handle on the module."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    """Webhooks."""

    name = "apps.webhooks"
    label = "webhooks"
    verbose_name = _("Webhooks")

    def ready(self) -> None:
        """Make the module's consumer, its jobs and what it puts into the frame known."""
        from apps.webhooks import consumers, jobs, sealed  # noqa: F401 - importing them registers their functions
        from apps.webhooks.ui import shell  # noqa: F401 - the same

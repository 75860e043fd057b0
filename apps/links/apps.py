"""Django's handle on the module."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LinksConfig(AppConfig):
    """Public links."""

    name = "apps.links"
    label = "links"
    verbose_name = _("Links")

    def ready(self) -> None:
        """Register the consumer, jobs and mails, and put the module into the frame."""
        from apps.links import consumers, jobs, mails  # noqa: F401 - importing them registers their functions
        from apps.links.ui import shell  # noqa: F401 - importing it registers what it has

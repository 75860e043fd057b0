"""Django's handle on the module."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SharingConfig(AppConfig):
    """Sharing: who may do what with a node."""

    name = "apps.sharing"
    label = "sharing"
    verbose_name = _("Sharing")

    def ready(self) -> None:
        """Make the module's consumer, job, mail and pages known."""
        from apps.sharing import consumers, jobs, mails  # noqa: F401 - importing them registers their functions
        from apps.sharing.ui import shell  # noqa: F401 - importing it registers what the frame shows

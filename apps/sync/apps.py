"""Django's handle on the module."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SyncConfig(AppConfig):
    """The change feed of devices."""

    name = "apps.sync"
    label = "sync"
    verbose_name = _("Sync")

    def ready(self) -> None:
        """Make the module's consumer, its rebuild, its jobs and its pages known."""
        from apps.sync import consumers, jobs  # noqa: F401 - importing them registers their functions
        from apps.sync.ui import shell  # noqa: F401 - importing it registers what the frame shows

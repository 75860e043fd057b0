"""Django's handle on the module."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ScanningConfig(AppConfig):
    """Scanning."""

    name = "apps.scanning"
    label = "scanning"
    verbose_name = _("Scanning")

    def ready(self) -> None:
        """Make the module's consumer, its jobs and what it puts into the frame known."""
        from apps.scanning import consumers, jobs  # noqa: F401 - importing them registers their functions
        from apps.scanning.ui import shell  # noqa: F401 - the same

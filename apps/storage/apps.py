"""Django's handle on the module."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StorageConfig(AppConfig):
    """Storage."""

    name = "apps.storage"
    label = "storage"
    verbose_name = _("Storage")

    def ready(self) -> None:
        """Make the keeper of references and the kinds of jobs known."""
        from apps.storage import consumers, jobs, sealed  # noqa: F401 - importing them registers their functions

"""Django's handle on the module."""

from django.apps import AppConfig


class StorageConfig(AppConfig):
    """Storage."""

    name = "apps.storage"
    label = "storage"
    verbose_name = "Storage"

    def ready(self) -> None:
        """Make the keeper of references known."""
        from apps.storage import consumers  # noqa: F401 - importing it registers its functions

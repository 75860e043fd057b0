"""Django's handle on the module."""

from django.apps import AppConfig


class SharingConfig(AppConfig):
    """Sharing: who may do what with a node."""

    name = "apps.sharing"
    label = "sharing"
    verbose_name = "Sharing"

    def ready(self) -> None:
        """Make the module's consumer known."""
        from apps.sharing import consumers  # noqa: F401 - importing it registers its functions

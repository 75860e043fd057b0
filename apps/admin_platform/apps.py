"""Django's handle on the module."""

from django.apps import AppConfig


class AdminPlatformConfig(AppConfig):
    """Administration and platform: the audit log."""

    name = "apps.admin_platform"
    label = "admin_platform"
    verbose_name = "Administration"

    def ready(self) -> None:
        """Make the module's consumer known."""
        from apps.admin_platform import consumers  # noqa: F401 - importing it registers its functions

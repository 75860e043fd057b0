"""Django's handle on the module."""

from django.apps import AppConfig


class AdminPlatformConfig(AppConfig):
    """Administration and platform: the audit log."""

    name = "apps.admin_platform"
    label = "admin_platform"
    verbose_name = "Administration"

    def ready(self) -> None:
        """Make the module's consumer and its jobs known."""
        from apps.admin_platform import consumers, jobs  # noqa: F401 - importing them registers their functions

"""Django's handle on the module."""

from django.apps import AppConfig


class AdminPlatformConfig(AppConfig):
    """Administration and platform: the audit log."""

    name = "apps.admin_platform"
    label = "admin_platform"
    verbose_name = "Administration"

    def ready(self) -> None:
        """Make the module's consumer, its jobs and its pages known."""
        from apps.admin_platform import consumers, jobs  # noqa: F401 - importing them registers their functions
        from apps.admin_platform.ui import shell  # noqa: F401 - the same

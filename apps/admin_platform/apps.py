"""Django's handle on the module."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _
from openfeature import api as openfeature

from bitvault.kernel import config


class AdminPlatformConfig(AppConfig):
    """Administration and platform: the audit log, feature flags and settings."""

    name = "apps.admin_platform"
    label = "admin_platform"
    verbose_name = _("Administration")

    def ready(self) -> None:
        """Make the module's consumer, its jobs and its pages known, and answer for the flags and settings that all modules declare."""
        from apps.admin_platform import consumers, jobs, sealed  # noqa: F401 - importing them registers their functions
        from apps.admin_platform.config_source import SOURCE
        from apps.admin_platform.flag_provider import PROVIDER
        from apps.admin_platform.ui import shell  # noqa: F401 - the same

        openfeature.set_provider(PROVIDER)
        config.ask(SOURCE)
        autodiscover_modules("flags", "config")

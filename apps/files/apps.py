"""Django's handle on the module."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FilesConfig(AppConfig):
    """File and metadata."""

    name = "apps.files"
    label = "files"
    verbose_name = _("File and metadata")
    former_tenant_models = ("teammember",)
    """Models that old migrations make and later ones drop, in tenants' schemas."""

    def ready(self) -> None:
        """Register what is done later, and put the module's sections and actions into the frame of pages."""
        from apps.files import consumers, jobs  # noqa: F401 - importing them registers their functions
        from apps.files.ui import shell  # noqa: F401 - importing it registers them

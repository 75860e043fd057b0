"""Django's handle on the module."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PreviewsConfig(AppConfig):
    """Previews."""

    name = "apps.previews"
    label = "previews"
    verbose_name = _("Previews")

    def ready(self) -> None:
        """Make the module's consumer, its jobs and what it puts into the frame known."""
        from apps.previews import consumers, jobs  # noqa: F401 - importing them registers their functions
        from apps.previews.ui import shell  # noqa: F401 - the same

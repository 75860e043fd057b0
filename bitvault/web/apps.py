"""Django's handle on the package."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebConfig(AppConfig):
    """REST toolkit."""

    name = "bitvault.web"
    label = "web"
    verbose_name = _("REST toolkit")

    def ready(self) -> None:
        """Make the path converters known before any URL is read."""
        from bitvault.web import converters  # noqa: F401 - importing it registers them

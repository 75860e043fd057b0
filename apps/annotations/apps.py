"""Django's handle on annotations."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnnotationsConfig(AppConfig):
    """Annotations."""

    name = "apps.annotations"
    label = "annotations"
    verbose_name = _("Annotations")

    def ready(self) -> None:
        """Make the consumer and what annotations put into the frame known."""
        from apps.annotations import consumers  # noqa: F401 - importing it registers its function
        from apps.annotations.ui import shell  # noqa: F401 - the same

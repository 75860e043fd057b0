"""Django's handle on the module."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    """Notifications."""

    name = "apps.notifications"
    label = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        """Make the consumer, jobs and mails known, and what the frame shows."""
        from apps.notifications import consumers, jobs, mails, sealed  # noqa: F401 - importing it registers them
        from apps.notifications.ui import shell  # noqa: F401 - importing it registers what the frame shows

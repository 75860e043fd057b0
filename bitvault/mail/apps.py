"""Django's handle on mail."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailConfig(AppConfig):
    """Mail, sent by jobs."""

    name = "bitvault.mail"
    label = "mail"
    verbose_name = _("Mail")

    def ready(self) -> None:
        """Make the job known that sends."""
        from bitvault.mail import jobs  # noqa: F401 - importing it registers its function

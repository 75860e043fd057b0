"""Django's handle on backups."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BackupConfig(AppConfig):
    """Backup and restore."""

    name = "bitvault.backup"
    label = "backup"
    verbose_name = _("Backups")

    def ready(self) -> None:
        """Make the nightly job known."""
        from bitvault.backup import jobs  # noqa: F401 - importing it registers its function

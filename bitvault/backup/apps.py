"""Django's handle on backups."""

from django.apps import AppConfig


class BackupConfig(AppConfig):
    """Backup and restore."""

    name = "bitvault.backup"
    label = "backup"
    verbose_name = "Backups"

    def ready(self) -> None:
        """Make the nightly job known."""
        from bitvault.backup import jobs  # noqa: F401 - importing it registers its function

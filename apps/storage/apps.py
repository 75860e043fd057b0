"""Django's handle on the module."""

from django.apps import AppConfig


class StorageConfig(AppConfig):
    """Storage."""

    name = "apps.storage"
    label = "storage"
    verbose_name = "Storage"

"""Django's handle on the module."""

from django.apps import AppConfig


class FilesConfig(AppConfig):
    """File and metadata."""

    name = "apps.files"
    label = "files"
    verbose_name = "File and metadata"

"""Django's handle on the module."""

from django.apps import AppConfig


class LinksConfig(AppConfig):
    """Public links."""

    name = "apps.links"
    label = "links"
    verbose_name = "Links"

"""Django's handle on the package."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """REST toolkit."""

    name = "bitvault.web"
    label = "web"
    verbose_name = "REST toolkit"

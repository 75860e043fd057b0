"""Django's handle on the package."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    """Gateway."""

    name = "bitvault.gateway"
    label = "gateway"
    verbose_name = "Gateway"

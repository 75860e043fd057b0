"""Django's handle on the module."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """Identity & Access: tenants, people, memberships, tokens, sessions."""

    name = "apps.identity"
    label = "identity"
    verbose_name = "Identity and access"

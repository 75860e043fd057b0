"""Django's handle on deferred work."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Deferred work."""

    name = "bitvault.jobs"
    label = "jobs"
    verbose_name = "Jobs"

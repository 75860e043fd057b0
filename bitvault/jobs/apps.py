"""Django's handle on deferred work."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    """Deferred work."""

    name = "bitvault.jobs"
    label = "jobs"
    verbose_name = _("Jobs")

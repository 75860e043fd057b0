"""Django's handle on the event backbone."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EventsConfig(AppConfig):
    """The event backbone."""

    name = "bitvault.events"
    label = "events"
    verbose_name = _("Event stream")

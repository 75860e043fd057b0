"""Django's handle on the event backbone."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """The event backbone."""

    name = "bitvault.events"
    label = "events"
    verbose_name = "Event stream"

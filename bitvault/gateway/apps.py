"""Django's handle on the package."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GatewayConfig(AppConfig):
    """Gateway."""

    name = "bitvault.gateway"
    label = "gateway"
    verbose_name = _("Gateway")

    def ready(self) -> None:
        """Configure Celery in every process: a web process that did not would send its hints to a broker that nobody runs."""
        from bitvault.gateway import (
            admin_labels,
            alarms,  # noqa: F401 - importing it registers the mail that operators get
            anchors,  # noqa: F401 - importing it registers the job that copies them
            archives,  # noqa: F401 - importing it registers the job that makes them
            celery,
            copying,  # noqa: F401 - importing it registers the job that copies trees
            extracting,  # noqa: F401 - importing it registers the job that extracts them
            guests,
            rebuilding,  # noqa: F401 - importing it registers how the meter is rebuilt
            recounting,  # noqa: F401 - importing it registers the nightly job
            retention,  # noqa: F401 - importing it registers the job that names what has a tag
            rewinding,  # noqa: F401 - importing it registers the job that carries rewinds out
        )
        from bitvault.web.guests import open_routes

        celery.app.set_default()
        admin_labels.give_labels()
        open_routes(guests.OPEN)

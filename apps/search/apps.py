"""Django's handle on the module."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SearchConfig(AppConfig):
    """Search."""

    name = "apps.search"
    label = "search"
    verbose_name = _("Search")
    former_tenant_models = ("remarkversion",)

    def ready(self) -> None:
        """Make the indexer's functions and the search box known."""
        from apps.search import consumers, jobs  # noqa: F401 - importing them registers them
        from apps.search.ui import shell  # noqa: F401 - importing it registers what the frame shows

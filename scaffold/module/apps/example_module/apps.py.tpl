"""Django's handle on the module."""

from django.apps import AppConfig


class ExampleModuleConfig(AppConfig):
    """Example module."""

    name = "apps.example_module"
    label = "example_module"
    verbose_name = "Example module"

    def ready(self) -> None:
        """Make the module's consumer, its jobs and what it puts into the frame known."""
        from apps.example_module import consumers, jobs  # noqa: F401 - importing them registers their functions
        from apps.example_module.ui import shell  # noqa: F401 - the same

"""Doors of modules that do not exist, for tests of the boundary itself."""

from bitvault.kernel.boundary import exposed


def make_door(module: str, function):
    """Make ``function`` a door of ``apps/<module>``."""
    function.__module__ = f"apps.{module}.api"
    return exposed(function)

from tests.jobs.conftest import desk

__all__ = ["desk"]

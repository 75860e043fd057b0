"""Fixtures of the tests of sharing: those of files."""

from tests.apps.files.conftest import counted_queries, tree

__all__ = ["counted_queries", "tree"]

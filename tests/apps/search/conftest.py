import pytest

from apps.search import api as search
from apps.search.indexing import CONSUMER
from bitvault.events import consuming
from tests.apps.files.conftest import counted_queries, tree

__all__ = ["counted_queries", "tree"]


class Finder:
    """Searches as somebody, in an index that is up to date."""

    def __init__(self, actor):
        self.actor = actor

    def results(self, text="", **more):
        consuming.consume(CONSUMER)
        return search.search(actor=self.actor, text=text, **more)

    def names(self, text="", **more):
        return [hit.node.name for hit in self.results(text, **more).items]

    def suggested(self, text):
        consuming.consume(CONSUMER)
        return [one.name for one in search.suggest(actor=self.actor, text=text).items]


@pytest.fixture
def finder(tree):
    return Finder(tree.actor)

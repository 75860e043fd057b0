import pytest

from apps.search import api as search
from apps.search import outgoing, remarking, sending
from apps.search.engine import CONSUMER
from bitvault.events import consuming
from tests.apps.files.conftest import counted_queries, tree

__all__ = ["counted_queries", "tree"]


def catch_up():
    """Bring the index up to date, in OpenSearch too where it is chosen."""
    consuming.consume(CONSUMER)
    remarking.read()
    if outgoing.is_chosen():
        sending.send()


class Finder:
    """Searches as somebody, in an index that is up to date."""

    def __init__(self, actor):
        self.actor = actor

    def results(self, text="", **more):
        catch_up()
        return search.search(actor=self.actor, text=text, **more)

    def unread(self, text):
        """Search in an index that does not know the latest changes."""
        return search.search(actor=self.actor, text=text)

    def names(self, text="", **more):
        return [hit.node.name for hit in self.results(text, **more).items]

    def suggested(self, text):
        catch_up()
        return [one.name for one in search.suggest(actor=self.actor, text=text).items]


@pytest.fixture
def finder(tree):
    return Finder(tree.actor)

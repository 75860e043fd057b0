"""What tests of annotations stand on: a tree, people beside it, and the stream read as workers do."""

from dataclasses import replace

import pytest

from apps.annotations.consumers import CONSUMER
from bitvault.events import consuming
from bitvault.kernel.actor import Role
from tests.apps.files.conftest import counted_queries, tree
from tests.support.shares import live, share

__all__ = ["counted_queries", "tree"]


@pytest.fixture
def catch_up():
    return lambda: consuming.consume(CONSUMER)


@pytest.fixture
def actor(make_actor):
    return live(make_actor("mia"))


@pytest.fixture
def olga(make_actor):
    """Somebody who reaches nothing of mia's but ``photos``."""
    return live(replace(make_actor("olga"), role=Role.MEMBER))


@pytest.fixture
def adam(make_actor):
    """Who administers the tenant."""
    return live(make_actor("adam"))


@pytest.fixture
def photos(tree, olga):
    """A folder of mia's that olga may see."""
    folder = tree.folder("Photos")
    share(tree.actor, folder, olga, "viewer")
    return folder

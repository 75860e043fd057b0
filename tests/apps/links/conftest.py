"""Fixtures of the tests of links: a small tree of mia's, and strangers."""

import itertools

import pytest

from apps.links import api as links
from apps.links.dtos import LinkWish
from bitvault.kernel.request import Visitor
from tests.apps.files.conftest import counted_queries, tree

__all__ = ["counted_queries", "tree"]

_numbers = itertools.count(1)


def stranger(**facts) -> Visitor:
    """Somebody with a browser of their own."""
    number = next(_numbers)
    return Visitor(**{"id": f"visitor-{number:014d}", "is_new": False, "address": "192.0.2.1", "program": "B", **facts})


def make_link(actor, node, kind="download", **wish):
    """Make a link; returns it and the end of its address."""
    return links.create_link(actor=actor, node_id=node.id, wish=LinkWish(kind=kind, **wish))


def published():
    """Read what stands in the tenant's stream, oldest first."""
    from bitvault.events.models import StreamEvent
    from tests.support.world import ACME

    return list(StreamEvent.objects.filter(tenant_id=ACME.id).order_by("seq"))


@pytest.fixture
def reports(tree):
    """A folder of mia's, below another one, with a file and a folder in it."""
    folder = tree.folders("Private/Reports")
    tree.file("q3.txt", folder, b"figures")
    tree.file("deep.txt", tree.folder("More", folder), b"deeper")
    return folder

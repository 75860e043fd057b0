"""What others have shared with somebody, narrowed to their favourites, or with these first."""

import pytest

from apps.annotations import api as annotations
from apps.sharing import api as sharing
from apps.sharing.dtos import Received
from bitvault.kernel.actor import Role
from bitvault.kernel.pages import BadCursor
from tests.support.shares import live, share

FAVOURITES = Received(only_favourites=True)
FAVOURITES_FIRST = Received(sort="favourites")


@pytest.fixture
def vera(make_actor):
    return live(make_actor("vera", role=Role.MEMBER))


@pytest.fixture
def olga(make_actor):
    return live(make_actor("olga", role=Role.MEMBER))


@pytest.fixture
def received(tree, vera, olga):
    """Six folders that vera has received, of which the first, third and fifth are her favourites, and one is olga's."""
    folders = [tree.folder(f"Folder {number}") for number in range(6)]
    for folder in folders:
        share(tree.actor, folder, vera, "viewer")
        share(tree.actor, folder, olga, "viewer")
    for folder in folders[::2]:
        annotations.mark_favourite(actor=vera, node_id=folder.id)
    annotations.mark_favourite(actor=olga, node_id=folders[1].id)
    return folders


def read(actor, wanted, limit=100):
    names, cursor = [], None
    while True:
        page = sharing.list_shared_with_me(actor=actor, wanted=wanted, limit=limit, cursor=cursor)
        names += [item.node.name[-1] for item in page.items]
        if page.next_cursor is None:
            return "".join(names)
        cursor = page.next_cursor


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_favourites_come_first_or_alone_page_by_page(vera, olga, received, limit):
    assert read(vera, sharing.RECEIVED, limit) == "543210"
    assert read(vera, FAVOURITES, limit) == "420"
    assert read(vera, FAVOURITES_FIRST, limit) == "420531"
    assert read(olga, FAVOURITES_FIRST, limit) == "154320"


def test_who_has_no_favourites_has_none_first(make_actor, tree, vera):
    share(tree.actor, tree.folder("Folder 0"), vera, "viewer")
    assert read(vera, FAVOURITES) == ""
    assert read(vera, FAVOURITES_FIRST) == "0"


def test_a_favourite_whose_share_has_ended_is_not_listed(tree, vera, received):
    items = sharing.list_shared_with_me(actor=vera).items
    sharing.revoke_share(actor=vera, share_id=next(item.share.id for item in items if item.node.name == "Folder 4"))
    assert read(vera, FAVOURITES) == "20"


def test_a_cursor_of_one_order_is_none_of_another(vera, received):
    page = sharing.list_shared_with_me(actor=vera, wanted=FAVOURITES_FIRST, limit=1)
    with pytest.raises(BadCursor):
        sharing.list_shared_with_me(actor=vera, cursor=page.next_cursor)

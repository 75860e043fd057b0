"""Somebody else, whose folder the devices' person is given: shared and unshared, moved across its edge, trashed and brought back."""

from datetime import timedelta

from apps.files import api as files
from apps.sharing import api as sharing
from bitvault.kernel import clock
from bitvault.kernel.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from tests.apps.files.conftest import Tree, live_a_little
from tests.support.shares import filled, share

ROLES = ("editor", "editor", "contributor", "viewer", "manager")
"""Not the uploader: what they bring is theirs no more, and no device keeps it."""


class Owner:
    """The owner of a tree of which others have parts."""

    def __init__(self, actor, guest):
        self.tree = Tree(actor)
        self.guest = guest
        self.private = self.tree.folder("Private")
        self.shared = self.tree.folder("Shared", self.private)
        self.inner = self.tree.folder("d", self.shared)
        self.aside = self.tree.folder("Aside", self.private)
        self.tree.folder("below", self.tree.folder("moving", self.aside))
        share(actor, self.shared, guest, "editor")

    def act(self, chance):
        """Do one thing; tells which."""
        try:
            return self._act(chance)
        except (Conflict, Invalid, PreconditionFailed, NotFound, Forbidden) as refused:
            return refused.code

    def _act(self, chance):
        node = chance.choice((self.shared, self.shared, self.inner, self.private, self.aside))
        match chance.choice(("give", "give", "take", "take", "move", "move", "trash", "restore", "restore", "live")):
            case "give":
                role = chance.choice(ROLES)
                ends = clock.now() + timedelta(minutes=chance.randrange(1, 30)) if chance.random() < 0.2 else None
                share(self.tree.actor, node, chance.choice((self.guest, self.guest, "everyone")), role, expires_at=ends)
                return f"{node.name} given to {role}{' for some minutes' if ends else ''}"
            case "take":
                given = sharing.list_shares(actor=filled(self.tree.actor), node_id=node.id).items
                for one in given:
                    sharing.revoke_share(actor=filled(self.tree.actor), share_id=one.id)
                return f"{node.name} taken"
            case "move":
                target = chance.choice((self.shared, self.inner, self.private, self.aside, self.tree.root))
                moved = chance.choice(self._list_below())
                files.update_node(
                    actor=self.tree.actor,
                    node_id=moved,
                    parent_id=target.id,
                    autorename=True,
                    expected_revision="any",
                )
                return f"moved into {target.name}"
            case "trash":
                self.tree.trash(node)
                return f"{node.name} trashed"
            case "restore":
                items = files.list_trash(actor=self.tree.actor).items
                if not items:
                    return "nothing to restore"
                one = chance.choice(items)
                files.restore_node(actor=self.tree.actor, node_id=one.id, on_conflict="rename")
                return f"{one.name} restored"
            case _:
                live_a_little(self.tree, chance, 3)
                return "lived"

    def _list_below(self):
        """List what lies in the folders of interest, and these."""
        found = [self.shared.id, self.inner.id, self.aside.id]
        for folder in (self.shared, self.inner, self.aside):
            try:
                found += [one.id for one in files.list_children(actor=self.tree.actor, node_id=folder.id).items]
            except NotFound:
                continue
        return found

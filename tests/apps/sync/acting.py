"""Devices of tests that change things, by the rules that the README of sync gives them, knowing no more than the feed has told them."""

import unicodedata

from apps.files import api as files
from apps.files import errors
from bitvault.kernel.errors import NotFound
from tests.apps.files.conftest import Tree, hash_of
from tests.apps.sync.following import Device, project


class Worker(Device):
    """A device whose person works on it. Each change is begun by what the device knows, and carried out when it is called."""

    def __init__(self, actor, name):
        super().__init__(actor, name)
        self.name = name
        self.tree = Tree(actor)
        self.sent = set()
        """Hashes of all content that the server has acknowledged to this device."""

    def knows(self, path):
        """Find a node by its path as the device knows it."""
        node_id = next(one for one, node in self.nodes.items() if node["parent_id"] is None)
        for name in path.split("/"):
            node_id = next(
                one for one, node in self.nodes.items() if node["parent_id"] == node_id and node["name"] == name
            )
        return node_id

    def catch_up(self):
        """Take over what has happened."""
        project()
        self.follow()

    # --- changes: each begins at once and returns what carries it out --------------------------------------------------------

    def edit(self, path, content):
        """Another content for a file, from the version that the device knows."""
        node_id = self.knows(path)
        known = self.nodes[node_id]
        try:
            grant = self.tree.grant(
                known["name"],
                known["parent_id"],
                mode="update",
                node_id=node_id,
                base_version_id=known["version_id"],
                size_bytes=len(content),
            )
        except NotFound:  # deleted for ever: the bytes are kept here and come as a new file
            return self.add(known["parent_id"], known["name"], content)
        return lambda: self._commit(grant, content)

    def add(self, parent_id, name, content):
        """Bring a new file; the root takes it when the folder is gone."""
        try:
            grant = self.tree.grant(name, parent_id, autorename=True, size_bytes=len(content))
        except NotFound:
            return self.add(self.tree.root.id, name, content)

        def carry_out():
            try:
                self._commit(grant, content)
            except errors.ParentGone:
                self.add(self.tree.root.id, name, content)()

        return carry_out

    def _commit(self, grant, content):
        try:
            self.tree.commit(grant, content, made_on=self.name)
        except errors.NodeGone:
            return  # these very bytes lie in the trash
        self.sent.add(hash_of(content))

    def make_folder(self, parent_id, name):
        """Make a folder, or find the one of that very name; returns its id."""
        try:
            return self.tree.folder(name, parent_id).id
        except errors.NameTaken as taken:
            if taken.facts["kind"] == "folder" and taken.facts["name"] == unicodedata.normalize("NFC", name):
                return taken.facts["node_id"]
        except NotFound:
            return self.make_folder(self.tree.root.id, name)
        return self.tree.folder(name, parent_id, autorename=True).id

    def delete(self, path):
        """Delete what the device has seen there, and nothing else."""
        return lambda: self._delete(self.knows(path))

    def _delete(self, node_id):
        self._delete_seen(node_id, dict(self.nodes))

    def _delete_seen(self, node_id, seen):
        """Delete a node as it was seen; a folder from below, if it is where it was, and itself when nothing else has come into it."""
        if seen[node_id]["kind"] == "folder":
            self.catch_up()
            if node_id not in self.nodes or self.nodes[node_id]["revision"] != seen[node_id]["revision"]:
                return
            for child in [one for one, node in seen.items() if node["parent_id"] == node_id]:
                self._delete_seen(child, seen)
            self.catch_up()
            if any(node["parent_id"] == node_id for node in self.nodes.values()):
                return
        try:
            files.trash_node(actor=self.actor, node_id=node_id, expected_revision=seen[node_id]["revision"])
        except (errors.RevisionMismatch, NotFound):
            return  # somebody has changed it: that is stronger

    def move(self, path, *, into=None, name=None):
        """Give a node another place or name."""
        node_id = self.knows(path)
        known = self.nodes[node_id]
        parent_id = self.knows(into) if into else known["parent_id"]
        return lambda: self._move(node_id, known, parent_id, name or known["name"])

    def _move(self, node_id, known, parent_id, name):
        try:
            files.update_node(
                actor=self.actor,
                node_id=node_id,
                parent_id=parent_id,
                name=name,
                autorename=True,
                expected_revision=known["revision"],
            )
        except errors.RevisionMismatch:
            self.catch_up()
            now = self.nodes.get(node_id)
            if now is not None and (now["parent_id"], now["name"]) == (known["parent_id"], known["name"]):
                self._move(node_id, now, parent_id, name)  # it was edited, not moved
        except (NotFound, errors.MoveCycle):
            return  # it was deleted, or the other's move came first

    def replace(self, path, content):
        """Put a file where a folder was, or a folder with a file in it where a file was."""
        node_id = self.knows(path)
        known = self.nodes[node_id]
        if known["kind"] == "folder":
            bring = self.add(known["parent_id"], known["name"], content)

            def put_file():
                self._delete(node_id)
                bring()

            return put_file

        def put_folder():
            self._delete(node_id)
            folder_id = self.make_folder(known["parent_id"], known["name"])
            self.add(folder_id, "inside.txt", content)()

        return put_folder

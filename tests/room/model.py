"""What a vault holds and has promised, in plain Python: written from the rule of billing's and storage's README, not from their code."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(eq=False)
class Version:
    id: str
    content: bytes
    upload_id: str | None = None

    @property
    def size_bytes(self) -> int:
        return len(self.content)


@dataclass(eq=False)
class Node:
    id: str
    parent_id: str | None
    versions: list[Version] = field(default_factory=list)
    """The last one is the current one; a folder has none."""
    trash_of: str | None = None
    """The root whose trash it is a top of; itself where it is an ended team folder."""
    origin_id: str | None = None
    """The folder that it was trashed from."""

    @property
    def is_folder(self) -> bool:
        return not self.versions


@dataclass(eq=False)
class Pending:
    """An upload that holds room."""

    id: str
    sender: str
    content: bytes
    parent_id: str
    node_id: str | None
    base_id: str | None
    limited_root_id: str | None
    """The root below which it was promised, where that had a limit then."""
    answer: dict = field(repr=False, default_factory=dict)
    made: Version | None = None
    """Its version, where the process died before it was charged."""

    @property
    def size_bytes(self) -> int:
        return len(self.content)


@dataclass(eq=False)
class Vault:
    nodes: dict[str, Node] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    """Roots, each with whoever acts in it."""
    pending: dict[str, Pending] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    """Uploads that are over, each with what its promise came to."""
    limit_bytes: int | None = None
    root_limits: dict[str, int] = field(default_factory=dict)
    derived: dict[bytes, int] = field(default_factory=dict)
    """Bytes of what was made of contents: they count nowhere."""

    # --- the tree ----------------------------------------------------------------------------------------------------------

    def add(self, node_id: str, parent_id: str | None, *versions: Version) -> Node:
        self.nodes[node_id] = Node(node_id, parent_id, list(versions))
        return self.nodes[node_id]

    def way(self, node_id: str) -> Iterator[Node]:
        node = self.nodes.get(node_id)
        while node is not None:
            yield node
            node = self.nodes.get(node.parent_id) if node.parent_id else None

    def top(self, node_id: str) -> Node:
        return list(self.way(node_id))[-1]

    def is_live(self, node_id: str | None) -> bool:
        if node_id is None or node_id not in self.nodes:
            return False
        top = self.top(node_id)
        return top.trash_of is None and top.id in self.owners

    def below(self, node_id: str) -> list[Node]:
        return [node for node in self.nodes.values() if any(one.id == node_id for one in self.way(node.id))]

    def live(self, *, folders: bool) -> list[Node]:
        """Live folders, roots among them; or live files."""
        return [node for node in self.nodes.values() if node.is_folder == folders and self.is_live(node.id)]

    def trashed(self, *, teams: bool = False) -> list[Node]:
        """Tops of the trash of roots that are live; or ended team folders."""
        tops = [node for node in self.nodes.values() if node.trash_of is not None]
        if teams:
            return [node for node in tops if node.trash_of == node.id]
        return [node for node in tops if node.trash_of != node.id and self.is_live(node.trash_of)]

    def purge(self, node_id: str) -> None:
        for node in self.below(node_id):
            del self.nodes[node.id]

    # --- room ----------------------------------------------------------------------------------------------------------------

    def versions(self, nodes: Iterable[Node] | None = None) -> list[Version]:
        return [version for node in (self.nodes.values() if nodes is None else nodes) for version in node.versions]

    def size(self, nodes: Iterable[Node] | None = None) -> int:
        return sum(version.size_bytes for version in self.versions(nodes))

    @property
    def uncharged_bytes(self) -> int:
        return sum(one.size_bytes for one in self.pending.values() if one.made is not None)

    @property
    def used_bytes(self) -> int:
        """Every version with its full size, in the trash too; not what a process that died has not charged yet."""
        return self.size() - self.uncharged_bytes

    @property
    def reserved_bytes(self) -> int:
        return sum(one.size_bytes for one in self.pending.values())

    def root_used_bytes(self, root_id: str) -> int:
        return self.size(self.below(root_id)) if self.is_live(root_id) else 0

    def root_reserved_bytes(self, root_id: str) -> int:
        return sum(one.size_bytes for one in self.pending.values() if one.limited_root_id == root_id)

    def takes(self, size_bytes: int, root_id: str) -> bool:
        """Whether this much more finds room below a root."""
        limit = self.limit_bytes
        if limit is not None and self.used_bytes + self.reserved_bytes + size_bytes > limit:
            return False
        own = self.root_limits.get(root_id)
        return own is None or self.root_used_bytes(root_id) + self.root_reserved_bytes(root_id) + size_bytes <= own

    def usage(self) -> dict[str, int]:
        """What the meter has to tell."""
        live = [node for node in self.nodes.values() if self.is_live(node.id)]
        return {
            "live_bytes": self.size(live),
            "trash_bytes": self.size() - self.size(live),
            "version_count": len(self.versions()),
            "file_count": sum(not node.is_folder for node in self.nodes.values()),
            "folder_count": sum(node.is_folder for node in self.nodes.values()),
        }

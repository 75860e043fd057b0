"""What a device has to do, told from three trees: what its person sees (local), what the feed has told (remote), and what both were when they
last agreed (synced). Nothing here talks to anybody.

Nodes that the server knows are keyed by their id, those that it has not seen yet by a text of the device's own.
"""

from dataclasses import dataclass, field, replace
from uuid import UUID

Key = UUID | str

ROUNDS_LIMIT = 200
"""A plan that has not come to rest by then goes in circles."""


@dataclass(frozen=True, slots=True)
class Local:
    """A node as it lies on the device."""

    parent: Key | None
    name: str
    content: str | None
    """Hash of a file's content; ``None`` is a folder."""

    @property
    def place(self):
        return self.parent, self.name


@dataclass(frozen=True, slots=True)
class State:
    """A node as the server has told of it."""

    parent: UUID | None
    name: str
    content: str | None
    version_id: UUID | None
    revision: int

    @property
    def place(self):
        return self.parent, self.name

    @classmethod
    def of(cls, node):
        return cls(node.parent_id, node.name, node.content_hash, node.version_id, node.revision)

    def to_local(self):
        return Local(self.parent, self.name, self.content)


@dataclass(slots=True)
class Disk:
    """Everything that a device keeps: what comes back when it is restored from a backup."""

    local: dict[Key, Local] = field(default_factory=dict)
    remote: dict[UUID, State] = field(default_factory=dict)
    synced: dict[UUID, State] = field(default_factory=dict)
    removed: set[UUID] = field(default_factory=set)
    """What the feed has told to be gone, and nobody has told to be back."""
    left: set[UUID] = field(default_factory=set)
    """Shared nodes that this device's person has left, and of which the feed has not told yet that they are gone."""
    deleted: dict[UUID, int] = field(default_factory=dict)
    """What this device has deleted itself, with the revision by which it did: the feed may still tell of it as it was before."""
    heights: dict[UUID, int] = field(default_factory=dict)
    """The highest revision that the feed has told of each node."""
    versions: dict[UUID, tuple[UUID, ...]] = field(default_factory=dict)
    """The versions of each node that the feed has told, in their order."""
    cursor: str = ""
    pending: object = None
    made: int = 0
    own_root: UUID | None = None

    def copy(self):
        return replace(
            self,
            **{
                name: type(getattr(self, name))(getattr(self, name))
                for name in ("local", "remote", "synced", "removed", "left", "deleted", "heights", "versions")
            },
        )

    def new_key(self):
        self.made += 1
        return f"new{self.made}"

    def theirs(self, key):
        """What the server has, as far as the device can tell; an answer to itself may be ahead of the feed."""
        if key in self.left:
            return None
        told, known = self.remote.get(key), self.synced.get(key)
        if told is not None and told.revision <= self.deleted.get(key, 0):
            told = None
        if told is None:
            return None if key in self.removed or key in self.deleted else known
        return known if known is not None and known.revision > told.revision else told

    def children(self, key):
        return [one for one, node in self.local.items() if node.parent == key]

    def is_scope(self, key):
        """Tell whether something lies at the top for this device, and is not its person's own root."""
        theirs = self.theirs(key)
        return theirs is not None and theirs.parent is None and key != self.own_root

    def scope_of(self, key):
        """Find what lies at the top above a node of the server's."""
        while (theirs := self.theirs(key)) is not None and theirs.parent is not None:
            key = theirs.parent
        return key

    def rekey(self, old, new):
        """Give a local node another key, for those below it too."""
        self.local[new] = self.local.pop(old)
        self.adopt(old, new)

    def adopt(self, old, new):
        for child in self.children(old):
            self.local[child] = replace(self.local[child], parent=new)

    def lies_below(self, key, top):
        while key is not None and key in self.local:
            if key == top:
                return True
            key = self.local[key].parent
        return False


def settle(disk):
    """Take over what the server has told, as far as nothing of the device's own stands against it."""
    for _ in range(ROUNDS_LIMIT):
        before = dict(disk.local), dict(disk.synced)
        for key in list(dict.fromkeys([*disk.remote, *disk.synced])):
            _settle_one(disk, key)
        if before == (disk.local, disk.synced):
            return
    raise AssertionError("the plan goes in circles")


def _settle_one(disk, key):
    mine, known, theirs = disk.local.get(key), disk.synced.get(key), disk.theirs(key)
    if mine is None and known is None:
        if theirs is not None:
            _take(disk, key, theirs)
    elif mine is None:
        _settle_deleted_here(disk, key, known, theirs)
    elif known is None:
        raise AssertionError(f"{key} is here and was never known")
    elif theirs is None:
        _settle_deleted_there(disk, key, mine, known)
    else:
        _settle_place(disk, key, mine, known, theirs)
        _settle_content(disk, key, disk.local[key], disk.synced[key], theirs)


def _take(disk, key, theirs):
    """Have a node as the server has it; its folder first, also where it was deleted here."""
    if _have_folder(disk, theirs.parent):
        disk.local[key] = theirs.to_local()
        disk.synced[key] = theirs


def _have_folder(disk, key):
    """Have what a node of the server's hangs from; tells whether that can be done."""
    if key is None or key in disk.local:
        return True
    theirs = disk.theirs(key)
    if theirs is not None:
        _take(disk, key, theirs)
    return key in disk.local


def _settle_deleted_here(disk, key, known, theirs):
    if theirs is None:
        del disk.synced[key]
    elif (theirs.place, theirs.version_id) != (known.place, known.version_id):
        _take(disk, key, theirs)  # somebody has changed it: that is stronger


def _settle_deleted_there(disk, key, mine, known):
    if mine.content is not None:
        if mine.content == known.content:
            _drop(disk, key)
        return
    children = disk.children(key)
    for child in children:
        there = disk.theirs(child)
        if there is not None and there.parent != key:
            # It was moved into what is gone now, maybe out of a folder that was then deleted here.
            _have_folder(disk, there.parent)
            disk.local[child] = replace(disk.local[child], parent=there.parent, name=there.name)
    children = disk.children(key)
    if not children:
        _drop(disk, key)
    elif all(isinstance(child, str) for child in children):
        del disk.synced[key]
        if mine.parent is None:  # a root that is theirs no more: what is new in it goes into their own
            disk.local[key] = replace(mine, parent=disk.own_root)
        disk.rekey(key, disk.new_key())  # what is new in it keeps it alive, as a new folder


def _drop(disk, key):
    del disk.local[key], disk.synced[key]


def _settle_place(disk, key, mine, known, theirs):
    if theirs.place == known.place:
        return
    if not _have_folder(disk, theirs.parent):
        return
    if disk.lies_below(theirs.parent, key):
        _undo_a_move_above(disk, theirs.parent, key)
        return
    disk.local[key] = replace(mine, parent=theirs.parent, name=theirs.name)
    disk.synced[key] = replace(known, parent=theirs.parent, name=theirs.name)


def _undo_a_move_above(disk, key, top):
    """Give way to a move that came first where the device's own would close a circle with it."""
    while key != top:
        mine, theirs = disk.local[key], disk.theirs(key)
        if theirs is not None and mine.parent != theirs.parent and not disk.lies_below(theirs.parent, key):
            disk.local[key] = replace(mine, parent=theirs.parent, name=theirs.name)
            return
        key = mine.parent


def _settle_content(disk, key, mine, known, theirs):
    if theirs.version_id != known.version_id:
        if mine.content == known.content:
            disk.local[key] = mine = replace(mine, content=theirs.content)
        if mine.content == theirs.content:
            known = replace(known, content=theirs.content, version_id=theirs.version_id)
    if (known.place, known.version_id) == (theirs.place, theirs.version_id):
        known = replace(known, revision=theirs.revision)
    disk.synced[key] = known


def list_wanted(disk):
    """List what the device would ask the server for now: (what, key)."""
    busy = disk.pending.key if disk.pending is not None else None
    wanted = [] if disk.pending is None else [("commit", busy)]
    for key, mine in disk.local.items():
        if isinstance(key, str):
            if key != busy and _is_there(disk, mine.parent):
                wanted.append(("make" if mine.content is None else "add", key))
            continue
        known, theirs = disk.synced[key], disk.theirs(key)
        if mine.content != known.content and key != busy:
            wanted.append(("edit", key))
        if (
            mine.place != known.place
            and theirs is not None
            and theirs.place == known.place
            and _is_there(disk, mine.parent)
        ):
            wanted.append(("move", key))
    held = {theirs.parent for theirs in map(disk.theirs, {*disk.remote, *disk.synced}) if theirs is not None}
    for key in disk.synced:
        if key in disk.local or disk.theirs(key) is None:
            continue
        # What was shared is left as a whole: nothing in it is deleted, for it is its owner's.
        if disk.is_scope(key):
            wanted.append(("leave", key))
        elif key not in held and disk.scope_of(key) in disk.local:
            wanted.append(("delete_there", key))
    return wanted


def _is_there(disk, key):
    return isinstance(key, UUID) and key in disk.local and disk.theirs(key) is not None

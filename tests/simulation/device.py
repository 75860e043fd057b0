"""A device that works: its person changes files, it reads the feed, it asks the server for what the plan says, and it may forget answers."""

import unicodedata
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from apps.files import api as files
from apps.files import errors
from apps.files.dtos.uploads import UploadGrant
from apps.sharing import api as sharing
from apps.sync import api as sync
from apps.sync import positions, queries, scope_sets
from apps.sync.errors import CursorExpired
from bitvault.kernel import db, ids
from bitvault.kernel.errors import Forbidden, NotFound
from tests.apps.files.conftest import fetch
from tests.simulation.planner import Disk, Key, Local, State, list_wanted, settle

NAMES = ("a", "b", "c", "A", "é", "é", "a.txt", "b.txt", "B.txt")
"""Few, so that they meet; two differ in case only, two in spelling only."""

SNAPSHOT_TRIES = 8

LEAVES = 0.04
"""How often a person deletes something that was shared with them, where there is something."""

DEPTH_LIMIT = 4
BACKUPS_KEPT = 4

_PASSED = """
SELECT DISTINCT node_id
FROM sync_change_journal, unnest(%s::uuid[], %s::bigint[]) AS scope(id, since)
WHERE (seq, ordinal) > (%s, %s) AND (seq, ordinal) <= (%s, %s) AND scope.id IN (root_id, old_root_id) AND seq > scope.since
"""


class Lost(Exception):
    """The server has done it, and the answer never came."""


def _decode(cursor):
    with db.read_transaction():
        return scope_sets.load(positions.decode(cursor))


@dataclass(frozen=True, slots=True)
class Pending:
    """An upload whose bytes are on their way."""

    key: Key
    name: str
    content: str
    size_bytes: int
    grant: UploadGrant
    upload_id: UUID


class Device:
    """One device of a person."""

    def __init__(self, world, actor, name):
        self.world = world
        self.actor = actor
        self.name = name
        registered = sync.register_device(actor=actor, name=name, platform="test")
        self.id = registered.id
        self.disk = Disk(cursor=registered.cursor, own_root=world.root_of(actor))
        self.backups = [self.disk.copy()]
        self.contents = 0
        self.loses_next = False

    # --- asking ------------------------------------------------------------------------------------------------------------

    def _ask(self, door, **what):
        """Call a door; when it was decided so, the answer (or refusal) is lost after the server has acted."""
        loses, self.loses_next = self.loses_next, False
        try:
            answer = door(actor=self.actor, **what)
        except Exception:
            if loses:
                raise Lost from None
            raise
        if loses:
            raise Lost
        return answer

    # --- reading -----------------------------------------------------------------------------------------------------------

    def pull(self, limit):
        """Read a page; tells what came of it."""
        try:
            page = self._ask(sync.list_changes, cursor=self.disk.cursor, limit=limit)
        except CursorExpired:
            return self.take_snapshot(limit)
        self._check_page(page)
        for change in page.items:
            if change.op == "upsert":
                self._keep(change.node)
            else:
                self._remove(change.node_id)
        self.disk.cursor = page.cursor
        if not page.has_more:
            self.disk.left.clear()  # what the feed has not told to be gone was given again meanwhile
        settle(self.disk)
        return f"{len(page.items)} of {page.as_of_seq}{' and more' if page.has_more else ''}"

    def follow(self, limit):
        """Read until there is no more."""
        while self.pull(limit).endswith("and more"):
            pass

    def take_snapshot(self, limit):
        """Begin anew; where a part of it may not be seen any more before it is read, with another one."""
        for _ in range(SNAPSHOT_TRIES):
            with suppress(CursorExpired):
                return self._take_snapshot(limit)
        raise AssertionError("S6: no snapshot is ever read to its end")

    def _take_snapshot(self, limit):
        nodes, page = [], None
        while page is None or page.next_cursor is not None:
            if page is not None:
                self.world.go_on_meanwhile()
            page = self._ask(sync.list_snapshot, device_id=self.id, cursor=page and page.next_cursor, limit=limit)
            nodes += page.items
        disk = self.disk
        disk.removed = {*disk.removed, *disk.remote, *disk.synced}
        disk.remote, disk.left = {}, set()
        for node in nodes:
            self._keep(node)
        disk.cursor = page.cursor
        settle(disk)
        return f"snapshot of {len(nodes)}"

    def _keep(self, node):
        disk = self.disk
        assert node.revision >= disk.heights.get(node.id, 0), f"J4: {self.name} is told of {node.id} as it was before"
        disk.heights[node.id] = node.revision
        if node.version_id is not None:
            told = disk.versions.get(node.id, ())
            assert node.version_id not in told[:-1], f"J4: {self.name} is told twice of a version of {node.id}"
            if told[-1:] != (node.version_id,):
                disk.versions[node.id] = (*told, node.version_id)
        disk.remote[node.id] = State.of(node)
        disk.removed.discard(node.id)

    def _remove(self, node_id):
        """Drop a node with all below it, also what only an answer to this device has told of."""
        disk = self.disk
        states = {one: disk.theirs(one) or disk.remote.get(one) for one in [*disk.remote, *disk.synced]}
        parents = {one: state.parent for one, state in states.items() if state is not None}
        going = [node_id]
        while going:
            one = going.pop()
            disk.left.discard(one)
            disk.remote.pop(one, None)
            disk.removed.add(one)
            going += [child for child, parent in parents.items() if parent == one]

    def _check_page(self, page):
        """J3: a page says of all that the journal has between its two cursors what is there or what is gone, and the cursor goes on."""
        before, after = _decode(self.disk.cursor), _decode(page.cursor)
        assert (after.seq, after.ordinal) >= (before.seq, before.ordinal), "J3: a cursor went back"
        assert (after.swept_seq, after.swept_ordinal) >= (before.swept_seq, before.swept_ordinal), (
            "J3: a cursor went back"
        )
        assert after.swept_seq <= after.seq <= page.as_of_seq, "J5: a cursor is ahead of the feed"
        if before.told == after.told and before.snapshot_id is after.snapshot_id is None:
            assert page.cursor != self.disk.cursor or not page.has_more, "J3: a cursor stands still"
            known = before.scopes
            passed = self._passed(known, [before.seq, before.ordinal, after.seq, after.ordinal])
            swept = self._passed(known, [before.swept_seq, before.swept_ordinal, after.swept_seq, after.swept_ordinal])
            with db.read_transaction():
                states = queries.find_states(passed | swept)
            there = {one for one, found in states.items() if known.keys() & set(found.path)}
            offered = {(change.op, change.node_id) for change in page.items}
            wanted = {("upsert", one) for one in passed & there} | {("removed", one) for one in swept - there}
            assert offered == wanted, f"J3: {self.name} was not offered all that it went past"
            operations = [change.op for change in page.items]
            assert operations == sorted(operations, reverse=True), f"J3: {self.name} is told what is gone too early"

    def _passed(self, known, window):
        return {node_id for (node_id,) in fetch(_PASSED, [list(known), list(known.values()), *window])}

    def acknowledge(self):
        """Say how far it is."""
        try:
            answer = self._ask(sync.acknowledge, cursor=self.disk.cursor)
        except CursorExpired:
            return "too old"
        seq, kept = positions.decode(self.disk.cursor).complete_seq, self.world.acknowledged.get(self.id, 0)
        assert answer.seq == max(seq, kept), "J5: what is acknowledged is not what the device named, or fell"
        assert answer.seq <= answer.head_seq, "J5: what is acknowledged is ahead of the feed"
        self.world.acknowledged[self.id] = answer.seq
        return str(answer.seq)

    # --- its person --------------------------------------------------------------------------------------------------------

    def live(self, chance):
        """Let its person do something, without a thought of the server; tells what."""
        folders = [
            one for one, node in self.disk.local.items() if node.content is None and self._depth(one) is not None
        ]
        if not folders:
            return "nothing: there is nothing yet"
        keys = [one for one in self.disk.local if self._depth(one)]
        shared = [one for one in self.disk.local if self.disk.is_scope(one) and one not in self.world.team_ids]
        if shared and chance.random() < LEAVES:
            left = chance.choice(shared)
            self._delete(left)
            return f"delete {self.show(left)}, which was shared"
        what = chance.choice(
            ("write", "write", "edit", "edit", "edit", "make", "name", "move", "move", "delete", "replace")
        )
        if what in ("write", "make"):
            folder = chance.choice(folders)
            if what == "make" and self._depth(folder) >= DEPTH_LIMIT:
                what = "write"
            return self._put(folder, chance.choice(NAMES), None if what == "make" else self._compose(chance))
        if not keys:
            return "nothing"
        key = chance.choice(keys)
        node = self.disk.local[key]
        match what:
            case "edit" if node.content is not None:
                self.disk.local[key] = replace(node, content=self._compose(chance))
            case "name":
                self.disk.local[key] = replace(node, name=chance.choice(NAMES))
            case "move":
                target = chance.choice(folders)
                if self.disk.lies_below(target, key):
                    return "nothing"
                self.disk.local[key] = replace(node, parent=target)
            case "delete" | "replace":
                self._delete(key)
                if what == "replace":
                    self._put(node.parent, node.name, self._compose(chance) if node.content is None else None)
            case _:
                return "nothing"
        return f"{what} {self.show(key)} {self.disk.local.get(key) and self.disk.local[key].name}"

    def _put(self, folder, name, content):
        key = self.disk.new_key()
        self.disk.local[key] = Local(folder, name, content)
        return f"{'make' if content is None else 'write'} {key} as {name} in {self.show(folder)}"

    def _delete(self, key):
        for child in self.disk.children(key):
            self._delete(child)
        del self.disk.local[key]

    def _compose(self, chance):
        """Write something: mostly nobody else has written the same."""
        if chance.random() < 0.25:
            content = b"same %d" % chance.randrange(3)
        else:
            self.contents += 1
            content = f"{self.name} {self.contents}".encode()
        return self.world.remember(content)

    def _depth(self, key):
        """How many folders above; ``None`` when some of them are not here."""
        depth, key = 0, self.disk.local[key].parent
        while key is not None:
            if key not in self.disk.local:
                return None
            depth, key = depth + 1, self.disk.local[key].parent
        return depth

    # --- backups -----------------------------------------------------------------------------------------------------------

    def back_up(self):
        """Keep the state of this moment."""
        self.backups = [*self.backups, self.disk.copy()][-BACKUPS_KEPT:]

    def restore(self, chance):
        """Come back as it was: what it has not sent since is lost, and what it has sent is news to it."""
        self.disk = chance.choice(self.backups).copy()

    # --- carrying out the plan ---------------------------------------------------------------------------------------------

    def work(self, chance):
        """Carry one of the wanted operations out; tells which, or ``None`` when there is nothing to do."""
        settle(self.disk)
        wanted = list_wanted(self.disk)
        if not wanted:
            return None
        what, key = chance.choice(wanted)
        try:
            outcome = getattr(self, f"_{what}")(key)
        except Lost:
            outcome = "answer lost"
        except Forbidden:
            outcome = self._give_way(what, key)
        settle(self.disk)
        return f"{what} {self.show(key)}: {outcome or 'done'}"

    def _make(self, key):
        mine = self.disk.local[key]
        try:
            try:
                node = self._ask(files.create_folder, parent_id=mine.parent, name=mine.name)
            except errors.NameTaken as taken:
                there = taken.facts["node_id"]
                same = taken.facts["kind"] == "folder" and taken.facts["name"] == unicodedata.normalize(
                    "NFC", mine.name
                )
                if same and not self.disk.lies_below(there, key):
                    node = self._ask(files.get_node, node_id=there)
                else:
                    node = self._ask(files.create_folder, parent_id=mine.parent, name=mine.name, autorename=True)
        except NotFound:
            return "its folder is gone"
        self._link(key, node)
        return None

    def _link(self, key, node):
        """Know that a node of the device's own is that one of the server's."""
        disk = self.disk
        if node.id in disk.local:
            disk.adopt(key, node.id)
            disk.local.pop(key, None)
        elif key in disk.local:
            disk.rekey(key, node.id)
        self._learn(node)

    def _learn(self, node):
        """Take an answer over: this is what the server has now. What stands here is that, or a change of it."""
        disk, state = self.disk, State.of(node)
        mine, known = disk.local.get(node.id), disk.synced.get(node.id)
        if known is not None and known.revision > state.revision:
            return
        if mine is not None:
            disk.local[node.id] = replace(mine, name=state.name, parent=state.parent)
        disk.synced[node.id] = state
        disk.removed.discard(node.id)
        disk.deleted.pop(node.id, None)

    def _add(self, key):
        mine = self.disk.local[key]
        try:
            grant = self._grant(key, mine.parent, autorename=True)
        except NotFound:
            return "its folder is gone"
        return self._begin(key, grant)

    def _edit(self, key):
        mine, known = self.disk.local[key], self.disk.synced[key]
        try:
            grant = self._grant(key, mine.parent, mode="update", node_id=key, base_version_id=known.version_id)
        except NotFound:
            # Deleted for ever: the bytes are here, and come as a new file.
            del self.disk.synced[key]
            self.disk.removed.add(key)
            self.disk.rekey(key, self.disk.new_key())
            return "gone for ever"
        return self._begin(key, grant)

    def _grant(self, key, parent, **more):
        mine = self.disk.local[key]
        # A folder of the device's own has no id yet; with a node the server does not look at it.
        parent_id = parent if isinstance(parent, UUID) else self.world.root_of(self.actor)
        size_bytes = self.world.size_of(mine.content)
        return self._ask(files.authorise_upload, parent_id=parent_id, name=mine.name, size_bytes=size_bytes, **more)

    def _begin(self, key, grant):
        mine = self.disk.local[key]
        size_bytes = self.world.size_of(mine.content)
        self.disk.pending = Pending(key, mine.name, mine.content, size_bytes, grant, ids.new_id())

    def _commit(self, key):
        sent = self.disk.pending
        try:
            done = self._ask(
                files.commit_upload,
                upload_id=sent.upload_id,
                grant=sent.grant,
                blob_id=ids.new_id(),
                size_bytes=sent.size_bytes,
                content_hash=sent.content,
                media_type="text/plain",
                made_on=self.name,
            )
        except (errors.ParentGone, NotFound):
            self.disk.pending = None
            return "its folder is gone"
        except errors.NodeGone:
            self._know_it_is_in_the_trash(sent)
            return "in the trash"
        self.disk.pending = None
        node = done.node
        self.world.acknowledge(self, sent.content, node, done)
        self._take_answer(sent, node)
        return f"{self.show(node.id)} {'as it is' if not done.version_created else ''}"

    def _know_it_is_in_the_trash(self, sent):
        """These very bytes were deleted by somebody who had them: so they go here, too."""
        disk, key = self.disk, sent.key
        disk.pending = None
        mine = disk.local.get(key)
        if mine is None or mine.content != sent.content:
            return
        if key in disk.synced:
            disk.synced[key] = replace(disk.synced[key], content=sent.content)
        else:
            del disk.local[key]

    def _take_answer(self, sent, node):
        disk, key = self.disk, sent.key
        mine = disk.local.get(key)
        untouched = mine is not None and mine.content == sent.content
        if mine is not None and not untouched and node.content_hash != sent.content:
            # Others went on from what was sent, and so did somebody here, who has not seen theirs.
            disk.local[disk.new_key()] = mine
            disk.local[key] = mine = replace(mine, content=sent.content)
            untouched = True
        if isinstance(key, str):
            moved = mine is not None and (mine.parent, mine.name) != (sent.grant.parent_id, sent.name)
            self._link(key, node)
            if moved and node.id in disk.local:
                disk.local[node.id] = replace(disk.local[node.id], parent=mine.parent, name=mine.name)
        elif node.id == key:
            place = None if mine is None or mine.place == disk.synced[key].place else mine.place
            self._learn(node)
            if place is not None:
                disk.local[key] = replace(disk.local[key], parent=place[0], name=place[1])
        else:
            # The other's edit stays where it is; this one is kept beside it.
            if untouched:
                theirs = disk.theirs(key) or disk.synced[key]
                disk.local[key] = replace(mine, content=theirs.content)
                disk.synced[key] = replace(disk.synced[key], content=theirs.content, version_id=theirs.version_id)
            if node.id not in disk.local:
                disk.local[node.id] = State.of(node).to_local()
            self._learn(node)
            return
        if untouched and node.id in disk.local:
            # What was sent may be an older version of it by now.
            disk.local[node.id] = replace(disk.local[node.id], content=disk.synced[node.id].content)

    def _move(self, key):
        mine, theirs = self.disk.local[key], self.disk.theirs(key)
        try:
            node = self._ask(
                files.update_node,
                node_id=key,
                parent_id=mine.parent,
                name=mine.name,
                autorename=True,
                expected_revision=theirs.revision,
            )
        except errors.RevisionMismatch:
            return "changed meanwhile"
        except (errors.MoveCycle, NotFound):
            self.disk.local[key] = replace(mine, parent=theirs.parent, name=theirs.name)
            return "taken back"
        content = self.disk.synced[key].content, self.disk.synced[key].version_id
        self._learn(node)
        if self.disk.synced[key].version_id != content[1]:
            # Told by this answer, but not yet here: it comes with the feed.
            self.disk.synced[key] = replace(self.disk.synced[key], content=content[0], version_id=content[1])
        return None

    def _delete_there(self, key):
        revision = self.disk.theirs(key).revision
        try:
            self._ask(files.trash_node, node_id=key, expected_revision=revision)
        except errors.RevisionMismatch:
            return "changed meanwhile"
        except NotFound:
            return "gone already"
        self.disk.deleted[key] = revision + 1
        self.disk.synced.pop(key, None)
        return None

    def _leave(self, key):
        """Leave what was shared; what is given to everyone, or to a group, cannot be left, and is put back."""
        disk = self.disk
        try:
            shares = sharing.list_shares(actor=self.actor, node_id=key).items
            mine = [one for one in shares if one.principal.id == self.actor.user_id]
            for one in mine:
                self._ask(sharing.revoke_share, share_id=one.id)
        except NotFound:
            mine = [key]
        below = [one for one in disk.synced if one not in disk.local and disk.scope_of(one) == key]
        for one in below:
            del disk.synced[one]
        if not mine:
            return "cannot be left"
        disk.left.add(key)
        return None

    def _give_way(self, what, key):
        """Take back what may not be done; what is this person's own is kept in their own root."""
        disk = self.disk
        mine, known, theirs = disk.local.get(key), disk.synced.get(key), disk.theirs(key)
        if what == "commit":
            key, disk.pending = disk.pending.key, None
            mine, known = disk.local.get(key), disk.synced.get(key)
        match what:
            case "delete_there" | "leave":
                disk.synced.pop(key, None)
            case "move":
                disk.local[key] = replace(mine, parent=theirs.parent, name=theirs.name)
            case _ if mine is None:
                pass
            case _ if isinstance(key, str):
                disk.local[key] = replace(mine, parent=disk.own_root)
            case _:
                disk.local[disk.new_key()] = replace(mine, parent=disk.own_root)
                disk.local[key] = replace(mine, content=known.content)
        return "may not"

    # --- showing -----------------------------------------------------------------------------------------------------------

    def show(self, key):
        return self.world.show(key)

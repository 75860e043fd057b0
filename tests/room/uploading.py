"""Uploads: begun, sent, committed, given up, and left by a process that died between the version and its charge."""

from typing import Any
from unittest import mock

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from apps.billing import api as billing
from apps.files import api as files
from tests.apps.files.conftest import fetch
from tests.room.acting import CONTENTS, NAMES, NUMBERS, Acting
from tests.room.model import Node, Pending, Version
from tests.support.sending import Sender, sha256


class ProcessDied(Exception):
    """Stands for a process that ends between two steps of a saga."""


class Uploading(Acting):
    """Rules of uploads."""

    def wish(self, number: int, content: bytes, edits: str) -> tuple[str, dict[str, Any], Node]:
        """Describe an upload: a new file, an edit of a file, or one that starts from a file's first version."""
        target = self.file(number) if edits and self.has_files() else None
        place = self.vault.nodes[target.parent_id] if target is not None else self.folder(number)
        wish: dict[str, Any] = {"parent_id": place.id, "name": self.name(), "size_bytes": len(content)}
        if target is not None:
            base = target.versions[0 if edits == "late" else -1]
            wish |= {"mode": "update", "node_id": target.id, "base_version_id": base.id}
        return self.who(place.id) or "", wish, place

    def note_started(self, sender: str, wish: dict[str, Any], content: bytes, answer: dict[str, Any]) -> Pending:
        root_id = self.vault.top(wish["parent_id"]).id
        pending = Pending(
            id=answer["id"],
            sender=sender,
            content=content,
            parent_id=wish["parent_id"],
            node_id=wish.get("node_id"),
            base_id=wish.get("base_version_id"),
            limited_root_id=root_id if root_id in self.vault.root_limits else None,
            answer=answer,
        )
        self.vault.pending[pending.id] = pending
        return pending

    def start(self, number: int, content: bytes, edits: str) -> Pending | None:
        sender, wish, place = self.wish(number, content, edits)
        fits = self.vault.takes(len(content), self.vault.top(place.id).id)
        body = {name: value for name, value in wish.items() if name not in ("name", "size_bytes", "parent_id")}
        answer = Sender(self.api(sender), place.id).start(wish["name"], content, **body)
        assert answer.status_code == (201 if fits else 413), answer.content
        return self.note_started(sender, wish, content, answer.json()) if fits else None

    def send(self, pending: Pending) -> Any:
        sender = Sender(self.api(pending.sender), pending.parent_id)
        sender.send(pending.answer, pending.content)
        return sender.commit(pending.answer)

    def end(self, pending: Pending, state: str) -> None:
        del self.vault.pending[pending.id]
        self.vault.ended[pending.id] = state

    def note_committed(self, pending: Pending, node: dict[str, Any]) -> None:
        """Write into the model what the commit has answered, which has to be what the model allows."""
        vault = self.vault
        target = vault.nodes.get(pending.node_id or "")
        was_live = target is not None and vault.is_live(target.id)
        if target is not None and not was_live:
            self.look_for(target, pending.sender)
        known = {version.id for version in vault.versions()}
        if node["version_id"] in known:
            assert pending.node_id is not None
            assert any(one.content == pending.content for one in vault.nodes[node["id"]].versions)
        else:
            version = Version(node["version_id"], pending.content, pending.id)
            if node["id"] in vault.nodes:
                vault.nodes[node["id"]].versions.append(version)
            else:
                assert vault.is_live(node["parent_id"])
                vault.add(node["id"], node["parent_id"], version)
        if target is not None and was_live and target.versions[-1].id != node["version_id"]:
            assert target.versions[-1].content != pending.content
            assert target.versions[-1].id != pending.base_id, "an edit of what is current is the next version"

    def look_for(self, target: Node, who: str) -> None:
        """Note where a file of the trash lies, if the edit has brought it back."""
        answer = self.api(who).get(f"/nodes/{target.id}")
        if answer.status_code == 200 and answer.json()["trashed_at"] is None:
            target.trash_of = None
            target.parent_id = answer.json()["parent_id"]
            assert self.vault.is_live(target.id)

    def is_refusable(self, pending: Pending) -> bool:
        return not self.vault.is_live(pending.node_id or pending.parent_id) or not self.vault.is_live(pending.parent_id)

    @rule(number=NUMBERS, content=NAMES, edits=st.sampled_from(["", "edit", "late"]))
    def begin_upload(self, number: int, content: str, edits: str) -> None:
        self.start(number, CONTENTS[content], edits)

    @rule(number=NUMBERS, content=NAMES)
    def bring(self, number: int, content: str) -> None:
        self.finish_now(self.start(number, CONTENTS[content], ""))

    @precondition(lambda self: self.has_files())
    @rule(number=NUMBERS, content=NAMES, edits=st.sampled_from(["edit", "edit", "late"]))
    def edit(self, number: int, content: str, edits: str) -> None:
        self.finish_now(self.start(number, CONTENTS[content], edits))

    def finish_now(self, pending: Pending | None) -> None:
        if pending is not None:
            self.finish(pending)

    @rule(number=NUMBERS, contents=st.lists(NAMES, min_size=1, max_size=3))
    def bring_many(self, number: int, contents: list[str]) -> None:
        self.bring_batch(number, [CONTENTS[content] for content in contents])

    def bring_batch(self, number: int, contents: list[bytes]) -> None:
        place = self.folder(number)
        sender = Sender(self.api(self.who(place.id) or ""), place.id)
        wishes = []
        for content in contents:
            wish = {"parent_id": place.id, "name": self.name(), "size_bytes": len(content)}
            wishes.append({**wish, "part_hashes": [sha256(content)]})
        told = sender.api.post("/uploads/batch", {"uploads": wishes}).json()["items"]
        begun = []
        for one, wish, content in zip(told, wishes, contents, strict=True):
            fits = self.vault.takes(len(content), self.vault.top(place.id).id)
            assert one["status"] == (201 if fits else 413), one
            if fits:
                begun.append(self.note_started(self.who(place.id) or "", wish, content, one["upload"]))
        for pending in begun:
            sender.send(pending.answer, pending.content)
        wanted = [{"id": one.id, "part_hashes": [sha256(one.content)]} for one in begun]
        if wanted:
            done = sender.api.post("/uploads/batch/commit", {"uploads": wanted}).json()["items"]
            for pending, one in zip(begun, done, strict=True):
                assert one["status"] == 201, one
                self.note_committed(pending, one["node"])
                self.end(pending, "settled")

    @precondition(lambda self: self.vault.pending)
    @rule(number=NUMBERS)
    def finish_upload(self, number: int) -> None:
        self.finish(self.one(number, list(self.vault.pending.values())))

    def finish(self, pending: Pending) -> None:
        if pending.made is not None:
            answer = Sender(self.api(pending.sender), pending.parent_id).commit_once(pending.answer)
        else:
            answer = self.send(pending)
        if answer.status_code not in (200, 201):
            gone = pending.made is not None and not any(
                pending.made in node.versions and self.vault.is_live(node.id) for node in self.vault.nodes.values()
            )
            assert answer.status_code in (404, 409), answer.content
            assert gone or self.is_refusable(pending), answer.content
            return
        if pending.made is None:
            self.note_committed(pending, answer.json())
        self.end(pending, "settled")

    @precondition(lambda self: any(one.made is None for one in self.vault.pending.values()))
    @rule(number=NUMBERS)
    def die_before_the_charge(self, number: int) -> None:
        """The version is there, and the process is not any more."""
        open_ones = [one for one in self.vault.pending.values() if one.made is None]
        pending = self.one(number, open_ones)
        if self.is_refusable(pending):
            return
        before = {version.id for version in self.vault.versions()}
        with mock.patch.object(billing, "settle", side_effect=ProcessDied):
            try:
                self.send(pending)
            except ProcessDied:
                pass
            else:
                raise AssertionError("it was charged all the same")
        found = fetch("SELECT node_id, id FROM files_version WHERE upload_id = %s", [pending.id])
        if not found:  # the file has these bytes already
            target = self.vault.nodes[pending.node_id or ""]
            assert any(one.content == pending.content for one in target.versions) or pending.base_id is not None
            assert files.is_committed(upload_id=pending.id) is False
            return
        ((node_id, version_id),) = found
        node = {"id": str(node_id), "version_id": str(version_id)}
        assert node["version_id"] not in before
        if node["id"] not in self.vault.nodes:
            node |= self.api(pending.sender).get(f"/nodes/{node_id}").json()
        self.note_committed(pending, node)
        pending.made = next(one for one in self.vault.versions() if one.id == node["version_id"])

    @precondition(lambda self: self.vault.pending)
    @rule(number=NUMBERS)
    def give_up(self, number: int) -> None:
        pending = self.one(number, list(self.vault.pending.values()))
        answer = self.api(pending.sender).delete(f"/uploads/{pending.id}")
        if pending.made is not None:
            assert (answer.status_code, answer.json()["code"]) == (409, "storage.upload_complete")
            self.end(pending, "settled")
        elif answer.status_code == 409:  # died, and had nothing to make
            self.end(pending, "settled")
        else:
            assert answer.status_code == 204, answer.content
            self.end(pending, "released")

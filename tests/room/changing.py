"""Files and folders: versions, copies, moves, the trash, and team folders."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.apps.files.conftest import fetch
from tests.room.acting import NUMBERS
from tests.room.model import Node, Version
from tests.room.uploading import Uploading
from tests.support.shares import by_rest, make_team_by_rest


class Changing(Uploading):
    """Rules of what becomes of files."""

    @rule(number=NUMBERS)
    def make_folder(self, number: int) -> None:
        place = self.folder(number)
        answer = self.api(self.who(place.id) or "").post("/folders", {"parent_id": place.id, "name": self.name()})
        assert answer.status_code == 201, answer.content
        self.vault.add(answer.json()["id"], place.id)

    @precondition(lambda self: self.has_files())
    @rule(number=NUMBERS, older=NUMBERS)
    def restore_version(self, number: int, older: int) -> None:
        node = self.file(number)
        version = self.one(older, node.versions)
        if version.content == node.versions[-1].content:
            return
        fits = self.vault.takes(version.size_bytes, self.vault.top(node.id).id)
        answer = self.api(self.who(node.id) or "").post(f"/nodes/{node.id}/versions/{version.id}/restore", {})
        assert answer.status_code == (201 if fits else 413), answer.content
        if fits:
            node.versions.append(Version(answer.json()["version_id"], version.content))

    @precondition(lambda self: any(len(node.versions) > 1 for node in self.vault.live(folders=False)))
    @rule(number=NUMBERS, older=NUMBERS)
    def delete_version(self, number: int, older: int) -> None:
        node = self.one(number, [node for node in self.vault.live(folders=False) if len(node.versions) > 1])
        version = self.one(older, node.versions[:-1])
        if any(one.made is version for one in self.vault.pending.values()):
            return
        answer = self.api(self.who(node.id) or "").delete(f"/nodes/{node.id}/versions/{version.id}")
        assert answer.status_code == 204, answer.content
        node.versions.remove(version)

    @rule(number=NUMBERS, to=NUMBERS)
    def copy(self, number: int, to: int) -> None:
        sources = [*self.vault.live(folders=False), *(one for one in self.vault.live(folders=True) if one.parent_id)]
        place = self.folder(to)
        if not sources:
            return
        source = self.one(number, sources)
        who = self.who(source.id, place.id)
        if who is None or source in list(self.vault.way(place.id)):
            return
        originals = self.vault.below(source.id)
        size_bytes = sum(node.versions[-1].size_bytes for node in originals if node.versions)
        fits = self.vault.takes(size_bytes, self.vault.top(place.id).id)
        body = {"parent_id": place.id, "name": self.name()}
        answer = self.api(who).post(f"/nodes/{source.id}/copy", body)
        assert answer.status_code == (201 if fits else 413), answer.content
        if fits:
            self.note_copy(source, self.vault.add(answer.json()["id"], place.id))

    def note_copy(self, source: Node, made: Node) -> None:
        """Find the copies of all that lay below, which the copies' names tell."""
        if source.versions:
            ((version_id,),) = fetch("SELECT id FROM files_version WHERE node_id = %s", [made.id])
            made.versions.append(Version(str(version_id), source.versions[-1].content))
        asked = "SELECT name, id FROM files_node WHERE parent_id = %s"
        copies = {name: str(node_id) for name, node_id in fetch(asked, [made.id])}
        originals = {name: str(node_id) for name, node_id in fetch(asked, [source.id])}
        assert copies.keys() == originals.keys()
        for name, original_id in sorted(originals.items()):
            self.note_copy(self.vault.nodes[original_id], self.vault.add(copies[name], made.id))

    @rule(number=NUMBERS, to=NUMBERS)
    def move(self, number: int, to: int) -> None:
        movable = [
            node for folders in (True, False) for node in self.vault.live(folders=folders) if node.parent_id is not None
        ]
        place = self.folder(to)
        if not movable:
            return
        node = self.one(number, movable)
        who = self.who(node.id, place.id)
        if who is None or node in list(self.vault.way(place.id)):
            return
        revision = self.api(who).get(f"/nodes/{node.id}").json()["revision"]
        body = {"parent_id": place.id, "name": self.name()}
        answer = self.api(who).patch(f"/nodes/{node.id}", body, revision=revision)
        assert answer.status_code == 200, answer.content
        node.parent_id = place.id

    # --- the trash -----------------------------------------------------------------------------------------------------------

    @rule(number=NUMBERS)
    def trash(self, number: int) -> None:
        nodes = [node for folders in (True, False) for node in self.vault.live(folders=folders) if node.parent_id]
        if not nodes:
            return
        node = self.one(number, nodes)
        answer = self.api(self.who(node.id) or "").delete(f"/nodes/{node.id}")
        assert answer.status_code == 204, answer.content
        node.trash_of, node.origin_id, node.parent_id = self.vault.top(node.id).id, node.parent_id, None

    @precondition(lambda self: self.vault.trashed())
    @rule(number=NUMBERS)
    def restore(self, number: int) -> None:
        node = self.one(number, self.vault.trashed())
        root_id = node.trash_of or ""
        to = None if self.vault.is_live(node.origin_id) else root_id
        body = {"on_conflict": "rename", **({"parent_id": to} if to else {})}
        answer = self.api(self.who(root_id) or "").post(f"/trash/{node.id}/restore", body)
        if answer.status_code in (403, 404) and to is None and self.vault.top(node.origin_id or "").id != root_id:
            return  # the folder that it was in has moved to where they may not go
        assert answer.status_code == 200, answer.content
        node.trash_of, node.parent_id = None, answer.json()["parent_id"]
        assert node.parent_id == (to or node.origin_id)

    @precondition(lambda self: self.vault.trashed())
    @rule(number=NUMBERS, all_of_it=st.booleans())
    def purge(self, number: int, all_of_it: bool) -> None:
        if all_of_it:
            self.empty_trash(number)
            return
        node = self.one(number, self.vault.trashed())
        if self.is_charged(self.vault.below(node.id)):
            answer = self.api(self.who(node.trash_of) or "").delete(f"/trash/{node.id}")
            assert answer.status_code == 204, answer.content
            self.vault.purge(node.id)

    def empty_trash(self, number: int) -> None:
        root_id = self.one(number, [root_id for root_id in self.vault.owners if self.vault.is_live(root_id)])
        tops = [node for node in self.vault.trashed() if node.trash_of == root_id]
        if all(self.is_charged(self.vault.below(top.id)) for top in tops):
            answer = self.api(self.who(root_id) or "").delete("/trash", root_id=root_id)
            assert answer.status_code == 204, answer.content
            for top in tops:
                self.vault.purge(top.id)

    # --- team folders --------------------------------------------------------------------------------------------------------

    @rule(comes_back=st.booleans())
    def change_teams(self, comes_back: bool) -> None:
        """End the team folder; or bring it back, or delete it for ever; or make another one."""
        teams = [root_id for root_id, owner in self.vault.owners.items() if owner == "olga"]
        live = [root_id for root_id in teams if self.vault.is_live(root_id)]
        if live:
            self.end_team(live[0])
        elif teams:
            self.decide_about_an_ended_team(self.vault.nodes[teams[0]], comes_back)
        else:
            self.make_team()

    def make_team(self) -> None:
        made = make_team_by_rest(self.api("olga"), self.name(), by_rest("everyone", "editor"))
        self.vault.add(made["id"], None)
        self.vault.owners[made["id"]] = "olga"

    def end_team(self, team_id: str) -> None:
        revision = self.api("olga").get(f"/nodes/{team_id}").json()["revision"]
        answer = self.api("olga").delete(f"/team-folders/{team_id}", headers={"if-match": f'"{revision}"'})
        assert answer.status_code == 204, answer.content
        self.vault.nodes[team_id].trash_of = team_id

    def decide_about_an_ended_team(self, team: Node, comes_back: bool) -> None:
        if comes_back:
            answer = self.api("olga").post(f"/team-folders/{team.id}/restore", {})
            assert answer.status_code == 200, answer.content
            team.trash_of = None
            return
        tops = [node for node in self.vault.nodes.values() if node.trash_of == team.id]
        if all(self.is_charged(self.vault.below(top.id)) for top in tops):
            answer = self.api("olga").delete(f"/trash/{team.id}")
            assert answer.status_code == 204, answer.content
            for top in tops:
                self.vault.purge(top.id)
            del self.vault.owners[team.id]
            self.vault.root_limits.pop(team.id, None)

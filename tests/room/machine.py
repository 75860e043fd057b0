"""Whatever people, time and the collector do to a vault, in any order: each rule is done by the real doors or by REST, and in the model."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from apps.billing import api as billing
from apps.billing import operations
from apps.files import api as files
from apps.storage import api as storage
from apps.storage.dtos import NewDerived
from apps.storage.operations import collecting, sweeping
from bitvault.events import operating
from bitvault.kernel import clock
from tests.apps.files.conftest import fetch
from tests.room import telling
from tests.room.acting import CONTENTS, NUMBERS
from tests.room.changing import Changing
from tests.support.sending import content_hash


class RoomMachine(Changing):
    """A vault of two members with roots of their own, and of a team folder."""

    @initialize()
    def arrive(self) -> None:
        for name in ("mia", "adam"):
            root_id = self.api(name).get("/me").json()["root_id"]
            self.vault.add(root_id, None)
            self.vault.owners[root_id] = name
        self.make_team()
        for number, content in enumerate("abc"):
            self.bring_batch(number, [CONTENTS[content]])

    # --- limits --------------------------------------------------------------------------------------------------------------

    def limit(self, path: str, used_bytes: int, room: int | None) -> int | None:
        limit_bytes = None if room is None else max(0, used_bytes + room)
        answer = self.api("olga").put(f"/quotas/{path}", {"limit_bytes": limit_bytes})
        assert answer.status_code == 200, answer.content
        return limit_bytes

    @rule(number=NUMBERS, room=st.sampled_from([None, 0, 260, 900, -50]))
    def limit_room(self, number: int, room: int | None) -> None:
        """Of the vault, or of a root."""
        if number % 2:
            self.limit_a_root(number // 2, room)
            return
        self.vault.limit_bytes = self.limit("tenant", self.vault.used_bytes + self.vault.reserved_bytes, room)

    def limit_a_root(self, number: int, room: int | None) -> None:
        root_id = self.one(number, [root_id for root_id in self.vault.owners if self.vault.is_live(root_id)])
        limit_bytes = self.limit(telling.scope_of(self.vault, root_id), self.vault.root_used_bytes(root_id), room)
        self.vault.root_limits.pop(root_id, None)
        if limit_bytes is not None:
            self.vault.root_limits[root_id] = limit_bytes

    # --- time ----------------------------------------------------------------------------------------------------------------

    @rule(what=st.sampled_from(["uploads", "trash", "collect", "rebuild"]))
    def let_time_pass(self, what: str) -> None:
        match what:
            case "uploads":
                self.let_uploads_expire()
            case "trash":
                self.let_the_trash_expire()
            case "collect":
                self.collect()
            case _:
                self.count_anew()

    def let_uploads_expire(self) -> None:
        """Days go by: the sweeper ends what nobody has, once its promise is dead, then its URLs."""
        for after in (timedelta(days=5), timedelta(days=5, hours=2)):
            with clock.fixed_at(clock.now() + after):
                sweeping.sweep_all()
                operations.lapse_expired()
        for pending in list(self.vault.pending.values()):
            was_made = pending.made is not None
            self.end(pending, "settled" if was_made else "released")

    def let_the_trash_expire(self) -> None:
        trashed = [*self.vault.trashed(), *self.vault.trashed(teams=True)]
        tops = [node for node in self.vault.nodes.values() if node.trash_of is not None]
        if not all(self.is_charged(self.vault.below(top.id)) for top in tops):
            return
        with clock.fixed_at(clock.now() + timedelta(days=31)):
            files.purge_expired()
        for top in tops:
            self.vault.purge(top.id)
        for team in trashed:
            self.vault.owners.pop(team.id, None)
            self.vault.root_limits.pop(team.id, None)

    @precondition(lambda self: self.has_files())
    @rule(number=NUMBERS, size_bytes=st.sampled_from([7, 50]))
    def make_a_preview(self, number: int, size_bytes: int) -> None:
        content = self.file(number).versions[-1].content
        digest = content_hash(content)
        ((blob_id,), *_) = fetch("SELECT blob_id FROM files_version WHERE content_hash = %s", [digest])
        made = [NewDerived(name="small", media_type="image/webp", body=b"p" * size_bytes)]
        storage.keep_derived(blob_id=blob_id, content_hash=digest, made=made)
        self.vault.derived[content] = size_bytes

    def collect(self) -> None:
        """The collector runs, with nothing to wait for."""
        telling.catch_up()
        for seconds in (1, 2):
            with clock.fixed_at(clock.now() + timedelta(seconds=seconds)):
                collecting.collect()
        held = {version.content for version in self.vault.versions()}
        leased = {one.content for one in self.vault.pending.values()}
        kept = {content for content in self.vault.derived if content in held | leased}
        self.vault.derived = {content: self.vault.derived[content] for content in kept}
        telling.compare_store(self.vault, self.olga.tenant)

    def count_anew(self) -> None:
        """Make the meter and the references anew from what Files holds."""
        operating.rebuild(consumer=billing.CONSUMER, by=None)
        operating.rebuild(consumer="gc", by=None)

    @invariant()
    def all_tell_the_same(self) -> None:
        self.is_sound = False
        telling.catch_up()
        telling.compare_doors(self.vault, self.olga)
        telling.compare_recount(self.vault)
        telling.compare_blobs(self.vault)
        self.is_sound = True

"""The scheduler: one seed decides what happens next, on which device, and what goes wrong.

Each step draws from a generator of its own (seed and number of the step), so that steps can be left out and the others stay what they
were: that is how a long trace is shrunk. Everything runs in one database transaction that is rolled back, on one connection; what
real concurrency adds is tested by threads and processes elsewhere.
"""

import hashlib
import random
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from uuid import UUID

from django.db import transaction

from apps.files import api as files
from apps.sharing.dtos import Grant
from apps.sync import operations, projector, snapshots
from bitvault.events import consuming, outbox
from bitvault.events.api import set_position
from bitvault.events.operating import rebuild
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from bitvault.kernel.tenancy import Tenant
from tests.apps.files.conftest import Tree, fetch, hash_of, live_a_little
from tests.simulation import oracle
from tests.simulation.device import Device, Lost
from tests.simulation.owner import Owner
from tests.simulation.planner import list_wanted
from tests.support.postgres import undone
from tests.support.shares import grant, live, make_team, share_only
from tests.support.world import ACME

DEVICES = ("laptop", "phone", "tablet")
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
"""Long ago: the stream tells its days by the clock of the database, and a consumer looks for nothing that is older than its cursor."""
ROUNDS_LIMIT = 40
"""Rounds in which all devices must come to rest once nothing goes wrong any more (S6)."""

STEPS = {
    "live": 30,
    "work": 34,
    "pull": 16,
    "project": 12,
    "back up": 3,
    "restore": 2,
    "acknowledge": 3,
    "browse": 6,
    "deliver again": 1,
    "die": 2,
    "time": 1,
    "start anew": 1,
    "rebuild": 0.3,
}
"""What may happen, and how often."""

SHARES = 5
"""How often a team folder is taken from the devices' person, given back, ended or brought back, where there is one.

The same for what the owner of shared folders does.
"""

LOSES = 0.08
"""How often an answer of the server is lost."""


class Died(BaseException):
    """A process ended in the middle of what it did."""


@dataclass(frozen=True)
class Report:
    """What came of one seed."""

    seed: int
    steps: tuple[int, ...]
    trace: tuple[str, ...]
    counts: Counter[str] = field(compare=False)
    violation: str | None = None

    @property
    def hash(self) -> str:
        """The same for the same seed and the same code."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()


def run(
    seed: int, operations: int | Sequence[int] = 80, *, with_team: bool = False, with_shares: bool = False
) -> Report:
    """Run a seed for so many operations, or for those alone; whatever it did to the database is undone.

    With a team, the devices' person has a second root, which somebody else takes and gives. With shares, they have what somebody else
    shares out of a tree of their own.

    Needs the database of the tests' world, and no open transaction of the product's.
    """
    steps = tuple(range(operations)) if isinstance(operations, int) else tuple(operations)
    violation = None
    with undone(), tenancy.entered(_actor("mia").tenant), _own_world(seed):
        world = World(seed, with_team=with_team, with_shares=with_shares)
        try:
            world.live_through(steps)
        except Exception as error:  # noqa: BLE001 - whatever it is, the product or the simulator is at fault
            told = str(error) if isinstance(error, AssertionError) else traceback.format_exc()
            violation = told or "".join(traceback.format_exception_only(error))
            world.note(violation)
        transaction.set_rollback(True)
    return Report(seed, steps, tuple(world.trace), world.counts, violation)


def _actor(name: str) -> Actor:
    person = ACME.people[name]
    tenant = Tenant(id=ACME.id, slug=ACME.slug, name=ACME.slug.title())
    return live(Actor(tenant=tenant, user_id=person.user_id, role=Role(person.role), token_id=person.token_id))


@contextmanager
def _own_world(seed: int):
    """Ids that follow from the seed, rising as real ones do; and nobody outside who is told."""
    chance, made = random.Random(f"{seed} ids"), iter(range(1, 1 << 40))

    def new_id() -> UUID:
        return UUID(int=(0x0190_0000_0000_7000 + (next(made) << 16) << 64) | (0b10 << 62) | chance.getrandbits(62))

    with ExitStack() as stack:
        stack.enter_context(patch.object(ids, "new_id", new_id))
        stack.enter_context(patch.object(outbox, "nudge", lambda _: None))
        stack.enter_context(patch.object(projector.wakeups, "announce_head", lambda *_: None))
        yield


class World:
    """Three devices of one person, the web pages, the consumer of sync, and time."""

    def __init__(self, seed: int, *, with_team: bool, with_shares: bool) -> None:
        self.seed = seed
        self.steps = STEPS | ({"share": SHARES} if with_team else {}) | ({"own": SHARES} if with_shares else {})
        self.trace: list[str] = []
        self.counts: Counter[str] = Counter()
        self.now = BEGIN
        self.ledger: dict[str, set[UUID]] = {}
        """Hashes of acknowledged contents, with the nodes that were said to keep them."""
        self.acknowledged: dict[UUID, int] = {}
        self.contents: dict[str, bytes] = {}
        with clock.fixed_at(self.now):
            self.tree = Tree(_actor("mia"))
            self._furnish()
            self.adam, self.team = _actor("adam"), None
            if with_team:
                self.team = make_team(self.adam, "Team", *self._editors())
                self.tree.folder("d", self.team)
            self.owner = Owner(_actor("olga"), self.tree.actor) if with_shares else None
            self.devices = [Device(self, self.tree.actor, name) for name in DEVICES]
            consuming.consume("sync")
            for device in self.devices:
                device.follow(200)
                device.backups = []
                device.back_up()

    def _furnish(self) -> None:
        """Give everybody something to start with."""
        folder = self.tree.folder("a")
        self.tree.folder("b", folder)
        for name, parent in (("a.txt", folder), ("b.txt", folder), ("c", None)):
            content = f"first {name}".encode()
            self.remember(content)
            self.tree.commit(self.tree.grant(name, parent), content, upload_id=ids.new_id(), blob_id=ids.new_id())

    # --- what devices ask of it --------------------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        self.trace.append(text)

    def remember(self, content: bytes) -> str:
        content_hash = hash_of(content)
        self.contents[content_hash] = content
        return content_hash

    def size_of(self, content_hash: str) -> int:
        return len(self.contents.get(content_hash, b"0"))

    def root_of(self, actor: Actor) -> UUID:
        return self.tree.root.id

    @property
    def team_ids(self) -> set[UUID]:
        """Team folders: nobody leaves them on a device."""
        return {self.team.id} if self.team is not None else set()

    def show(self, key: object) -> str:
        return f"{key.int >> 80 & 0xFFFFFF:x}" if isinstance(key, UUID) else str(key)

    def acknowledge(self, device, content, node, done) -> None:
        """Note that the server has said to keep something."""
        self.ledger.setdefault(content, set()).add(node.id)
        self.counts["commits" if done.created else "commits told again"] += 1

    # --- the course of things ----------------------------------------------------------------------------------------------

    def live_through(self, steps: Sequence[int]) -> None:
        for number in steps:
            chance = random.Random(f"{self.seed} {number}")
            what = chance.choices(list(self.steps), list(self.steps.values()))[0]
            device = chance.choice(self.devices)
            self.now += timedelta(seconds=chance.randrange(100))
            self.counts[what] += 1
            with clock.fixed_at(self.now):
                try:
                    outcome = getattr(self, "_" + what.replace(" ", "_"))(device, chance)
                except Lost:
                    outcome = "answer lost"
                self.counts["answers lost"] += outcome == "answer lost"
            self.note(f"{number} {device.name} {what}: {outcome}")
        with clock.fixed_at(self.now):
            self._come_to_rest()
            oracle.check(self)
            self._stay_at_rest()

    def _live(self, device, chance):
        return ", ".join(device.live(chance) for _ in range(chance.randrange(1, 4)))

    def _work(self, device, chance):
        done = []
        while len(done) < chance.randrange(1, 6):
            device.loses_next = chance.random() < LOSES
            outcome = device.work(chance)
            if outcome is None:
                break
            self.counts["operations"] += 1
            self.counts["answers lost"] += outcome.endswith("answer lost")
            done.append(outcome)
        device.loses_next = False
        return ", ".join(done) or "nothing to do"

    def _pull(self, device, chance):
        device.loses_next = chance.random() < LOSES
        return device.pull(chance.choice((1, 3, 200)))

    def _project(self, device, chance):
        with patch.object(consuming, "BATCH_LIMIT", chance.choice((1, 5, 200))):
            return f"{consuming.consume('sync')} events"

    def _die(self, device, chance):
        """The worker dies on its way through a batch: nothing of that batch may have had an effect."""
        left, act_on = chance.randrange(4), consuming.Consumer.act_on

        def act_or_die(consumer, events, **_):
            nonlocal left
            done = act_on(consumer, events)
            if len(events) > left:
                raise Died
            left -= len(events)
            return done

        with patch.object(consuming.Consumer, "act_on", act_or_die):
            try:
                return f"{consuming.consume('sync')} events, alive"
            except Died:
                return "the worker died"

    def _back_up(self, device, chance):
        return device.back_up()

    def _restore(self, device, chance):
        return device.restore(chance)

    def _acknowledge(self, device, chance):
        device.loses_next = chance.random() < LOSES
        return device.acknowledge()

    def _browse(self, device, chance):
        """Somebody does something in the browser, with the tree as it is before their eyes."""
        if chance.random() < 0.4:
            trash = files.list_trash(actor=self.tree.actor).items
            if trash:
                one = chance.choice(trash)
                try:
                    files.restore_node(actor=self.tree.actor, node_id=one.id, on_conflict="rename")
                except (Conflict, Invalid, PreconditionFailed, NotFound, Forbidden) as refused:
                    return refused.code
                return f"restored {self.show(one.id)}"
        live_a_little(self.tree, chance, 3)
        return f"up to {self._count_events()}"

    def _deliver_again(self, device, chance):
        """Events are delivered that were delivered before."""
        seq = chance.randrange(self._position() + 1)
        with db.write_transaction():
            set_position(consumer="sync", seq=seq)
        return f"from {seq}"

    def _time(self, device, chance):
        """Weeks pass: the trash is emptied, journals are trimmed, snapshots are swept."""
        self.now += timedelta(days=chance.choice((1, 31, 95)))
        with clock.fixed_at(self.now):
            purged = files.purge_expired()
            return f"{purged} purged, {snapshots.sweep()} snapshots and {operations.trim_journal()} changes dropped"

    def _start_anew(self, device, chance):
        """A device takes a snapshot, as after a 410, while others go on."""
        return device.take_snapshot(chance.choice((1, 2, 5)))

    def _rebuild(self, device, chance):
        rebuild(consumer="sync", by=None)
        return "done"

    def _editors(self) -> list[Grant]:
        return [grant(self.tree.actor, "editor")]

    def _share(self, device, chance):
        """Somebody who administers takes the team folder away, gives it back, ends it or brings it back."""
        if self.team.id not in {one.id for one in files.list_team_folders(actor=self.adam).items}:
            try:
                files.restore_team_folder(actor=self.adam, folder_id=self.team.id)
            except NotFound:
                return "gone for ever"
            return "brought back"
        if chance.random() < 0.25:
            files.end_team_folder(actor=self.adam, folder_id=self.team.id)
            return "ended"
        grants = chance.choice(([], self._editors()))
        share_only(self.adam, self.team, *grants)
        return "given" if grants else "taken"

    def _own(self, device, chance):
        """The owner of what is shared with the devices' person does something with it."""
        return self.owner.act(chance)

    def _count_events(self) -> int:
        return int(fetch("SELECT count(*) FROM public.events_stream_event")[0][0])

    def _position(self) -> int:
        return int(fetch("SELECT seq FROM sync_feed")[0][0])

    def go_on_meanwhile(self) -> None:
        """Something happens between two pages of a snapshot, and is projected."""
        live_a_little(self.tree, random.Random(f"{self.seed} {len(self.trace)} {self._count_events()}"), 2)
        consuming.consume("sync")

    # --- rest --------------------------------------------------------------------------------------------------------------

    def _come_to_rest(self) -> None:
        chance = random.Random(f"{self.seed} rest")
        for _ in range(ROUNDS_LIMIT):
            if not self._round(chance):
                return
        told = {device.name: list_wanted(device.disk) for device in self.devices}

        raise AssertionError(f"S6: the devices do not come to rest: {told}")

    def _stay_at_rest(self) -> None:
        before = self._count_events()
        for _ in range(2):
            assert not self._round(random.Random(0)), "S6: a device at rest has something to do"
        assert self._count_events() == before, "S6: something happened at rest"

    def _round(self, chance) -> bool:
        """Let everybody do what there is to do; tells whether there was anything."""
        busy = False
        consuming.consume("sync")
        for device in self.devices:
            before = device.disk.copy()
            device.follow(200)
            for _ in range(ROUNDS_LIMIT):
                outcome = device.work(chance)
                if outcome is None:
                    break
                self.note(f"{device.name}: {outcome}")
                if "meanwhile" in outcome or "gone" in outcome:
                    break
                consuming.consume("sync")
                device.follow(200)
            busy |= (
                bool(list_wanted(device.disk))
                or before.local != device.disk.local
                or before.synced != device.disk.synced
            )
        return busy

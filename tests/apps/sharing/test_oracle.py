"""Whatever is shared, moved, trashed and taken away: REST, a device's feed and what the actor carries say what a model in plain Python says."""

from datetime import timedelta
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.files import api as files
from apps.identity import api as identity
from apps.sharing import api as sharing
from apps.sharing.models import Permission
from apps.sync import api as sync
from bitvault.events.api import publish
from bitvault.events.catalog.sharing import ShareGranted
from bitvault.kernel import clock, db, remembered, tenancy
from bitvault.kernel.capabilities import ROLES, mask_of, names_of
from tests.apps.files.conftest import Tree
from tests.apps.sync.following import project
from tests.support.access_model import EVERYONE, EVERYTHING, READING, Access, Given, Person
from tests.support.client import ApiClient
from tests.support.postgres import undone
from tests.support.shares import filled, share
from tests.support.world import ACME

pytestmark = pytest.mark.django_db

GUESTS = {"adam": EVERYTHING, "olga": EVERYTHING, "vera": READING}
"""Who is given something of mia's, and what their role leaves of it."""

ANY = st.integers(0, 30)
STEPS = st.one_of(
    st.tuples(st.just("share"), ANY, ANY, st.sampled_from(list(ROLES)), st.sampled_from([None, None, 5, 30])),
    st.tuples(st.just("share"), ANY, ANY, st.sampled_from(["viewer", "editor"]), st.none()),
    st.tuples(st.just("revoke"), ANY),
    st.tuples(st.just("move"), ANY, ANY),
    st.tuples(st.just("make"), ANY),
    st.tuples(st.just("trash"), ANY),
    st.tuples(st.just("restore"), ANY),
    st.tuples(st.just("wait"), st.sampled_from([1, 10])),
    st.tuples(st.just("join or leave"), st.sampled_from(list(GUESTS))),
    st.tuples(st.just("switch off or on"), st.sampled_from(["vera", "adam"])),
)


class World:
    """The product and the model, side by side."""

    def __init__(self, make_actor):
        self.now = clock.now()
        self.make_actor = make_actor
        self.tree = Tree(make_actor("mia"))
        self.model = Access()
        self.people = {name: Person(ACME.people[name].user_id, ceiling) for name, ceiling in GUESTS.items()}
        self.group_id = identity.create_group(actor=make_actor("olga"), name="Board").id
        self.trash = []
        self.model.parents[self.tree.root.id] = None
        self.model.owners[self.tree.root.id] = self.tree.actor.user_id
        top = self._put(self.tree.folder("a"), self.tree.root.id)
        inner = self._put(self.tree.folder("b", top), top)
        self._put(self.tree.file("c.txt", inner), inner)
        self._put(self.tree.folder("d", top), top)
        self._put(self.tree.folder("e"), self.tree.root.id)
        self.folders = {one for one, name in self._names().items() if "." not in name}
        project()
        self.devices = {name: Copy(self, name) for name in GUESTS}

    def _names(self):
        return {one: self.tree.get(one).name for one in self.model.live()}

    def _put(self, node, parent_id):
        self.model.parents[node.id] = parent_id
        return node.id

    def actor(self, name):
        groups = tuple(self.people[name].groups)
        return filled(self.make_actor(name, groups=groups))

    # --- steps -------------------------------------------------------------------------------------------------------------

    def act(self, step):
        what, *how = step
        getattr(self, "_" + what.replace(" ", "_"))(*how)
        project()

    def _pick(self, number, *, folders=False):
        """Choose a live node below the root, or a live folder with the root."""
        live = [one for one in self.model.live() if one in self.folders or not folders]
        if not folders:
            live = [one for one in live if one != self.tree.root.id]
        return live[number % len(live)] if live else None

    def _share(self, node, whom, role, minutes):
        node_id = self._pick(node)
        if node_id is None:
            return
        ends = self.now + timedelta(minutes=minutes) if minutes else None
        names = [*GUESTS, EVERYONE, "group"]
        name = names[whom % len(names)]
        if name == "group":
            principal, share_id = self.group_id, self._share_with_group(node_id, role, ends)
        else:
            who = EVERYONE if name == EVERYONE else self.people[name].user_id
            if name != EVERYONE and not self.people[name].is_active:
                return
            principal, share_id = who, share(self.tree.actor, node_id, who, role, expires_at=ends).id
        present = self.model.given
        for one in [one for one, has in present.items() if (has.node_id, has.principal) == (node_id, principal)]:
            del present[one]
        present[share_id] = Given(node_id, principal, ROLES[role], ends)

    def _share_with_group(self, node_id, role, ends):
        with db.write_transaction():
            Permission.objects.filter(node_id=node_id, principal_id=self.group_id).delete()
            row = Permission.objects.create(
                node_id=node_id,
                principal_kind="group",
                principal_id=self.group_id,
                capabilities=ROLES[role],
                role=role,
                expires_at=ends,
                granted_by=self.tree.actor.user_id,
                granted_at=self.now,
            )
            publish(
                ShareGranted(
                    actor_id=self.tree.actor.user_id,
                    share_id=row.id,
                    node_id=node_id,
                    principal_kind="group",
                    principal_id=self.group_id,
                    role=role,
                    capabilities=names_of(ROLES[role]),
                    expires_at=ends,
                )
            )
        return row.id

    def _revoke(self, number):
        holding = [
            share_id
            for share_id, one in self.model.given.items()
            if (one.ends is None or one.ends > self.now) and self.model.way(one.node_id)
        ]
        if holding:
            share_id = holding[number % len(holding)]
            sharing.revoke_share(actor=self.tree.actor, share_id=share_id)
            del self.model.given[share_id]

    def _move(self, node, target):
        node_id, target_id = self._pick(node), self._pick(target, folders=True)
        if node_id is None or self.model.lies_below(target_id, node_id):
            return
        files.update_node(
            actor=self.tree.actor, node_id=node_id, parent_id=target_id, autorename=True, expected_revision="any"
        )
        self.model.parents[node_id] = target_id

    def _make(self, target):
        if len(self.model.parents) < 12:
            target_id = self._pick(target, folders=True)
            self.folders.add(self._put(self.tree.folder("new", target_id, autorename=True), target_id))

    def _trash(self, node):
        node_id = self._pick(node)
        if node_id is not None:
            files.trash_node(actor=self.tree.actor, node_id=node_id)
            self.model.trashed.add(node_id)
            self.trash.append(node_id)

    def _restore(self, number):
        if self.trash:
            node_id = self.trash.pop(number % len(self.trash))
            restored = files.restore_node(actor=self.tree.actor, node_id=node_id, on_conflict="rename")
            self.model.trashed.discard(node_id)
            self.model.parents[node_id] = restored.parent_id
            assert self.model.way(node_id)

    def _wait(self, minutes):
        self.now += timedelta(minutes=minutes)

    def _join_or_leave(self, name):
        person, olga = self.people[name], self.make_actor("olga")
        if not person.is_active:
            return
        change = {"actor": olga, "group_id": self.group_id, "user_id": person.user_id}
        if self.group_id in person.groups:
            identity.remove_group_member(**change)
        else:
            identity.put_group_member(**change)
        person.groups ^= {self.group_id}

    def _switch_off_or_on(self, name):
        person = self.people[name]
        state = "deactivated" if person.is_active else "active"
        identity.update_member(actor=self.make_actor("olga"), member_id=person.user_id, state=state)
        person.is_active = not person.is_active

    # --- what is said ------------------------------------------------------------------------------------------------------

    def check(self):
        for name, person in self.people.items():
            client = ApiClient(token=ACME.people[name].token)
            if not person.is_active:
                assert client.get(f"/nodes/{self.tree.root.id}").status_code in (401, 403)
                continue
            self._check_reach(name, person)
            self._check_rest(client, person)
            device = self.devices[name]
            device.read(client)
            own = {one: node for one, node in device.nodes.items() if one in self.model.parents}
            assert own == self.model.tree(person, self.now), f"the device of {name}"
            assert device.nodes.keys() - own.keys() <= {device.root_id}

    def _check_reach(self, name, person):
        reach = sharing.find_reach(actor=self.actor(name), fresh=True)
        for node_id in self.model.parents:
            assert reach.at(node_id) == self.model.own_mask(person, node_id, self.now), f"the reach of {name}"

    def _check_rest(self, client, person):
        for node_id in self.model.parents:
            answer = client.get(f"/nodes/{node_id}")
            knows = self.model.knows(person, node_id, self.now)
            assert answer.status_code == (200 if knows else 404)
            if knows:
                node, parent_id = answer.json(), self.model.parents[node_id]
                seen = parent_id is not None and self.model.knows(person, parent_id, self.now)
                assert node["parent_id"] == (str(parent_id) if seen else None)
                assert node["capabilities"] == list(names_of(self.model.mask(person, node_id, self.now)))


class Copy:
    """A device that knows nothing but what its feed has told, by the rules of the README of sync."""

    def __init__(self, world, name):
        actor = world.actor(name)
        self.root_id = files.ensure_personal_root(actor=actor).id
        self.cursor = sync.register_device(actor=actor, name=name, platform="test").cursor
        self.nodes = {}

    def read(self, client):
        page = {"has_more": True}
        while page["has_more"]:
            answer = client.get("/sync/changes", cursor=self.cursor, limit=3)
            assert answer.status_code == 200, answer.content
            page = answer.json()
            for change in page["items"]:
                self._take(change)
            self.cursor = page["cursor"]

    def _take(self, change):
        node_id = UUID(change["node_id"])
        if change["op"] == "removed":
            for one in self._list_below(node_id):
                del self.nodes[one]
            return
        node = change["node"]
        before, mask = self.nodes.get(node_id), mask_of(node["capabilities"])
        self.nodes[node_id] = (node["parent_id"] and UUID(node["parent_id"]), mask)
        if before is not None and before[1] != mask:
            # Other capabilities hold for all below that had the same as this one.
            for one in self._list_below(node_id):
                if self.nodes[one][1] == before[1]:
                    self.nodes[one] = (self.nodes[one][0], mask)

    def _list_below(self, node_id):
        """List a node and all below it, as far as it is here."""
        found = [node_id] if node_id in self.nodes else []
        for one in found:
            found += [child for child, (parent_id, _) in self.nodes.items() if parent_id == one]
        return found


@settings(max_examples=12, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, min_size=3, max_size=14))
def test_rest_the_feed_and_the_actor_agree_with_the_model(make_actor, steps):
    with (
        undone(),
        tenancy.entered(make_actor("mia").tenant),
        patch.object(remembered, "LIFETIME_SECONDS", 0),
        clock.fixed_at(clock.now()),
    ):
        world = World(make_actor)
        world.check()
        for step in steps:
            with clock.fixed_at(world.now):
                world.act(step)
            with clock.fixed_at(world.now):
                world.check()
        transaction.set_rollback(True)

"""Legal holds and retention rules: what they cover is not deleted permanently, whoever tries, and comes through every move."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from apps.annotations import api as annotations
from apps.annotations.consumers import CONSUMER as ANNOTATIONS
from apps.files import api as files
from apps.files import errors, limits
from apps.files.api import copies, retention, rewinds
from apps.files.consumers import TAGS_CONSUMER
from apps.files.retention import applying
from bitvault.events import consuming
from bitvault.jobs import running
from bitvault.jobs.models import Job
from bitvault.kernel import clock
from bitvault.kernel.actor import PermissionMissing, Role, ScopeMissing
from bitvault.kernel.errors import NotFound
from tests.apps.files.conftest import (
    Tree,
    assert_events_tell_all,
    assert_tree_is_sound,
    events,
    fetch,
    last_seq,
)
from tests.apps.files.past import catch_up
from tests.support.shares import grant, live, make_team
from tests.support.world import ACME


@pytest.fixture
def adam(tenant, make_actor):
    return live(make_actor("adam"))


@pytest.fixture
def tagged(tree):
    """Put a tag on a node as its owner."""

    def put(node, name="Court"):
        found = next((tag for tag in annotations.list_tags(actor=tree.actor) if tag.name == name), None)
        tag = found or annotations.create_tag(actor=tree.actor, name=name)
        if node is not None:
            annotations.tag_node(actor=tree.actor, node_id=node.id, tag_id=tag.id)
        return tag

    return put


def follow_tags():
    while consuming.consume(TAGS_CONSUMER):
        pass


def run_jobs():
    while running.run_next("bulk"):
        pass


def make(actor, target="vault", *, kind="hold", node=None, user_id=None, tag=None, **more):
    return retention.make_policy(
        actor=actor,
        kind=kind,
        name=more.pop("name", "Case 12"),
        target=target,
        node_id=node and node.id,
        user_id=user_id,
        tag=tag,
        **more,
    )


def lift(actor, policy):
    retention.lift_policy(actor=actor, policy_id=policy.id)


def is_gone(node):
    return fetch("SELECT count(*) FROM files_node WHERE id = %s", [node.id]) == [(0,)]


def assert_kept(actor, node, kind=errors.OnHold):
    """Nobody gets rid of what lies in the trash: not by itself, not with the rest of the trash, not by its time being over."""
    with pytest.raises(kind):
        files.purge_node(actor=actor, node_id=node.id)
    with pytest.raises(errors.TrashKept):
        files.empty_trash(actor=actor)
    with clock.fixed_at(clock.now() + timedelta(days=400)) if kind is errors.OnHold else clock.fixed_at(clock.now()):
        files.purge_expired()
    assert not is_gone(node)
    (listed,) = [one for one in files.list_trash(actor=actor).items if one.id == node.id]
    assert listed.kept.by == ("hold" if kind is errors.OnHold else "rule")


WAYS = [
    "the vault",
    "the person",
    "the folder",
    "the folder above",
    "a tag",
    "a tag above",
    "something in it",
    "a copy",
]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_on_hold_is_not_deleted_permanently_before_the_hold_is_lifted(tree, adam, tagged, way):
    above = tree.folder("above")
    folder = tree.folder("folder", above)
    file = tree.file("a.txt", folder)
    other = tree.file("other.txt")
    owner = replace(tree.actor, role=Role.ADMIN)  # who may see the folder, and manages retention
    match way:
        case "the vault":
            policy, other = make(adam), None
        case "the person":
            policy, other = make(adam, "person", user_id=tree.actor.user_id), None
        case "the folder":
            policy = make(owner, "folder", node=folder)
        case "the folder above":
            policy = make(owner, "folder", node=above)
        case "a tag":
            policy = make(adam, "tag", tag=tagged(folder))
        case "a tag above":
            policy = make(adam, "tag", tag=tagged(above))
        case "something in it":
            policy = make(owner, "folder", node=tree.folder("inner", folder))
        case "a copy":
            policy = make(adam, "tag", tag=tagged(file))
            above = tree.folder("elsewhere")
            folder = copies.copy_node(
                actor=tree.actor, node_id=file.id, parent_id=above.id, copy_id=uuid4(), made_on="API"
            )[0]
            while consuming.consume(ANNOTATIONS):
                pass
    run_jobs()
    follow_tags()
    tree.trash(folder)
    if other is not None:
        tree.trash(other)
    assert_kept(tree.actor, folder)
    assert other is None or is_gone(other)
    lift(adam, policy)
    files.purge_node(actor=tree.actor, node_id=folder.id)
    assert is_gone(folder)
    assert_tree_is_sound()
    assert_events_tell_all()


def test_the_trash_of_before_is_covered_and_is_emptied_within_a_day_after_the_hold(tree, adam):
    folder = tree.folder("folder")
    file = tree.file("a.txt", folder)
    tree.trash(file)
    owner = replace(tree.actor, role=Role.ADMIN)
    policy = make(owner, "folder", node=folder)
    assert_kept(tree.actor, file)
    due = clock.now() + timedelta(days=400)
    lift(adam, policy)
    with clock.fixed_at(due + timedelta(hours=1)):
        assert files.request_due_purge() is False, "looked at again after a day, not each hour"
    with clock.fixed_at(due + limits.KEPT_POSTPONED):
        assert files.request_due_purge() is True
        files.purge_expired()
    assert is_gone(file)


def test_nobody_gets_out_of_a_hold_by_moving_something(tree, adam):
    held, free = tree.folder("held"), tree.folder("free")
    deep = tree.folder("deep", tree.folder("inner", held))
    moved, restored, returned = (tree.file(f"{name}.txt", deep) for name in ("moved", "restored", "returned"))
    base = returned
    policy = make(replace(tree.actor, role=Role.ADMIN), "folder", node=held)
    before = fetch("SELECT count(*) FROM files_retained")
    renamed = tree.update(tree.get(deep), name="renamed")
    assert fetch("SELECT count(*) FROM files_retained") == before, "what stays needs no row"
    tree.update(tree.get(moved), parent_id=free.id)
    tree.trash(restored)
    tree.restore(restored, parent_id=free.id)
    tree.trash(renamed)
    grant_of = files.authorise_upload(
        actor=tree.actor,
        parent_id=deep.id,
        name=base.name,
        size_bytes=3,
        mode="update",
        node_id=base.id,
        base_version_id=base.version_id,
    )
    back = tree.commit(grant_of, b"new").node
    tree.trash(back)
    lift_free = tree.file("free.txt", free)
    for node in (moved, restored, lift_free):
        tree.trash(node)
    for node in (moved, restored, back):
        assert_kept(tree.actor, node)
    assert is_gone(lift_free)
    assert [(one.by, one.name) for one in covered(adam, policy)] == [("named", "")] + [
        ("moved", "")
    ] * 2  # the third came back into it
    assert_tree_is_sound()


def covered(actor, policy):
    found = retention.list_retained(actor=actor, policy_id=policy.id).items
    return sorted(found, key=lambda one: one.by, reverse=True)


def test_a_rewind_takes_nothing_out_of_a_hold(tree):
    free, held = tree.folder("free"), tree.folder("held")
    file = tree.file("a.txt", free)
    catch_up()
    seq = last_seq()
    tree.update(tree.get(file), parent_id=held.id)
    make(replace(tree.actor, role=Role.ADMIN), "folder", node=held)
    catch_up()
    rewind = rewinds.plan_rewind(actor=tree.actor, folder_id=tree.root.id, since=str(seq))
    rewinds.start_rewind(actor=tree.actor, rewind_id=rewind.id)
    rewinds.apply_rewind_batch(rewind_id=rewind.id, user_id=tree.actor.user_id, after=0)
    assert tree.get(file).parent_id == free.id
    tree.trash(file)
    assert_kept(tree.actor, file)


def test_versions_on_hold_and_younger_than_a_rule_says_stay(tree, adam):
    file = tree.file("a.txt")
    old_id = file.version_id
    tree.write(file, b"second")
    which = {"actor": tree.actor, "node_id": file.id, "version_id": old_id}
    hold = make(adam)
    with pytest.raises(errors.OnHold):
        files.delete_version(**which)
    lift(adam, hold)
    make(adam, kind="rule", keep_days=10)
    with pytest.raises(errors.KeptByRule) as refused:
        files.delete_version(**which)
    assert refused.value.facts["kept_until"] - clock.now() > timedelta(days=9)
    (blob_id,) = fetch("SELECT blob_id FROM files_version WHERE id = %s", [old_id])[0]
    assert files.find_held_blobs(blob_ids=[blob_id]) == {blob_id}, "so its bytes are not collected either"
    with clock.fixed_at(clock.now() + timedelta(days=11)):
        files.delete_version(**which)


def test_a_rule_keeps_for_its_days_and_the_longest_one_decides(tree, adam):
    folder, file = tree.folder("folder"), tree.file("a.txt")
    tree.file("b.txt", folder)
    make(adam, kind="rule", keep_days=10)
    make(adam, "person", kind="rule", keep_days=20, user_id=tree.actor.user_id)
    with clock.fixed_at(clock.now() + timedelta(days=15)):
        for node in (folder, file):
            tree.trash(node)
            assert_kept(tree.actor, node, errors.KeptByRule)
    with clock.fixed_at(clock.now() + timedelta(days=21)):
        files.purge_node(actor=tree.actor, node_id=file.id)
        assert_kept(tree.actor, folder, errors.KeptByRule)  # a folder counts from when it was trashed
    with clock.fixed_at(clock.now() + timedelta(days=36)):
        files.purge_expired()
        assert not is_gone(folder), "looked at a day after the trash was due"
    with clock.fixed_at(clock.now() + timedelta(days=60)):
        files.purge_expired()
    assert is_gone(folder)
    assert is_gone(file)


def test_a_team_folder_that_has_ended_stays_with_its_trash_while_something_in_it_is_on_hold(tree, adam):
    team = make_team(adam, "Team", grant("everyone", "editor"))
    mia = Tree(live(tree.actor))
    inner = mia.folder("inner", team)
    thrown = mia.file("a.txt", inner)
    policy = make(adam, "folder", node=inner)
    mia.trash(thrown)
    files.end_team_folder(actor=adam, folder_id=team.id, expected_revision="any")
    with pytest.raises(errors.OnHold):
        files.purge_node(actor=adam, node_id=team.id)
    with clock.fixed_at(clock.now() + timedelta(days=400)):
        files.purge_expired()
    files.restore_team_folder(actor=adam, folder_id=team.id)
    assert mia.restore(thrown).name == "a.txt"
    lift(adam, policy)


def test_what_somebody_kept_who_has_left_stays_on_hold_with_the_successor(tree, adam):
    from apps.identity import api as identity

    file, thrown = tree.file("a.txt"), tree.file("thrown.txt")
    tree.trash(thrown)
    policy = make(adam, "person", user_id=tree.actor.user_id)
    identity.remove_member(tenant=adam.tenant, user_id=tree.actor.user_id, successor_id=adam.user_id)
    run_jobs()
    heir = Tree(adam)
    heir.trash(file)
    for node in (file, thrown):
        assert_kept(adam, node)
    lift(adam, policy)
    files.empty_trash(actor=adam)
    assert is_gone(file)


def test_a_hold_on_a_person_who_has_not_come_yet_holds_what_they_will_keep(tenant, adam, make_actor):
    user_id = ACME.people["olga"].user_id
    make(adam, "person", user_id=user_id)
    olga = Tree(replace(make_actor("olga"), role=Role.MEMBER))
    file = olga.file("a.txt")
    olga.trash(file)
    assert_kept(olga.actor, file)


# --- tags ------------------------------------------------------------------------------------------------------------------


def test_what_gets_the_tag_is_held_and_what_loses_it_stays_held(tree, adam, tagged):
    first, later = tree.file("first.txt"), tree.file("later.txt")
    tag = tagged(first)
    policy = make(adam, "tag", tag=tag)
    assert policy.state == "applying"
    run_jobs()
    assert retention.get_policy(actor=adam, policy_id=policy.id).state == "active"
    tagged(later)
    follow_tags()
    annotations.untag_node(actor=tree.actor, node_id=later.id, tag_id=tag.id)
    annotations.update_tag(actor=adam, tag_id=tag.id, name="Court case")
    follow_tags()
    assert {one.node_id: one.left_at is not None for one in covered(adam, policy)} == {
        first.id: False,
        later.id: True,
    }
    assert retention.get_policy(actor=adam, policy_id=policy.id).target_name == "Court case"
    annotations.delete_tag(actor=adam, tag_id=tag.id)
    follow_tags()
    for node in (first, later):
        tree.trash(node)
        assert_kept(tree.actor, node)


# --- rules that delete -------------------------------------------------------------------------------------------------------


def test_a_rule_puts_into_the_trash_what_is_old_enough_and_nothing_else(tree, adam, monkeypatch):
    monkeypatch.setattr(limits, "RETENTION_BATCH", 2)
    monkeypatch.setattr(limits, "RETENTION_PAGE", 3)
    owner = replace(tree.actor, role=Role.ADMIN)
    folder, held = tree.folder("folder"), tree.folder("held")
    inner = tree.folder("inner", folder)
    old = [tree.file(f"{n}.txt", inner) for n in range(5)]
    locked, elsewhere, kept = tree.file("locked.txt", folder), tree.file("elsewhere.txt"), tree.file("kept.txt", held)
    tree.update(tree.get(held), parent_id=folder.id)
    written = tree.file("written.txt", folder)
    rule = make(owner, "folder", kind="rule", node=folder, delete_after_days=30, keep_days=30)
    make(owner, "folder", node=held)
    assert applying.request() is True
    with clock.fixed_at(clock.now() + timedelta(days=29)):
        assert applying.apply(report=lambda _: None) == 0
    with clock.fixed_at(clock.now() + timedelta(days=31)):
        files.lock_node(actor=tree.actor, node_id=locked.id)
        tree.write(written, b"new")
        before = last_seq()
        assert applying.apply(report=lambda _: None) == 5
        assert applying.apply(report=lambda _: None) == 0
    assert {node.id for node in files.list_trash(actor=tree.actor).items} == {node.id for node in old}
    for node in (locked, elsewhere, kept, written, inner):
        assert tree.get(node).trashed_at is None
    told = [payload for kind, payload in events(before) if kind == "files.retention.applied.v1"]
    assert [one["trashed_count"] for one in told] == [2, 1, 2]
    assert {one["policy_id"] for one in told} == {str(rule.id)}
    assert_tree_is_sound()
    assert_events_tell_all()


def test_a_rule_of_the_whole_vault_is_carried_out_by_the_schedule_for_all(tree, adam):
    file = tree.file("a.txt")
    make(adam, kind="rule", delete_after_days=1)
    with clock.fixed_at(clock.now() + timedelta(days=2)):
        retention.request_retention()
        Job.objects.filter(kind=applying.APPLY_JOB).update(run_at=clock.now() - timedelta(days=30))
        run_jobs()
    assert [node.id for node in files.list_trash(actor=tree.actor).items] == [file.id]
    tree.restore(file)


# --- who may, and what is told ------------------------------------------------------------------------------------------------


def test_only_who_manages_retention_makes_changes_lifts_and_lists(tree, adam):
    policy = make(adam)
    folder = tree.folder("folder")
    for refused, actor in ((PermissionMissing, tree.actor), (ScopeMissing, replace(adam, scopes=frozenset()))):
        for act in (
            lambda who=actor: make(who, "folder", node=folder),
            lambda who=actor: retention.change_policy(actor=who, policy_id=policy.id, name="x"),
            lambda who=actor: retention.lift_policy(actor=who, policy_id=policy.id),
            lambda who=actor: retention.list_policies(actor=who),
            lambda who=actor: retention.list_retained(actor=who, policy_id=policy.id),
        ):
            with pytest.raises(refused):
                act()
    with pytest.raises(NotFound):
        make(adam, "folder", node=folder)  # which is in mia's own files: administrators do not know of it


@pytest.mark.parametrize(
    "wish",
    [
        {"keep_days": 3},
        {"kind": "rule"},
        {"kind": "rule", "keep_days": 9, "delete_after_days": 8},
        {"target": "folder"},
        {"target": "tag"},
        {"name": "  "},
        {"user_id": ACME.people["mia"].user_id},
    ],
)
def test_what_makes_no_sense_is_refused(tree, adam, wish):
    with pytest.raises(errors.RetentionUnfit):
        make(adam, **wish)


def test_there_are_only_so_many_in_force_and_what_is_lifted_is_over(tree, adam, monkeypatch):
    monkeypatch.setattr(limits, "POLICIES_LIMIT", 1)
    policy = make(adam)
    with pytest.raises(errors.TooManyPolicies):
        make(adam)
    lift(adam, policy)
    lift(adam, policy)
    make(adam)
    with pytest.raises(errors.RetentionOver):
        retention.change_policy(actor=adam, policy_id=policy.id, name="x")
    assert [one.id for one in retention.list_policies(actor=adam, lifted=True).items] == [policy.id]
    told = [kind for kind, _ in events() if kind.startswith("files.retention.")]
    assert told == ["files.retention.started.v1", "files.retention.lifted.v1", "files.retention.started.v1"]


def test_a_viewer_of_a_node_learns_that_it_is_held_and_not_for_what(tree, adam):
    folder = tree.folder("folder")
    file = tree.file("a.txt", folder)
    owner = replace(tree.actor, role=Role.ADMIN)
    make(owner, "folder", node=folder, name="Against Bob")
    make(owner, "folder", kind="rule", node=folder, keep_days=30, delete_after_days=60, name="Bookkeeping")
    hold, rule = retention.list_retention(actor=tree.actor, node_id=file.id)
    assert (hold.kind, hold.name, hold.kept_until) == ("hold", "", None)
    assert (rule.name, rule.kept_until - file.modified_at, rule.deleted_at - file.modified_at) == (
        "Bookkeeping",
        timedelta(days=30),
        timedelta(days=60),
    )
    assert retention.list_retention(actor=owner, node_id=file.id)[0].name == "Against Bob"
    with pytest.raises(NotFound):
        retention.list_retention(actor=adam, node_id=file.id)


def test_lists_and_changes_cost_the_same_however_many_are_held(tree, adam, counted_queries):
    file, folder = tree.file("a.txt"), tree.folder("folder")

    def count(act):
        with counted_queries() as statements:
            act()
        return len(statements)

    def look():
        return count(lambda: files.list_trash(actor=tree.actor))

    tree.trash(file)
    none = look()
    policies = [make(adam, name=str(number)) for number in range(3)]
    some = look()
    for number in range(20):
        tree.trash(tree.file(f"{number}.txt"))
        make(replace(tree.actor, role=Role.ADMIN), "folder", node=folder)
    assert look() == some == none + 1
    assert len(policies) == 3


# --- over REST -----------------------------------------------------------------------------------------------------------------


def test_a_hold_is_made_told_and_lifted_over_rest(api, tenant):
    adam, mia = api("adam"), api("mia")
    root = mia.get("/me").json()["root_id"]
    folder = mia.post("/folders", {"parent_id": root, "name": "Plans"}).json()
    body = {"kind": "hold", "name": "Case 12", "target": "person", "user_id": str(ACME.people["mia"].user_id)}
    assert mia.post("/retention", body).status_code == 403
    made = adam.post("/retention", body, headers={"idempotency-key": "k" * 20})
    again = adam.post("/retention", body, headers={"idempotency-key": "k" * 20})
    assert (made.status_code, again.json()) == (201, made.json())
    policy = made.json()
    assert (policy["target_name"], policy["state"], policy["named_count"]) == ("Mia", "active", 1)
    assert mia.delete(f"/nodes/{folder['id']}").status_code == 204
    refused = mia.delete(f"/trash/{folder['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "files.on_hold")
    assert "Case 12" not in refused.content.decode()
    emptied = mia.delete("/trash")
    assert (emptied.status_code, emptied.json()["code"]) == (409, "files.trash_kept")
    assert (emptied.json()["deleted_count"], emptied.json()["kept_count"]) == (0, 1)
    assert mia.get("/trash").json()["items"][0]["kept"] == {"by": "hold", "until": None}
    assert adam.patch(f"/retention/{policy['id']}", {"reason": "Letter of May 3"}).json()["reason"] == "Letter of May 3"
    assert adam.get(f"/retention/{policy['id']}/nodes").json()["items"][0]["name"] == ""
    assert mia.get(f"/nodes/{root}/retention").json()["items"][0]["kind"] == "hold"
    assert adam.delete(f"/retention/{policy['id']}").status_code == 204
    assert adam.get("/retention").json()["items"] == []
    assert adam.get("/retention?lifted=true").json()["items"][0]["lifted_by_name"] == "Adam"
    assert mia.delete("/trash").status_code == 204

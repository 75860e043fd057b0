"""What is on legal hold is found by that: what hangs below, what was moved out, what has had a tag; until the hold is lifted."""

import random
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from apps.annotations import api as annotations
from apps.files import api as files
from apps.files.api import retention
from apps.search import holds, indexing, rebuilding
from apps.search.errors import FilterInvalid
from apps.search.models import Document, Held, Hold
from bitvault.events.models import ConsumerCursor
from bitvault.kernel import db
from bitvault.kernel.errors import BitVaultError
from tests.apps.files.conftest import Tree, fetch
from tests.apps.search.conftest import Finder, catch_up


@pytest.fixture
def hold(make_actor):
    """Put something on hold, as who manages retention."""
    adam = make_actor("adam")

    def hold(**about):
        return retention.make_policy(actor=adam, kind="hold", name="Case", **about)

    hold.lift = lambda policy: retention.lift_policy(actor=adam, policy_id=policy.id)
    hold.actor = adam
    return hold


@pytest.fixture
def team(tenant, hold):
    """A team folder, which who manages retention sees."""
    return files.create_team_folder(actor=hold.actor, name="Team")


@pytest.fixture
def adams(hold):
    return Tree(hold.actor)


@pytest.fixture
def search_as_adam(hold):
    return Finder(hold.actor)


def held(finder, word="plan"):
    return sorted(finder.names(f"{word} held:yes"))


def test_a_folder_on_hold_is_found_with_all_below_it_until_the_hold_is_lifted(team, adams, search_as_adam, hold):
    case = adams.folder("plan case", team.id)
    deep = adams.folder("plan deep", case)
    adams.file("plan a.txt", deep)
    adams.file("plan free.txt", team.id)
    assert held(search_as_adam) == []
    policy = hold(target="folder", node_id=case.id)
    assert held(search_as_adam) == ["plan a.txt", "plan case", "plan deep"]
    assert search_as_adam.names("plan held:no") == ["plan free.txt"]
    facets = search_as_adam.results("plan", facets=True).facets
    assert facets.held_count == 3
    hold.lift(policy)
    assert held(search_as_adam) == []
    assert search_as_adam.results("plan", facets=True).facets.held_count == 0
    assert len(search_as_adam.names("plan held:no")) == 4


def test_what_leaves_a_folder_on_hold_stays_held_and_what_comes_is_held_while_it_is_there(
    team, adams, search_as_adam, hold
):
    case, other = adams.folder("case", team.id), adams.folder("other", team.id)
    leaving, coming = adams.file("plan leaving.txt", case), adams.file("plan coming.txt", other)
    hold(target="folder", node_id=case.id)
    adams.update(leaving, parent_id=other.id, expected_revision="any")
    assert held(search_as_adam) == ["plan leaving.txt"]
    adams.update(coming, parent_id=case.id, expected_revision="any")
    adams.trash(leaving)
    assert held(search_as_adam) == ["plan coming.txt"]
    assert search_as_adam.names("plan held:yes in:trash") == ["plan leaving.txt"]
    adams.restore(leaving)
    adams.trash(case)
    assert held(search_as_adam) == ["plan leaving.txt"]
    adams.restore(case)
    assert held(search_as_adam) == ["plan coming.txt", "plan leaving.txt"]


def test_what_has_the_tag_of_a_hold_is_held_though_it_loses_it(tree, finder, hold):
    tag = annotations.create_tag(actor=hold.actor, name="Case", colour="red")
    before, after, never = (tree.file(f"plan {name}.txt") for name in ("before", "after", "never"))
    annotations.tag_node(actor=tree.actor, node_id=before.id, tag_id=tag.id)
    hold(target="tag", tag=tag)
    annotations.tag_node(actor=tree.actor, node_id=after.id, tag_id=tag.id)
    annotations.untag_node(actor=tree.actor, node_id=before.id, tag_id=tag.id)
    assert held(finder) == ["plan after.txt", "plan before.txt"]
    assert finder.names("plan held:no") == [never.name]


def test_a_hold_on_the_vault_or_a_person_covers_what_they_have(tree, finder, hold):
    tree.file("plan.txt")
    policy = hold(target="vault")
    assert (held(finder), finder.names("plan held:no")) == (["plan.txt"], [])
    hold.lift(policy)
    assert (held(finder), finder.names("plan held:no")) == ([], ["plan.txt"])
    hold(target="person", user_id=tree.actor.user_id)
    assert held(finder) == ["plan.txt"]


def test_a_rule_is_no_hold(tree, finder, hold):
    tree.file("plan.txt")
    retention.make_policy(actor=hold.actor, kind="rule", name="Rule", target="vault", keep_days=30)
    assert held(finder) == []


def test_nobody_finds_what_is_not_theirs_by_a_hold(tree, hold, make_actor):
    tree.file("plan.txt")
    hold(target="person", user_id=tree.actor.user_id)
    vera = Finder(make_actor("vera"))
    assert (vera.names("held:yes"), vera.results("held:yes", facets=True).facets.held_count) == ([], 0)


def test_the_filter_takes_yes_and_no(finder):
    with pytest.raises(FilterInvalid) as refused:
        finder.names("held:maybe")
    assert refused.value.facts["filter"] == "held"


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(("is_held", "join"), [(True, "Semi Join"), (False, "Anti Join")])
def test_what_is_held_is_walked_once_and_joined_and_not_looked_through_for_each_row(is_held, join):
    with db.read_transaction():
        plan = holds.narrow(Document.objects.all(), is_held=is_held).explain()
    assert (join in plan, "SubPlan" in plan) == (True, False), plan


def index():
    catch_up()
    with db.read_transaction():
        holds = sorted(Hold.objects.values_list("policy_id", "tag_id", "is_of_vault"))
        return holds, sorted(
            (node_id, sorted(ids)) for node_id, ids in Held.objects.values_list("node_id", "policy_ids")
        )


@pytest.mark.parametrize("seed", range(3))
def test_what_is_held_is_what_files_keeps_however_often_events_come(team, adams, search_as_adam, hold, seed):
    chance = random.Random(seed)
    folders = [adams.folder(f"plan {number}", team.id) for number in range(6)]
    nodes = [adams.file(f"plan {number}.txt", chance.choice(folders)) for number in range(12)]
    policies = []
    for _ in range(40):
        node = chance.choice(folders + nodes)
        match chance.randrange(8):
            case 0 if len(policies) < 3:
                folder_id = chance.choice(folders).id
                attempt(lambda one=folder_id: policies.append(hold(target="folder", node_id=one)))
            case 1 if policies:
                hold.lift(policies.pop())
            case 2:
                attempt(lambda node=node: adams.trash(node))
            case 3:
                attempt(lambda node=node: adams.restore(node, on_conflict="rename"))
            case _:
                target = chance.choice(folders)
                attempt(
                    lambda node=node, target=target: adams.update(node, parent_id=target.id, expected_revision="any")
                )
        if chance.random() < 0.3:
            catch_up()
    kept = {
        node.name
        for node in folders + nodes
        if is_live(node) and retention.list_retention(actor=hold.actor, node_id=node.id)
    }
    assert set(held(search_as_adam)) == kept
    before = index()
    ConsumerCursor.objects.filter(consumer=indexing.CONSUMER).update(
        seq=0, published_at=datetime(1970, 1, 1, tzinfo=UTC)
    )
    assert index() == before
    rebuilding.rebuild()
    assert index()[0] == before[0]
    assert set(held(search_as_adam)) == kept


def attempt(act):
    with suppress(BitVaultError):  # whatever is refused is refused
        act()


def is_live(node):
    found = fetch(
        "WITH RECURSIVE up AS (SELECT id, parent_id, trashed_at FROM files_node WHERE id = %s UNION ALL SELECT p.id, p.parent_id, p.trashed_at FROM up JOIN files_node p ON p.id = up.parent_id) SELECT bool_or(trashed_at IS NOT NULL) FROM up",
        [node.id],
    )
    return found[0][0] is False


def test_folders_that_lie_in_each_other_for_a_moment_hold_nobody_up(team, adams, search_as_adam, hold):
    """What a rebuild has read at different instants, before it has read the stream that puts it right."""
    case, other = adams.folder("plan case", team.id), adams.folder("plan other", team.id)
    file = adams.file("plan.txt", case)
    hold(target="folder", node_id=team.id)
    catch_up()
    with db.write_transaction():
        Document.objects.filter(node_id=case.id).update(parent_id=other.id)
        Document.objects.filter(node_id=other.id).update(parent_id=case.id)
    assert search_as_adam.results("plan", facets=True).facets.held_count == 0
    adams.update(file, parent_id=other.id, expected_revision="any")
    assert sorted(search_as_adam.names("plan")) == ["plan case", "plan other", "plan.txt"]

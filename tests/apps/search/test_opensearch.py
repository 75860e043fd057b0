"""OpenSearch behind the port: it passes every test that PostgreSQL's engine passes, on a real node, and some that are about itself.

What needs a node is left out where none can be made (`dev/opensearch`). One node serves this file.
"""

import random
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from apps.annotations import api as annotations
from apps.annotations.api import metadata
from apps.annotations.dtos import FieldWish
from apps.files import api as files
from apps.search import api as search
from apps.search import building, choosing, contents, outgoing, parsing, rebuilding, resolving, sending
from apps.search.errors import FilterInvalid
from apps.search.models import Document, OutsideIndex, Tagged, Unsent
from apps.search.opensearch import client, comparing, documents, indices, writing
from apps.search.postgresql_engine import PostgreSQLEngine
from bitvault.events import consuming
from bitvault.jobs.models import Job
from bitvault.kernel import db, tenancy
from bitvault.kernel.actor import Role
from bitvault.kernel.errors import Forbidden, Locked, NotFound, ServiceDown
from dev.opensearch.assembling import NotHere
from dev.opensearch.node import Node
from tests.apps.files.conftest import fetch, live_a_little
from tests.apps.search import test_held, test_narrowing, test_read_your_writes, test_remarks, test_search, test_texts
from tests.apps.search.conftest import catch_up
from tests.apps.search.test_held import adams, hold, search_as_adam, team
from tests.apps.search.test_narrowing import shared
from tests.apps.search.test_read_your_writes import indexing
from tests.apps.search.test_texts import CONTRACT, Reader, reader

__all__ = ["adams", "hold", "indexing", "reader", "search_as_adam", "shared", "team"]

ABOUT_POSTGRESQL = {
    "test_a_sentence_across_the_border_of_two_passages_is_found",
    "test_a_text_of_a_million_different_words_is_kept_as_far_as_postgresql_takes_it",
    "test_filters_in_a_text_can_be_taken_away_one_by_one",
    "test_what_cannot_be_read_says_why_and_is_no_job",
    "test_what_is_held_is_walked_once_and_joined_and_not_looked_through_for_each_row",
}
for module in (test_search, test_narrowing, test_held, test_texts, test_remarks, test_read_your_writes):
    globals().update(
        {name: test for name, test in vars(module).items() if name.startswith("test_") and name not in ABOUT_POSTGRESQL}
    )


@pytest.fixture(scope="module")
def node():
    directory = Path(tempfile.mkdtemp(prefix="bitvault-opensearch-"))
    running = Node(directory)
    try:
        running.start()
    except NotHere as reason:
        shutil.rmtree(directory, ignore_errors=True)
        pytest.skip(f"OpenSearch does not run here: {reason}")
    yield running
    running.stop()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(autouse=True)
def chosen(node, settings, monkeypatch):
    """An installation that searches by OpenSearch, where what is written can be found at once."""
    settings.BITVAULT_SEARCH_ENGINE = "opensearch"
    settings.BITVAULT_OPENSEARCH = {"url": node.url, "ca_file": ""}
    monkeypatch.setattr(sending, "REFRESH", "true")
    client.reset()
    yield
    client.reset()


@pytest.fixture(autouse=True)
def live(request, chosen):
    """The tenant's index is there, so that every search of a test goes to OpenSearch."""
    if "tenant" in request.fixturenames:
        request.getfixturevalue("tenant")
        building.build()
        assert not isinstance(choosing.choose(), PostgreSQLEngine)


@pytest.fixture
def down(settings):
    """OpenSearch does not answer."""

    @contextmanager
    def closed():
        running = settings.BITVAULT_OPENSEARCH
        client.reset()
        settings.BITVAULT_OPENSEARCH = {"url": "http://127.0.0.1:9", "ca_file": ""}
        yield
        client.reset()
        settings.BITVAULT_OPENSEARCH = running

    return closed


def held(index=None):
    """What the part holds: nodes and versions."""
    if index is None:
        with db.read_transaction():
            index = OutsideIndex.objects.get(state="live")
    with client.lent() as opensearch:
        indices.refresh(opensearch, index.name)
        return comparing.list_versions(opensearch, index, after=None, until=None)


def known():
    with db.read_transaction():
        return writing.list_versions(list(Document.objects.all()))


QUERIES = [
    *(
        "a",
        "f",
        "n1",
        "1",
        "txt",
        "a1.txt",
        '"a1"',
        "a -1",
        "f type:folder",
        "type:file",
        "before:2002-01-01",
        "after:2001-06-01",
    ),
    *(
        "size:<100kB",
        "in:trash before:2100-01-01",
        "a in:trash",
        "in:f1 a",
        "owner:me 1",
        "words",
        "common",
        '"common words"',
    ),
    *(
        "tag:urgent",
        "tag:urgent a",
        "tag:urgent tag:done",
        "tag:done type:folder",
        "tag:done in:trash",
        "tag:done words",
    ),
    *("words -rare", "rare common type:file", "rare a", "wor", '"words of a rare kind"', "of_a", "1 common"),
    *("held:yes", "held:no", "a held:yes", "held:yes type:folder", "held:no tag:urgent", "in:trash held:yes"),
    *("held:yes words", "words held:no", "held:yes status:*", "in:f1 held:yes"),
    *("status:*", "-status:*", "status:open", "-status:open a", 'status:"in review"', "status:e", "status:o*?"),
    *(
        "amount:>0",
        "amount:0",
        "amount:<=0.1",
        "amount:-1..1",
        "amount:>1e7",
        "amount:>1e300",
        "-amount:>0 type:file",
        "amount:0.3",
    ),
    *("due:2026", "due:>2026-02", "due:<2026-03-01", "due:2026-02-28", "note:lowe", "note:strasse", 'note:"a b"'),
    *("reviewer:me", "-reviewer:me", "words status:open", "status:open tag:urgent", "in:trash amount:>0", "note:i"),
]


def answer(actor, text, sort):
    try:
        results = search.search(actor=actor, text=text, sort=sort, limit=500)
    except FilterInvalid:
        return [], None
    return [] if results.is_similar else [(hit.node.id, hit.passage) for hit in results.items], results.as_of_seq


def tag_some(tree, chance):
    """Give nodes tags at random, take some away, and delete a tag that many have."""
    tags = [annotations.create_tag(actor=tree.actor, name=name).id for name in ("urgent", "done", "gone")]
    for (node_id,) in fetch("SELECT id FROM files_node ORDER BY id"):
        for tag_id in tags:
            with suppress(NotFound, Forbidden, Locked):
                if chance.random() < 0.5:
                    annotations.tag_node(actor=tree.actor, node_id=node_id, tag_id=tag_id)
                    if chance.random() < 0.2:
                        catch_up()
                        annotations.untag_node(actor=tree.actor, node_id=node_id, tag_id=tag_id)
    catch_up()
    annotations.delete_tag(actor=replace(tree.actor, role=Role.OWNER), tag_id=tags[2])


VALUES = {
    "Status": ["Open", "In review", "o*?"],
    "Amount": [0, -0.0, 0.1, 0.1 + 0.2, 99_999_999, -1, 12],
    "Due": ["2026-02-28", "2026-03-01", "2025-12-31"],
    "Note": ["Löwe", "Straße", "a b", "a*b", "?", "\\ a", "ılık"],
}


def describe_some(tree, chance, adam):
    """Give nodes metadata at random, take some away, and take a field out of the template."""
    kinds = {
        "Status": "choice",
        "Amount": "number",
        "Due": "date",
        "Note": "text",
        "Reviewer": "person",
        "Gone": "text",
    }
    fields = [
        FieldWish(name=name, kind=kind, choices=VALUES["Status"] * (kind == "choice")) for name, kind in kinds.items()
    ]
    template = metadata.create_template(actor=adam, name="Contract", fields=fields)
    values = {**VALUES, "Reviewer": [str(tree.actor.user_id), str(adam.user_id)], "Gone": ["gone"]}
    for (node_id,) in fetch("SELECT id FROM files_node ORDER BY id"):
        for field in template.fields:
            if chance.random() < 0.5:
                with suppress(NotFound, Forbidden, Locked):
                    about = {"actor": tree.actor, "node_id": node_id, "field_id": field.id}
                    metadata.set_metadata(value=chance.choice(values[field.name]), **about)
                    if chance.random() < 0.2:
                        catch_up()
                        metadata.clear_metadata(**about)
    catch_up()
    kept = [
        FieldWish(id=field.id, name=field.name, kind=field.kind, choices=list(field.choices))
        for field in template.fields
        if field.name != "Gone"
    ]
    metadata.update_template(actor=adam, template_id=template.id, fields=kept)


def test_tags_are_asked_of_the_engine_itself(tree, finder, monkeypatch):
    urgent = annotations.create_tag(actor=tree.actor, name="Urgent")
    for number in range(3):
        annotations.tag_node(actor=tree.actor, node_id=tree.file(f"plan {number}.txt").id, tag_id=urgent.id)
    assert len(finder.names("tag:urgent plan")) == 3
    with monkeypatch.context() as without:
        without.delattr(PostgreSQLEngine, "list_candidates")
        assert len(finder.names("tag:urgent plan")) == 3
    assert held() == known()


def test_metadata_and_holds_are_asked_of_the_engine_itself(tree, finder, hold, monkeypatch):
    (field,) = metadata.create_template(
        actor=hold.actor, name="Deal", fields=[FieldWish(name="Amount", kind="number")]
    ).fields
    folder = tree.folder("case")
    file = tree.file("plan a.txt", folder)
    tree.file("plan b.txt")
    metadata.set_metadata(actor=tree.actor, node_id=file.id, field_id=field.id, value=5)
    annotations.tag_node(
        actor=tree.actor, node_id=folder.id, tag_id=(tag := annotations.create_tag(actor=tree.actor, name="Case")).id
    )
    hold(target="tag", tag=tag)
    catch_up()
    with monkeypatch.context() as without:
        without.delattr(PostgreSQLEngine, "list_candidates")
        assert (finder.names("amount:>4"), finder.names("plan -amount:*")) == (["plan a.txt"], ["plan b.txt"])
        assert (finder.names("plan held:yes"), finder.names("plan held:no")) == (["plan a.txt"], ["plan b.txt"])
        assert finder.results("plan amount:5", facets=True).facets.held_count == 1
    monkeypatch.setattr(choosing, "HELD_FOLDERS_LIMIT", 0)
    assert isinstance(choosing.choose(parsing.parse("held:yes", me=tree.actor.user_id)), PostgreSQLEngine)
    assert finder.names("plan held:yes") == ["plan a.txt"], "more folders than the server takes"


def test_what_metadata_says_and_what_a_hold_names_is_known_as_of_what_was_sent(tree, finder, hold):
    (field,) = metadata.create_template(
        actor=hold.actor, name="Deal", fields=[FieldWish(name="Amount", kind="number")]
    ).fields
    file = tree.file("plan.txt")
    assert finder.names("plan") == ["plan.txt"]
    before = finder.results("plan").as_of_seq
    metadata.set_metadata(actor=tree.actor, node_id=file.id, field_id=field.id, value=5)
    consuming.consume(search.CONSUMER)
    behind = finder.unread("amount:5")
    assert (behind.items, behind.as_of_seq) == ([], before)
    sending.send()
    after = finder.unread("amount:5")
    assert ([hit.node.name for hit in after.items], after.as_of_seq > before) == (["plan.txt"], True)
    hold(target="person", user_id=tree.actor.user_id)
    consuming.consume(search.CONSUMER)
    assert finder.unread("held:yes").as_of_seq < finder.results("held:yes").as_of_seq


@contextmanager
def part_of(edition, tree):
    """Let the tenant be searched in an index of an earlier edition, which is made as that one was."""
    name = f"bitvault-v{edition}-shared"
    with db.read_transaction():
        part = OutsideIndex.objects.get()
    with client.lent() as opensearch:
        body = documents.describe_index()
        for field, since in documents.SINCE.items():
            if since > edition:
                del body["mappings"]["properties"][field]
        opensearch.indices.create(index=name, body=body)
        part.name = name
        indices.point(opensearch, tree.actor.tenant.id, part)
    with db.write_transaction():
        OutsideIndex.objects.update(name=name)
    yield
    with client.lent() as opensearch:
        opensearch.indices.delete(index=name)


@pytest.mark.parametrize("edition", [1, 2, 3])
def test_a_part_of_an_earlier_edition_is_searched_for_what_it_knows_and_built_anew(tree, finder, hold, edition):
    urgent = annotations.create_tag(actor=tree.actor, name="Urgent")
    (field,) = metadata.create_template(
        actor=hold.actor, name="Deal", fields=[FieldWish(name="Amount", kind="number")]
    ).fields
    questions = {"type:file": 1, "tag:urgent": 2, "plan": 3, "locked:no type:file": 3, "budget": 3}
    questions |= {"amount:5": 4, "held:yes type:file": 4}
    with part_of(edition, tree):
        file = tree.file("plan.txt")
        annotations.tag_node(actor=tree.actor, node_id=file.id, tag_id=urgent.id)
        annotations.add_comment(actor=tree.actor, node_id=file.id, text="the budget")
        metadata.set_metadata(actor=tree.actor, node_id=file.id, field_id=field.id, value=5)
        hold(target="person", user_id=tree.actor.user_id)
        for text, since in questions.items():
            assert finder.names(text) == ["plan.txt"], text
            is_asked = isinstance(choose(tree, finder, text), PostgreSQLEngine)
            assert is_asked == (edition < since), text
        assert Job.objects.filter(kind=outgoing.BUILD_JOB, state="queued").exists()
        building.build()
    with db.read_transaction():
        assert OutsideIndex.objects.get().name == indices.SHARED_NAME
    for text in questions:
        assert not isinstance(choose(tree, finder, text), PostgreSQLEngine)
        assert finder.names(text) == ["plan.txt"], text


def choose(tree, finder, text):
    fields = resolving.find_fields(finder.actor, text)
    return choosing.choose(parsing.parse(text, me=tree.actor.user_id, field_keys=fields.keys()))


@pytest.mark.parametrize("seed", range(2))
def test_both_engines_find_the_same_in_the_same_order_in_a_random_tree(tree, finder, settings, hold, seed):
    chance = random.Random(seed)
    live_a_little(tree, chance, 150)
    catch_up()
    for job in Job.objects.filter(kind=contents.READ_JOB):
        text = chance.choice(["common words", "common", "words of a rare kind, common", "words"])
        contents.keep_text(job.payload["content_hash"], text, is_cut=False)
    catch_up()
    tag_some(tree, chance)
    describe_some(tree, chance, hold.actor)
    case = annotations.create_tag(actor=tree.actor, name="case")
    for (node_id,) in fetch("SELECT id FROM files_node WHERE parent_id IS NOT NULL ORDER BY id"):
        with suppress(NotFound, Forbidden, Locked):
            if chance.random() < 0.3:
                annotations.tag_node(actor=tree.actor, node_id=node_id, tag_id=case.id)
    hold(target="tag", tag=case)
    over = hold(target="person", user_id=tree.actor.user_id)
    live_a_little(tree, chance, 60)
    hold.lift(over)
    live_a_little(tree, chance, 60)
    catch_up()
    assert not isinstance(choosing.choose(parsing.parse("held:yes", me=tree.actor.user_id)), PostgreSQLEngine)
    found = {}
    for engine in ("opensearch", "postgresql"):
        settings.BITVAULT_SEARCH_ENGINE = engine
        found[engine] = {
            (text, sort): answer(tree.actor, text, sort)
            for text in QUERIES
            for sort in ("relevance", "modified_at", "size_bytes")
        }
    assert found["opensearch"] == found["postgresql"]
    assert sum(len(shown) for shown, _ in found["opensearch"].values()) > 100
    assert held() == known()
    telling = {text for (text, _), (shown, _) in found["opensearch"].items() if shown}
    assert {"held:yes", "held:no"} <= telling
    assert {text.partition(":")[0] for text in telling} >= {"status", "amount", "due", "note", "reviewer"}


@pytest.mark.parametrize("seed", range(2))
def test_the_part_holds_what_postgresql_holds_and_a_build_gives_the_same(tree, seed):
    live_a_little(tree, random.Random(seed), 150)
    catch_up()
    assert held() == known()
    with db.read_transaction():
        before = OutsideIndex.objects.get()
    building.build()
    with db.read_transaction():
        after = OutsideIndex.objects.get()
    assert (after.part != before.part, after.state, after.differing_count) == (True, "live", 0)
    assert held() == known()


def test_what_is_sent_again_or_late_changes_nothing(tree, finder):
    file = tree.file("alpha.txt")
    finder.names("alpha")
    with db.read_transaction():
        part = OutsideIndex.objects.get()
    late = list(writing._list_actions(part, tree.actor.tenant.id, [file.id]))
    tree.update(file, name="beta.txt")
    assert finder.names("beta") == ["beta.txt"]
    with client.lent() as opensearch:
        _, errors = writing.NodeDocument().bulk(late, using=opensearch, raise_on_error=False, refresh="true")
    assert [error["index"]["status"] for error in errors] == [409]
    assert (finder.names("alpha"), finder.names("beta")) == ([], ["beta.txt"])
    tree.trash(tree.get(file.id))
    files.purge_node(actor=tree.actor, node_id=file.id)
    finder.names("x")
    with client.lent() as opensearch:
        writing.NodeDocument().bulk(late, using=opensearch, raise_on_error=False, refresh="true")
    assert file.id not in held(), "what is deleted does not come back"


def test_a_renamed_folder_is_one_document_to_send(tree, finder):
    folder = tree.folder("Projects")
    for number in range(5):
        tree.file(f"note {number}.txt", folder)
    finder.names("note")
    before = held()
    tree.update(folder, name="Archive")
    consuming.consume(search.CONSUMER)
    with db.read_transaction():
        assert list(Unsent.objects.values_list("node_id", flat=True)) == [folder.id]
    finder.names("note")
    assert {node_id for node_id, version in held().items() if before[node_id] != version} == {folder.id}


def test_an_answer_is_as_of_what_was_sent(tree, finder):
    tree.file("a.txt")
    sent = finder.results("a").as_of_seq
    tree.file("b.txt")
    consuming.consume(search.CONSUMER)
    behind = search.search(actor=tree.actor, text="b")
    assert behind.items == []
    assert behind.as_of_seq >= sent
    with db.read_transaction():
        first = min(Unsent.objects.values_list("seq", flat=True))
    assert behind.as_of_seq == first - 1
    assert finder.results("b").as_of_seq >= first


def test_names_are_found_while_opensearch_is_down_and_the_answer_says_so(tree, finder, down):
    Reader(tree, finder).file("contract.txt", CONTRACT)
    tree.file("notice.txt", tree.folder("Reports"))
    assert [hit.node.name for hit in finder.results("termination").items] == ["contract.txt"]
    with down():
        found = search.search(actor=tree.actor, text="notice", facets=True)
        assert ([hit.node.name for hit in found.items], found.is_names_only) == (["notice.txt"], True)
        assert sum(facet.count for facet in found.facets.kinds) == 1
        assert search.search(actor=tree.actor, text="notice in:reports").is_names_only
        assert [one.name for one in search.suggest(actor=tree.actor, text="not").items] == ["notice.txt"]
        assert search.search(actor=tree.actor, text="termination").items == []
        tree.file("notice 2.txt")
        consuming.consume(search.CONSUMER)
        with pytest.raises(ServiceDown):
            sending.send()
        assert len(search.search(actor=tree.actor, text="notice").items) == 2, "PostgreSQL knows what was not sent"
    assert not search.search(actor=tree.actor, text="notice").is_names_only
    assert len(finder.names("notice")) == 3, "what was not sent is sent once it is back"


def test_pages_go_on_where_they_were_when_the_engine_changes_between_them(tree, finder, settings):
    names = {tree.file(f"page {number}.txt").name for number in range(7)}
    first = finder.results("page", limit=3)
    settings.BITVAULT_SEARCH_ENGINE = "postgresql"
    second = search.search(actor=tree.actor, text="page", limit=3, cursor=first.next_cursor)
    settings.BITVAULT_SEARCH_ENGINE = "opensearch"
    third = search.search(actor=tree.actor, text="page", limit=3, cursor=second.next_cursor)
    assert third.next_cursor is None
    found = [hit.node.name for page in (first, second, third) for hit in page.items]
    assert (len(found), set(found)) == (7, names)


def test_an_index_is_built_beside_the_one_that_is_searched_and_misses_nothing(tree, finder, monkeypatch):
    for number in range(6):
        tree.file(f"plan {number}.txt")
    assert len(finder.names("plan")) == 6
    monkeypatch.setattr(building, "PAGE", 2)
    monkeypatch.setattr(building, "COMPARED_PAGE", 3)
    seen = []
    write = writing.write

    def write_and_change(opensearch, parts, *rest, **more):
        write(opensearch, parts, *rest, **more)
        if len(seen) < 3 and parts[0].state == "building":
            seen.append(len(search.search(actor=tree.actor, text="plan").items))
            tree.file(f"plan of the meantime {len(seen)}.txt")
            consuming.consume(search.CONSUMER)

    monkeypatch.setattr(writing, "write", write_and_change)
    building.build()
    assert seen == [6, 6, 6], "the other one answers meanwhile"
    assert len(finder.names("plan")) == 9
    assert held() == known()


def test_a_part_that_differs_is_not_searched(tree, finder, monkeypatch):
    tree.file("plan.txt")
    finder.names("plan")
    with db.read_transaction():
        before = OutsideIndex.objects.get()
    write = writing.write
    monkeypatch.setattr(writing, "write", lambda c, p, t, node_ids, **more: write(c, p, t, list(node_ids)[1:], **more))
    with pytest.raises(building.StillDiffering):
        building.build()
    monkeypatch.setattr(writing, "write", write)
    with db.read_transaction():
        assert OutsideIndex.objects.get(state="live").part == before.part
        assert OutsideIndex.objects.get(state="building").differing_count == 1
    assert finder.names("plan") == ["plan.txt"]
    building.build()
    with db.read_transaction():
        assert OutsideIndex.objects.get().part != before.part
    assert finder.names("plan") == ["plan.txt"]


def test_what_a_rebuild_has_changed_is_sent_by_the_build_that_it_asks_for(tree, finder, monkeypatch):
    urgent = annotations.create_tag(actor=tree.actor, name="Urgent")
    annotations.tag_node(actor=tree.actor, node_id=tree.file("plan.txt").id, tag_id=urgent.id)
    assert finder.names("tag:urgent") == ["plan.txt"]
    with db.write_transaction():
        Tagged.objects.update(tag_ids=[])
    building.build()
    assert finder.names("tag:urgent") == []
    Job.objects.all().delete()
    before = held()
    # A build that fills its part while the rebuild swaps has sent what was wrong.
    fill = building._fill

    def rebuild_too(index):
        fill(index)
        monkeypatch.setattr(building, "_fill", fill)
        rebuilding.rebuild()

    monkeypatch.setattr(building, "_fill", rebuild_too)
    building.build()
    assert [job.key.startswith("rebuilt as of") for job in Job.objects.filter(kind=outgoing.BUILD_JOB)] == [True]
    assert held() == known()
    assert all(version > before[node_id] for node_id, version in held().items())
    assert finder.names("tag:urgent") == ["plan.txt"]


def test_a_large_tenant_gets_an_index_of_its_own(tree, finder, monkeypatch):
    tree.file("plan.txt")
    finder.names("plan")
    monkeypatch.setattr(indices, "OWN_FROM", 1)
    building.build()
    with db.read_transaction():
        own = OutsideIndex.objects.get()
    assert own.name.endswith(own.part.hex)
    assert finder.names("plan") == ["plan.txt"]
    monkeypatch.setattr(indices, "OWN_FROM", 10**9)
    building.build()
    assert finder.names("plan") == ["plan.txt"]
    with client.lent() as opensearch:
        assert not opensearch.indices.exists(index=own.name)


@pytest.mark.parametrize("own_from", [1, 10**9], ids=["of its own", "shared"])
def test_nothing_is_left_of_a_tenant_that_is_deleted(tree, finder, monkeypatch, own_from):
    tree.file("plan.txt")
    finder.names("plan")
    monkeypatch.setattr(indices, "OWN_FROM", own_from)
    building.build()
    assert finder.names("plan") == ["plan.txt"]
    tenant_id = tenancy.current().id
    query = {"query": {"term": {"tenant": str(tenant_id)}}}
    with client.lent() as opensearch:
        indices.refresh(opensearch, indices.EVERY_INDEX)
        assert opensearch.count(index=indices.EVERY_INDEX, body=query)["count"]
    for _ in range(2):  # done again it changes nothing
        search.forget_tenant(tenant_id=tenant_id)
    with client.lent() as opensearch:
        indices.refresh(opensearch, indices.EVERY_INDEX)
        assert opensearch.count(index=indices.EVERY_INDEX, body=query)["count"] == 0
        assert not opensearch.indices.exists_alias(name=indices.alias_of(tenant_id))


def test_a_tenant_is_not_forgotten_while_opensearch_is_down(tree, finder, down):
    tree.file("plan.txt")
    finder.names("plan")
    with down(), pytest.raises(ServiceDown):
        search.forget_tenant(tenant_id=tenancy.current().id)


def test_tenants_that_share_an_index_find_their_own_alone(tree, finder):
    tree.file("plan.txt")
    finder.names("plan")
    with client.lent() as opensearch:
        told = opensearch.indices.get_alias(name=indices.alias_of(tenancy.current().id))
    ((told,),) = [list(each["aliases"].values()) for each in told.values()]
    with db.read_transaction():
        part = OutsideIndex.objects.get().part
    assert told["filter"] == {"term": {"part": str(part)}}
    assert told["search_routing"] == part.hex


def test_without_an_index_there_postgresql_answers_and_a_change_has_one_built(tree, finder):
    with db.write_transaction():
        OutsideIndex.objects.all().delete()
    Job.objects.all().delete()
    tree.file("plan.txt")
    assert finder.names("plan") == ["plan.txt"]
    assert isinstance(choosing.choose(), PostgreSQLEngine)
    assert Job.objects.filter(kind=outgoing.BUILD_JOB).count() == 1


def test_what_was_built_is_forgotten_with_the_first_change_that_it_misses(tree, finder, settings):
    tree.file("plan.txt")
    finder.names("plan")
    settings.BITVAULT_SEARCH_ENGINE = "postgresql"
    tree.file("plan 2.txt")
    consuming.consume(search.CONSUMER)
    settings.BITVAULT_SEARCH_ENGINE = "opensearch"
    assert isinstance(choosing.choose(), PostgreSQLEngine)
    assert len(search.search(actor=tree.actor, text="plan").items) == 2


def test_who_notes_while_sending_has_begun_asks_for_another_job(tree, finder):
    finder.names("x")
    Job.objects.all().delete()
    for name in ("a", "b"):
        tree.file(name)
        consuming.consume(search.CONSUMER)
    assert Job.objects.filter(kind=outgoing.SEND_JOB).count() == 1, "one job sends both"
    sending.send()
    tree.file("c")
    consuming.consume(search.CONSUMER)
    assert Job.objects.filter(kind=outgoing.SEND_JOB).count() == 2


def test_the_doctor_tells_whether_it_answers(down):
    from bitvault.gateway import service_checks

    assert service_checks.check_search()[0].fact.startswith("OpenSearch 2.19")
    with down():
        (found,) = service_checks.check_search()
        assert (found.level, "BITVAULT_OPENSEARCH_URL" in found.mend) == ("bad", True)


def test_a_password_is_asked_for(node, settings):
    settings.BITVAULT_OPENSEARCH = {"url": f"http://bitvault:wrong@127.0.0.1:{node.port}", "ca_file": ""}
    client.reset()
    with pytest.raises(ServiceDown), client.lent() as opensearch:
        opensearch.info()


def test_a_build_that_ends_in_the_middle_goes_on_and_misses_nothing(tree, finder, monkeypatch):
    for number in range(5):
        tree.file(f"plan {number}.txt")
    finder.names("plan")
    monkeypatch.setattr(building, "PAGE", 2)
    for name in ("_fill", "_compare", "_swap"):
        step = getattr(building, name)

        def end(index, step=step, name=name):
            if name != "_swap":
                step(index)
            raise ServiceDown

        with monkeypatch.context() as ending:
            ending.setattr(building, name, end)
            with pytest.raises(ServiceDown):
                building.build()
        tree.file(f"plan after {name}.txt")
        assert len(finder.names("plan")) == 6 + ("_fill", "_compare", "_swap").index(name), (
            "whichever the alias points to"
        )
    with db.read_transaction():
        (begun,) = OutsideIndex.objects.filter(state="building")
    assert begun.done_count == 8
    sent = []
    write = writing.write

    def count_sent(c, parts, tenant_id, node_ids, **more):
        sent.extend(node_ids)
        return write(c, parts, tenant_id, node_ids, **more)

    monkeypatch.setattr(writing, "write", count_sent)
    building.build()
    assert len(sent) == 1, "what was filled before is not sent again"
    with db.read_transaction():
        assert OutsideIndex.objects.get().part == begun.part
    assert held() == known()
    assert len(finder.names("plan")) == 8


def test_a_read_waits_for_what_was_noted_to_be_sent(tenant, api, monkeypatch):
    mia = api("mia")
    root_id = mia.get("/nodes/root").json()["id"]
    made = mia.post("/folders", {"parent_id": root_id, "name": "Reports"})
    consuming.consume(search.CONSUMER)
    asked = {"q": "reports", "min_seq": int(made["BitVault-Seq"])}
    behind = mia.get("/search", **asked, wait_ms=100)
    assert (behind.status_code, behind.json()["as_of_seq"] < asked["min_seq"]) == (202, True)
    sending.send()
    answer = mia.get("/search", **asked).json()
    assert ([hit["node"]["name"] for hit in answer["items"]], answer["is_names_only"]) == (["Reports"], False)


def test_the_page_says_that_only_names_are_searched(tenant, tree, finder, down):
    from django.test import Client

    from tests.support.world import ACME, PASSWORD

    tree.file("plan.txt")
    finder.names("plan")
    browser = Client(headers={"host": "acme.localhost"})
    browser.post("/sign-in/", {"email": ACME.people["mia"].email, "password": PASSWORD})
    assert "Only names are searched" not in browser.get("/search/", {"q": "plan"}).content.decode()
    with down():
        page = browser.get("/search/", {"q": "plan"}).content.decode()
    assert ("Only names are searched at the moment." in page, page.count('class="search-line"')) == (True, 1)

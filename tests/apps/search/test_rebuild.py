"""The index is what the stream says: applied again it changes nothing, and a rebuild from Files gives the same."""

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from apps.annotations import api as annotations
from apps.annotations.api import descriptions, metadata
from apps.annotations.dtos import FieldWish
from apps.files import api as files
from apps.search import contents, described, indexing, rebuilding, remarking, tagged
from apps.search.models import Content, Described, Document, Passage, Rebuild, RebuiltDocument, Remark, Tagged
from bitvault.events import consuming, operating
from bitvault.events.api import RebuildOvertaken
from bitvault.events.models import ConsumerCursor
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db, tenancy
from bitvault.kernel.errors import BitVaultError
from tests.apps.files.conftest import Tree, fetch, live_a_little

FIELDS = (
    "node_id",
    "parent_id",
    "name",
    "words",
    "category",
    "size_bytes",
    "media_type",
    "created_by",
    "is_trashed",
    "content_hash",
    "blob_id",
    "revision",
)


def index():
    consuming.consume(indexing.CONSUMER)
    with db.read_transaction():
        return sorted(Document.objects.values_list(*FIELDS))


@pytest.mark.parametrize("seed", range(4))
def test_the_index_is_what_the_files_are(tree, seed):
    live_a_little(tree, random.Random(seed), 200)
    told = {row[0]: (row[1], row[2], row[5] or 0, *row[8:11]) for row in index()}
    nodes = fetch(
        "SELECT id, parent_id, name, size_bytes, trashed_at IS NOT NULL, coalesce(content_hash, ''), "
        "(SELECT blob_id FROM files_version WHERE id = node.version_id) FROM files_node node"
    )
    assert told == {node_id: tuple(facts) for node_id, *facts in nodes}


def test_events_that_come_again_change_nothing(tree):
    live_a_little(tree, random.Random(1), 150)
    before = index()
    ConsumerCursor.objects.filter(consumer=indexing.CONSUMER).update(
        seq=0, published_at=datetime(1970, 1, 1, tzinfo=UTC)
    )
    assert index() == before


@pytest.mark.committed
def test_a_rebuild_gives_the_same_index(acme, actor, monkeypatch):
    monkeypatch.setattr(rebuilding, "SWAP_BATCH", 3)
    with tenancy.entered(acme):
        live_a_little(Tree(actor), random.Random(2), 120)
        before = index()
        with db.write_transaction():
            Document.objects.update(name="spoilt", words="spoilt")
        operating.rebuild(consumer=indexing.CONSUMER, by=None)
        after = index()
        assert [row[:-1] for row in after] == [row[:-1] for row in before]
        with db.read_transaction():
            assert not RebuiltDocument.objects.exists()


def tags():
    with db.read_transaction():
        return sorted(
            (node_id, tag_ids) for node_id, tag_ids in Tagged.objects.values_list("node_id", "tag_ids") if tag_ids
        )


@pytest.mark.committed
def test_tags_that_are_told_again_change_nothing_and_a_rebuild_gives_the_same(acme, actor, monkeypatch):
    monkeypatch.setattr(rebuilding, "SWAP_BATCH", 2)
    with tenancy.entered(acme):
        tree = Tree(actor)
        urgent, done = (annotations.create_tag(actor=actor, name=name).id for name in ("Urgent", "done"))
        nodes = [tree.folder(f"Folder {number}") for number in range(5)]
        for node in nodes:
            annotations.tag_node(actor=actor, node_id=node.id, tag_id=urgent)
            annotations.tag_node(actor=actor, node_id=node.id, tag_id=done)
        annotations.untag_node(actor=actor, node_id=nodes[0].id, tag_id=urgent)
        tree.trash(nodes[1])
        files.purge_node(actor=actor, node_id=nodes[1].id)
        consuming.consume("annotations")
        index()
        before = tags()
        assert before == sorted([(nodes[0].id, [done]), *((node.id, sorted([urgent, done])) for node in nodes[2:])])
        old = Tagged.objects.values_list("seq", flat=True)
        with db.write_transaction():
            batch = tagged.TagBatch()
            batch.put(nodes[0].id, [urgent], seq=min(old) - 1)
            batch.write(purged=())
        assert tags() == before, "what is told late says nothing new"
        with db.write_transaction():
            Tagged.objects.update(tag_ids=[])
        operating.rebuild(consumer=indexing.CONSUMER, by=None)
        index()
        assert tags() == before


def metadata_rows():
    with db.read_transaction():
        return sorted((row.node_id, sorted(row.values.items())) for row in Described.objects.all() if row.values)


@pytest.mark.committed
def test_metadata_that_is_told_again_changes_nothing_and_a_rebuild_gives_the_same(acme, actor, make_actor, monkeypatch):
    monkeypatch.setattr(rebuilding, "SWAP_BATCH", 2)
    with tenancy.entered(acme):
        tree = Tree(actor)
        wanted = [FieldWish(name="Amount", kind="number"), FieldWish(name="Due", kind="date")]
        amount, due = metadata.create_template(actor=make_actor("adam"), name="Deal", fields=wanted).fields
        nodes = [tree.folder(f"Folder {number}") for number in range(4)]
        for node in nodes:
            metadata.set_metadata(actor=actor, node_id=node.id, field_id=amount.id, value=5)
            metadata.set_metadata(actor=actor, node_id=node.id, field_id=due.id, value="2026-12-31")
        metadata.clear_metadata(actor=actor, node_id=nodes[0].id, field_id=amount.id)
        tree.trash(nodes[1])
        files.purge_node(actor=actor, node_id=nodes[1].id)
        consuming.consume("annotations")
        index()
        before = metadata_rows()
        assert [node_id for node_id, _ in before] == sorted(node.id for node in (nodes[0], *nodes[2:]))
        with db.write_transaction():
            batch = described.DescribedBatch()
            batch.put(nodes[0].id, {}, seq=min(Described.objects.values_list("seq", flat=True)) - 1)
            batch.write(purged=())
        assert metadata_rows() == before, "what is told late says nothing new"
        with db.write_transaction():
            Described.objects.update(values={})
        operating.rebuild(consumer=indexing.CONSUMER, by=None)
        index()
        assert metadata_rows() == before


def texts():
    with db.read_transaction():
        found = sorted(Content.objects.values_list("content_hash", "media_type", "state", "reason", "vector"))
        return found, sorted(Passage.objects.values_list("content_hash", "number", "text"))


def read_what_is_asked_for():
    for job in Job.objects.filter(kind=contents.READ_JOB, state="queued"):
        contents.keep_text(job.payload["content_hash"], f"the text of {job.payload['content_hash']}", is_cut=False)
        Job.objects.filter(id=job.id).delete()


@pytest.mark.parametrize("seed", range(2))
def test_the_texts_that_are_kept_are_those_of_the_contents_that_files_have(tree, seed):
    live_a_little(tree, random.Random(seed), 150)
    held = {row[9] for row in index() if row[9]}
    read_what_is_asked_for()
    assert {row[0] for row in texts()[0]} == {row[0] for row in texts()[1]} == held


@pytest.mark.committed
def test_a_rebuild_from_nothing_gives_the_same_texts(acme, actor, monkeypatch):
    monkeypatch.setattr(contents, "SWEEP_BATCH", 3)
    with tenancy.entered(acme):
        live_a_little(Tree(actor), random.Random(3), 100)
        index()
        read_what_is_asked_for()
        before = texts()
        assert len(before[0]) > 3
        with db.write_transaction():
            Passage.objects.create(content_hash="of nothing", number=0, text="x", vector="'x':1")
            Content.objects.filter(content_hash=before[0][0][0]).update(reader=0)
        operating.rebuild(consumer=indexing.CONSUMER, by=None)
        read_what_is_asked_for()
        assert texts() == before, "what nothing has goes, what an older reader has read is read again"
        with db.write_transaction():
            Passage.objects.all().delete()
            Content.objects.all().delete()
        operating.rebuild(consumer=indexing.CONSUMER, by=None)
        read_what_is_asked_for()
        assert texts() == before


def remarks():
    with db.read_transaction():
        return sorted(Remark.objects.values_list("remark_id", "node_id", "thread_id", "text", "vector"))


@pytest.mark.committed
def test_comments_and_descriptions_that_are_told_again_change_nothing_and_a_rebuild_gives_the_same(
    acme, actor, monkeypatch
):
    monkeypatch.setattr(rebuilding, "SWAP_BATCH", 2)
    with tenancy.entered(acme):
        tree = Tree(actor)
        nodes = [tree.folder(f"Folder {number}") for number in range(4)]
        for node in nodes:
            top = annotations.add_comment(actor=actor, node_id=node.id, text="first")
            annotations.add_comment(actor=actor, node_id=node.id, text="second", reply_to_id=top.id)
            descriptions.set_description(actor=actor, node_id=node.id, text="third")
        annotations.delete_comment(actor=actor, comment_id=top.id)
        descriptions.remove_description(actor=actor, node_id=nodes[3].id)
        tree.trash(nodes[1])
        files.purge_node(actor=actor, node_id=nodes[1].id)
        consuming.consume("annotations")
        index()
        remarking.read()
        before = remarks()
        assert [row[1] for row in before].count(nodes[0].id) == len(before) / 2 == 3
        ConsumerCursor.objects.filter(consumer=indexing.CONSUMER).update(
            seq=0, published_at=datetime(1970, 1, 1, tzinfo=UTC)
        )
        index()
        remarking.read()
        assert remarks() == before, "what is told late says nothing new"
        with db.write_transaction():
            Remark.objects.update(text="spoilt", vector=None)
        operating.rebuild(consumer=indexing.CONSUMER, by=None)
        index()
        assert remarks() == before


# --- rebuilds that end in the middle ------------------------------------------------------------------------------------------


def everything():
    consuming.consume(indexing.CONSUMER)
    remarking.read()
    with db.read_transaction():
        documents = sorted(Document.objects.values_list(*FIELDS))
    return [row[:-1] for row in documents], tags(), metadata_rows(), remarks()


class Ended(Exception):
    """The worker died."""


def test_a_rebuild_that_ends_in_the_middle_is_continued_whatever_has_happened_meanwhile(tree, make_actor, monkeypatch):
    chance = random.Random(5)
    urgent = annotations.create_tag(actor=tree.actor, name="Urgent").id
    (amount,) = metadata.create_template(
        actor=make_actor("adam"), name="Deal", fields=[FieldWish(name="Amount", kind="number")]
    ).fields

    def live():
        live_a_little(tree, chance, 40)
        for (node_id,) in fetch("SELECT id FROM files_node WHERE trashed_at IS NULL ORDER BY id"):
            with suppress(BitVaultError):
                match chance.randrange(4):
                    case 0:
                        annotations.tag_node(actor=tree.actor, node_id=node_id, tag_id=urgent)
                    case 1:
                        value = chance.randrange(9)
                        metadata.set_metadata(actor=tree.actor, node_id=node_id, field_id=amount.id, value=value)
                    case 2:
                        annotations.add_comment(actor=tree.actor, node_id=node_id, text=f"said {chance.random()}")

    live()
    everything()
    monkeypatch.setattr(rebuilding, "PAGE", 4)
    keep_page, kept, ends = rebuilding._keep_page, [], [3]

    def keep_some(run, page, *, step, after):
        if len(kept) == ends[0]:
            raise Ended
        keep_page(run, page, step=step, after=after)
        kept.append((step, after))

    monkeypatch.setattr(rebuilding, "_keep_page", keep_some)
    with db.write_transaction():
        Document.objects.update(name="spoilt", words="spoilt")
        Tagged.objects.update(tag_ids=[])
        Described.objects.update(values={})
    for _ in range(500):
        try:
            rebuilding.rebuild()
            break
        except Ended:
            ends[0] += 3
            if len(kept) % 2:
                live()
    else:
        pytest.fail("it never ends")
    assert len(kept) == len(set(kept)), "no page is read twice"
    found = everything()
    assert "spoilt" not in {row[2] for row in found[0]}
    rebuilding.PAGE, ends[0] = 1_000, 10**9
    rebuilding.rebuild()
    assert everything() == found
    with db.read_transaction():
        rebuilt = Rebuild.objects.get()
        assert (rebuilt.run_id, rebuilt.swap_count) == (None, 2)


def test_what_was_begun_by_another_version_or_long_ago_is_begun_anew(tree, monkeypatch):
    for number in range(5):
        tree.folder(f"Folder {number}")
    monkeypatch.setattr(rebuilding, "PAGE", 2)
    count = []
    keep_page = rebuilding._keep_page

    def keep_one(run, page, **more):
        keep_page(run, page, **more)
        count.append(page)
        raise Ended

    for change in ({"shape": 1}, {"begun_at": clock.now() - timedelta(days=2)}):
        with monkeypatch.context() as ending:
            ending.setattr(rebuilding, "_keep_page", keep_one)
            with pytest.raises(Ended):
                rebuilding.rebuild()
        with db.write_transaction():
            assert Rebuild.objects.update(**change)
            RebuiltDocument.objects.update(name="of another version")
        rebuilding.rebuild()
        assert "of another version" not in {row[2] for row in index()}


def test_who_was_overtaken_writes_nothing_more(tree, monkeypatch):
    for number in range(5):
        tree.folder(f"Folder {number}")
    monkeypatch.setattr(rebuilding, "PAGE", 2)
    keep_page = rebuilding._keep_page

    def be_overtaken(run, page, **more):
        monkeypatch.setattr(rebuilding, "_keep_page", keep_page)
        rebuilding.rebuild()
        keep_page(run, page, **more)

    monkeypatch.setattr(rebuilding, "_keep_page", be_overtaken)
    with pytest.raises(RebuildOvertaken):
        rebuilding.rebuild()
    assert len(index()) == 6

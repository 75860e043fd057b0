"""References to blobs follow the stream and equal what Files holds."""

from uuid import uuid4

import pytest

from apps.files import api as files
from apps.storage.models import BlobReference
from apps.storage.operations import references
from bitvault.events import consuming
from bitvault.kernel import db, tenancy

pytestmark = pytest.mark.committed


@pytest.fixture
def commit(acme, actor):
    """Commit a version through the door; the bytes themselves are not asked for here."""

    def commit(name: str, *, mode: str = "add", blob_id=None):
        root_id = files.ensure_personal_root(actor=actor).id
        grant = files.authorise_upload(actor=actor, parent_id=root_id, name=name, mode=mode, size_bytes=5)
        return files.commit_upload(
            actor=actor,
            upload_id=uuid4(),
            grant=grant,
            blob_id=blob_id or uuid4(),
            size_bytes=5,
            content_hash=uuid4().hex * 2,
            media_type="text/plain",
            client_modified_at=None,
        ).node

    with tenancy.entered(acme):
        yield commit


def references_now() -> set[tuple]:
    consuming.consume(references.CONSUMER)
    with db.read_transaction():
        return set(BlobReference.objects.values_list("version_id", "blob_id"))


def held_by_files() -> set[tuple]:
    from django.db import connection

    with db.read_transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT id, blob_id FROM files_version")
        return set(cursor.fetchall())


def test_every_version_holds_its_blob_until_it_is_purged(commit, actor):
    shared = uuid4()
    first = commit("a.txt", blob_id=shared)
    commit("a.txt", mode="overwrite")
    second = commit("b.txt", blob_id=shared)
    assert references_now() == held_by_files()
    assert len(references_now()) == 3
    files.trash_node(actor=actor, node_id=first.id)
    assert len(references_now()) == 3
    files.purge_node(actor=actor, node_id=first.id)
    assert references_now() == held_by_files()
    assert {blob_id for _, blob_id in references_now()} == {shared}
    files.trash_node(actor=actor, node_id=second.id)
    files.empty_trash(actor=actor)
    assert references_now() == held_by_files() == set()


def test_reading_the_stream_from_its_beginning_again_changes_nothing(commit, acme):
    from bitvault.events.models import ConsumerCursor

    commit("a.txt")
    commit("b.txt")
    before = references_now()
    ConsumerCursor.objects.filter(consumer=references.CONSUMER, tenant_id=acme.id).update(seq=0)
    assert references_now() == before


def test_references_are_made_anew_from_what_files_holds_while_it_changes(commit, actor, monkeypatch):
    from bitvault.events import operating

    nodes = [commit(f"{number}.txt") for number in range(6)]
    references_now()
    with db.write_transaction():
        BlobReference.objects.filter(version_id=nodes[0].version_id).delete()
        BlobReference.objects.create(version_id=uuid4(), blob_id=uuid4())
    pages = []

    def list_and_change(*, after=None):
        page = files.queries.list_version_rows(after=after, limit=1)
        number = len(pages)
        pages.append(page)
        if number < 6:
            commit(f"new {number}.txt")
            files.trash_node(actor=actor, node_id=nodes[5 - number].id)
            files.purge_node(actor=actor, node_id=nodes[5 - number].id)
        if number % 2:
            consuming.consume(references.CONSUMER)
        return page

    monkeypatch.setattr(files, "list_version_rows", list_and_change)
    operating.rebuild(consumer=references.CONSUMER, by=None)
    assert len(pages) > 6
    assert references_now() == held_by_files()


def test_a_batch_costs_as_many_statements_for_forty_events_as_for_four(commit, actor):
    from django.db import connection

    def count(execute, *statement):
        said.append(statement[0])
        return execute(*statement)

    costs = []
    for many in (4, 40):
        for number in range(many - 1):
            commit(f"{many} {number}.txt")
        gone = commit(f"{many} gone.txt")
        files.trash_node(actor=actor, node_id=gone.id)
        files.purge_node(actor=actor, node_id=gone.id)
        said = []
        with connection.execute_wrapper(count):
            references_now()
        costs.append(len(said))
        assert references_now() == held_by_files()
    assert costs[0] == costs[1]

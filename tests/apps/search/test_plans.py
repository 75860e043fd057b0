"""The plans of searches in a large index: words, sentences and passages are found by indexes, and no table is read as a whole."""

import json

import pytest
from django.db import connection

from apps.search import indexing, parsing, postgresql_engine, sql, text_engine
from apps.search.models import Content, ContentState, Document, Held, Hold, Passage, Remark
from bitvault.kernel import clock, db, ids
from tests.apps.files.conftest import analyze

COUNT = 10_000
TABLES = ("search_document", "search_content", "search_passage", "search_remark")


@pytest.fixture
def many(tenant):
    """Files with texts, as many as make a whole reading the worse plan."""
    documents, contents, passages, written = [], [], [], []
    now = clock.now()
    for number in range(COUNT):
        content_hash = f"{number:064}"
        words = ["common", f"word{number}", f"rare{number % 1000}"]
        document = Document(node_id=ids.new_id(), is_folder=False, name=f"file {number}.txt", media_type="text/plain")
        document.modified_at, document.revision, document.content_hash = now, 1, content_hash
        documents.append(indexing.describe(document))
        vector = " ".join(f"'{word}'" for word in words)
        contents.append(
            Content(
                content_hash=content_hash,
                media_type="text/plain",
                size_bytes=1,
                state=ContentState.READY,
                vector=vector,
                asked_at=now,
            )
        )
        placed = " ".join(f"'{word}':{place}" for place, word in enumerate(words, start=1))
        passages.append(Passage(content_hash=content_hash, number=0, text=" ".join(words), vector=placed))
        vector = f"'comment':1 'said{number}':2 'often{number % 1000}':3"
        written.append(Remark(remark_id=ids.new_id(), node_id=document.node_id, seq=1, text=vector, vector=vector))
    with db.write_transaction():
        Remark.objects.bulk_create(written)
        Document.objects.bulk_create(documents)
        Content.objects.bulk_create(contents)
        Passage.objects.bulk_create(passages)
    analyze(*TABLES)


def wanted(text):
    return parsing.parse(text, me=ids.new_id())


def explain(rows):
    with db.read_transaction(), connection.cursor() as cursor:
        statement, parameters = rows.query.sql_with_params()
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
        (found,) = cursor.fetchone()
    plan = found if isinstance(found, list) else json.loads(found)
    return list(nodes_of(plan[0]["Plan"]))


def nodes_of(plan):
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes_of(part)


def read_whole(plan):
    return {node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"}


SEARCHES = {
    "word77": {"search_content_words", "search_document_content"},
    "rare777 word777": {"search_content_words", "search_document_content"},
    "said77": {"search_remark_words"},
    "often777 said777": {"search_remark_words", "search_remark_node"},
    '"said77 often77"': {"search_remark_words"},
    '"word77 rare77"': {"search_content_words", "search_passage_unique", "search_document_content"},
}


def test_texts_are_found_by_their_words_and_files_by_their_texts(many):
    for text, indexes in SEARCHES.items():
        rows = (
            postgresql_engine._filter_by_text(wanted(text)).order_by("-modified_at", "-node_id").values("node_id")[:200]
        )
        plan = explain(rows)
        used = {node.get("Index Name") for node in plan} - {None}
        assert (used & indexes, read_whole(plan)) == (indexes, set()), (text, used)
    rows = text_engine.passages_of([f"{number:064}" for number in range(50)], wanted("common rare7").held)
    plan = explain(rows.values("content_hash", "best", "some"))
    assert ("search_passage_unique" in {node.get("Index Name") for node in plan}, read_whole(plan)) == (True, set())


@pytest.fixture
def held(tenant):
    """Folders of files, of which a few are on hold by their names, and a tag's hold names some files."""
    now, policies = clock.now(), [ids.new_id() for _ in range(2)]
    roots = [describe_node(None, number, now, is_folder=True) for number in range(10)]
    folders = [describe_node(roots[number % 10], number, now, is_folder=True) for number in range(COUNT // 100)]
    files = [describe_node(folders[number % len(folders)], number, now) for number in range(COUNT)]
    named = {roots[0].node_id: policies[:1], **{file.node_id: policies[1:] for file in files[:300]}}
    with db.write_transaction():
        Document.objects.bulk_create([*roots, *folders, *files])
        Hold.objects.bulk_create(Hold(policy_id=policy_id, seq=1) for policy_id in policies)
        Held.objects.bulk_create(Held(node_id=node_id, policy_ids=by) for node_id, by in named.items())
    analyze(*TABLES, "search_hold", "search_held")
    return [file.node_id for file in files[:3]]


def describe_node(parent, number, now, *, is_folder=False):
    document = Document(node_id=ids.new_id(), is_folder=is_folder, name=f"node {number}", modified_at=now, revision=1)
    document.parent_id = None if parent is None else parent.node_id
    return indexing.describe(document)


STATEMENTS = {
    sql.HELD: {"search_document_parent"},
    sql.HELD_FOLDERS: {"search_document_folders"},
    sql.ABOVE: {"search_document_pkey"},
}


@pytest.mark.parametrize("statement", STATEMENTS, ids=["all that is held", "folders that are held", "what lies above"])
def test_what_is_on_hold_is_walked_by_indexes_and_documents_are_not_read_as_a_whole(held, statement):
    values = {sql.HELD: [], sql.HELD_FOLDERS: [50_001], sql.ABOVE: [held]}[statement]
    with db.read_transaction(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", values)
        (found,) = cursor.fetchone()
        cursor.execute(statement, values)
        count = len(cursor.fetchall())
    plan = list(nodes_of((found if isinstance(found, list) else json.loads(found))[0]["Plan"]))
    used = {node.get("Index Name") for node in plan} - {None}
    assert (used & STATEMENTS[statement], read_whole(plan) & set(TABLES)) == (STATEMENTS[statement], set()), used
    assert count == {sql.HELD: 1 + 10 + 1_000 + 270, sql.HELD_FOLDERS: 1 + 10, sql.ABOVE: 3 + 3 + 3}[statement]

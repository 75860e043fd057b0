"""The plans of searches in a large index: words, sentences and passages are found by indexes, and no table is read as a whole."""

import json

import pytest
from django.db import connection

from apps.search import indexing, parsing, postgresql_engine, text_engine
from apps.search.models import Content, ContentState, Document, Passage, Remark
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

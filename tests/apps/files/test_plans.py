"""The plans that the server keeps for pages: each reads on from where the page before it ended, and nothing from before."""

import json
import re

import pytest
from django.db import connection

from apps.files import models
from apps.files.models import Kind
from apps.files.operations import expiring
from apps.files.sql import trash
from apps.files.sql.pages import SORT_COLUMNS, TREE_ROWS, page_of_children
from apps.files.sql.walks import CONTENT
from apps.sync import sql as sync
from bitvault.events import sql as events
from bitvault.kernel import clock, db, ids
from bitvault.kernel.names import parse
from tests.apps.files.conftest import analyze

_PLACEHOLDER = re.compile(r"%(?:s|\((\w+)\)s)")

CHILDREN = {
    f"children by {sort}, {order}, behind a {('folder', 'file')[kind]}": (
        page_of_children(sort, order, kind),
        [column, "id"],
    )
    for sort, column in SORT_COLUMNS.items()
    for order in ("asc", "desc")
    for kind in (0, 1)
}

PAGES = {
    **CHILDREN,
    "nodes for a derivation": (TREE_ROWS, ["id"]),
    "the trash of a root": (trash.PAGE, ["trashed_at", "node_id"]),
    "items of a snapshot": (sync.ITEMS, ["ordinal"]),
    "the journal": (sync.ENTRIES, ["seq", "ordinal"]),
    "the stream": (events.NEXT_EVENTS, ["seq"]),
}
"""Statements of pages at depth, with the columns that say where the page begins."""


@pytest.fixture
def many(tree):
    """A folder, and files with a version each, as many as make a whole reading the worse plan."""
    folder, now = tree.folder("many"), clock.now()
    nodes, versions = [], []
    for number in range(4000):
        node_id, version_id, name = ids.new_id(), ids.new_id(), parse(f"{number}.txt")
        nodes.append(
            models.Node(
                id=node_id,
                kind=Kind.FILE if number % 2 else Kind.FOLDER,
                parent_id=folder.id,
                name=name.text,
                name_key=name.key,
                sort_key=name.sort_key,
                version_id=version_id if number % 2 else None,
                created_at=now,
                modified_at=now,
                created_by=tree.actor.user_id,
            )
        )
        versions.append(
            models.Version(
                id=version_id,
                node_id=node_id,
                blob_id=ids.new_id(),
                upload_id=ids.new_id(),
                size_bytes=0,
                content_hash="",
                media_type="",
                created_at=now,
                created_by=tree.actor.user_id,
            )
        )
    with db.write_transaction():
        models.Node.objects.bulk_create(nodes)
        models.Version.objects.bulk_create(versions)
    analyze("files_node", "files_version", "files_trash", "sync_snapshot_item", "sync_change_journal")


def generic_plan(statement):
    """The plan that the server makes once for all values."""
    numbers = {}

    def number(match):
        name = match[1] or f"at {match.start()}"
        return f"${numbers.setdefault(name, len(numbers) + 1)}"

    numbered = _PLACEHOLDER.sub(number, statement).replace("%%", "%")
    with db.read_transaction(), connection.cursor() as cursor:
        # Tables that other tests left empty, and the server has looked at since, are read whole and sorted in no time.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {numbered}")
        (found,) = cursor.fetchone()
    return found if isinstance(found, list) else json.loads(found)


def nodes_of(plan):
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes_of(part)


def test_a_page_at_depth_begins_where_the_one_before_it_ended(many):
    plans = {page: generic_plan(statement)[0]["Plan"] for page, (statement, _) in PAGES.items()}
    assert {page: plan for page, plan in plans.items() if not begins_behind(plan, PAGES[page][1][0])} == {}


def begins_behind(plan, column):
    """Tell whether the plan enters an index at a value of the column."""
    compared = re.compile(rf"\(?ROW\({column}|\(?{column} [<>]|\({column}\)::\w+ [<>]|\w+\.{column} [<>]")
    return any(compared.search(node.get("Index Cond", "")) for node in nodes_of(plan))


def test_a_condition_that_may_be_left_out_is_found(many):
    statement = "SELECT id FROM files_node WHERE %(after)s::uuid IS NULL OR id > %(after)s ORDER BY id LIMIT %(limit)s"
    plan = generic_plan(statement)[0]["Plan"]
    assert not any("id >" in node.get("Index Cond", "") for node in nodes_of(plan))


def test_a_content_is_found_by_keys_whatever_the_tables_hold(many):
    nodes = list(nodes_of(generic_plan(CONTENT)[0]["Plan"]))
    assert not any("Seq Scan" in node["Node Type"] or "Hash" in node["Node Type"] for node in nodes)
    (version,) = [node for node in nodes if node.get("Relation Name") == "files_version"]
    assert "COALESCE" in version["Index Cond"], "the version itself, and not all of the file's"


def test_a_page_of_files_with_older_versions_is_read_off_the_index_from_where_the_last_ended(many):
    """Each run reads all of it, so a sort or a table behind each page would be felt."""
    with db.read_transaction():
        middle = models.Version.objects.order_by("node_id").values_list("node_id", flat=True)[2000]
        plan = expiring.find_written_again(middle).explain()
    assert "files_version_of_node" in plan
    assert "Sort" not in plan
    assert "Seq Scan" not in plan
    assert "Index Cond: (node_id >" in plan

"""The plans of holds' and rules' statements in a large vault: what they name is looked up, and no table is read as a whole."""

import json
import re

import pytest
from django.db import connection

from apps.files import models
from apps.files.models import Kind
from apps.files.retention_models import Retained, RetentionPolicy
from apps.files.rows import fetch_page
from apps.files.sql import retention, walks
from apps.files.sql.pages import FIRST_ID
from bitvault.kernel import clock, db, ids
from bitvault.kernel.names import parse
from tests.apps.files.conftest import analyze

FOLDERS, LEAVES = 100, 100
LARGE = {"files_node", "files_version", "files_trash", "files_retained"}


class Vault:
    """Folders of files, some of which holds and rules name, and a full trash."""

    def __init__(self, tree):
        self.owner, self.now = tree.actor.user_id, clock.now()
        self.root = tree.folder("large").id
        self.folders = [self.node(self.root, f"folder {number}") for number in range(FOLDERS)]
        self.files = [
            self.node(folder.id, f"{number}.txt", Kind.FILE) for folder in self.folders for number in range(LEAVES)
        ]
        self.trashed = [self.trash(number) for number in range(2_000)]
        self.hold, self.tagged, self.rule = (
            RetentionPolicy(name=name, made_by=self.owner, made_at=self.now, covered_at=self.now, **about)
            for name, about in {
                "hold": {"kind": "hold", "target": "folder", "node_id": self.folders[0].id},
                "tag": {"kind": "hold", "target": "tag", "tag_id": ids.new_id()},
                "rule": {"kind": "rule", "target": "folder", "node_id": self.folders[1].id, "delete_after_days": 1},
            }.items()
        )
        named = [(self.hold, self.folders[0]), (self.rule, self.folders[1])]
        named += [(self.tagged, file) for file in self.files[5_000:7_000]]
        with db.write_transaction():
            models.Node.objects.bulk_create([*self.folders, *self.files])
            models.Trash.objects.bulk_create(self.trashed)
            RetentionPolicy.objects.bulk_create([self.hold, self.tagged, self.rule])
            Retained.objects.bulk_create(
                Retained(policy_id=policy.id, node_id=node.id, by="named", since=self.now) for policy, node in named
            )
        analyze("files_node", "files_trash", "files_retained", "files_retention")

    def node(self, parent_id, text, kind=Kind.FOLDER):
        name = parse(text)
        return models.Node(
            id=ids.new_id(),
            kind=kind,
            parent_id=parent_id,
            name=name.text,
            name_key=name.key,
            sort_key=name.sort_key,
            version_id=ids.new_id() if kind == Kind.FILE else None,
            created_at=self.now,
            modified_at=self.now,
            created_by=self.owner,
        )

    def trash(self, number):
        folder = self.folders[number % FOLDERS]
        return models.Trash(
            node_id=ids.new_id(),
            root_id=self.root,
            origin_parent_id=folder.id,
            origin_ids=[self.root],
            origin_path=f"/{number}",
            trashed_by=self.owner,
            trashed_at=self.now,
            expires_at=self.now,
        )


@pytest.fixture
def vault(tree):
    return Vault(tree)


def values_of(vault):
    folder, file, other = vault.folders[0].id, vault.files[0].id, vault.folders[5].id
    middle = vault.files[5_500].id
    return {
        "what covers a node": (retention.COVERING, {"ids": [file, folder, vault.root]}),
        "what covers a node, for its page": (retention.OF_NODE, {"ids": [file, folder, vault.root]}),
        "what covers some of the trash": (
            retention.COVERING_TRASH,
            {"ids": [entry.node_id for entry in vault.trashed[:10]]},
        ),
        "what goes with a move": (
            retention.CARRY,
            {"ids": [file], "parent_ids": [other], "by": "moved", "now": vault.now},
        ),
        "what a rule deletes": (
            retention.BELOW_NAMED,
            {"policy_id": vault.rule.id, "before": vault.now, "after": None, "limit": 1_000},
        ),
        "what holds name, at depth": (retention.HELD, {"after": middle, "limit": 1_000}),
        "what lies below a folder": (walks.FILES_BELOW, {"id": folder, "limit": 20_001}),
    }


_PLACEHOLDER = re.compile(r"%(?:s|\((\w+)\)s)")


def explain(statement, values, *, is_generic):
    numbers = {}

    def number(match):
        return f"${numbers.setdefault(match[1], len(numbers) + 1)}"

    with db.read_transaction(), connection.cursor() as cursor:
        if is_generic:
            cursor.execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {_PLACEHOLDER.sub(number, statement)}")
        else:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", values)
        (found,) = cursor.fetchone()
    return list(nodes_of((found if isinstance(found, list) else json.loads(found))[0]["Plan"]))


def nodes_of(plan):
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes_of(part)


@pytest.mark.parametrize("is_generic", [False, True], ids=["for these values", "kept for all"])
def test_what_is_kept_is_looked_up_and_no_table_is_read_as_a_whole(vault, is_generic):
    read_whole = {}
    for name, (statement, values) in values_of(vault).items():
        if not is_generic or statement in KEPT:
            plan = explain(statement, values, is_generic=is_generic)
            # It goes upwards from all that policies name, once for what has something below it.
            allowed = {"files_retained"} if statement == retention.COVERING_TRASH else set()
            read_whole[name] = (LARGE - allowed) & {node["Relation Name"] for node in plan if reads_whole(node)}
    assert len(read_whole) == (len(KEPT) if is_generic else 7)
    assert {name: tables for name, tables in read_whole.items() if tables} == {}


KEPT = {retention.COVERING, retention.COVERING_TRASH, retention.CARRY}
"""What ``fetch_all`` and ``execute`` run: the server may keep one plan for all values."""


def reads_whole(node):
    """Whether a table is read from its beginning, but for one that is asked whether it has any row."""
    return node["Node Type"] == "Seq Scan" and node.get("Parent Relationship") != "InitPlan"


def test_a_page_of_what_holds_name_has_each_of_its_holds_and_misses_nothing(vault):
    folder, gone = vault.folders[0], [entry for entry in vault.trashed if entry.origin_parent_id == vault.folders[0].id]
    both = vault.files[5_001]
    with db.write_transaction():
        Retained.objects.create(policy_id=vault.hold.id, node_id=both.id, by="moved", since=vault.now)
        Retained.objects.create(policy_id=vault.hold.id, node_id=gone[0].node_id, by="moved", since=vault.now)
    found, after = {}, FIRST_ID
    with db.read_transaction():
        while page := fetch_page(retention.HELD, {"after": after, "limit": 7}):
            assert [node_id for node_id, _ in page] == sorted(node_id for node_id, _ in page)
            found |= {node_id: set(policy_ids) for node_id, policy_ids in page}
            after = page[-1][0]
    expected = {file.id: {vault.tagged.id} for file in vault.files[5_000:7_000]}
    expected |= {entry.node_id: {vault.hold.id} for entry in gone}
    expected |= {folder.id: {vault.hold.id}, both.id: {vault.hold.id, vault.tagged.id}}
    assert found == expected

"""A folder's rules for files hold below it, tighten what stands above, are judged at every door, and leave alone what is here."""

from dataclasses import replace

import pytest

from apps.files import api as files
from apps.files.api import copies, rules
from apps.files.dtos.uploads import UploadWish, VerifiedUpload
from apps.files.errors import NotAFolder, RulesUnfit, SizeRefused, TooManyToJudge, TypeRefused
from apps.files.operations import authorising
from apps.identity import policies
from bitvault.kernel import ids, tenancy
from bitvault.kernel.errors import NotFound
from tests.apps.files.conftest import assert_events_tell_all, events
from tests.gateway.test_upload_batches import count_statements


@pytest.fixture
def rule(tree):
    """Set rules of a folder."""

    def rule(folder, types="all", extensions=(), largest_bytes=None):
        return rules.set_rules(
            actor=tree.actor, node_id=folder.id, types=types, extensions=extensions, largest_bytes=largest_bytes
        )

    return rule


def refusal(error):
    return {key: error.value.facts[key] for key in ("extension", "rule_of", "folder_name", "ask")}


def of_folder(extension, name):
    return {"extension": extension, "rule_of": "folder", "folder_name": name, "ask": "managers"}


def test_rules_hold_below_and_the_refusal_names_the_folder(tree, rule):
    papers = tree.folder("Papers")
    inner = tree.folder("Inner", papers)
    rule(papers, "only", ["PDF", "*.docx"])
    with pytest.raises(TypeRefused) as error:
        tree.grant("setup.exe", inner)
    assert refusal(error) == of_folder(".exe", "Papers")
    assert (error.value.facts["allowed"], error.value.facts["folder_id"]) == ([".pdf", ".docx"], papers.id)
    assert "The folder “Papers” takes no files of the type “.exe”" in error.value.detail
    assert tree.grant("a.pdf", inner)
    assert tree.grant("setup.exe")
    rule(inner, largest_bytes=5)
    with pytest.raises(SizeRefused) as error:
        tree.grant("a.pdf", inner, size_bytes=6)
    assert (error.value.facts["folder_name"], error.value.facts["limit_bytes"]) == ("Inner", 5)
    assert tree.grant("a.pdf", papers, size_bytes=6)


def test_a_folder_below_tightens_and_never_loosens(tree, rule):
    papers = tree.folder("Papers")
    inner = tree.folder("Inner", papers)
    rule(papers, "only", ["pdf", "gz"], largest_bytes=100)
    found = rule(inner, "only", ["pdf", "exe", "tar.gz"], largest_bytes=1000)
    assert found.in_force.allowed_extensions == (".pdf", ".tar.gz")
    assert found.in_force.largest_file_bytes == 100
    assert [(one.rule_of, one.folder_name) for one in found.above] == [("folder", "Papers")]
    for name, folder in {"a.exe": "Papers", "a.gz": "Inner"}.items():
        with pytest.raises(TypeRefused) as error:
            tree.grant(name, inner)
        assert error.value.facts["folder_name"] == folder
    with pytest.raises(SizeRefused) as error:
        tree.grant("a.pdf", inner, size_bytes=101)
    assert error.value.facts["folder_name"] == "Papers"
    assert tree.grant("a.tar.gz", inner, size_bytes=100)


def test_the_vaults_rules_are_told_first(tree, rule, api):
    policies.forget_remembered()
    try:
        assert api("adam").patch("/tenant", {"policies": {"file_types": "except", "file_extensions": ["exe"]}})
        policies.forget_remembered()
        papers = tree.folder("Papers")
        found = rule(papers, "except", ["bat", "exe"])
        assert [(one.rule_of, one.folder_id, one.file_extensions) for one in found.above] == [
            ("vault", None, (".exe",))
        ]
        assert found.in_force.refused_extensions == (".exe", ".bat")
        with pytest.raises(TypeRefused) as error:
            tree.grant("a.exe", papers)
        assert (error.value.facts["rule_of"], error.value.facts["ask"]) == ("vault", "administrators")
        with pytest.raises(TypeRefused) as error:
            tree.grant("a.bat", papers)
        assert error.value.facts["rule_of"] == "folder"
    finally:
        api("adam").patch("/tenant", {"policies": {"file_types": "all"}})
        policies.forget_remembered()


def test_what_is_here_stays_is_renamed_copied_and_restored_within_the_folder(tree, rule):
    papers = tree.folder("Papers")
    inner = tree.folder("Inner", papers)
    program = tree.file("setup.exe", papers)
    rule(papers, "except", ["exe", "bat"])
    tree.update(program, name="Installer.EXE", expected_revision="any")
    with pytest.raises(TypeRefused):
        tree.update(program, name="setup.bat", expected_revision="any")
    tree.update(program, parent_id=inner.id, expected_revision="any")  # the same rule holds there
    copy, _ = copied(tree, program, papers, autorename=True)
    assert copy.name == "Installer.EXE"
    tree.trash(program)
    assert tree.restore(program).parent_id == inner.id
    tree.trash(program)
    with pytest.raises(TypeRefused):
        tree.restore(program, name="other.bat")
    with pytest.raises(TypeRefused):
        tree.grant("x", mode="update", node_id=copy.id, base_version_id=copy.version_id)


def copied(tree, node, parent, **more):
    return copies.copy_node(
        actor=tree.actor, node_id=node.id, parent_id=parent.id, copy_id=ids.new_id(), made_on="web", **more
    )


def test_what_comes_from_elsewhere_is_judged_with_all_that_lies_in_it(tree, rule):
    papers, tools = tree.folder("Papers"), tree.folder("Tools")
    deep = tree.folder("Deep", tools)
    program = tree.file("setup.exe", deep)
    rule(papers, "except", ["exe"])
    for put in (
        lambda: tree.update(program, parent_id=papers.id, expected_revision="any"),
        lambda: tree.update(tools, parent_id=papers.id, expected_revision="any"),
        lambda: copied(tree, program, papers),
        lambda: copied(tree, tools, papers),
        lambda: tree.update(program, name="b.exe", parent_id=papers.id, expected_revision="any"),
    ):
        with pytest.raises(TypeRefused) as error:
            put()
        assert refusal(error) == of_folder(".exe", "Papers")
    tree.update(
        tree.update(program, name="setup.txt", expected_revision="any"), parent_id=papers.id, expected_revision="any"
    )
    tree.update(tools, parent_id=papers.id, expected_revision="any")
    big = tree.file("big.txt", content=b"123456")
    rule(papers, largest_bytes=5)
    with pytest.raises(SizeRefused):
        tree.update(big, parent_id=papers.id, expected_revision="any")
    tree.trash(big)
    with pytest.raises(SizeRefused):
        files.restore_node(actor=tree.actor, node_id=big.id, parent_id=papers.id)
    assert files.restore_node(actor=tree.actor, node_id=big.id).restored_to == "origin"


def test_a_folder_takes_its_rules_along_and_a_copy_has_none(tree, rule):
    papers, other = tree.folder("Papers"), tree.folder("Other")
    rule(papers, "only", ["pdf"])
    copy, _ = copied(tree, papers, other, name="Copy")
    assert tree.grant("a.exe", copy)
    tree.update(papers, parent_id=other.id, expected_revision="any")
    tree.trash(other)
    tree.restore(other)
    with pytest.raises(TypeRefused):
        tree.grant("a.exe", papers)


def test_a_folder_with_too_much_in_it_goes_nowhere_with_rules(tree, rule, monkeypatch):
    monkeypatch.setattr("apps.files.limits.JUDGED_LIMIT", 3)
    papers, tools = tree.folder("Papers"), tree.folder("Tools")
    for number in range(3):
        tree.file(f"{number}.txt", tools)
    rule(papers, "except", ["exe"])
    with pytest.raises(TooManyToJudge):
        tree.update(tools, parent_id=papers.id, expected_revision="any")
    tree.trash(tree.file("0.md", tools))
    files.trash_node(actor=tree.actor, node_id=files.find_by_path(actor=tree.actor, path="/Tools/0.txt").id)
    tree.update(tools, parent_id=papers.id, expected_revision="any")


def test_an_upload_is_judged_where_it_lands_but_not_by_a_rule_that_is_younger(tree, rule):
    papers, other = tree.folder("Papers"), tree.folder("Other")
    allowed = tree.grant("a.exe", other)
    begun_before = ids.new_id()
    rule(papers, "except", ["exe"])
    tree.update(other, parent_id=papers.id, expected_revision="any")
    begun_after = ids.new_id()
    assert tree.commit(allowed, upload_id=begun_before).created
    with pytest.raises(TypeRefused):
        tree.commit(replace(allowed, name="b.exe"), upload_id=begun_after)
    several = [
        VerifiedUpload(
            upload_id=ids.new_id(),
            grant=replace(allowed, name=name),
            blob_id=ids.new_id(),
            size_bytes=3,
            content_hash="0" * 64,
            media_type="text/plain",
            client_modified_at=None,
        )
        for name in ("c.exe", "c.txt")
    ]
    outcomes = files.commit_uploads(actor=tree.actor, uploads=several)
    assert [getattr(one, "code", None) for one in outcomes] == ["files.type_refused", None]


def test_only_who_manages_the_folder_sets_rules_and_who_knows_of_it_reads_them(tree, rule, make_actor):
    papers = tree.folder("Papers")
    rule(papers, "only", ["pdf"])
    vera = make_actor("vera")
    for ask in (rules.set_rules, rules.remove_rules, rules.get_rules):
        with pytest.raises(NotFound):
            ask(actor=vera, node_id=papers.id)
    with pytest.raises(NotAFolder):
        rules.set_rules(actor=tree.actor, node_id=tree.file("a.txt").id, largest_bytes=1)


def test_rules_that_cannot_be_read_are_refused(tree):
    papers = tree.folder("Papers")
    for wanted, field in (
        ({"types": "only"}, "file_extensions"),
        ({"types": "only", "extensions": ["a b"]}, "file_extensions"),
        ({"types": "except", "extensions": [f"x{n}" for n in range(201)]}, "file_extensions"),
        ({"largest_bytes": 0}, "largest_file_bytes"),
        ({"largest_bytes": 6 * 1024**4}, "largest_file_bytes"),
    ):
        with pytest.raises(RulesUnfit) as error:
            rules.set_rules(actor=tree.actor, node_id=papers.id, **wanted)
        assert error.value.facts["field"] == field


def test_setting_the_same_rules_again_tells_nothing(tree, rule):
    papers = tree.folder("Papers")
    for _ in range(2):
        rule(papers, "only", ["pdf"])
        rules.remove_rules(actor=tree.actor, node_id=tree.root.id)
    told = [payload for kind, payload in events() if kind == "files.rules.changed.v1"]
    assert [(one["name"], one["types"], one["extensions"]) for one in told] == [("Papers", "only", [".pdf"])]
    for _ in range(2):
        assert rules.remove_rules(actor=tree.actor, node_id=papers.id).set_at is None
    assert len([kind for kind, _ in events() if kind == "files.rules.changed.v1"]) == 2
    assert_events_tell_all()


def test_five_hundred_files_are_judged_by_as_many_statements_as_five(tree, rule, acme, lasting_memory):
    papers = tree.folders("a/b/c")
    rule(tree.root, "except", [f"x{number}" for number in range(200)])
    rule(papers, "except", ["exe"], largest_bytes=10)
    counts = []
    for count in (5, 5, 500):
        wishes = [
            UploadWish(parent_id=papers.id, name=f"{n}.x{n}", mode="add", autorename=False, size_bytes=1)
            for n in range(count)
        ]
        with tenancy.entered(acme):
            counts.append(
                count_statements(lambda wishes=wishes: authorising.authorise_many(actor=tree.actor, wishes=wishes))
            )
    assert counts[1] == counts[2], "the first looks at what is remembered from then on"

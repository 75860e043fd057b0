"""Descriptions of folders: who writes and reads them, which change is refused, how they are shown, and what copies and deletion do to them."""

import re
from threading import Barrier, Thread

import pytest
from django.db import connection

from apps.annotations import errors
from apps.annotations.api import descriptions
from apps.annotations.models import Description
from apps.annotations.operations.descriptions import TEXT_LIMIT
from apps.annotations.ui.markdown import to_html
from apps.files import api as files
from apps.files.api import copies
from apps.files.errors import NotAFolder
from bitvault.kernel import db, ids, tenancy
from bitvault.kernel.errors import Forbidden, NotFound, PreconditionRequired
from tests.apps.files.conftest import events


def read(actor, node):
    return descriptions.get_description(actor=actor, node_id=node.id)


def write(actor, node, text, revision=None):
    return descriptions.set_description(actor=actor, node_id=node.id, text=text, expected_revision=revision)


def remove(actor, node, revision=None):
    descriptions.remove_description(actor=actor, node_id=node.id, expected_revision=revision)


def count():
    with db.read_transaction():
        return Description.objects.count()


def test_who_may_edit_a_folder_describes_it_and_who_views_it_reads_that(tree, olga, photos):
    assert (read(olga, photos).text, read(olga, photos).revision) == ("", 0)
    made = write(tree.actor, photos, "  Summer\r\n*2026*  ")
    assert (made.text, made.revision, made.changed_by.name) == ("Summer\n*2026*", 1, "Mia")
    assert read(olga, photos) == made
    assert events()[-1] == (
        "annotations.description.changed.v1",
        {**events()[-1][1], "node_id": str(photos.id), "revision": 1, "is_removed": False},
    )
    assert "Summer" not in str(events()[-1]), "no event holds the text"
    hidden = tree.folder("Hidden")
    for node, refusal in ((photos, Forbidden), (hidden, NotFound)):
        with pytest.raises(refusal):
            write(olga, node, "Mine")
        with pytest.raises(refusal):
            remove(olga, node)
    with pytest.raises(NotFound):
        read(olga, hidden)


def test_a_file_has_no_description(tree):
    file = tree.file("a.txt")
    for act in (lambda: read(tree.actor, file), lambda: write(tree.actor, file, "x"), lambda: remove(tree.actor, file)):
        with pytest.raises(NotAFolder):
            act()


@pytest.mark.parametrize("text", ["", " \n ", "a\x07b", "x" * (TEXT_LIMIT + 1), "\ud800"])
def test_a_text_that_cannot_be_kept_is_refused(tree, photos, text):
    with pytest.raises(errors.DescriptionUnfit):
        write(tree.actor, photos, text)


def test_what_somebody_else_wrote_meanwhile_is_not_lost(tree, photos):
    write(tree.actor, photos, "one")
    write(tree.actor, photos, "two", 1)
    before = len(events())
    assert write(tree.actor, photos, "two", 1).revision == 2, "the answer was lost and the request came again"
    assert len(events()) == before
    with pytest.raises(PreconditionRequired):
        write(tree.actor, photos, "three")
    for act in (lambda: write(tree.actor, photos, "three", 1), lambda: remove(tree.actor, photos, 1)):
        with pytest.raises(errors.DescriptionMismatch) as refused:
            act()
        assert refused.value.facts["revision"] == 2
    remove(tree.actor, photos, 2)
    remove(tree.actor, photos, 2)
    assert (read(tree.actor, photos).text, read(tree.actor, photos).revision) == ("", 3)
    assert len(events()) == before + 1
    with pytest.raises(errors.DescriptionMismatch):
        write(tree.actor, photos, "three", 2)
    assert write(tree.actor, photos, "three").revision == 4


@pytest.mark.committed
def test_of_two_who_describe_a_folder_at_once_one_is_told(tree, tenant, photos):
    start, refusals = Barrier(2), []

    def act(text):
        try:
            with tenancy.entered(tenant):
                start.wait(timeout=20)
                write(tree.actor, photos, text)
        except PreconditionRequired as refusal:
            refusals.append(refusal)
        finally:
            connection.close()

    threads = [Thread(target=act, args=(text,)) for text in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert (len(refusals), read(tree.actor, photos).revision) == (1, 1)


def test_copies_begin_with_it_and_it_goes_with_its_folder(tree, photos, catch_up):
    write(tree.actor, photos, "Summer")
    home = tree.folder("Home")
    made, _ = copies.copy_node(
        actor=tree.actor, node_id=photos.id, parent_id=home.id, copy_id=ids.new_id(), made_on="API"
    )
    for _ in range(2):
        catch_up()
    assert (read(tree.actor, made).text, read(tree.actor, made).revision) == ("Summer", 1)
    write(tree.actor, made, "Winter", 1)
    assert read(tree.actor, photos).text == "Summer"
    files.trash_node(actor=tree.actor, node_id=photos.id)
    files.restore_node(actor=tree.actor, node_id=photos.id)
    assert read(tree.actor, photos).text == "Summer"
    files.trash_node(actor=tree.actor, node_id=photos.id)
    files.purge_node(actor=tree.actor, node_id=photos.id)
    catch_up()
    assert count() == 1


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,x)",
        "[x](vbscript:x)",
        "[x](//evil.example)",
        "[x](/\\evil.example)",
        "<javascript:alert(1)>",
        '[x](https://a.example "onmouseover=alert(1)")',
        "![x](https://a.example/p.png)",
        "```<b onclick=x>\n```",
    ],
)
def test_nothing_that_acts_passes_through_markdown(text):
    html = to_html(text, below=1)
    tags = set(re.findall(r"<(/?[a-z0-9]+)", html))
    assert tags <= {"p", "/p", "a", "/a", "pre", "/pre", "code", "/code"}
    assert set(re.findall(r'href="([^"]*)"', html)) <= {
        "https://a.example",
        "https://a.example/p.png",
        "/%5Cevil.example",
    }
    assert not re.search(r"<[^>]*\son\w+\s*=[^>]*>", re.sub(r'"[^"]*"', '""', html))


def test_markdown_becomes_headings_lists_and_links_that_leave_the_page():
    html = to_html("# Plan\n\n- **a** ~~b~~\n- https://a.example/x.\n\n`https://b.example`", below=1)
    assert "<h2>Plan</h2>" in html
    assert "<strong>a</strong> <s>b</s>" in html
    assert 'rel="noopener noreferrer nofollow"' in html
    assert ">https://a.example/x</a>." in html
    assert "<code>https://b.example</code>" in html
    assert "<h6>Plan</h6>" in to_html("###### Plan", below=3)


@pytest.mark.parametrize("piece", ["[", ">", "- ", "*a ", "`a", "[a](b", "<a ", "|a", "**a __b "])
def test_no_text_takes_long_or_becomes_large(piece):
    text = (piece * TEXT_LIMIT)[:TEXT_LIMIT]
    assert len(to_html(text, below=1)) < 20 * TEXT_LIMIT

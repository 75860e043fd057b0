"""Finding: what people type finds what they mean, only what they may see, at this moment."""

import random
from dataclasses import replace

import pytest

from apps.files import api as files
from apps.search import api as search
from apps.search import errors, queries
from apps.search.dtos import Filters
from apps.search.models import Document
from apps.sharing import api as sharing
from apps.sharing.dtos import Grant, Principal
from bitvault.kernel import db
from bitvault.kernel.actor import Scope, ScopeMissing
from bitvault.kernel.pages import BadCursor
from tests.apps.files.conftest import Tree
from tests.apps.search.conftest import Finder


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("report", "QuarterlyReport2024.pdf"),
        ("2024", "QuarterlyReport2024.pdf"),
        ("quart rep", "QuarterlyReport2024.pdf"),
        ("terlyrep", "QuarterlyReport2024.pdf"),
        ("QUARTERLY", "QuarterlyReport2024.pdf"),
        ("ubersicht", "Übersicht.txt"),
        ("ÜBERSICHT", "Übersicht.txt"),
        ("strasse", "Straße.txt"),
        ("東京", "東京都計画.txt"),
        ("京都", "東京都計画.txt"),
        ("план", "Мой план.txt"),
        ("خطة", "خطة العمل.txt"),
        ("50%", "50% off_sale.txt"),
        ("off_sale", "50% off_sale.txt"),
        ('"final copy"', "the final copy.txt"),
        ("o'neil", "O'Neil \\ backslash.txt"),
        ("\\", "O'Neil \\ backslash.txt"),
        ("what?", "what?.txt"),
        ("*", "a*b.txt"),
        ("הסכם", "הסכם חדש.txt"),
        ("हिन्दी", "हिन्दी दस्तावेज़.txt"),
        ("계약", "임대계약서.txt"),
        ("สัญญา", "หนังสือสัญญา.txt"),
        ("συμφων", "Συμφωνία.txt"),
        ("договор", "ДОГОВОР.txt"),
        ("հայ", "Հայերեն.txt"),
        ("ქართ", "ქართული.txt"),
        ("தமிழ்", "தமிழ் ஆவணம்.txt"),
    ],
)
def test_a_name_is_found_by_what_people_type(tree, finder, text, name):
    for other in ("other.txt", "reminder.md", "copy final.txt"):
        tree.file(other)
    tree.file(name)
    assert finder.names(text) == [name]


def test_the_best_comes_first_and_of_equals_the_latest(tree, finder):
    for name in ("my plan b.txt", "floorplan.txt", "planning.txt", "plan", "the plan.txt"):
        tree.file(name)
    assert finder.names("plan") == ["plan", "planning.txt", "the plan.txt", "my plan b.txt", "floorplan.txt"]


def test_what_must_not_be_there_is_left_out(tree, finder):
    tree.file("report draft.txt")
    tree.file("report.txt")
    assert finder.names("report -draft") == ["report.txt"]


def test_filters_narrow_what_is_found(tree, finder):
    tree.folder("reports")
    tree.commit(tree.grant("report.pdf", size_bytes=2000), b"x" * 2000, media_type="application/pdf")
    tree.commit(tree.grant("report.png", size_bytes=10), b"x" * 10, media_type="image/png")
    assert finder.names("report type:folder") == ["reports"]
    assert finder.names("report type:pdf") == ["report.pdf"]
    assert finder.names("type:image") == ["report.png"]
    assert sorted(finder.names("report -type:pdf")) == ["report.png", "reports"]
    assert finder.names("report -type:pdf -type:folder") == finder.names("-type:pdfs -kind:folder") == ["report.png"]
    assert finder.names("report -type:file") == ["reports"]
    assert finder.names("report size:>1kB") == ["report.pdf"]
    assert finder.names("before:2001-01-01") == []
    assert finder.names("report", filters=Filters(categories=frozenset({"image"}))) == ["report.png"]
    assert finder.names("report", sort="size_bytes") == ["report.pdf", "report.png"]


def test_a_folder_can_be_searched_alone(tree, finder):
    inner = tree.folder("inner", tree.folder("outer"))
    tree.file("report.txt", inner)
    tree.file("report.txt")
    (hit,) = finder.results("report", inside_id=inner.parent_id).items
    assert [step.name for step in hit.path][1:] == ["outer", "inner"]


def test_marks_show_where_the_words_stand(tree, finder):
    tree.file("Jahresübersicht.txt")
    (hit,) = finder.results("ubersicht").items
    assert [(mark.start, mark.end) for mark in hit.highlights] == [(6, 15)]


def test_a_slip_of_the_finger_still_finds(tree, finder):
    tree.file("quarterly report.txt")
    found = finder.results("quartely")
    assert ([hit.node.name for hit in found.items], found.is_similar) == (["quarterly report.txt"], True)
    assert not finder.results("quarterly").is_similar


def test_renames_moves_and_content_are_followed(tree, finder):
    file = tree.file("alpha.txt")
    finder.names("alpha")
    moved = tree.update(file, name="beta.md", parent_id=tree.folder("elsewhere").id)
    assert (finder.names("alpha"), finder.names("beta")) == ([], ["beta.md"])
    tree.write(moved, b"much longer now")
    assert finder.results("beta").items[0].node.size_bytes == 15


def test_each_of_many_random_writes_is_found_by_the_search_that_follows_it(tree, finder):
    chance, there, trashed = random.Random(5), {}, {}
    for number in range(60):
        name = f"written{number}a.txt"
        chosen = chance.choice([*there]) if there else None
        match chance.randrange(4):
            case 1 if chosen:
                there[name] = tree.update(there.pop(chosen), name=name)
            case 2 if chosen:
                trashed[name := chosen] = there.pop(chosen)
                tree.trash(trashed[name])
            case 3 if trashed:
                name = chance.choice([*trashed])
                there[name] = tree.restore(trashed.pop(name))
            case _:
                there[name] = tree.file(name)
        found = finder.results(name.removesuffix(".txt"))
        assert [hit.node.name for hit in found.items if not found.is_similar] == [name] * (name in there)
        assert found.as_of_seq >= db.latest_seq.get()


def test_what_happens_to_a_folder_rewrites_nothing_below(tree, finder):
    folder = tree.folder("Projects")
    for number in range(5):
        tree.file(f"note {number}.txt", folder)
    finder.names("note")
    with db.read_transaction():
        before = dict(Document.objects.values_list("node_id", "revision"))
    tree.update(folder, name="Archive")
    assert [step.name for step in finder.results("note").items[0].path][1:] == ["Archive"]
    with db.read_transaction():
        after = dict(Document.objects.values_list("node_id", "revision"))
    assert {key for key in after if after[key] != before[key]} == {folder.id}


def test_what_lies_in_the_trash_is_not_found_until_it_is_back(tree, finder):
    folder = tree.folder("Projects")
    tree.file("note.txt", folder)
    tree.trash(folder)
    assert finder.names("note") == []
    assert finder.names("projects") == []
    tree.restore(folder)
    assert finder.names("note") == ["note.txt"]
    tree.trash(folder)
    files.purge_node(actor=tree.actor, node_id=folder.id)
    finder.names("note")
    with db.read_transaction():
        assert not Document.objects.filter(name__in=["note.txt", "Projects"]).exists()


def test_nobody_finds_what_belongs_to_others(tree, finder, make_actor):
    tree.file("secret plan.txt")
    assert finder.names("secret") == ["secret plan.txt"]
    for name in ("olga", "adam", "vera"):
        stranger = Finder(make_actor(name))
        Tree(stranger.actor)
        assert stranger.names("secret") == []
        assert stranger.suggested("secret") == []
        assert not stranger.results("secrt").is_similar


def test_what_is_shared_is_found_by_who_reaches_it_and_at_once_no_more(tree, make_actor):
    olga, mia = make_actor("olga"), make_actor("mia")
    team = files.create_team_folder(actor=olga, name="Launch")
    files.create_folder(actor=olga, parent_id=team.id, name="Launch party")
    assert Finder(olga).names("launch") == ["Launch", "Launch party"]
    assert Finder(mia).names("launch") == []
    grant = Grant(principal=Principal(type="user", id=mia.user_id), role="viewer")
    share = sharing.put_share(actor=olga, node_id=team.id, grant=grant)
    assert Finder(reaching(mia)).names("launch") == ["Launch", "Launch party"]
    sharing.revoke_share(actor=olga, share_id=share.id)
    assert search.search(actor=reaching(mia), text="launch").items == [], "at once, whatever the index says"


def reaching(actor):
    """The actor as the gateway makes it anew: with what is shared with them now."""
    return replace(actor, reach=sharing.find_reach(actor=actor, fresh=True))


def test_pages_follow_each_other_without_gap_or_repetition(tree, finder, monkeypatch):
    monkeypatch.setattr(queries, "BATCH", 4)
    names = {tree.file(f"page {number}.txt").name for number in range(11)}
    found, cursor = [], None
    for _ in range(4):
        page = finder.results("page", limit=3, cursor=cursor)
        found += [hit.node.name for hit in page.items]
        cursor = page.next_cursor
    assert (cursor, len(found), set(found)) == (None, 11, names)


def test_what_others_own_is_passed_over_in_bounded_steps(tree, finder, make_actor, monkeypatch):
    monkeypatch.setattr(queries, "BATCH", 2)
    monkeypatch.setattr(queries, "LOOKED_AT_LIMIT", 4)
    tree.file("page 0.txt")
    others = Tree(make_actor("olga"))
    for number in range(1, 8):
        others.file(f"page {number}.txt")
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        page = finder.results("page", cursor=cursor)
        found += [hit.node.name for hit in page.items]
        cursor, pages = page.next_cursor, pages + 1
    assert (found, pages) == (["page 0.txt"], 3)


def test_a_cursor_of_another_order_is_refused(tree, finder):
    for number in range(3):
        tree.file(f"page {number}.txt")
    cursor = finder.results("page", limit=1).next_cursor
    with pytest.raises(BadCursor):
        finder.results("page", limit=1, cursor=cursor, sort="modified_at")


def test_nothing_to_look_for_is_refused(finder):
    with pytest.raises(errors.NothingToSearchFor):
        finder.results("  -draft ")


def test_a_token_without_the_right_to_read_finds_nothing(tree, make_actor):
    actor = make_actor("mia", scopes=frozenset({Scope.ADMIN}))
    with pytest.raises(ScopeMissing):
        search.search(actor=actor, text="a")


def test_names_are_suggested_while_one_types(tree, finder):
    for name in ("planning.txt", "the plan.txt", *(f"plan {number}.txt" for number in range(9))):
        tree.file(name)
    found = finder.suggested("pl")
    assert len(found) == 8
    assert finder.suggested("pla the") == ["the plan.txt"]
    assert finder.suggested("") == []


def test_a_page_costs_the_same_however_long_it_is(tree, finder, counted_queries):
    tree.file("page 0.txt")
    finder.names("page")
    with counted_queries() as few:
        search.search(actor=finder.actor, text="page")
    for number in range(1, 40):
        tree.file(f"page {number}.txt")
    finder.names("page")
    with counted_queries() as many:
        assert len(search.search(actor=finder.actor, text="page").items) == 40
    assert len(many) == len(few)

"""Finding what stands inside files: words, sentences, passages, and only in what somebody may see."""

import pytest

from apps.files import api as files
from apps.search import api as search
from apps.search import contents, making, parsing, text_engine
from apps.search.models import Content, Document, Passage
from apps.sharing import api as sharing
from apps.sharing.dtos import Grant, Principal
from bitvault.jobs.models import Job
from bitvault.kernel import db, ids
from bitvault.kernel.errors import Unavailable
from tests.apps.files.conftest import Tree, hash_of
from tests.apps.search.conftest import Finder, catch_up
from tests.apps.search.test_search import reaching

CONTRACT = """The tenant shall give notice of termination in writing, no later than the third working day of a month.
Die Kündigung bedarf der Schriftform. 解約には通知が必要である。 The deposit_account is held by Müller & Söhne GmbH."""


class Reader:
    """Brings files whose text is read at once."""

    def __init__(self, tree, finder):
        self.tree, self.finder = tree, finder

    def file(self, name, text, parent=None):
        node = self.tree.file(name, parent, content=text.encode())
        self.finder.results(name)
        contents.keep_text(node.content_hash, text, is_cut=False)
        catch_up()
        return node

    def count(self):
        with db.read_transaction():
            return Content.objects.count(), Passage.objects.values("content_hash").distinct().count()


@pytest.fixture
def reader(tree, finder):
    return Reader(tree, finder)


@pytest.mark.parametrize(
    "text",
    [
        "termination",
        "TERMINATION notice",
        "terminat",
        '"notice of termination in writing"',
        "kundigung",
        "schriftform kündigung",
        "通知",
        '"解約には通知"',
        "deposit_account",
        '"muller & sohne"',
        "contract termination",
    ],
)
def test_what_stands_in_a_file_is_found_by_what_people_type(reader, finder, text):
    reader.file("other.txt", "Something else is written here.")
    reader.file("contract.txt", CONTRACT)
    assert finder.names(text) == ["contract.txt"]


@pytest.mark.parametrize("text", ['"termination of notice"', '"notic"', "ermination", "termination missing", "通要"])
def test_what_does_not_stand_there_is_not_found(reader, finder, text):
    reader.file("contract.txt", CONTRACT)
    assert finder.results(text).is_similar or finder.names(text) == []


def test_parts_of_camel_case_are_found_in_source(reader, finder):
    reader.file("a.py", "def findVisibleNodes(): ...")
    assert finder.names("visible") == ["a.py"]
    (hit,) = finder.results("visible").items
    assert [hit.passage.text[mark.start : mark.end] for mark in hit.passage.highlights] == ["Visible"]


def test_names_come_before_texts_and_each_file_once(reader, finder):
    reader.file("notice.txt", "notice")
    for number in range(3):
        reader.file(f"letter {number}.txt", f"a notice, number {number}")
    assert finder.names("notice") == ["notice.txt", "letter 2.txt", "letter 1.txt", "letter 0.txt"]
    assert finder.names("notice", sort="modified_at") == [
        "letter 2.txt",
        "letter 1.txt",
        "letter 0.txt",
        "notice.txt",
    ]


@pytest.mark.parametrize("sort", ["relevance", "modified_at", "size_bytes"])
def test_pages_over_names_and_texts_have_no_gap_and_no_repetition(reader, finder, sort):
    for number in range(4):
        reader.file(f"plan {number}.txt", "x" * (number + 1))
        reader.file(f"letter {number}.txt", f"the plan of number {number} {'x' * number}")
    found, cursor = [], None
    for _ in range(4):
        page = finder.results("plan", limit=3, cursor=cursor, sort=sort)
        found += [hit.node.name for hit in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert (cursor, len(found), len(set(found))) == (None, 8, 8)


def test_names_alone_are_suggested(reader, finder):
    reader.file("letter.txt", "a notice")
    reader.file("notice.txt", "nothing")
    assert finder.suggested("notice") == ["notice.txt"]


def test_a_hit_shows_the_passage_with_marks_where_the_words_stand(reader, finder):
    reader.file("contract.txt", "Preamble. " * 400 + CONTRACT + " Annex." * 200)
    (hit,) = finder.results('"in writing" kundigung').items
    marked = [hit.passage.text[mark.start : mark.end] for mark in hit.passage.highlights]
    assert marked == ["in writing", "Kündigung"]
    assert len(hit.passage.text) <= 240
    assert "Preamble. The tenant shall give notice" in hit.passage.text
    (hit,) = finder.results("contract").items
    assert hit.passage is None, "the name says it"


def test_a_sentence_across_the_border_of_two_passages_is_found(reader, finder):
    words = [f"w{number}" for number in range(3000)]
    reader.file("long.txt", " ".join(words))
    assert len(contents.cut_passages(" ".join(words))) > 2
    for begin in range(0, 2990, 37):
        sentence = " ".join(words[begin : begin + 8])
        with db.read_transaction():
            found = Document.objects.filter(text_engine.holds(_term(f'"{sentence}"'))).count()
        assert found == 1, sentence


def _term(text):
    return parsing.parse(text, me=ids.new_id()).terms[0]


def test_a_text_without_any_space_ends_and_is_kept_whole(reader, finder):
    text = "解約" * 10_000
    assert "".join(part[: -contents.OVERLAP_CHARACTERS] for part in contents.cut_passages(text)) in text
    reader.file("a.txt", text)
    assert finder.names("約解") == ["a.txt"]


def test_words_that_must_not_be_there_leave_texts_out(reader, finder):
    reader.file("a.txt", "notice of termination")
    reader.file("b.txt", "notice of a party")
    assert finder.names("notice -termination") == ["b.txt"]
    assert finder.names("notice type:pdf") == []


def test_a_text_is_read_once_for_all_files_that_have_it_and_goes_with_the_last(tree, reader, finder):
    first, second = reader.file("a.txt", CONTRACT), reader.file("b.txt", CONTRACT)
    assert sorted(finder.names("termination")) == ["a.txt", "b.txt"]
    assert Job.objects.filter(kind=contents.READ_JOB).count() == 1
    assert reader.count() == (1, 1)
    for node in (first, second):
        tree.trash(node)
        assert finder.names(f"termination {node.name}") == []
        files.purge_node(actor=tree.actor, node_id=node.id)
        finder.names("x")
        assert reader.count() == ((1, 1) if node is first else (0, 0))


def test_another_version_is_found_by_its_own_text_alone(tree, reader, finder):
    node = reader.file("a.txt", "the old wording")
    newer = tree.write(node, b"a new phrase").node
    assert finder.names("wording") == [], "the index has left the old version"
    assert reader.count()[1] == 0
    contents.keep_text(newer.content_hash, "a new phrase", is_cut=False)
    assert finder.names("phrase") == ["a.txt"]


def test_a_passage_is_never_of_another_version_than_the_one_that_is_there(tree, reader, finder):
    """The index may be behind: what was taken out of a file a moment ago is not shown any more."""
    node = reader.file("a.txt", "the secret wording")
    tree.write(node, b"nothing of it")
    (hit,) = search.search(actor=tree.actor, text="secret").items
    assert (hit.node.content_hash, hit.passage) == (hash_of(b"nothing of it"), None)


def test_renaming_and_moving_rewrite_no_text_and_what_is_shared_ends_at_once(tenant, make_actor):
    olga, mia = make_actor("olga"), make_actor("mia")
    team = files.create_team_folder(actor=olga, name="Launch")
    tree, finder = Tree(olga), Finder(olga)
    node = Reader(tree, finder).file("a.txt", CONTRACT, files.create_folder(actor=olga, parent_id=team.id, name="In"))
    with db.read_transaction():
        before = list(Passage.objects.values_list("id", flat=True))
    folder = tree.get(node.parent_id)
    tree.update(folder, name="Renamed")
    assert [step.name for step in finder.results("termination").items[0].path] == ["Launch", "Renamed"]
    with db.read_transaction():
        assert list(Passage.objects.values_list("id", flat=True)) == before
    assert Finder(mia).names("termination") == []
    grant = Grant(principal=Principal(type="user", id=mia.user_id), role="previewer")
    share = sharing.put_share(actor=olga, node_id=team.id, grant=grant)
    (hit,) = Finder(reaching(mia)).results("termination").items
    assert "termination" in hit.passage.text
    sharing.revoke_share(actor=olga, share_id=share.id)
    assert Finder(reaching(mia)).names("termination") == []


@pytest.mark.parametrize(
    ("media_type", "size_bytes", "reason"),
    [("image/png", 10, "type"), ("application/pdf", 65 * 1024**2, "too_large"), ("text/plain", 0, "no_text")],
)
def test_what_cannot_be_read_says_why_and_is_no_job(tree, finder, media_type, size_bytes, reason):
    grant = tree.grant("report", size_bytes=size_bytes)
    facts = {"size_bytes": size_bytes, "media_type": media_type, "content_hash": hash_of(reason.encode())}
    ids_of_it = {"upload_id": ids.new_id(), "blob_id": ids.new_id()}
    node = files.commit_upload(actor=tree.actor, grant=grant, **facts, **ids_of_it).node
    (hit,) = finder.results("report").items
    assert (hit.text.state, hit.text.reason) == ("none", reason)
    assert search.get_text_state(actor=tree.actor, node_id=node.id) == hit.text
    assert not Job.objects.filter(kind=contents.READ_JOB).exists()


def test_what_fails_is_noted_and_found_by_its_name(tree, finder):
    node = tree.file("report.txt", content=b"words")
    (hit,) = finder.results("report").items
    assert hit.text.state == "waiting"
    contents.note_failed(node.content_hash, "encrypted")
    (hit,) = finder.results("report").items
    assert (hit.text.state, hit.text.reason) == ("none", "encrypted")


def test_a_store_that_does_not_answer_is_no_fault_of_the_file(tree, finder, monkeypatch):
    def hang(**_):
        raise Unavailable

    monkeypatch.setattr(making.storage, "read_content", hang)
    node = tree.file("report.txt", content=b"words")
    finder.names("report")
    with pytest.raises(Unavailable):
        making.read_text(node.content_hash, is_last_try=False)
    assert finder.results("report").items[0].text.state == "waiting"
    with pytest.raises(Unavailable):
        making.read_text(node.content_hash, is_last_try=True)
    assert finder.results("report").items[0].text.reason == "failed"
    monkeypatch.setattr(making, "_fetch", lambda _, __, file: (file.write(b"words inside"), file.flush(), file.seek(0)))
    making.read_text(node.content_hash, is_last_try=True)
    assert finder.names("inside") == ["report.txt"]


def test_a_text_that_comes_after_its_file_has_gone_is_not_kept(tree, reader, finder):
    node = tree.file("a.txt", content=CONTRACT.encode())
    finder.names("a")
    tree.trash(node)
    files.purge_node(actor=tree.actor, node_id=node.id)
    finder.names("a")
    contents.keep_text(node.content_hash, CONTRACT, is_cut=False)
    assert reader.count() == (0, 0)


def test_a_text_of_a_million_different_words_is_kept_as_far_as_postgresql_takes_it(reader, finder):
    node = reader.file("a.txt", " ".join(f"word{number:06}" for number in range(90_000)))
    assert finder.names("word000000") == ["a.txt"]
    assert finder.results("a.txt").items[0].text.is_cut
    assert node.name == "a.txt"


def test_a_page_with_passages_costs_the_same_however_long_it_is(reader, finder, counted_queries):
    counts = []
    for upto in (1, 12):
        for number in range(upto):
            reader.file(f"{upto} {number}.txt", f"the notice of {upto} {number}")
        with counted_queries() as queries:
            found = search.search(actor=finder.actor, text="notice", sort="modified_at")
        counts.append(len(queries))
        assert all(hit.passage for hit in found.items)
    assert counts[0] == counts[1]

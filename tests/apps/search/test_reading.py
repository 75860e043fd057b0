"""The program that reads the text of strangers' files: what it finds in honest ones, and what it says of others."""

import tempfile

import pytest

from apps.search import texts
from apps.search.making import PROGRAM, Task
from bitvault.kernel import confined, media_types
from tests.apps.previews import pictures
from tests.apps.search import documents

SENTENCE = "Rent is due in Übersee within fourteen days"


def read(name, content, **more):
    media_type = media_types.guess(name)
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        return confined.run(PROGRAM, Task(texts.kind_of(media_type), texts.read_as(media_type), **more), file)


def text_of(name, content, **more):
    answer = read(name, content, **more)
    assert answer.refused == ""
    (body,) = answer.bodies
    return body.decode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.docx", documents.docx(SENTENCE)),
        ("a.docm", documents.docx(SENTENCE)),
        ("a.xlsx", documents.xlsx(SENTENCE)),
        ("a.pptx", documents.pptx(SENTENCE)),
        ("a.odt", documents.odt(SENTENCE)),
        ("a.ods", documents.ods(SENTENCE)),
        ("a.odp", documents.odp(SENTENCE)),
        ("a.epub", documents.epub(SENTENCE)),
        ("a.eml", documents.mail(SENTENCE)),
        ("a.rtf", rb"{\rtf1\ansi Rent is {\b due} in \u220?bersee within fourteen days\par}"),
        ("a.html", f"<title>T</title><style>p{{}}</style><script>var x</script><p>{SENTENCE}</p>".encode()),
        ("a.md", f"# Title\n\n{SENTENCE}\n".encode()),
        ("a.py", f"# {SENTENCE}\n".encode()),
        ("a.txt", SENTENCE.encode("cp1252")),
        ("a.csv", SENTENCE.encode("utf-16")),
        ("a.json", f'{{"a": "{SENTENCE}"}}'.encode()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_text_of_each_kind_is_read(name, content):
    assert SENTENCE in text_of(name, content)


def test_pages_of_a_pdf_and_what_is_attached_to_a_mail_are_read():
    text = text_of("a.pdf", documents.pdf("first page here", "second page there"))
    assert ("first page here" in text, "second page there" in text) == (True, True)
    assert "inside the annex" in text_of("a.eml", documents.mail("see below", attached="inside the annex"))
    assert "first page here" in text_of("called.docx", documents.pdf("first page here")), "its bytes decide"


def test_what_a_page_hides_is_no_text():
    assert text_of("a.html", b"<script>secret()</script><p>shown</p><style>secret</style>") == "shown"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.pdf", documents.encrypted_pdf(), "encrypted"),
        ("a.docx", documents.encrypted_docx(), "encrypted"),
        ("a.odt", documents.odt("x", **{"META-INF/manifest.xml": "<manifest:encryption-data/>"}), "encrypted"),
        ("a.pdf", b"no document", "damaged"),
        ("a.pdf", documents.pdf("x")[:60], "damaged"),
        ("a.docx", b"PK\3\4 no document", "damaged"),
        ("a.odt", b"PK\3\4 no document", "damaged"),
        ("a.txt", b"\0\1\2", "damaged"),
        ("a.pdf", pictures.pdf(), "no_text"),
        ("a.txt", b" \n ", "no_text"),
    ],
)
def test_what_cannot_be_searched_is_refused_with_a_reason(name, content, reason):
    assert read(name, content).refused == reason


@pytest.mark.parametrize(
    ("name", "bomb"), [("a.docx", documents.docx_bomb), ("a.odt", documents.entity_bomb)], ids=["unpacking", "entities"]
)
def test_a_bomb_is_refused_and_reads_no_file_of_this_machine(name, bomb):
    answer = read(name, bomb())
    assert answer.refused in ("damaged", "too_complex", "no_text", "too_large")


def test_a_long_text_is_cut_and_says_so():
    assert read("a.txt", b"word " * 100, characters_limit=50).facts == {"is_cut": True}
    assert len(text_of("a.txt", b"word " * 100, characters_limit=50)) == 50
    assert read("a.pdf", documents.pdf("one", "two", "three"), pages_limit=2).facts == {"is_cut": True}
    assert read("a.txt", b"word " * 5).facts == {"is_cut": False}


def test_words_that_were_parted_at_the_end_of_a_line_are_whole():
    assert text_of("a.txt", "Ver-\ntrag und ver\u00adein\u00adbart".encode()) == "Ver-\ntrag und vereinbart".replace(
        "-\n", ""
    )

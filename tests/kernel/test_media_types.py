"""Media types: how one is written, and what a name tells."""

import mimetypes

import pytest

from bitvault.kernel import media_types
from bitvault.kernel.media_types import InvalidMediaType


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("text/plain", "text/plain"),
        ("Text/HTML", "text/html"),
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("text/plain;charset=UTF-8", "text/plain; charset=utf-8"),
        ('text/plain ; Charset="utf-8"', "text/plain; charset=utf-8"),
        ('multipart/mixed; boundary="a b"; X=Y', 'multipart/mixed; boundary="a b"; x=Y'),
        ('a/b; c="\\""', 'a/b; c="\\""'),
        ("text/plain;", "text/plain"),
        ("text/plain; ;charset=x;", "text/plain; charset=x"),
        (" text/plain\t", "text/plain"),
        ("application/vnd.api+json", "application/vnd.api+json"),
    ],
)
def test_a_type_is_written_in_one_form(text, written):
    assert media_types.parse(text) == written
    assert media_types.parse(written) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text",
        "text/",
        "/plain",
        "text/plain\n",
        "text/plain\r\nX: y",
        "text/plain; charset=utf-8\n",
        "text/é",
        "te\u0443t/plain",
        "text/plain; charset=ü",
        "text/plain; charset",
        "text/plain; charset=",
        "text/plain; charset = utf-8",
        'text/plain; charset="utf-8',
        'text/plain; a="\n"',
        "text/plain; a=1; A=2",
        "text/plain, text/html",
        "text /plain",
        f"text/{'a' * 251}",
    ],
)
def test_what_is_no_type_is_refused(text):
    with pytest.raises(InvalidMediaType):
        media_types.parse(text)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("a.pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        ("a.odt", "application/vnd.oasis.opendocument.text"),
        ("a.WEBP", "image/webp"),
        ("a.heic", "image/heic"),
        ("a.md", "text/markdown"),
        ("a.pdf", "application/pdf"),
        ("a.csv", "text/csv"),
        ("a.epub", "application/epub+zip"),
        ("a.flac", "audio/flac"),
        ("a.mkv", "video/x-matroska"),
        ("a.woff2", "font/woff2"),
        ("a.7z", "application/x-7z-compressed"),
        ("notes.txt.gz", "application/gzip"),
        ("a.tar.gz", "application/gzip"),
        ("a.tgz", "application/gzip"),
        ("a.svg.gz", "application/gzip"),
        ("a.txt.bz2", "application/x-bzip2"),
        ("a.tar.xz", "application/x-xz"),
        ("a.tar", "application/x-tar"),
        ("README", "text/plain"),
        (".gitignore", "text/plain"),
        (".pdf", "application/octet-stream"),
        ("pdf", "application/octet-stream"),
        ("a.unknown-kind", "application/octet-stream"),
        ("a.", "application/octet-stream"),
        ("data:text/html,x", "application/octet-stream"),
        ("http://a/b.png?c=.html", "text/html"),
    ],
)
def test_a_name_tells_the_type_of_what_it_names(name, told):
    assert media_types.guess(name) == told


def test_each_type_of_the_table_is_one():
    for told in media_types._TABLE.values():
        assert media_types.parse(told) == told


def test_the_machines_own_files_of_types_are_not_read(monkeypatch):
    monkeypatch.setattr(mimetypes, "knownfiles", ["/etc/mime.types"])
    mimetypes.add_type("text/x-of-this-machine", ".docx")
    assert media_types.guess("a.docx").startswith("application/vnd.openxml")


@pytest.mark.parametrize(
    ("told", "old", "new", "then"),
    [
        ("text/plain", "a.txt", "a.md", "text/markdown"),
        ("application/octet-stream", "a", "a.pdf", "application/pdf"),
        ("text/plain", "a.txt", "a", "text/plain"),
        ("image/png", "a.txt", "a.pdf", "image/png"),
        ("text/plain; charset=utf-8", "a.txt", "a.md", "text/plain; charset=utf-8"),
    ],
)
def test_a_type_that_the_name_has_told_follows_the_name(told, old, new, then):
    assert media_types.follow_rename(told, old_name=old, new_name=new) == then

"""The program that reads the text of a stranger's file. It runs in a process of its own, which gives up everything first.

``python -m apps.search.reading TASK``, where TASK is JSON: ``{kind, media_type, characters_limit, pages_limit}``. What it answers with is
``confinement.serve``'s; the facts are ``{is_cut}``, and the one body is the text in UTF-8.
"""

from bitvault.kernel import confinement

LAYERS = confinement.confine() if __name__ == "__main__" else []

import io  # noqa: E402 - nothing is imported before everything is given up
import re  # noqa: E402
import unicodedata  # noqa: E402
import zipfile  # noqa: E402
from collections.abc import Iterator, Sequence  # noqa: E402
from html.parser import HTMLParser  # noqa: E402
from typing import Any, BinaryIO  # noqa: E402
from xml.etree import ElementTree as ET  # noqa: E402

from bitvault.kernel.confinement import Refused  # noqa: E402

UNPACKED_LIMIT_BYTES = 128 * 1024**2
"""The largest part of a packed document that is unpacked."""

SECONDS = 12
"""How long kreuzberg takes at most; the process has fifteen seconds of the processor."""

_OLE, _ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04"
_ENCRYPTED_OFFICE = "EncryptedPackage".encode("utf-16-le")
_HIDDEN = frozenset({"script", "style", "template", "noscript"})
_BLOCKS = frozenset(
    {"p", "div", "br", "li", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "title", "option", "section"}
)

_PARTED_WORD = re.compile("[\u00ad\u0002\ufffe](?:\r?\n)?|(?<=[a-z\u00df-\u00ff])-\r?\n(?=[a-z\u00df-\u00ff])")
"""Marks where a word was parted at the end of a line."""
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f\u200b\ufeff\ud800-\udfff]")
_SPACES = re.compile("[ \t\v\f\u00a0]+")
_LINES = re.compile(r"(?: ?\r?\n ?)+|\r")

Pieces = Iterator[str]


def read_pdf(data: bytes, pages_limit: int) -> Pieces:
    """Read a PDF page by page."""
    import pypdfium2  # type: ignore[import-untyped] # it has no types

    if b"%PDF" not in data[:1024]:
        raise Refused("damaged")
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise Refused("encrypted" if "password" in str(error).lower() else "damaged") from error
    for index in range(min(len(document), pages_limit)):
        try:
            page = document[index]
            words = page.get_textpage()
        except pypdfium2.PdfiumError:
            continue  # of a page that cannot be read the others are read all the same
        yield words.get_text_range(errors="replace")
        words.close()
        page.close()
    if len(document) > pages_limit:
        raise EOFError


class _Shown(HTMLParser):
    """What a page of HTML shows."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _HIDDEN
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in _HIDDEN))
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def read_html(data: bytes) -> Pieces:
    """Read what a page of HTML shows."""
    shown = _Shown()
    shown.feed(decode(data))
    shown.close()
    yield "".join(shown.pieces)


def read_open_document(data: bytes) -> Pieces:
    """Read the paragraphs of a text, sheet or presentation of the OpenDocument family."""
    try:
        packed = zipfile.ZipFile(io.BytesIO(data))
        if "META-INF/manifest.xml" in packed.namelist() and b"encryption-data" in _unpack(
            packed, "META-INF/manifest.xml"
        ):
            raise Refused("encrypted")
        content = _unpack(packed, "content.xml")
    except (zipfile.BadZipFile, KeyError) as error:
        raise Refused("damaged") from error
    for _, element in ET.iterparse(io.BytesIO(content)):  # noqa: S314 - the limits of this process hold
        if element.tag.rpartition("}")[2] in ("p", "h"):
            yield "".join(element.itertext()) + "\n"
            element.clear()


def _unpack(packed: zipfile.ZipFile, name: str) -> bytes:
    with packed.open(name) as part:
        content = part.read(UNPACKED_LIMIT_BYTES + 1)
    if len(content) > UNPACKED_LIMIT_BYTES:
        raise Refused("too_complex")
    return content


def read_office(data: bytes, media_type: str) -> Pieces:
    """Read a document of Microsoft's families, a mail with its attachments, a book or a rich text."""
    if data.startswith(_OLE) and _ENCRYPTED_OFFICE in data:
        raise Refused("encrypted")
    import kreuzberg

    limits: dict[str, Any] = {
        "extraction_timeout_secs": SECONDS,
        "disable_ocr": True,
    }  # its stubs do not know the latter
    config = kreuzberg.ExtractionConfig(use_cache=False, output_format="plain", **limits)
    try:
        found = kreuzberg.extract_bytes_sync(data, media_type, config=config)
    except kreuzberg.ExtractionTimeoutError as error:
        raise Refused("too_complex") from error
    except (kreuzberg.ValidationError, kreuzberg.MissingDependencyError) as error:
        raise Refused("type") from error
    except kreuzberg.KreuzbergError as error:
        raise Refused("encrypted" if "password" in str(error).lower() else "damaged") from error
    yield found.content
    for child in found.children or []:
        yield f"\n{child['path']}\n{child['result'].content}"


def decode(data: bytes) -> str:
    """Read a text in whatever encoding it is in; it may have been cut anywhere."""
    import codecs

    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return codecs.getincrementaldecoder(encoding)("replace").decode(data)
    if b"\0" in data:
        raise Refused("damaged")
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def clean(text: str) -> str:
    """Put a text into the form in which it is kept: NFC, words whole, one space between words, no empty lines, no controls."""
    text = _PARTED_WORD.sub("", text)
    text = _CONTROLS.sub("", text)
    return _LINES.sub("\n", _SPACES.sub(" ", unicodedata.normalize("NFC", text))).strip()


def read(task: dict[str, Any], file: BinaryIO) -> tuple[dict[str, Any], Sequence[bytes]]:
    """Carry out a task; returns the text, and whether it is only a beginning.

    :raises Refused: there is no text to be had.
    """
    data, kind, limit = file.read(), task["kind"], task["characters_limit"]
    if kind != "text" and data.startswith(b"%PDF"):
        kind = "pdf"
    match kind:
        case "pdf":
            pieces = read_pdf(data, task["pages_limit"])
        case "html":
            pieces = read_html(data)
        case "opendocument":
            pieces = read_open_document(data)
        case "office":
            pieces = read_office(data, task["media_type"])
        case _:
            pieces = iter([decode(data)])
    text, is_cut = "", bool(task.get("is_beginning"))
    try:
        for piece in pieces:
            text += piece[: 2 * limit] + "\n"
            is_cut = is_cut or len(piece) > 2 * limit
            if len(text) > 2 * limit:
                is_cut = True
                break
    except EOFError:
        is_cut = True
    text = clean(text)
    if not text:
        raise Refused("no_text")
    return {"is_cut": is_cut or len(text) > limit}, [text[:limit].encode("utf-8", "replace")]


if __name__ == "__main__":
    confinement.serve(LAYERS, read)

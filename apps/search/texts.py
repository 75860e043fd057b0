"""Which contents have text that can be searched, and how much of it."""

from typing import Literal

from apps.search.dtos import TextReason
from bitvault.kernel import media_types

Kind = Literal["pdf", "text", "html", "opendocument", "office"]

SOURCE_LIMIT_BYTES = 64 * 1024**2
"""The largest document that is read: it is in the memory of its program as a whole."""

PLAIN_LIMIT_BYTES = 4 * 1024**2
"""How much of a plain text is read, whatever its size: a million characters have no more."""

CHARACTERS_LIMIT = 1_000_000
"""How much of a text is searched: some four hundred pages."""

PAGES_LIMIT = 2_000
"""Pages of a PDF that are read."""

_TEXTS = frozenset({
    "application/json", "application/jsonl", "application/x-ndjson", "application/json5", "application/geo+json", "application/ld+json",
    "application/manifest+json", "application/x-ipynb+json", "application/yaml", "application/toml", "application/xml",
    "application/javascript", "application/x-javascript", "application/sql", "application/x-sh", "application/x-subrip",
    "application/x-httpd-php", "application/x-tex", "application/x-python-code", "application/rss+xml", "application/atom+xml",
    "application/gpx+xml", "application/xslt+xml", "application/x-bat",
})  # fmt: skip

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_WORD, _SHEET, _SLIDES = (
    f"{_OFFICE}wordprocessingml.document",
    f"{_OFFICE}spreadsheetml.sheet",
    f"{_OFFICE}presentationml.presentation",
)

_READ_AS = {
    "application/msword": "application/msword",
    "application/vnd.ms-excel": "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint": "application/vnd.ms-powerpoint",
    "application/vnd.ms-word.document.macroenabled.12": _WORD,
    "application/vnd.ms-word.template.macroenabled.12": _WORD,
    "application/vnd.ms-excel.sheet.macroenabled.12": _SHEET,
    "application/vnd.ms-powerpoint.presentation.macroenabled.12": _SLIDES,
    "application/vnd.ms-outlook": "application/vnd.ms-outlook",
    "application/epub+zip": "application/epub+zip",
    "application/rtf": "application/rtf",
    "text/rtf": "application/rtf",
    "message/rfc822": "message/rfc822",
}
"""As which of the types that kreuzberg knows a document is read."""


def kind_of(media_type: str) -> Kind | None:
    """Tell how the text of a content is read, by its type; ``None``: it has none. The bytes themselves decide when they are read."""
    bare = _bare(media_type)
    if bare == "application/pdf":
        return "pdf"
    if bare in ("text/html", "application/xhtml+xml"):
        return "html"
    if bare.startswith(_OPEN_DOCUMENT):
        return "opendocument"
    if bare in _READ_AS or bare.startswith(_OFFICE):
        return "office"
    if bare.startswith("text/") or bare in _TEXTS:
        return "text"
    return None


def read_as(media_type: str) -> str:
    """Tell the type of a document to the library: of templates and of what has macros, the type without."""
    bare = _bare(media_type)
    if bare.startswith(_OFFICE):
        return next((each for each in (_WORD, _SHEET, _SLIDES) if bare.startswith(each.rpartition(".")[0])), bare)
    return _READ_AS.get(bare, bare)


def find_obstacle(media_type: str, size_bytes: int) -> TextReason | None:
    """Tell what keeps the text of a content from being searched, by its type and size alone."""
    kind = kind_of(media_type)
    if kind is None:
        return "type"
    if kind != "text" and size_bytes > SOURCE_LIMIT_BYTES:
        return "too_large"
    return None if size_bytes else "no_text"


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower() or media_types.ANY

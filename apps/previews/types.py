"""Which contents have a preview, and what is made of each."""

from typing import Literal

from apps.previews.dtos import Size
from bitvault.kernel import media_types

Kind = Literal["image", "pdf", "text"]

EDGES: dict[str, int] = {"small": 256, "medium": 1024, "large": 1920}
"""The longest side in pixels: an icon or tile on a sharp screen, a phone, a desktop. A photo of twelve megapixels is decoded at half its
size for the largest one, which takes a quarter of the time."""

SIZES: tuple[Size, ...] = ("small", "medium", "large")

PICTURE = "picture"
TEXT = "text"
"""What is made of content: ``picture`` is three sizes of the picture or first page, ``page-<n>`` another page, ``text`` its text."""

SOURCE_LIMIT_BYTES = 256 * 1024**2
"""The largest picture or document that is looked at: it is read whole, by a worker, onto its disk."""

TEXT_LIMIT_BYTES = 512 * 1024
"""How much of a text is shown: some ten thousand lines, which a browser lays out in one go."""

_IMAGES = frozenset({
    "image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/heic", "image/heif", "image/tiff", "image/bmp",
})  # fmt: skip

_TEXTS = frozenset({
    "application/json", "application/jsonl", "application/x-ndjson", "application/json5", "application/geo+json", "application/ld+json",
    "application/manifest+json", "application/x-ipynb+json", "application/yaml", "application/toml", "application/xml",
    "application/javascript", "application/x-javascript", "application/sql", "application/x-sh", "application/x-subrip",
    "application/x-httpd-php", "application/x-tex", "application/x-python-code", "application/xhtml+xml", "application/rss+xml",
    "application/atom+xml", "application/gpx+xml", "application/xslt+xml", "image/svg+xml", "message/rfc822",
})  # fmt: skip


def kind_of(media_type: str) -> Kind | None:
    """Tell what kind of preview a content has by its type; ``None``: none. The bytes themselves decide when one is made."""
    bare = media_type.partition(";")[0].strip().lower()
    if bare in _IMAGES:
        return "image"
    if bare == "application/pdf":
        return "pdf"
    if bare.startswith("text/") or bare in _TEXTS:
        return "text"
    return None


def is_unknown(media_type: str) -> bool:
    """Tell whether the type says nothing of the content."""
    return media_type.partition(";")[0].strip().lower() in ("", media_types.ANY)


def page_part(page: int) -> str:
    """Name a page of a document; the first one is made with the others' sizes."""
    return PICTURE if page == 1 else f"page-{page}"


def names_for(part: str, size: Size) -> tuple[str, ...]:
    """Name the derived objects that do for a part in a size, the best one first: a small picture has no larger ones."""
    if part != PICTURE:
        return (part,)
    return tuple(reversed(SIZES[: SIZES.index(size) + 1]))

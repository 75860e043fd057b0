"""Names of nodes: what is a name, when two are the same, and in which order people expect them.

The key of a name is ``NFC(casefold(NFC(name)))``: stable when keyed again and equal for canonically equal spellings, which
neither ``casefold`` alone nor ``lower`` is (Unicode 15 §3.13, definition D145). It is computed here and nowhere else, never
by a database collation. Turkish dotted and dotless i stay apart: ``casefold`` is not a locale's.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from bitvault.kernel.errors import Invalid

KEY_VERSION = 1
"""Stored beside each key. Raise it when the function changes; Python's Unicode tables are part of the function."""

NAME_LIMIT_BYTES = 255
"""What ext4, NTFS (in UTF-16 units, never fewer) and APFS hold: a longer name could not be synchronised anywhere."""

_SORT_KEY_LIMIT = 400
"""Characters of a sort key that are kept: 255 bytes with each digit run grown by three; beyond, the id decides."""

_DIGITS = re.compile(r"\d+")
_WINDOWS_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
)
_WINDOWS_CHARACTERS = frozenset('\\:*?"<>|')
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


PortabilityProblem = Literal["windows_character", "windows_trailing", "windows_device", "bidi_control"]


class InvalidName(Invalid):
    """The name cannot be given to a node."""

    code = "files.invalid_name"
    title = "This name cannot be used"


@dataclass(frozen=True, slots=True)
class Name:
    """A name that was found good, with its two keys."""

    text: str
    key: str
    sort_key: str

    @property
    def size_bytes(self) -> int:
        """Length in UTF-8."""
        return len(self.text.encode())


def parse(text: str) -> Name:
    """Take a name as given, in NFC, or refuse it.

    :raises InvalidName: empty, ``.`` or ``..``, over 255 bytes of UTF-8, or holding ``/``, NUL, a control or a lone surrogate.
        The fact ``reason`` tells which.
    """
    normal = unicodedata.normalize("NFC", text)
    if not normal.strip():
        raise InvalidName("A name needs at least one visible character.", reason="empty")
    if normal.strip() in (".", ".."):
        raise InvalidName("“.” and “..” are not names.", reason="dots")
    for character in normal:
        category = unicodedata.category(character)
        if character == "/":
            raise InvalidName("A name cannot hold “/”.", reason="slash")
        if category == "Cc":
            raise InvalidName("A name cannot hold control characters, line breaks or NUL.", reason="control")
        if category == "Cs":
            raise InvalidName("The name is not valid Unicode.", reason="surrogate")
    size_bytes = len(normal.encode())
    if size_bytes > NAME_LIMIT_BYTES:
        raise InvalidName(
            f"A name may have {NAME_LIMIT_BYTES} bytes in UTF-8; this one has {size_bytes}.",
            reason="too_long",
            limit_bytes=NAME_LIMIT_BYTES,
            size_bytes=size_bytes,
        )
    return Name(text=normal, key=key_of(normal), sort_key=sort_key_of(normal))


def key_of(text: str) -> str:
    """Compute the key by which two names in one folder are the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def sort_key_of(text: str) -> str:
    """Compute the key that puts names in the order people expect: ``file2`` before ``file10``, compared by code point.

    Each run of decimal digits becomes its length (three digits) and its value, so that shorter numbers come first.
    """

    def numbered(match: re.Match[str]) -> str:
        digits = "".join(str(unicodedata.decimal(digit)) for digit in match.group()).lstrip("0")
        return f"{len(digits):03d}{digits}"

    return _DIGITS.sub(numbered, key_of(text))[:_SORT_KEY_LIMIT]


def find_portability_problems(text: str) -> list[PortabilityProblem]:
    """Name what keeps a name from being written on other systems: it is kept and shown, never changed behind its owner's back.

    Rules of Windows: Microsoft's “Naming Files, Paths, and Namespaces”. Bidirectional controls can make ``exe.txt`` of ``txt.exe``.
    """
    problems: list[PortabilityProblem] = []
    if _WINDOWS_CHARACTERS & set(text):
        problems.append("windows_character")
    if text.endswith((".", " ")):
        problems.append("windows_trailing")
    if key_of(text).split(".", 1)[0].rstrip(" ") in _WINDOWS_DEVICES:
        problems.append("windows_device")
    if _BIDI_CONTROLS & set(text):
        problems.append("bidi_control")
    return problems


def split_extension(text: str) -> tuple[str, str]:
    """Split ``stem`` and ``.ext``; a leading dot belongs to the stem, and an extension has at most 16 characters."""
    stem, dot, extension = text.rpartition(".")
    if not stem or not dot or not extension or len(extension) > 16 or " " in extension:  # noqa: PLR2004
        return text, ""
    return stem, f".{extension}"


def numbered(name: Name, number: int) -> Name:
    """Make the ``number``-th automatic variant, ``report (2).pdf``; the stem is cut to keep the limit of length."""
    stem, extension = split_extension(name.text)
    suffix = f" ({number}){extension}"
    room = NAME_LIMIT_BYTES - len(suffix.encode())
    return parse(cut(stem, room) + suffix)


def cut(text: str, limit_bytes: int) -> str:
    """Cut a text to ``limit_bytes`` of UTF-8 without splitting a character from its combining marks."""
    if len(text.encode()) <= limit_bytes:
        return text
    kept = text.encode()[:limit_bytes].decode(errors="ignore")
    following = text[len(kept) : len(kept) + 1]
    while kept and following and unicodedata.combining(following):
        kept, following = kept[:-1], kept[-1]
    return kept.rstrip()

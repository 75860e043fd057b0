"""Names of nodes: what is a name, when two are the same, and in which order people expect them.

The key of a name is ``NFC(casefold(NFC(name)))``: stable when keyed again and equal for canonically equal spellings, which
neither ``casefold`` alone nor ``lower`` is (Unicode 15 §3.13, definition D145). It is computed here and nowhere else, never
by a database collation. Turkish dotted and dotless i stay apart: ``casefold`` is not a locale's.

The order of names is that of the Unicode Collation Algorithm (UTS 10) with its default table: an accent stands beside its letter, and case
decides last. It is kept as a text that compares by code point.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pyuca.collator import Collator_10_0_0

from bitvault.kernel.errors import Invalid

KEY_VERSION = 2
"""Stored beside the two keys of a name. Raise it when a function changes; Python's Unicode tables and the collator's belong to them."""

NAME_LIMIT_BYTES = 255
"""What ext4, NTFS (in UTF-16 units, never fewer) and APFS hold: a longer name could not be synchronised anywhere."""

_SORT_KEY_LIMIT_BYTES = 1000
"""Of a sort key that are kept: some 300 letters, fit for an index and for a cursor in an address; beyond, the id decides."""

_COLLATOR = Collator_10_0_0()
"""The newest table that the package carries, named, for its default depends on the Python that runs."""

_LEAST_WEIGHTS = (0, 0x20, 0x02)
"""Of the three levels: what a plain letter has. At the end of a level it says nothing."""

_DIGITS = re.compile(r"\d+")
_WINDOWS_DEVICES = frozenset(
    {
        "con",
        "prn",
        "aux",
        "nul",
        "conin$",
        "conout$",
        *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789¹²³"),
    }
)
_WINDOWS_CHARACTERS = frozenset('\\:*?"<>|')
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff9-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f\U000e0100-\U000e01ef]"
)
"""Characters that nobody sees: formatting ones (Cf) but for signs that are written around numbers, variation selectors, and what has no
shape though Unicode counts it among letters, marks and symbols."""

_BEYOND_LATIN = re.compile("[^\x00-\u036f\u2000-\u20cf]")

_JOINERS = frozenset("\u200c\u200d")
_EMOJI_STYLES = frozenset("\ufe0e\ufe0f")

_SCRIPTS_THAT_MIX = frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO"})
"""Scripts that one word may hold together: UTS 39 §5.2, level "highly restrictive"."""

_UNITS = frozenset("\u00b5\u2126\u212a\u212b\u00aa\u00ba")
"""Letters that are signs of their own: micro, ohm, kelvin, ångström, ordinals."""

_COMPRESSIONS = frozenset({".gz", ".bz2", ".xz", ".zst", ".lz", ".lz4", ".lzma", ".z", ".br"})
"""Extensions that together with a ``.tar`` before them are one."""

PortabilityProblem = Literal[
    "windows_character", "windows_trailing", "windows_device", "bidi_control", "invisible_character", "mixed_script"
]


class InvalidName(Invalid):
    """The name cannot be given to a node."""

    code = "files.invalid_name"
    title = "This name cannot be used"


@dataclass(frozen=True, slots=True)
class Name:
    """A name that was found good, with the key by which it is compared."""

    text: str
    key: str

    @property
    def sort_key(self) -> str:
        """The key of its place in a list; computed when it is asked for, since only what is written needs it."""
        return sort_key_of(self.text)

    @property
    def size_bytes(self) -> int:
        """Length in UTF-8."""
        return len(self.text.encode())


def parse(text: str) -> Name:
    """Take a name as given, in NFC, or refuse it.

    :raises InvalidName: nothing visible, ``.`` or ``..``, over 255 bytes of UTF-8, or holding ``/``, NUL, a control, a line separator or
        a lone surrogate. The fact ``reason`` tells which.
    """
    normal = unicodedata.normalize("NFC", text)
    visible = _INVISIBLE.sub("", normal).strip()
    if not visible and all(unicodedata.category(character) not in _REFUSED for character in normal.strip(" ")):
        raise InvalidName("A name needs at least one visible character.", reason="empty")
    if visible in (".", ".."):
        raise InvalidName("“.” and “..” are not names.", reason="dots")
    for character in normal:
        category = unicodedata.category(character)
        if character == "/":
            raise InvalidName("A name cannot hold “/”.", reason="slash")
        if category in ("Cc", "Zl", "Zp"):
            raise InvalidName("A name cannot hold control characters, line breaks or NUL.", reason="control")
        if category == "Cs":
            raise InvalidName("The name is not valid Unicode.", reason="surrogate")
    size_bytes = len(normal.encode())
    if size_bytes > NAME_LIMIT_BYTES:
        raise InvalidName(
            "A name may have %(limit_bytes)s bytes in UTF-8; this one has %(size_bytes)s.",
            reason="too_long",
            limit_bytes=NAME_LIMIT_BYTES,
            size_bytes=size_bytes,
        )
    return of_stored(normal)


def of_stored(text: str) -> Name:
    """Give a name that a node has already, or that is made of one: what was accepted once stays a name, whatever is refused by now."""
    normal = unicodedata.normalize("NFC", text)
    return Name(text=normal, key=key_of(normal))


def key_of(text: str) -> str:
    """Compute the key by which two names in one folder are the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def sort_key_of(text: str) -> str:
    """Compute the key that puts names in the order people expect: ``file2`` before ``file10``, ``Émile`` beside ``Emil``.

    Each run of decimal digits becomes its length (three digits) and its value, so that shorter numbers come first. The weights of each
    level (letters, accents, case) become characters in their order.
    """

    def numbered(match: re.Match[str]) -> str:
        digits = "".join(str(unicodedata.decimal(digit)) for digit in match.group()).lstrip("0")
        return f"{len(digits):03d}{digits}"

    levels: list[list[int]] = [[]]
    for weight in _COLLATOR.sort_key(_DIGITS.sub(numbered, text)):
        if weight:
            levels[-1].append(weight)
        elif len(levels) < len(_LEAST_WEIGHTS):
            levels.append([])
        else:
            break
    key = "\x01".join(_write_level(weights, least) for weights, least in zip(levels, _LEAST_WEIGHTS, strict=False))
    return key.encode()[:_SORT_KEY_LIMIT_BYTES].decode(errors="ignore")


def _write_level(weights: list[int], least: int) -> str:
    end = len(weights)
    while end and weights[end - 1] == least:
        end -= 1
    # Above U+0001, which parts the levels, and around the surrogates, which are no characters.
    return "".join(chr(weight + 2 if weight < 0xD700 else weight + 0x2000) for weight in weights[:end])  # noqa: PLR2004


def find_portability_problems(text: str) -> list[PortabilityProblem]:
    """Name what keeps a name from being written on other systems: it is kept and shown, never changed behind its owner's back.

    Rules of Windows: Microsoft's “Naming Files, Paths, and Namespaces”. Bidirectional controls can make ``exe.txt`` of ``txt.exe``; with
    characters that nobody sees, or a letter of another script inside a word (UTS 39), a name looks like another one.
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
    if not text.isascii():
        if _hides_something(text):
            problems.append("invisible_character")
        if _mixes_scripts(text):
            problems.append("mixed_script")
    return problems


_REFUSED = ("Cc", "Cs", "Zl", "Zp")


def _hides_something(text: str) -> bool:
    """Tell whether a character is there that nobody sees, direction controls left out; what emoji and joining scripts need is fine."""
    found = ((match.group(), text[: match.start()][-1:]) for match in _INVISIBLE.finditer(text))
    return any(character not in _BIDI_CONTROLS and not _joins(character, before) for character, before in found)


def _joins(character: str, before: str) -> bool:
    """Tell whether a joiner, a style or a tag follows what it belongs to."""
    if not before:
        return False
    category = unicodedata.category(before)
    if character in _JOINERS:
        return before in _EMOJI_STYLES or category in ("So", "Sk", "Lo", "Mn", "Mc")
    if character in _EMOJI_STYLES:
        return category in ("So", "Sm", "Po", "Nd", "Pd")
    if "\U000e0020" <= character <= "\U000e007f":
        return before == "\U0001f3f4" or "\U000e0020" <= before <= "\U000e007f"
    return category == "Lo" and character >= "\U000e0100"  # a variant of a Han character


def _mixes_scripts(text: str) -> bool:
    """Tell whether a word holds letters of scripts that people do not write together, as one that imitates another does."""
    if not _BEYOND_LATIN.search(text):
        return False
    scripts: set[str] = set()
    for character in text:
        if unicodedata.category(character)[0] not in "LM":
            scripts.clear()
            continue
        script = _find_script(character)
        if script is not None:
            scripts.add(script)
        if len(scripts) > 1 and not scripts <= _SCRIPTS_THAT_MIX:
            return True
    return False


@cache
def _find_script(character: str) -> str | None:
    """Find the script of a letter by its name; marks and modifiers belong to any."""
    if unicodedata.category(character)[0] != "L":
        return None
    if character in _UNITS:
        return None
    word = unicodedata.name(unicodedata.normalize("NFKC", character)[0], "").partition(" ")[0]
    return None if word in ("", "MODIFIER") else word


def split_extension(text: str) -> tuple[str, str]:
    """Split a file's ``stem`` and ``.ext``; a leading dot belongs to the stem, an extension has at most 16 characters.

    ``.tar.gz`` is one extension, and so are its like.
    """
    stem, dot, extension = text.rpartition(".")
    if not stem or not dot or not extension or len(extension) > 16 or " " in extension:  # noqa: PLR2004
        return text, ""
    extension = f".{extension}"
    if extension.lower() in _COMPRESSIONS and stem.lower().endswith(".tar") and len(stem) > len(".tar"):
        return stem[: -len(".tar")], stem[-len(".tar") :] + extension
    return stem, extension


def simplify(text: str) -> str:
    """Spell a name as those may take it who open the file: without case, without what nobody sees, and without the dots and blanks at its
    end that Windows drops. For judging extensions; never for telling two names apart.
    """
    if text.isascii():  # nothing of it is another spelling, or invisible
        return text.lower().rstrip(". ")
    return key_of(unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))).rstrip(". ")


def numbered(name: Name, number: int, *, is_folder: bool = False) -> Name:
    """Make the ``number``-th automatic variant, ``report (2).pdf``; the stem is cut to keep the limit of length.

    A folder has no extension: ``Release v1.0 (2)``.
    """
    stem, suffix = _split_numbered(name, number, is_folder=is_folder)
    return of_stored(stem + suffix)


def _split_numbered(name: Name, number: int, *, is_folder: bool) -> tuple[str, str]:
    stem, extension = (name.text, "") if is_folder else split_extension(name.text)
    suffix = f" ({number}){extension}"
    return cut(stem, NAME_LIMIT_BYTES - len(suffix.encode())), suffix


NUMBER_DIGITS = 12
"""Digits of the highest number that a variant is looked for with: far more than a folder has children."""


def list_variant_keys(name: Name, *, is_folder: bool) -> tuple[list[str], str]:
    """Give what the keys of all automatic variants are made of: for numbers of one digit, two and so on what comes before the number (the
    stem is cut for longer ones), and what comes after it. Neither a bracket nor a dot combines with what stands before it.
    """
    parts = [_split_numbered(name, 10**digits, is_folder=is_folder) for digits in range(NUMBER_DIGITS)]
    return [key_of(f"{stem} (") for stem, _ in parts], key_of(parts[0][1].removeprefix(" (1"))


def cut(text: str, limit_bytes: int) -> str:
    """Cut a text to ``limit_bytes`` of UTF-8 without splitting a character from its combining marks."""
    if len(text.encode()) <= limit_bytes:
        return text
    kept = text.encode()[:limit_bytes].decode(errors="ignore")
    following = text[len(kept) : len(kept) + 1]
    while kept and following and unicodedata.combining(following):
        kept, following = kept[:-1], kept[-1]
    return kept.rstrip()

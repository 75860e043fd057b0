"""How names and queries are made comparable: case and accents folded, cut into words as people see them in a name.

``QuarterlyReport2024 Übersicht_final.pdf`` has the words quarterly, report, 2024, ubersicht, final, pdf.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_INNER = re.compile(r"\d+|[^\W\d_]+")
_HUMPS = re.compile(r"(?<=[a-z\u00df-\u00f6\u00f8-\u00ff])(?=[A-Z\u00c0-\u00d6\u00d8-\u00de])")

_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts that put no space between words: Thai, Lao, Burmese, Khmer, kana and Han."""
_SIGNS = "".join(
    chr(code)
    for code in range(0x300, 0x2000)
    if unicodedata.category(chr(code)) in ("Mn", "Mc") and not "\u0e00" <= chr(code) <= "\u0eff"
)
"""Signs that belong to the letter before them, such as the vowels of Devanagari."""
_TEXT_WORD = re.compile(rf"[{_SPACELESS}]|(?:[^\W_{_SPACELESS}]|[{_SIGNS}])+")
_SPACELESS_LETTER = re.compile(rf"[{_SPACELESS}]")
_TEXT_INNER = re.compile(rf"\d+|(?:[^\W\d_]|[{_SIGNS}])+")
_UNSAFE = str.maketrans("", "", "'\\ ")

WORD_LIMIT = 64
"""Characters of a word; what is longer is none, but data."""

WORDS_LIMIT = 64
"""Different words of a name that are kept: a name has 255 bytes."""


def fold(text: str) -> str:
    """Give a text without case and accents: NFKD, casefold, marks taken away (Unicode 15 §3.13 and §2.11)."""
    if text.isascii():
        return text.lower()
    return "".join(fold_character(character) for character in unicodedata.normalize("NFC", text))


@lru_cache(maxsize=8192)
def fold_character(character: str) -> str:
    """Fold one character; it may become none or several."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(part for part in decomposed if not unicodedata.combining(part))


def cut_words(text: str) -> list[str]:
    """Cut a text into folded words: whole ones, and the parts of camelCase and of letters beside digits; each once, in order."""
    found: dict[str, None] = {}
    for match in _WORD.finditer(unicodedata.normalize("NFC", text)):
        whole = match.group()
        found[fold(whole)] = None
        for hump in _HUMPS.split(whole):
            for part in _INNER.findall(hump):
                found[fold(part)] = None
    found.pop("", None)
    return list(found)[:WORDS_LIMIT]


def read_words(text: str) -> Iterator[tuple[str, ...]]:
    """Read a text word by word: each folded, with its parts where it is camelCase or has digits beside letters.

    Of scripts that put no space between words, each letter is one. What is too long for a word is passed over.
    """
    known: dict[str, tuple[str, ...]] = {}
    for match in _TEXT_WORD.finditer(text):
        whole = match.group()
        forms = known.get(whole)
        if forms is None:
            forms = known[whole] = _tell_forms(whole)
        if forms:
            yield forms


def _tell_forms(whole: str) -> tuple[str, ...]:
    if len(whole) > WORD_LIMIT:
        return ()
    parts = [part for hump in _HUMPS.split(whole) for part in _TEXT_INNER.findall(hump)]
    forms = dict.fromkeys(fold(form).translate(_UNSAFE) for form in (whole, *(parts if len(parts) > 1 else ())))
    return tuple(form for form in forms if form)


def is_letter(word: str) -> bool:
    """Whether a word is one letter of a script without spaces: such words are looked for as they are, not as a beginning."""
    return _SPACELESS_LETTER.fullmatch(word) is not None


def find_spans(name: str, wanted: list[str]) -> list[tuple[int, int]]:
    """Find where folded texts stand in a name, as ranges of its characters that do not overlap."""
    folded, origins = "", []
    for index, character in enumerate(name):
        part = fold_character(character)
        folded += part
        origins += [index] * len(part)
    marked = [False] * len(name)
    for text in wanted:
        begin = folded.find(text) if text else -1
        while begin >= 0:
            for position in range(begin, begin + len(text)):
                marked[origins[position]] = True
            begin = folded.find(text, begin + len(text))
    spans: list[tuple[int, int]] = []
    for index, is_marked in enumerate(marked):
        if not is_marked:
            continue
        if spans and spans[-1][1] == index:
            spans[-1] = (spans[-1][0], index + 1)
        else:
            spans.append((index, index + 1))
    return spans

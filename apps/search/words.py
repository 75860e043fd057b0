"""How names and queries are made comparable: case and accents folded, cut into words as people see them in a name.

``QuarterlyReport2024 Übersicht_final.pdf`` has the words quarterly, report, 2024, ubersicht, final, pdf.
"""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
_INNER = re.compile(r"\d+|[^\W\d_]+")
_HUMPS = re.compile(r"(?<=[a-z\u00df-\u00f6\u00f8-\u00ff])(?=[A-Z\u00c0-\u00d6\u00d8-\u00de])")

WORDS_LIMIT = 64
"""Different words of a name that are kept: a name has 255 bytes."""


def fold(text: str) -> str:
    """Give a text without case and accents: NFKD, casefold, marks taken away (Unicode 15 §3.13 and §2.11)."""
    return "".join(fold_character(character) for character in unicodedata.normalize("NFC", text))


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

"""Passages of texts: the part in which the words stand, with marks on them."""

import re
from collections.abc import Sequence

from apps.search import words
from apps.search.dtos import Highlight, Passage
from apps.search.parsing import Term

BEFORE, LENGTH = 80, 240
"""Characters that are shown before the first mark, and in all: two lines."""

FOUND_LIMIT = 200
"""Places in a passage among which the best is looked for."""


def cut_passage(text: str, terms: Sequence[Term]) -> Passage:
    """Cut the part out of a passage in which most of the terms stand closest together, and mark them."""
    folded, origins = _fold(text)
    patterns, places = _find_places(folded, [term for term in terms if term.lexemes])
    first = max(places, key=lambda place: (_count_near(places, place[0]), -place[0]), default=(0, 0))[0]
    begin, end = _widen(text, origins[first] if origins else first)
    part = text[begin:end].replace("\n", " ")
    return Passage(part, _mark(part, patterns))


def _find_places(folded: str, terms: Sequence[Term]) -> tuple[list[re.Pattern[str]], list[tuple[int, int]]]:
    """Find where terms stand, each with its number: where words begin, or else, as in camelCase, anywhere."""
    patterns = [_to_pattern(term, inside=False) for term in terms]
    if not any(pattern.search(folded) for pattern in patterns):
        patterns = [_to_pattern(term, inside=True) for term in terms]
    found = [(match.start(), at) for at, pattern in enumerate(patterns) for match in _first(pattern, folded)]
    return patterns, sorted(found)


def _first(pattern: re.Pattern[str], folded: str) -> list[re.Match[str]]:
    return [match for match, _ in zip(pattern.finditer(folded), range(FOUND_LIMIT), strict=False)]


def _count_near(places: Sequence[tuple[int, int]], begin: int) -> int:
    return len({index for place, index in places if begin <= place < begin + LENGTH - BEFORE})


def _widen(text: str, first: int) -> tuple[int, int]:
    """Tell where a part around a place begins and ends, between words."""
    begin = max(0, first - BEFORE)
    if begin:
        border = text.find(" ", begin, first)
        begin = border + 1 if border >= 0 else begin
    end = min(len(text), begin + LENGTH)
    if end < len(text):
        border = text.rfind(" ", first + 1, end)
        end = border if border > first else end
    return begin, end


def _mark(part: str, patterns: Sequence[re.Pattern[str]]) -> list[Highlight]:
    folded, origins = _fold(part)
    marked: list[tuple[int, int]] = []
    for begin, end in sorted(match.span() for pattern in patterns for match in pattern.finditer(folded)):
        start, stop = (origins[begin], origins[end - 1] + 1) if origins else (begin, end)
        if marked and start <= marked[-1][1]:
            marked[-1] = (marked[-1][0], max(stop, marked[-1][1]))
        else:
            marked.append((start, stop))
    return [Highlight(start, stop) for start, stop in marked]


def _fold(text: str) -> tuple[str, list[int]]:
    """Fold a text; returns, too, which character each folded one comes from, or nothing where each stays in its place."""
    parts = [words.fold_character(character) for character in text] if not text.isascii() else []
    if not parts:
        return text.lower(), []
    origins = [index for index, part in enumerate(parts) for _ in part]
    return "".join(parts), origins


def _to_pattern(term: Term, *, inside: bool) -> re.Pattern[str]:
    """Write what the engine looks for as a pattern over the folded text."""
    inner = r"[\W_]*".join(re.escape(word) for word in term.lexemes)
    begin = "" if inside or words.is_letter(term.lexemes[0]) else r"(?<![^\W_])"
    end = "" if inside or term.is_beginning or words.is_letter(term.lexemes[-1]) else r"(?![^\W_])"
    return re.compile(begin + inner + end)

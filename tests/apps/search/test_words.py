"""Names and queries are made comparable: case and accents folded, words cut as people see them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.search import words


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("QuarterlyReport2024 Übersicht_final.pdf", "quarterlyreport2024 quarterly report 2024 ubersicht final pdf"),
        ("STRASSE straße.txt", "strasse txt"),
        ("camelCase_and-dashes", "camelcase camel case and dashes"),
        ("IMG_20240131.jpeg", "img 20240131 jpeg"),
        ("東京都 計画.docx", "東京都 計画 docx"),
        ("Ёлка Żółć", "елка zołc"),
        ("...", ""),
    ],
)
def test_a_name_is_cut_into_its_words(name, found):
    assert " ".join(words.cut_words(name)) == found


@given(st.text(max_size=60))
def test_folding_again_changes_nothing(text):
    assert words.fold(words.fold(text)) == words.fold(text)


@given(st.text(max_size=40), st.text(min_size=1, max_size=5), st.text(max_size=40))
def test_what_is_marked_is_what_was_looked_for(before, wanted, after):
    name, folded = before + wanted + after, words.fold(wanted)
    spans = words.find_spans(name, [folded])
    assert all(0 <= start < end <= len(name) for start, end in spans)
    assert all(left[1] < right[0] for left, right in pairwise(spans))


def test_accents_do_not_move_the_marks():
    assert words.find_spans("Übersicht ß", ["ubersicht"]) == [(0, 9)]
    assert words.find_spans("Straße", ["strasse"]) == [(0, 6)]

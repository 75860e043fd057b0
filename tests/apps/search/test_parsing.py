"""The query language: what people type is read as they mean it, and what cannot be read is refused."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from apps.search import errors, parsing
from apps.search.dtos import NO_FILTERS, Filters

ME = uuid4()


def parse(text):
    return parsing.parse(text, me=ME)


def test_words_phrases_and_what_must_not_be_there():
    wanted = parse('Report "Q3 final" -draft')
    assert [(term.text, term.is_phrase, term.negated) for term in wanted.terms] == [
        ("report", False, False),
        ("q3 final", True, False),
        ("draft", False, True),
    ]


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("type:pdf", Filters(categories=frozenset({"pdf"}))),
        ("type:photos type:video", Filters(categories=frozenset({"image", "video"}))),
        ("type:folder", Filters(is_folder=True)),
        ("owner:me", Filters(owner_ids=frozenset({ME}))),
        ("before:2026-01-01", Filters(modified_before=datetime(2026, 1, 1, tzinfo=UTC))),
        ("after:2025-12-31", Filters(modified_after=datetime(2026, 1, 1, tzinfo=UTC))),
        ("size:>10MB", Filters(size_min=10 * 2**20 + 1)),
        ("size:<=1.5GB", Filters(size_max=3 * 2**29)),
        ("size:100", Filters(size_min=95, size_max=105)),
    ],
)
def test_filters_are_read(text, filters):
    assert parse(text).filters == filters
    assert parse(text).terms == ()


@pytest.mark.parametrize("text", ["type:nonsense", "before:yesterday", "size:huge"])
def test_a_filter_that_cannot_be_read_is_refused(text):
    with pytest.raises(errors.FilterInvalid):
        parse(text)


def test_what_is_no_filter_is_a_word():
    assert [term.text for term in parse("12:30 note:this").terms] == ["12:30", "note:this"]
    assert parse("12:30").filters == NO_FILTERS


def test_too_much_is_refused():
    for text in ("x" * 401, "a " * 17):
        with pytest.raises(errors.QueryTooLong):
            parse(text)


@pytest.mark.parametrize("text", ["", "   ", "-draft", '""'])
def test_nothing_to_look_for_is_known(text):
    assert parse(text).is_empty

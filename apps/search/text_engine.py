"""The PostgreSQL engine for texts: which contents hold words and sentences, and where.

A word fits where a word of the text begins with it. Several words that belong together, such as a "phrase" or ``off_sale``, fit where
they stand one after another.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.contrib.postgres.search import SearchQueryField
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, QuerySet, Subquery, Value

from apps.search.models import Content, ContentState, Passage
from apps.search.parsing import Term


class _Matches(Func):
    """Whether a vector fits a query."""

    template = "%(expressions)s"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def __init__(self, query: str) -> None:
        told = Func(Value(query), template="(%(expressions)s)::tsquery", output_field=SearchQueryField())
        super().__init__(F("vector"), told)


def holds(term: Term) -> Exists:
    """Whether the text of a document's content holds a term: asked for each document alone, of those that ``having_any`` has found."""
    if is_exact(term):
        passages = Passage.objects.filter(content_hash=OuterRef("content_hash"))
        return Exists(passages.filter(Q(_Matches(_write(term, " <-> ")))))
    contents = Content.objects.filter(content_hash=OuterRef("content_hash"))
    return Exists(contents.filter(Q(_Matches(_write(term, " & ")))) if term.lexemes else contents.none())


def having_any(terms: Sequence[Term]) -> QuerySet[Any, Any]:
    """Find the contents that hold at least the words of one of these terms, by their hashes."""
    told = [f"({_write(term, ' & ')})" for term in terms if term.lexemes]
    if not told:
        return Content.objects.none().values("content_hash")
    return Content.objects.filter(Q(_Matches(" | ".join(told)))).values("content_hash")


def matches(terms: Sequence[Term]) -> Q:
    """Say that a vector with places holds one of these terms, all of which have words."""
    return Q(_Matches(" | ".join(f"({_write(term, ' <-> ')})" for term in terms)))


def is_exact(term: Term) -> bool:
    """Whether a term is made of words that have to stand one after another."""
    return len(term.lexemes) > 1


def find_passages(content_hashes: Collection[str], terms: Sequence[Term]) -> dict[str, str]:
    """Find a passage of each of these contents, by one statement: the first one with all of the terms, else with any of them."""
    held = [term for term in terms if term.lexemes]
    if not held or not content_hashes:
        return {}
    rows = passages_of(content_hashes, held).values_list("content_hash", "best", "some")
    return {content_hash: text for content_hash, best, some in rows if (text := best or some)}


def passages_of(content_hashes: Collection[str], terms: Sequence[Term]) -> QuerySet[Any, Any]:
    """Find these contents, each with its first passage that has all of the terms (``best``), and that has any of them (``some``)."""
    told = [f"({_write(term, ' <-> ')})" for term in terms]
    passages = Passage.objects.filter(content_hash=OuterRef("content_hash")).order_by("number")
    return Content.objects.filter(content_hash__in=content_hashes, state=ContentState.READY).annotate(
        best=Subquery(passages.filter(Q(_Matches(" & ".join(told)))).values("text")[:1]),
        some=Subquery(passages.filter(Q(_Matches(" | ".join(told)))).values("text")[:1]),
    )


def _write(term: Term, joiner: str) -> str:
    """Write a term as a query. Its words hold letters, digits and signs alone, so nothing in them has to be escaped."""
    *others, last = term.lexemes
    return joiner.join([*(f"'{word}'" for word in others), f"'{last}':*" if term.is_beginning else f"'{last}'"])

"""The PostgreSQL engine: candidates from the module's own tables."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import BooleanField, Case, F, Func, IntegerField, Q, QuerySet, Value, When

from apps.search import described, holds, remarks, tagged, text_engine, words
from apps.search.dtos import SortName
from apps.search.engine import BEGINNING, CONSUMER, INSIDE, TEXT, WHOLE, WORDS, Candidate, Position
from apps.search.models import Document
from apps.search.parsing import Term, Wanted
from bitvault.events.api import get_position
from bitvault.kernel import clock, db


class _HasWords(Func):
    """Whether a vector has words that begin with each of some texts."""

    template = "%(expressions)s"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def __init__(self, beginnings: Sequence[str]) -> None:
        quoted = " & ".join(f"'{word}':*" for word in beginnings)
        super().__init__(F("vector"), Func(Value(quoted), template="(%(expressions)s)::tsquery"))


class PostgreSQLEngine:
    """Asks the tables of the entered tenant."""

    is_reduced = False

    def get_position(self) -> int:
        """Tell how far the indexer has come."""
        return get_position(CONSUMER)

    def list_candidates(self, wanted: Wanted, *, sort: SortName, after: Position | None, limit: int) -> list[Candidate]:
        """List what fits, by two statements at most: texts are not looked at while names fill what is asked for."""
        is_ranked = sort == "relevance"
        is_behind_names = is_ranked and after is not None and after.rank == TEXT
        with db.read_transaction():
            found = [] if is_behind_names else _list_by_name(wanted, sort=sort, after=after, limit=limit)
            if (is_ranked and len(found) >= limit) or not wanted.held:
                return found
            after = after if is_behind_names or not is_ranked else None
            rank = TEXT if is_ranked else INSIDE
            by_text = _page(_filter_by_text(wanted), sort=sort, rank=rank, after=after, limit=limit)
        found += [replace(each, by_text=True) for each in by_text]
        if not is_ranked:
            found.sort(key=lambda each: each.position, reverse=True)
        return found[:limit]

    def list_by_name(self, wanted: Wanted, *, sort: SortName, after: Position | None, limit: int) -> list[Candidate]:
        """List what fits by its name alone."""
        with db.read_transaction():
            return _list_by_name(wanted, sort=sort, after=after, limit=limit)

    def list_similar(self, wanted: Wanted, *, limit: int) -> list[UUID]:
        """List what nearly fits, by the likeness of trigrams."""
        terms = wanted.held
        if not terms:
            return []
        likeness = sum(
            (TrigramWordSimilarity(term.text, "folded") for term in terms[1:]),
            TrigramWordSimilarity(terms[0].text, "folded"),
        )
        with db.read_transaction():
            rows = _narrow(wanted)
            for term in terms:
                rows = rows.filter(folded__trigram_word_similar=term.text)
            found = rows.annotate(likeness=likeness).order_by("-likeness", "-modified_at", "-node_id")
            return list(found.values_list("node_id", flat=True)[:limit])

    def list_folders(self, name: str, *, limit: int) -> list[UUID]:
        """List folders of a name, or whose names begin with it."""
        folded = words.fold(name)
        rows = Document.objects.filter(is_folder=True, is_trashed=False, folded__startswith=folded)
        exact = Case(When(folded=folded, then=0), default=1, output_field=IntegerField())
        with db.read_transaction():
            return list(rows.order_by(exact, "-modified_at", "-node_id").values_list("node_id", flat=True)[:limit])


def _list_by_name(wanted: Wanted, *, sort: SortName, after: Position | None, limit: int) -> list[Candidate]:
    rank = _rank(wanted) if sort == "relevance" else INSIDE
    return _page(_filter(wanted), sort=sort, rank=rank, after=after, limit=limit)


def _page(
    rows: QuerySet[Document], *, sort: SortName, rank: Any, after: Position | None, limit: int
) -> list[Candidate]:
    by = "size_bytes" if sort == "size_bytes" else "modified_at"
    rows = rows.annotate(rank=Value(rank) if isinstance(rank, int) else rank)
    if sort == "size_bytes":
        rows = rows.filter(size_bytes__isnull=False)
    if after is not None:
        rows = rows.filter(
            Q(rank__lt=after.rank)
            | Q(rank=after.rank, **{f"{by}__lt": after.value})
            | Q(rank=after.rank, **{by: after.value}, node_id__lt=after.node_id)
        )
    found = rows.order_by("-rank", f"-{by}", "-node_id").values_list("node_id", "rank", by)[:limit]
    return [Candidate(node_id, Position(rank, value, node_id)) for node_id, rank, value in found]


def _filter(wanted: Wanted) -> QuerySet[Document]:
    rows = _narrow(wanted)
    for term in wanted.held:
        rows = rows.filter(_holds(term))
    return rows


def _filter_by_text(wanted: Wanted) -> QuerySet[Document]:
    """Find what holds each word in the name, in the text or in what is written about it, and not all of them in the name."""
    having = Document.objects.filter(content_hash__in=text_engine.having_any(wanted.held)).values("node_id")
    rows = _narrow(wanted).filter(node_id__in=having.union(remarks.having_any(wanted.held)))
    if len(wanted.held) > 1:
        for term in wanted.held:
            rows = rows.filter(_holds(term) | Q(text_engine.holds(term)) | Q(remarks.holds(term)))
    elif text_engine.is_exact(wanted.held[0]):
        rows = rows.filter(Q(text_engine.holds(wanted.held[0])) | Q(remarks.holds(wanted.held[0])))
    in_name = Q()
    for term in wanted.held:
        in_name &= _holds(term)
    return rows.exclude(in_name)


def _narrow(wanted: Wanted) -> QuerySet[Document]:
    """Leave out what a filter forbids, what holds a word that must not be there, and the trash or everything else."""
    rows = Document.objects.filter(is_trashed=wanted.is_trashed)
    for term in wanted.terms:
        if term.negated:
            rows = rows.exclude(_holds(term)).exclude(text_engine.holds(term)).exclude(remarks.holds(term))
    narrowed = wanted.filters
    if narrowed.excluded_categories is not None:
        rows = rows.exclude(category__in=sorted(narrowed.excluded_categories))
    filters: dict[str, Any] = {
        "category__in": narrowed.categories and sorted(narrowed.categories),
        "is_folder": narrowed.is_folder,
        "media_type": narrowed.media_type,
        "created_by__in": narrowed.owner_ids and sorted(narrowed.owner_ids),
        "modified_at__gte": narrowed.modified_after,
        "modified_at__lt": narrowed.modified_before,
        "size_bytes__gte": narrowed.size_min,
        "size_bytes__lte": narrowed.size_max,
    }
    if narrowed.tag_ids is not None:
        rows = rows.filter(node_id__in=tagged.having_all(narrowed.tag_ids))
    if narrowed.is_locked is not None:
        locked = Q(locked_until__gt=clock.now())
        rows = rows.filter(locked) if narrowed.is_locked else rows.exclude(locked)
    if narrowed.is_held is not None:
        rows = holds.narrow(rows, is_held=narrowed.is_held)
    for one in narrowed.properties or ():
        ids = described.having(one)
        rows = rows.exclude(node_id__in=ids) if one.is_negated else rows.filter(node_id__in=ids)
    return rows.filter(**{name: value for name, value in filters.items() if value is not None})


def _holds(term: Term) -> Q:
    """Say that a name holds a term: a phrase as it stands, a word at the beginning of words or inside."""
    inside = Q(folded__contains=term.text)
    if term.is_phrase or not term.words:
        return inside
    return Q(_HasWords(term.words)) | inside


def _rank(wanted: Wanted) -> Any:
    """Say how well a name fits."""
    terms = wanted.held
    if not terms:
        return Value(INSIDE)
    whole = " ".join(term.text for term in terms)
    cases = [When(folded=whole, then=WHOLE), When(folded__startswith=whole, then=BEGINNING)]
    beginnings = [word for term in terms for word in term.words]
    if beginnings:
        cases.append(When(Q(_HasWords(beginnings)), then=WORDS))
    return Case(*cases, default=INSIDE, output_field=IntegerField())

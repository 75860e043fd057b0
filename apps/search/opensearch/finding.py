"""The OpenSearch engine: candidates from the part that the entered tenant's alias points to, ranked as PostgreSQL ranks them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from apps.search import outgoing, words
from apps.search.dtos import FieldTest, PropertyFilter, SortName
from apps.search.engine import BEGINNING, CONSUMER, INSIDE, TEXT, WHOLE, WORDS, Candidate, Position
from apps.search.holds import Covering
from apps.search.opensearch import client, indices
from apps.search.opensearch.documents import to_microseconds, to_moment, without_signs
from apps.search.parsing import Term, Wanted
from bitvault.events.api import get_position
from bitvault.kernel import clock, tenancy

Query = dict[str, Any]

NAMED = "named"
"""Marks hits whose names alone hold what was asked for."""

EXPANSIONS = 1_000
"""Words with one beginning among which a phrase's last word is looked for."""

SIMILAR_EXPANSIONS = 50


class OpenSearchEngine:
    """Asks OpenSearch for what the entered tenant has.

    :param covering: what holds cover, where it is asked what is on hold.
    """

    def __init__(self, covering: Covering | None = None) -> None:
        self._covering = covering

    @property
    def is_reduced(self) -> bool:
        """Whether it is known not to answer."""
        return client.is_down()

    def get_position(self) -> int:
        """Tell how far the indexer has come, and of that, how much was sent."""
        position = get_position(CONSUMER)
        unsent = outgoing.find_unsent_seq()
        known = position if unsent is None else min(position, unsent - 1)
        return known if self._covering is None else min(known, self._covering.as_of_seq)

    def list_candidates(self, wanted: Wanted, *, sort: SortName, after: Position | None, limit: int) -> list[Candidate]:
        """List what fits by name or text."""
        each = [_any_of([_in_name(term), *_in_text(term)]) for term in wanted.held]
        return self._list(wanted, each, sort=sort, after=after, limit=limit)

    def list_by_name(self, wanted: Wanted, *, sort: SortName, after: Position | None, limit: int) -> list[Candidate]:
        """List what fits by its name alone."""
        return self._list(wanted, [_in_name(term) for term in wanted.held], sort=sort, after=after, limit=limit)

    def list_similar(self, wanted: Wanted, *, limit: int) -> list[UUID]:
        """List what nearly fits: each word may differ by a letter, a long one by two."""
        asked = [word for term in wanted.held for word in term.words]
        if not asked:
            return []
        similar = [
            {"fuzzy": {"words": {"value": word, "fuzziness": "AUTO", "max_expansions": SIMILAR_EXPANSIONS}}}
            for word in asked
        ]
        query = {"bool": {**_narrow(wanted, self._covering), "must": similar}}
        return [UUID(hit["sort"][-1]) for hit in _ask(query, order=["_score", "modified_us"], limit=limit)]

    def list_folders(self, name: str, *, limit: int) -> list[UUID]:
        """List folders of a name, or whose names begin with it."""
        folded = words.fold(name)
        query = {
            "bool": {
                "filter": [
                    {"term": {"is_folder": True}},
                    {"term": {"is_trashed": False}},
                    {"prefix": {"folded": folded}},
                ],
                "must": [_best([({"term": {"folded": folded}}, 1), ({"match_all": {}}, 0)])],
            }
        }
        return [UUID(hit["sort"][-1]) for hit in _ask(query, order=["_score", "modified_us"], limit=limit)]

    def _list(
        self, wanted: Wanted, each: Sequence[Query], *, sort: SortName, after: Position | None, limit: int
    ) -> list[Candidate]:
        is_ranked = sort == "relevance"
        value = "size_bytes" if sort == "size_bytes" else "modified_us"
        narrowed = _narrow(wanted, self._covering)
        narrowed["filter"] += each
        if sort == "size_bytes":
            narrowed["filter"].append({"exists": {"field": "size_bytes"}})
        name = {"bool": {"filter": [_in_name(term) for term in wanted.held] or [{"match_all": {}}], "_name": NAMED}}
        query = {"bool": {**narrowed, "should": [{"constant_score": {"filter": name, "boost": 0}}]}}
        if is_ranked:
            query["bool"]["must"] = [_best(_rank(wanted, name))]
        behind = None if after is None else _to_values(after, sort)
        hits = _ask(query, order=["_score", value] if is_ranked else [value], limit=limit, after=behind)
        return [_to_candidate(hit, sort) for hit in hits]


def _ask(query: Query, *, order: list[str], limit: int, after: list[Any] | None = None) -> list[Any]:
    """Search in the entered tenant's part.

    :raises ServiceDown, Overloaded: OpenSearch does not answer.
    """
    body: dict[str, Any] = {
        "query": query,
        "size": limit,
        "sort": [{field: "desc"} for field in (*order, "node_id")],
        "track_total_hits": False,
        "_source": False,
    }
    if after is not None:
        body["search_after"] = after
    parameters = {"allow_partial_search_results": "false"}
    with client.asked() as opensearch:
        answer = opensearch.search(index=indices.alias_of(tenancy.current().id), body=body, params=parameters)
    hits: list[Any] = answer["hits"]["hits"]
    return hits


def _to_candidate(hit: dict[str, Any], sort: SortName) -> Candidate:
    *scores, value, node_id = hit["sort"]
    rank = round(scores[0]) - 1 if scores else INSIDE
    is_named = NAMED in hit.get("matched_queries", ())
    position = Position(rank, value if sort == "size_bytes" else to_moment(value), UUID(node_id))
    return Candidate(position.node_id, position, by_text=not is_named)


def _to_values(after: Position, sort: SortName) -> list[Any]:
    value = after.value if isinstance(after.value, int) or after.value is None else to_microseconds(after.value)
    return [*([after.rank + 1] if sort == "relevance" else []), value, str(after.node_id)]


def _narrow(wanted: Wanted, covering: Covering | None) -> dict[str, list[Query]]:
    """Leave out what a filter forbids, what holds a word that must not be there, and the trash or everything else."""
    narrowed = wanted.filters
    filters: list[Query] = [{"term": {"is_trashed": wanted.is_trashed}}]
    if narrowed.categories is not None:
        filters.append({"terms": {"category": sorted(narrowed.categories)}})
    if narrowed.is_folder is not None:
        filters.append({"term": {"is_folder": narrowed.is_folder}})
    if narrowed.media_type is not None:
        filters.append({"term": {"media_type": narrowed.media_type}})
    if narrowed.owner_ids is not None:
        filters.append({"terms": {"created_by": sorted(str(owner_id) for owner_id in narrowed.owner_ids)}})
    if narrowed.tag_ids is not None:
        filters += [{"term": {"tag_ids": tag_id}} for tag_id in sorted(str(tag_id) for tag_id in narrowed.tag_ids)]
    left_out: list[Query] = []
    if narrowed.is_locked is not None:
        is_locked = _within("locked_until_us", {"gt": to_microseconds(clock.now())})
        (filters if narrowed.is_locked else left_out).extend(is_locked)
    if covering is not None:
        (filters if narrowed.is_held else left_out).append(_is_held(covering))
    for one in narrowed.properties or ():
        (left_out if one.is_negated else filters).append(_has_property(one))
    times = {"gte": narrowed.modified_after, "lt": narrowed.modified_before}
    sizes = {"gte": narrowed.size_min, "lte": narrowed.size_max}
    filters += _within("modified_us", {key: to_microseconds(time) for key, time in times.items() if time is not None})
    filters += _within("size_bytes", {key: size for key, size in sizes.items() if size is not None})
    negated = [term for term in wanted.terms if term.negated]
    left_out += [each for term in negated for each in (_in_name(term), *_in_text(term))]
    if narrowed.excluded_categories is not None:
        left_out.append({"terms": {"category": sorted(narrowed.excluded_categories)}})
    return {"filter": filters, "must_not": left_out}


def _is_held(covering: Covering) -> Query:
    """Say that something is on hold: a hold names it, or it lies in a folder that is on hold."""
    if covering.is_all:
        return {"match_all": {}}
    named = {"terms": {"held_by": sorted(map(str, covering.policy_ids))}}
    return _any_of([named, {"terms": {"parent_id": sorted(map(str, covering.folder_ids))}}])


def _has_property(wanted: PropertyFilter) -> Query:
    """Say that one of the fields has what is asked for."""
    return _any_of([{"nested": {"path": "metadata", "query": _all_of(_test_value(test))}} for test in wanted.tests])


def _test_value(test: FieldTest) -> list[Query]:
    asked: list[Query] = [{"term": {"metadata.field_id": str(test.field_id)}}]
    if test.text is not None:
        asked.append({"wildcard": {"metadata.text": {"value": f"*{without_signs(test.text)}*"}}})
    if test.ids is not None:
        asked.append({"terms": {"metadata.person_id": sorted(map(str, test.ids))}})
    bounds = {"gte": test.low, "lte": test.high}
    return asked + _within("metadata.number", {key: bound for key, bound in bounds.items() if bound is not None})


def _within(field: str, bounds: Mapping[str, float]) -> list[Query]:
    return [{"range": {field: bounds}}] if bounds else []


def _in_name(term: Term) -> Query:
    """Say that a name holds a term: a phrase as it stands, a word at the beginning of words or inside."""
    inside = {"wildcard": {"inside": {"value": f"*{without_signs(term.text)}*"}}}
    if term.is_phrase or not term.words:
        return inside
    return _any_of([_begins(term.words), inside])


def _begins(beginnings: Sequence[str]) -> Query:
    return {"bool": {"filter": [{"prefix": {"words": word}} for word in beginnings]}}


def _in_text(term: Term) -> list[Query]:
    """Say that a text, or something that is written about a node, holds a term; nothing of a term without words."""
    return [_in_field(term, field) for field in ("text", "remarks") if term.lexemes]


def _in_field(term: Term, field: str) -> Query:
    text = " ".join(term.lexemes)
    if len(term.lexemes) == 1:
        return {"prefix": {field: text}} if term.is_beginning else {"term": {field: text}}
    if term.is_beginning:
        return {"match_phrase_prefix": {field: {"query": text, "max_expansions": EXPANSIONS}}}
    return {"match_phrase": {field: text}}


def _rank(wanted: Wanted, name: Query) -> list[tuple[Query, int]]:
    """Say how well a name fits, and that the text fits at least."""
    terms = wanted.held
    if not terms:
        return [({"match_all": {}}, INSIDE)]
    whole = " ".join(term.text for term in terms)
    cases: list[tuple[Query, int]] = [
        (_all_of([name, {"term": {"folded": whole}}]), WHOLE),
        (_all_of([name, {"prefix": {"folded": whole}}]), BEGINNING),
        (name, INSIDE),
        ({"match_all": {}}, TEXT),
    ]
    beginnings = [word for term in terms for word in term.words]
    if beginnings:
        cases.append((_all_of([name, _begins(beginnings)]), WORDS))
    return cases


def _best(cases: Sequence[tuple[Query, int]]) -> Query:
    """Score by the best rank, and one more: a score of nothing would be none."""
    return {"dis_max": {"queries": [{"constant_score": {"filter": each, "boost": rank + 1}} for each, rank in cases]}}


def _any_of(queries: Sequence[Query]) -> Query:
    return {"bool": {"should": list(queries), "minimum_should_match": 1}}


def _all_of(queries: Sequence[Query]) -> Query:
    return {"bool": {"filter": list(queries)}}

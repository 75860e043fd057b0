"""The door of search."""

from dataclasses import replace
from uuid import UUID

from apps.search import parsing, queries, states
from apps.search.dtos import NO_FILTERS, Filters, Results, SearchedText, SortName, Suggestions
from apps.search.indexing import CONSUMER
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT

__all__ = ["CONSUMER", "get_text_state", "search", "suggest"]


@exposed
def search(
    *,
    actor: Actor,
    text: str = "",
    filters: Filters = NO_FILTERS,
    inside_id: UUID | None = None,
    sort: SortName = "relevance",
    limit: int = PAGE_DEFAULT,
    cursor: str | None = None,
) -> Results:
    """Find live nodes by their names and the text inside them; what the actor may see is judged at this moment, whatever the index says.

    ``text`` takes words, "phrases", -not, and filters (``type:pdf before:2026-01-01 after:2025-12-31 size:>10MB owner:me``); one that is
    given in ``filters`` counts instead. ``inside_id``: only below that folder.

    :raises NothingToSearchFor: neither a word nor a filter is given.
    :raises QueryTooLong, FilterInvalid: ``text`` cannot be read.
    :raises BadCursor: the cursor is of another list.
    """
    actor.require_scope(Scope.FILES_READ)
    wanted = parsing.parse(text, me=actor.user_id)
    wanted = replace(wanted, filters=filters.over(wanted.filters))
    return queries.search(actor, wanted, sort=sort, inside_id=inside_id, limit=limit, cursor=cursor)


@exposed
def get_text_state(*, actor: Actor, node_id: UUID) -> SearchedText:
    """Tell whether the text inside a file is searched, and if not, why.

    :raises NotAFile: the node is a folder.
    """
    actor.require_scope(Scope.FILES_READ)
    return states.get_text_state(actor, node_id)


@exposed
def suggest(*, actor: Actor, text: str) -> Suggestions:
    """Find the eight names that fit best what somebody types.

    :raises QueryTooLong, FilterInvalid: ``text`` cannot be read.
    """
    actor.require_scope(Scope.FILES_READ)
    return Suggestions(queries.suggest(actor, parsing.parse(text, me=actor.user_id)))

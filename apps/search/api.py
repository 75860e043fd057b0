"""The door of search."""

from dataclasses import replace
from uuid import UUID

from apps.search import choosing, contents, counting, forgetting, outgoing, parsing, queries, resolving, states
from apps.search.counting import SINCE
from apps.search.dtos import NO_FILTERS, Filters, IndexState, Results, SearchedText, SortName, Suggestions
from apps.search.engine import CONSUMER
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT

__all__ = [
    "CONSUMER",
    "SINCE",
    "build_outside_index",
    "count_index",
    "find_engine",
    "get_position",
    "get_text_state",
    "list_filters",
    "read_failed_again",
    "search",
    "suggest",
]


@exposed
def search(
    *,
    actor: Actor,
    text: str = "",
    filters: Filters = NO_FILTERS,
    tag: str | None = None,
    inside_id: UUID | None = None,
    trashed: bool = False,
    facets: bool = False,
    sort: SortName = "relevance",
    limit: int = PAGE_DEFAULT,
    cursor: str | None = None,
) -> Results:
    """Find live nodes by their names, the text inside them and what is written about them, in comments and descriptions.

    What the actor may see is judged at this moment, whatever the index says.

    ``text`` takes words, "phrases", -not, and filters (``type:pdf before:2026-01-01 size:>10MB owner:anna tag:urgent in:Reports
    locked:yes held:yes status:open``, where there is a field "Status" of metadata);
    one that is given in ``filters`` counts instead.

    :param tag: only what has this tag too, by its name or id.
    :param inside_id: only below that folder, instead of those in ``text``.
    :param trashed: only what was put into the trash; ``in:trash`` says the same.
    :param facets: count what was found by kind, type, owner, tag and time.
    :raises NothingToSearchFor: neither a word nor a filter is given.
    :raises QueryTooLong, FilterInvalid: ``text`` cannot be read, or names a person, tag or folder that there is not.
    :raises BadCursor: the cursor is of another list.
    """
    actor.require_scope(Scope.FILES_READ)
    fields = resolving.find_fields(actor, text)
    wanted = parsing.parse(text, me=actor.user_id, field_keys=fields.keys())
    wanted = replace(wanted, filters=filters.over(wanted.filters), is_trashed=wanted.is_trashed or trashed)
    if tag is not None:
        wanted = replace(wanted, tag_names=(*wanted.tag_names, tag))
    engine = choosing.choose(wanted)
    wanted = resolving.resolve(actor, wanted, engine=engine, fields=fields, inside_id=inside_id)
    found = queries.search(actor, wanted, engine=engine, sort=sort, limit=limit, cursor=cursor)
    found = replace(found, items=queries.mark(actor, found.items))
    counted = counting.count(actor, wanted, engine) if facets else None
    return replace(found, facets=counted, is_names_only=engine.is_reduced)


@exposed
def list_filters(*, actor: Actor, text: str) -> list[tuple[str, str]]:
    """List the filters in what somebody typed (``type:pdf``), each with the text that is left when it is taken away."""
    return parsing.list_filters(text, resolving.find_fields(actor, text).keys())


@exposed
def count_index() -> IndexState:
    """Count what the index of the entered tenant holds, and which texts are not searched: for operators."""
    return states.count_index()


@exposed
def get_position() -> int:
    """Tell up to which number of the stream searches of the entered tenant know everything."""
    return choosing.choose().get_position()


@exposed
def find_engine() -> str:
    """Name the engine that this installation has chosen, with the version that answers.

    :raises ServiceDown: it does not answer.
    """
    return choosing.find_engine()


@exposed
def build_outside_index() -> bool:
    """Have the entered tenant's index built in OpenSearch, beside the one that is searched; false where that engine is not chosen."""
    return outgoing.request_build()


@exposed
def read_failed_again() -> int:
    """Have texts of the entered tenant read again that could not be for a reason that was not the file's; returns how many, 500 at most."""
    return contents.ask_for_failed()


@exposed
def get_text_state(*, actor: Actor, node_id: UUID) -> SearchedText:
    """Tell whether the text inside a file is searched, and if not, why.

    :raises NotAFile: the node is a folder.
    """
    actor.require_scope(Scope.FILES_READ)
    return states.get_text_state(actor, node_id)


@exposed
def suggest(*, actor: Actor, text: str) -> Suggestions:
    """Find the eight names that fit best what somebody types, and up to three people who are called so.

    :raises QueryTooLong, FilterInvalid: ``text`` cannot be read.
    """
    actor.require_scope(Scope.FILES_READ)
    fields = resolving.find_fields(actor, text)
    wanted = parsing.parse(text, me=actor.user_id, field_keys=fields.keys())
    engine = choosing.choose(wanted)
    wanted = resolving.resolve(actor, wanted, engine=engine, fields=fields)
    return Suggestions(queries.suggest(actor, wanted, engine), resolving.suggest_people(actor, text))


@exposed
def forget_tenant(*, tenant_id: UUID) -> None:
    """Delete what the server of the search engine keeps of a tenant that is deleted; done again it changes nothing.

    :raises ServiceDown: it does not answer, or has not deleted all yet.
    """
    forgetting.forget_tenant(tenant_id)

"""What can be wrong with a search."""

from bitvault.kernel.errors import Invalid


class NothingToSearchFor(Invalid):
    """A search needs a word or a filter."""

    code = "search.nothing_to_search_for"
    title = "Type a word, or choose a filter"


class QueryTooLong(Invalid):
    """The query has more characters or words than are looked for; facts: ``limit``, ``unit``."""

    code = "search.query_too_long"
    title = "The search has too many words"


class FilterInvalid(Invalid):
    """A filter such as ``size:>10MB`` or ``before:2026-01-01`` cannot be read; facts: ``filter``, ``value``."""

    code = "search.filter_invalid"
    title = "A filter cannot be read"

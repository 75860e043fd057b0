"""Which engine answers a search: OpenSearch where it is chosen and the tenant's index there is whole, else PostgreSQL."""

from uuid import UUID

import structlog

from apps.search import holds, outgoing
from apps.search.dtos import SortName
from apps.search.engine import Candidate, Engine, Position
from apps.search.parsing import Wanted
from apps.search.postgresql_engine import PostgreSQLEngine
from bitvault.kernel import db
from bitvault.kernel.errors import Unavailable

HELD_FOLDERS_LIMIT = 50_000
"""Folders on hold that a question to OpenSearch names; with more PostgreSQL answers. The server takes 65,536."""

logger = structlog.get_logger(__name__)


def choose(wanted: Wanted | None = None) -> Engine:
    """Choose the engine for one search of the entered tenant: PostgreSQL's, too, for what an index of an earlier edition does not know."""
    if not outgoing.is_chosen():
        return PostgreSQLEngine()
    wanted = wanted or Wanted()
    with db.read_transaction():
        live = outgoing.find_live()
        is_about_holds = live is not None and wanted.filters.is_held is not None
        covering = holds.find_covering(limit=HELD_FOLDERS_LIMIT) if is_about_holds else None
    if live is None or (is_about_holds and covering is None):
        return PostgreSQLEngine()
    # Its libraries are loaded where it is chosen, and nowhere else.
    from apps.search.opensearch import indices
    from apps.search.opensearch.finding import OpenSearchEngine

    if indices.edition_of(live) < _tell_edition(wanted):
        return PostgreSQLEngine()
    return FallingBackEngine(OpenSearchEngine(covering))


def _tell_edition(wanted: Wanted) -> int:
    """Tell which edition of documents knows everything that is asked for."""
    from apps.search.opensearch import documents

    if wanted.properties or wanted.filters.is_held is not None:
        return documents.METADATA_SINCE
    if wanted.terms or wanted.filters.is_locked is not None:
        return documents.WRITTEN_SINCE
    return documents.TAGS_SINCE if wanted.tag_names else 0


def find_engine() -> str:
    """Name the engine that is chosen, with the version that answers.

    :raises ServiceDown: it does not answer.
    """
    if not outgoing.is_chosen():
        return "PostgreSQL"
    from apps.search.opensearch import client

    with client.lent() as opensearch:
        return f"OpenSearch {opensearch.info()['version']['number']}"


class FallingBackEngine:
    """An engine with PostgreSQL behind it, where names are found while it does not answer; from then on, for the rest of the search."""

    def __init__(self, first: Engine) -> None:
        self._first = first
        self._names = PostgreSQLEngine()
        self.is_reduced = False

    def get_position(self) -> int:
        """Tell how far the index has come that answers."""
        return (self._names if self.is_reduced or self._first.is_reduced else self._first).get_position()

    def list_candidates(self, wanted: Wanted, *, sort: SortName, after: Position | None, limit: int) -> list[Candidate]:
        """List what fits by name or text, or by its name alone."""
        if not self.is_reduced:
            try:
                return self._first.list_candidates(wanted, sort=sort, after=after, limit=limit)
            except Unavailable as error:
                self._reduce(error)
        return self._names.list_by_name(wanted, sort=sort, after=after, limit=limit)

    def list_by_name(self, wanted: Wanted, *, sort: SortName, after: Position | None, limit: int) -> list[Candidate]:
        """List what fits by its name alone."""
        if not self.is_reduced:
            try:
                return self._first.list_by_name(wanted, sort=sort, after=after, limit=limit)
            except Unavailable as error:
                self._reduce(error)
        return self._names.list_by_name(wanted, sort=sort, after=after, limit=limit)

    def list_similar(self, wanted: Wanted, *, limit: int) -> list[UUID]:
        """List what nearly fits."""
        if not self.is_reduced:
            try:
                return self._first.list_similar(wanted, limit=limit)
            except Unavailable as error:
                self._reduce(error)
        return self._names.list_similar(wanted, limit=limit)

    def list_folders(self, name: str, *, limit: int) -> list[UUID]:
        """List folders of a name, or whose names begin with it."""
        if not self.is_reduced:
            try:
                return self._first.list_folders(name, limit=limit)
            except Unavailable as error:
                self._reduce(error)
        return self._names.list_folders(name, limit=limit)

    def _reduce(self, error: Unavailable) -> None:
        self.is_reduced = True
        logger.warning("search_reduced_to_names", error=error.code)

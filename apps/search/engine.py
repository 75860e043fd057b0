"""What an engine of search is: it finds candidates, best first, and knows how far it has come.

Two stand behind this port. PostgreSQL's (``postgresql_engine``) reads the module's own tables, which hold everything; OpenSearch's
(``opensearch``) reads an index that is filled from these tables. Neither knows who asks: what somebody may see is judged of the candidates.
Both are asked outside of transactions.

A word fits where a word of the name begins with it, or where it stands anywhere inside the name. How well decides the order: the whole
name, its beginning, beginnings of words, then what stands inside; of equal ones the latest change first. What holds the words in its text,
or some there and others in its name, comes after all of these.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from apps.search.dtos import SortName
from apps.search.parsing import Wanted

CONSUMER = "search"
"""Under which name search reads the stream."""

SHAPE = 4
"""The shape of documents: to be raised when more is kept of nodes, or when OpenSearch's mapping changes. What has a lower one is rebuilt,
tenant by tenant, and sent to indexes of this number."""

WHOLE, BEGINNING, WORDS, INSIDE, TEXT = 4, 3, 2, 1, 0
"""How well a node fits: by its whole name, the beginning of it, of its words, inside of them, or by the text in it."""


class Position(NamedTuple):
    """Where a page ends: the values that the order goes by. It is the same for each engine, so that pages outlive a switch."""

    rank: int
    value: datetime | int | None
    node_id: UUID


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that fits; whether the caller may see it is not known here. With ``by_text`` its name alone does not."""

    node_id: UUID
    position: Position
    by_text: bool = False


class Engine(Protocol):
    """Finds candidates in the entered tenant's index."""

    @property
    def is_reduced(self) -> bool:
        """Whether names alone were looked at because the engine does not answer."""

    def get_position(self) -> int:
        """Tell up to which number of the stream the index has come."""

    def list_candidates(self, wanted: Wanted, *, sort: SortName, after: Position | None, limit: int) -> list[Candidate]:
        """List what fits, best first, from behind a position on. By relevance, names come before texts."""

    def list_by_name(self, wanted: Wanted, *, sort: SortName, after: Position | None, limit: int) -> list[Candidate]:
        """List what fits by its name alone, as ``list_candidates`` does."""

    def list_similar(self, wanted: Wanted, *, limit: int) -> list[UUID]:
        """List what nearly fits, most similar first: names whose words differ by a letter or two."""

    def list_folders(self, name: str, *, limit: int) -> list[UUID]:
        """List folders of a name, or whose names begin with it, those first that are called just so."""

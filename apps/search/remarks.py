"""What is written about nodes, comments and descriptions: which of them hold words, as events and Annotations tell it.

An event says that something was written, not what: from then on it is not found until a job has read it (``remarking``). What is gone
leaves the index with its event.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.search import contents, text_engine, words
from apps.search.models import Remark
from apps.search.parsing import Term
from bitvault.jobs import api as jobs

READ_JOB = "search.read_remarks"


class ReadRemarks(msgspec.Struct, frozen=True):
    """All comments and descriptions that have changed are to be read."""


@dataclass(frozen=True, slots=True)
class RemarkBatch:
    """What events say of comments and descriptions, in their order."""

    written: dict[UUID, Remark] = field(default_factory=dict)
    gone: dict[UUID, int] = field(default_factory=dict)

    def write_down(self, remark_id: UUID, *, node_id: UUID, thread_id: UUID | None, seq: int) -> None:
        """Say that something was written, or changed, at a number of the stream."""
        self.gone.pop(remark_id, None)
        self.written[remark_id] = Remark(remark_id=remark_id, node_id=node_id, thread_id=thread_id, seq=seq)

    def remove(self, remark_id: UUID, *, seq: int) -> None:
        """Say that it is gone at a number of the stream, with the replies to it."""
        for written in [remark_id, *(key for key, row in self.written.items() if row.thread_id == remark_id)]:
            self.written.pop(written, None)
        self.gone[remark_id] = seq

    def write(self, *, purged: Collection[UUID]) -> set[UUID]:
        """Write all of it by a few statements; what the index knows to be newer stays. Returns the nodes about which it knows less now."""
        changed: set[UUID] = set()
        for remark_id, seq in self.gone.items():
            known_gone = Remark.objects.filter(Q(remark_id=remark_id) | Q(thread_id=remark_id), seq__lt=seq)
            changed.update(known_gone.values_list("node_id", flat=True))
            known_gone.delete()
        wanted = {remark_id: row for remark_id, row in self.written.items() if row.node_id not in purged}
        known = dict(Remark.objects.filter(remark_id__in=wanted).values_list("remark_id", "seq")) if wanted else {}
        rows = [row for remark_id, row in wanted.items() if known.get(remark_id, 0) < row.seq]
        if rows:
            Remark.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["remark_id"], update_fields=["seq", "text", "vector"]
            )
            changed.update(row.node_id for row in rows if row.remark_id in known)
            jobs.enqueue(READ_JOB, ReadRemarks(), key=str(max(row.seq for row in rows)), by=jobs.SYSTEM)
        if purged:
            Remark.objects.filter(node_id__in=list(purged)).delete()
        return changed


def write_vector(text: str) -> str:
    """Write the words of a text, each with its places."""
    return contents.write_places(list(words.read_words(text)))


def holds(term: Term) -> Exists:
    """Whether something that is written about a document's node holds a term."""
    if not term.lexemes:
        return Exists(Remark.objects.none())
    return Exists(Remark.objects.filter(text_engine.matches([term]), node_id=OuterRef("node_id")))


def having_any(terms: Sequence[Term]) -> QuerySet[Any, Any]:
    """Find the nodes about which something is written that holds one of these terms, by their ids."""
    held = [term for term in terms if term.lexemes]
    rows = Remark.objects.filter(text_engine.matches(held)) if held else Remark.objects.none()
    return rows.values("node_id")


def find_best(node_ids: Collection[UUID], terms: Sequence[Term]) -> Mapping[UUID, UUID]:
    """Find what is written about each of these nodes that holds the most of the terms, the latest of equal ones, by one statement."""
    held = [term for term in terms if term.lexemes]
    if not held or not node_ids:
        return {}
    rows = Remark.objects.filter(text_engine.matches(held), node_id__in=list(node_ids))
    number = {f"has_{at}": text_engine.matches([term]) for at, term in enumerate(held)}
    found = rows.annotate(**number).order_by("remark_id").values_list("node_id", "remark_id", *number)
    best: dict[UUID, tuple[int, UUID]] = {}
    for node_id, remark_id, *has in found:
        best[node_id] = max(best.get(node_id, (0, remark_id)), (sum(has), remark_id))
    return {node_id: remark_id for node_id, (_, remark_id) in best.items()}


def find_written_about(node_ids: Collection[UUID]) -> set[UUID]:
    """Find those of some nodes about which something is written that was read, inside the open transaction."""
    rows = Remark.objects.filter(node_id__in=list(node_ids)).exclude(vector=None)
    return set(rows.values_list("node_id", flat=True))


def find_written(node_ids: Iterable[UUID], *, limit_characters: int) -> dict[UUID, list[str]]:
    """Find what is written about nodes, the latest first and as much of it as is given, inside the open transaction."""
    found: dict[UUID, list[str]] = {}
    room: dict[UUID, int] = {}
    rows = Remark.objects.filter(node_id__in=list(node_ids)).exclude(vector=None).order_by("-remark_id")
    for node_id, text in rows.values_list("node_id", "text").iterator():
        room[node_id] = room.get(node_id, limit_characters) - len(text)
        if room[node_id] >= 0:
            found.setdefault(node_id, []).append(text)
    return found

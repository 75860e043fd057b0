"""What is on legal hold, as events tell it: for the filter ``held:yes`` and for the count beside a search.

A hold names nodes, and with each all below it. It names its folder, what has its tag or has had it since, and what leaves a folder that it
covers: the same that Files keeps. So what happens to a folder rewrites nothing below.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, F, Func, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Greatest

from apps.search import sql
from apps.search.engine import CONSUMER
from apps.search.models import Document, Held, Hold, Tagged
from bitvault.events.api import get_position

Rows = TypeVar("Rows", bound=QuerySet[Document])


@dataclass(frozen=True, slots=True)
class _Told:
    """What one event says of holds, or of what they follow."""

    seq: int
    what: Literal["start", "lift", "tag", "place"]
    node_id: UUID | None = None
    policy_id: UUID | None = None
    tag_ids: Collection[UUID] = ()
    is_vault: bool = False
    old_parent_id: UUID | None = None
    parent_id: UUID | None = None


@dataclass(slots=True)
class HoldBatch:
    """What events say of holds, in their order."""

    told: list[_Told] = field(default_factory=list)

    def start(self, policy_id: UUID, *, node_id: UUID | None, tag_id: UUID | None, seq: int) -> None:
        """Say that something is on hold: a folder, a tag, or where neither is named the whole vault."""
        tag_ids = () if tag_id is None else (tag_id,)
        is_vault = node_id is None and tag_id is None
        self.told.append(_Told(seq, "start", node_id, policy_id, tag_ids, is_vault=is_vault))

    def lift(self, policy_id: UUID, *, seq: int) -> None:
        """Say that a hold is over."""
        self.told.append(_Told(seq, "lift", policy_id=policy_id))

    def tag(self, node_id: UUID, tag_ids: Collection[UUID], *, seq: int) -> None:
        """Say which tags a node has."""
        self.told.append(_Told(seq, "tag", node_id, tag_ids=tag_ids))

    def place(self, node_id: UUID, *, old_parent_id: UUID | None, parent_id: UUID | None, seq: int) -> None:
        """Say where a node lies now, and where it lay."""
        self.told.append(_Told(seq, "place", node_id, old_parent_id=old_parent_id, parent_id=parent_id))

    def write(self, *, purged: Collection[UUID]) -> set[UUID]:
        """Write all of it, before documents and tags are written: places are those of before these events.

        Returns the nodes that further holds name now.
        """
        named_ids: set[UUID] = set()
        if self.told:
            holds = {hold.policy_id: hold for hold in Hold.objects.all()}
            if holds or any(one.what == "start" for one in self.told):
                named_ids = _Writing(holds, self.told).write()
        if purged:
            Held.objects.filter(node_id__in=list(purged)).delete()
        return named_ids


class _Writing:
    """Events applied one after another, over what the tables said before them."""

    def __init__(self, holds: dict[UUID, Hold], told: list[_Told]) -> None:
        self._holds = holds
        self._told = told
        moved = [one for one in told if one.what == "place"]
        starts = {one for each in moved for one in (each.old_parent_id, each.parent_id) if one is not None}
        self._parents = _read_parents(starts)
        named = {*self._parents, *starts, *(one.node_id for one in told if one.node_id is not None)}
        rows = Held.objects.filter(node_id__in=list(named)).values_list("node_id", "policy_ids")
        self._named = {node_id: set(policy_ids) for node_id, policy_ids in rows}
        self._changed: set[UUID] = set()
        self._tags: dict[UUID, Collection[UUID]] = {}
        self._lifted: set[UUID] = set()

    def write(self) -> set[UUID]:
        for one in self._told:
            getattr(self, f"_{one.what}")(one)
        if self._changed:
            Held.objects.bulk_create(
                [Held(node_id=node_id, policy_ids=sorted(self._named[node_id])) for node_id in self._changed],
                update_conflicts=True,
                unique_fields=["node_id"],
                update_fields=["policy_ids"],
            )
        for policy_id in self._lifted:
            having = Held.objects.filter(policy_ids__contains=[policy_id])
            having.update(policy_ids=Func(F("policy_ids"), Value(policy_id), function="array_remove"))
        if self._lifted:
            Hold.objects.filter(policy_id__in=self._lifted).delete()
            Held.objects.filter(policy_ids=[]).delete()
        Hold.objects.update(seq=Greatest(F("seq"), self._told[-1].seq))
        return self._changed

    def _start(self, one: _Told) -> None:
        if one.policy_id is None or one.policy_id in self._holds:
            return
        hold = Hold(
            policy_id=one.policy_id,
            tag_id=next(iter(one.tag_ids), None),
            is_of_vault=one.is_vault,
            seq=one.seq,
        )
        hold.save(force_insert=True)
        self._holds[hold.policy_id] = hold
        if one.node_id is not None:
            self._name(one.node_id, hold.policy_id)
        if hold.tag_id is not None:
            self._name_tagged(hold, hold.tag_id)

    def _name_tagged(self, hold: Hold, tag_id: UUID) -> None:
        having = set(Tagged.objects.filter(tag_ids__contains=[tag_id]).values_list("node_id", flat=True))
        for node_id, tag_ids in self._tags.items():
            (having.add if tag_id in tag_ids else having.discard)(node_id)
        unread = having - self._named.keys()
        rows = Held.objects.filter(node_id__in=list(unread)).values_list("node_id", "policy_ids")
        self._named |= {node_id: set(policy_ids) for node_id, policy_ids in rows}
        for node_id in having:
            self._name(node_id, hold.policy_id)

    def _lift(self, one: _Told) -> None:
        if one.policy_id is not None and self._holds.pop(one.policy_id, None) is not None:
            self._lifted.add(one.policy_id)

    def _tag(self, one: _Told) -> None:
        if one.node_id is None:
            return
        self._tags[one.node_id] = one.tag_ids
        for hold in self._list_older(one.seq):
            if hold.tag_id in one.tag_ids:
                self._name(one.node_id, hold.policy_id)

    def _place(self, one: _Told) -> None:
        """Let what leaves a covered folder stay covered."""
        if one.node_id is None:
            return
        left = self._list_covering(one.old_parent_id) - self._list_covering(one.parent_id)
        for hold in self._list_older(one.seq):
            if hold.policy_id in left:
                self._name(one.node_id, hold.policy_id)
        self._parents[one.node_id] = one.parent_id

    def _list_older(self, seq: int) -> list[Hold]:
        """List the holds that do not know an event yet."""
        return [hold for hold in self._holds.values() if hold.seq < seq]

    def _list_covering(self, node_id: UUID | None) -> set[UUID]:
        found: set[UUID] = set()
        passed: set[UUID] = set()
        # Rows that a rebuild has read at different instants may lie in each other until the stream is read.
        while node_id is not None and node_id not in passed:
            passed.add(node_id)
            found |= self._named.get(node_id, set())
            node_id = self._parents.get(node_id)
        return found

    def _name(self, node_id: UUID, policy_id: UUID) -> None:
        policy_ids = self._named.setdefault(node_id, set())
        if policy_id not in policy_ids:
            policy_ids.add(policy_id)
            self._changed.add(node_id)


def _read_parents(node_ids: Iterable[UUID]) -> dict[UUID, UUID | None]:
    with connection.cursor() as cursor:
        cursor.execute(sql.ABOVE, [list(node_ids)])
        return dict(cursor.fetchall())


def narrow(rows: Rows, *, is_held: bool) -> Rows:
    """Leave what is on hold, or what is not, inside the open transaction."""
    if Hold.objects.filter(is_of_vault=True).exists():
        return rows if is_held else rows.none()
    return rows.filter(RawSQL(sql.IS_HELD if is_held else f"NOT {sql.IS_HELD}", [], BooleanField()))  # noqa: S611 - constants


@dataclass(frozen=True, slots=True)
class Covering:
    """What an engine elsewhere needs to tell what is on hold: which holds name a node, its document says, and in which folder it lies."""

    is_all: bool
    """A hold covers the vault."""
    policy_ids: Collection[UUID]
    """The holds in force; what one of them names is on hold."""
    folder_ids: Collection[UUID]
    """The folders on hold; what lies in one of them is, too."""
    as_of_seq: int
    """Up to which number of the stream this is known."""


def find_covering(*, limit: int) -> Covering | None:
    """Find the holds in force and the folders that they cover, inside the open transaction; None where these are more than ``limit``."""
    as_of_seq = get_position(CONSUMER)
    holds = dict(Hold.objects.values_list("policy_id", "is_of_vault"))
    if not holds or any(holds.values()):
        return Covering(is_all=bool(holds), policy_ids=holds.keys(), folder_ids=(), as_of_seq=as_of_seq)
    with connection.cursor() as cursor:
        cursor.execute(sql.HELD_FOLDERS, [limit + 1])
        folder_ids = [node_id for (node_id,) in cursor.fetchall()]
    if len(folder_ids) > limit:
        return None
    return Covering(is_all=False, policy_ids=holds.keys(), folder_ids=folder_ids, as_of_seq=as_of_seq)


def find_named(node_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Find which holds name nodes, inside the open transaction."""
    return dict(Held.objects.filter(node_id__in=list(node_ids)).values_list("node_id", "policy_ids"))


def count_held(node_ids: Collection[UUID]) -> int:
    """Count those of some nodes that are on hold, inside the open transaction: from them upwards, for below holds may be everything."""
    holds = dict(Hold.objects.values_list("policy_id", "is_of_vault")) if node_ids else {}
    if not holds or any(holds.values()):
        return len(node_ids) if holds else 0
    parents = _read_parents(node_ids)
    named = Held.objects.filter(node_id__in=list(parents), policy_ids__overlap=list(holds))
    covered: dict[UUID | None, bool] = {None: False, **dict.fromkeys(named.values_list("node_id", flat=True), True)}
    return sum(_is_covered(node_id, parents, covered) for node_id in node_ids)


def _is_covered(node_id: UUID | None, parents: Mapping[UUID, UUID | None], covered: dict[UUID | None, bool]) -> bool:
    """Tell whether a node, or something above it, is covered, and remember it of each on the way."""
    passed: list[UUID] = []
    while node_id is not None and node_id not in covered:
        passed.append(node_id)
        # Rows that a rebuild has read at different instants may lie in each other until the stream is read.
        covered[node_id] = False
        node_id = parents.get(node_id)
    is_covered = covered[node_id]
    covered.update(dict.fromkeys(passed, is_covered))
    return is_covered

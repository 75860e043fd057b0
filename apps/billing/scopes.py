"""Limits of members and team folders: what lies below a root, live, with all its versions; the trash counts for the vault alone.

What is used is what the meter has counted, a moment late. So whatever was promised below a limited root counts until it is given up, or
until the meter has passed the number of the stream at which it was surely there: too much for a moment, never too little.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from django.db.models import Q, Sum
from django.utils.translation import gettext_noop as _

from apps.billing import dtos, models, queries
from apps.billing.errors import LimitsUnfit, QuotaExceeded
from apps.billing.metering import CONSUMER
from bitvault.events.api import get_head, get_position, publish
from bitvault.events.catalog.billing import ScopeLimitChanged
from bitvault.kernel import db, tenancy
from bitvault.kernel.actor import Actor, ActorKind
from bitvault.kernel.permissions import Permission
from bitvault.kernel.remembered import Remembered

NO_ROOM_THERE = _(
    "The limit of these files is reached. Delete something there, or ask an administrator for a higher limit."
)

USER, FOLDER = "user", "folder"

_remembered: Remembered[UUID, frozenset[UUID]] = Remembered()


@dataclass(slots=True)
class Room:
    """What a limited root has left, while its row is locked."""

    scope: str
    limit_bytes: int
    used_bytes: int
    reserved_bytes: int

    def takes(self, size_bytes: int) -> bool:
        """Promise room, if there is as much."""
        if self.used_bytes + self.reserved_bytes + size_bytes > self.limit_bytes:
            return False
        self.reserved_bytes += size_bytes
        return True

    def refuse(self, actor: Actor | None, size_bytes: int) -> QuotaExceeded:
        """Say why something finds no room there. How much another person keeps is told to those who administer alone, nothing to links."""
        facts: dict[str, int | str] = {"requested_bytes": size_bytes}
        is_own = actor is None or actor.may(Permission.MANAGE_BILLING) or self.scope == scope_of(user_id=actor.user_id)
        is_colleague = actor is None or actor.kind is ActorKind.USER
        if is_own or (is_colleague and self.scope.startswith(FOLDER)):
            facts |= {
                "scope": self.scope,
                "limit_bytes": self.limit_bytes,
                "used_bytes": self.used_bytes,
                "reserved_bytes": self.reserved_bytes,
            }
        return QuotaExceeded(NO_ROOM_THERE, **facts)


def scope_of(*, user_id: UUID | None = None, folder_id: UUID | None = None) -> str:
    """Name the scope of a member or of a team folder."""
    return f"{USER}:{user_id}" if user_id is not None else f"{FOLDER}:{folder_id}"


def find_limited(root_ids: Iterable[UUID | None]) -> frozenset[UUID]:
    """Tell which of these roots have a limit, as of 0.8 s ago at most: most tenants have none, and pay nothing."""
    limited = _remembered.get(tenancy.current().id, _read_limited)
    return frozenset() if not limited else limited & {one for one in root_ids if one is not None}


def has_any() -> bool:
    """Tell whether any root of the tenant has a limit, as of 0.8 s ago at most."""
    return bool(_remembered.get(tenancy.current().id, _read_limited))


def forget() -> None:
    """Ask anew: a limit has changed in this process."""
    _remembered.forget()


def _read_limited() -> frozenset[UUID]:
    with db.read_transaction():
        return frozenset(models.ScopeLimit.objects.filter(limit_bytes__isnull=False).values_list("root_id", flat=True))


def get_meter_position() -> int:
    """Tell up to where the meter has counted. Asked before ``lock_rooms``: an older number counts more as promised."""
    return get_position(CONSUMER)


def lock_rooms(root_ids: Collection[UUID], position: int) -> dict[UUID, Room]:
    """Lock the limits of roots inside the open transaction, and tell what each has left."""
    rows = models.ScopeLimit.objects.select_for_update().filter(root_id__in=root_ids, limit_bytes__isnull=False)
    limits = {row.root_id: row for row in rows.order_by("scope")}
    used, reserved = _measure(limits, position)
    return {
        root_id: Room(row.scope, row.limit_bytes or 0, used.get(root_id, 0), reserved.get(root_id, 0))
        for root_id, row in limits.items()
    }


def _measure(root_ids: Collection[UUID], position: int) -> tuple[dict[UUID, int], dict[UUID, int]]:
    """Tell what is used below roots, and what is promised there or not metered yet."""
    used = models.RootUsage.objects.filter(root_id__in=root_ids).values_list("root_id", "used_bytes")
    is_open = Q(settled_seq__isnull=True, state__in=("held", "settled")) | Q(settled_seq__gt=position)
    promised = models.Reservation.objects.filter(is_open, root_id__in=root_ids)
    sums = promised.order_by().values_list("root_id").annotate(size=Sum("size_bytes"))
    return dict(used), dict(sums)


def note_settled(upload_ids: Collection[UUID]) -> None:
    """Note at which number of the stream these uploads were surely told of."""
    head = get_head()
    with db.write_transaction():
        settled = models.Reservation.objects.filter(upload_id__in=upload_ids, root_id__isnull=False)
        settled.update(settled_seq=head)


def find_room(root_id: UUID | None) -> Room | None:
    """Tell what a root has left, if it has a limit."""
    if root_id is None or not find_limited([root_id]):
        return None
    position = get_meter_position()
    with db.write_transaction():
        return lock_rooms([root_id], position).get(root_id)


def set_limit(*, scope: str, root_id: UUID, limit_bytes: int | None, warn_bytes: int | None, by: Actor) -> None:
    """Limit what lies below a root, or take that back (``None`` for both)."""
    if limit_bytes is not None and warn_bytes is not None and warn_bytes > limit_bytes:
        raise LimitsUnfit(limit_bytes=limit_bytes, warn_bytes=warn_bytes)
    kind, _colon, subject = scope.partition(":")
    with db.write_transaction():
        before = models.ScopeLimit.objects.select_for_update().filter(scope=scope).first()
        if (
            (before.limit_bytes, before.warn_bytes) == (limit_bytes, warn_bytes)
            if before
            else not (limit_bytes is not None or warn_bytes is not None)
        ):
            return
        if limit_bytes is None and warn_bytes is None:
            models.ScopeLimit.objects.filter(scope=scope).delete()
        else:
            models.ScopeLimit.objects.update_or_create(
                scope=scope, defaults={"root_id": root_id, "limit_bytes": limit_bytes, "warn_bytes": warn_bytes}
            )
        publish(
            ScopeLimitChanged(
                actor_id=by.user_id,
                user_id=UUID(subject) if kind == USER else None,
                node_id=UUID(subject) if kind == FOLDER else None,
                limit_bytes=limit_bytes,
                warn_bytes=warn_bytes,
            )
        )
    forget()


def list_limits() -> list[tuple[str, UUID]]:
    """List the scopes that have a limit, or a figure to warn at, with their roots."""
    with db.read_transaction():
        return list(models.ScopeLimit.objects.order_by("scope").values_list("scope", "root_id"))


def list_quotas(roots: Mapping[str, UUID]) -> list[dtos.Quota]:
    """Tell of the room of scopes, each with its root: what the vault has left bounds it as well."""
    if not roots:
        return []
    position = get_meter_position()
    with db.read_transaction():
        vault = queries.read_quota()
        limits = {row.scope: row for row in models.ScopeLimit.objects.filter(scope__in=roots)}
        used, reserved = _measure(list(roots.values()), position)
    found = []
    for scope, root_id in roots.items():
        row = limits.get(scope)
        own = None if row is None else row.limit_bytes
        has, promised = used.get(root_id, 0), reserved.get(root_id, 0)
        left = vault.available_bytes if own is None else min(vault.available_bytes, max(0, own - has - promised))
        found.append(
            replace(
                vault,
                scope=scope,
                limit_bytes=vault.limit_bytes if own is None else min(own, vault.limit_bytes),
                own_limit_bytes=own,
                warn_bytes=None if row is None else row.warn_bytes,
                given_bytes=vault.limit_bytes,
                used_bytes=has,
                reserved_bytes=promised,
                available_bytes=left,
            )
        )
    return found

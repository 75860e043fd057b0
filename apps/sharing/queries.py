"""What sharing reads."""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Case, Q, QuerySet, SmallIntegerField, When

from apps.identity import api as identity
from apps.identity.dtos import Member, NamedGroup, User
from apps.sharing import dtos, sql
from apps.sharing.models import LeftShare, Permission, PrincipalKind
from bitvault.kernel import clock, db, pages
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.capabilities import NO_REACH, Reach, names_of
from bitvault.kernel.remembered import Remembered
from bitvault.kernel.tenancy import Tenant

EVERYONE = dtos.SharePrincipal(type="everyone", id=None, name="Everyone")

_FAVOURITES_FIRST = "sharing.with_me.favourites"

_reaches: Remembered[tuple[UUID, tuple[UUID, ...]], Reach] = Remembered()


def forget_remembered() -> None:
    """Make this process ask the database again: a permission was changed here."""
    _reaches.forget()


def find_reach(actor: Actor, *, fresh: bool) -> Reach:
    """Find the permissions that an actor has; remembered for under a second, unless they must be ``fresh``."""
    if fresh:
        return _ask_reach(actor.user_id, actor.principal_ids)
    key = (actor.tenant.id, actor.principal_ids)
    return _reaches.get(key, lambda: _ask_reach(actor.user_id, actor.principal_ids)) or NO_REACH


def _ask_reach(user_id: UUID, principal_ids: Collection[UUID]) -> Reach:
    rows = db.read_alone(sql.REACH, {"user_id": user_id, "principal_ids": list(principal_ids), "now": clock.now()})
    if not rows:
        return NO_REACH
    lasting: dict[UUID, int] = {}
    timed: dict[UUID, tuple[tuple[int, datetime], ...]] = {}
    for node_id, mask, expires_at in rows:
        if expires_at is None:
            lasting[node_id] = mask
        else:
            timed[node_id] = (*timed.get(node_id, ()), (mask, expires_at))
    return Reach(lasting, timed)


def list_node_ids(*, after: UUID | None, limit: int) -> list[UUID]:
    """Read the next ids of nodes that have permissions of people, ended ones too."""
    rows = Permission.objects.exclude(principal_kind=PrincipalKind.LINK)
    if after is not None:
        rows = rows.filter(node_id__gt=after)
    return list(rows.order_by("node_id").values_list("node_id", flat=True).distinct()[:limit])


def list_of_node(node_id: UUID) -> list[Permission]:
    """Read the permissions that stand on a node and have not ended, first given first. Links are listed by their own door."""
    return list(
        holding().filter(node_id=node_id).exclude(principal_kind=PrincipalKind.LINK).order_by("granted_at", "id")
    )


def list_of_nodes(node_ids: Collection[UUID]) -> list[Permission]:
    """Read the permissions that stand on several nodes and have not ended, first given first; links are left out."""
    rows = holding().filter(node_id__in=node_ids).exclude(principal_kind=PrincipalKind.LINK)
    return list(rows.order_by("granted_at", "id"))


def find(share_id: UUID) -> Permission | None:
    """Find a permission by its id."""
    return holding().filter(id=share_id).exclude(principal_kind=PrincipalKind.LINK).first()


def holding() -> QuerySet[Permission]:
    """Select what has not ended."""
    now = clock.now()
    return Permission.objects.filter(expires_at__isnull=True) | Permission.objects.filter(expires_at__gt=now)


def list_with(
    actor: Actor, wanted: dtos.Received, *, favourite_ids: Collection[UUID], limit: int, cursor: str | None
) -> tuple[list[Permission], str | None]:
    """Read a page of what others have shared with an actor and they have not left, newest first, or their favourites before all else."""
    rows = holding().filter(principal_id__in=actor.principal_ids).exclude(granted_by=actor.user_id)
    rows = rows.exclude(id__in=LeftShare.objects.filter(user_id=actor.user_id).values("share_id"))
    if wanted.only_favourites:
        return _newest_first("sharing.with_me", rows.filter(node_id__in=favourite_ids), limit=limit, cursor=cursor)
    if wanted.sort == "favourites":
        return _favourites_first(rows, favourite_ids, limit=limit, cursor=cursor)
    return _newest_first("sharing.with_me", rows, limit=limit, cursor=cursor)


def list_by(actor: Actor, *, limit: int, cursor: str | None) -> tuple[list[Permission], str | None]:
    """Read a page of what an actor has shared, newest first."""
    rows = holding().filter(granted_by=actor.user_id).exclude(principal_kind=PrincipalKind.LINK)
    return _newest_first("sharing.by_me", rows, limit=limit, cursor=cursor)


def _newest_first(
    purpose: str, rows: QuerySet[Permission], *, limit: int, cursor: str | None
) -> tuple[list[Permission], str | None]:
    pages.require_limit(limit)
    if cursor is not None:
        before, before_id = pages.decode_cursor(purpose, cursor)
        moment = datetime.fromisoformat(before)
        rows = rows.filter(granted_at__lte=moment).exclude(granted_at=moment, id__gte=UUID(before_id))
    found = list(rows.order_by("-granted_at", "-id")[: limit + 1])
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], pages.encode_cursor(purpose, [last.granted_at.isoformat(), str(last.id)])


def _favourites_first(
    rows: QuerySet[Permission], favourite_ids: Collection[UUID], *, limit: int, cursor: str | None
) -> tuple[list[Permission], str | None]:
    """Read favourites first and all else behind them, each newest first."""
    pages.require_limit(limit)
    rows = rows.annotate(
        behind=Case(When(node_id__in=favourite_ids, then=0), default=1, output_field=SmallIntegerField())
    )
    if cursor is not None:
        behind, before, before_id = pages.decode_cursor(_FAVOURITES_FIRST, cursor)
        moment = datetime.fromisoformat(before)
        older = Q(granted_at__lt=moment) | Q(granted_at=moment, id__lt=UUID(before_id))
        rows = rows.filter(Q(behind__gt=behind) | Q(older, behind=behind))
    found: list[Permission] = list(rows.order_by("behind", "-granted_at", "-id")[: limit + 1])
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    position = [int(last.node_id not in favourite_ids), last.granted_at.isoformat(), str(last.id)]
    return found[:limit], pages.encode_cursor(_FAVOURITES_FIRST, position)


def find_people(tenant: Tenant, user_ids: Collection[UUID]) -> dict[UUID, User]:
    """Find people who are let into the tenant, with their addresses."""
    members = identity.find_members(tenant=tenant, user_ids=user_ids)
    return {member.user.id: member.user for member in members if member.state == "active"}


def search_candidates(tenant: Tenant, text: str, *, limit: int) -> list[dtos.SharePrincipal]:
    """Find people and groups by a text, groups first; of many groups a third of the room."""
    found = identity.search_directory(tenant=tenant, text=text, limit=limit)
    people = [to_principal(member) for member in found.people]
    groups = [to_group_principal(group) for group in found.groups]
    room = max(limit - len(people), min(len(groups), limit // 3))
    return [*groups[:room], *people[: limit - len(groups[:room])]]


def describe_people(tenant: Tenant, user_ids: Iterable[UUID]) -> dict[UUID, dtos.SharePrincipal]:
    """Find what to call people of the tenant; who has left it is left out."""
    wanted = set(user_ids)
    if not wanted:
        return {}
    members = identity.find_members(tenant=tenant, user_ids=wanted)
    return {member.user.id: to_principal(member) for member in members}


def to_principal(member: Member) -> dtos.SharePrincipal:
    """Give a member as one who has a share."""
    user = member.user
    return dtos.SharePrincipal(
        type="user",
        id=user.id,
        name=user.name or user.email,
        email=user.email,
        is_guest=member.role is Role.GUEST,
    )


def to_invited(email: str) -> dtos.SharePrincipal:
    """Give an address that is invited as one that has a share."""
    return dtos.SharePrincipal(type="email", id=None, name=email, email=email, is_guest=True)


def describe_named(
    tenant: Tenant, *, user_ids: Iterable[UUID], group_ids: Iterable[UUID]
) -> dict[UUID, dtos.SharePrincipal]:
    """Find what to call people and groups of the tenant; those that it does not have are left out. Nobody in a group is counted."""
    found = describe_people(tenant, user_ids)
    wanted = set(group_ids)
    groups = identity.find_groups(tenant=tenant, group_ids=wanted) if wanted else []
    return {**found, **{group.id: to_group_principal(group) for group in groups}}


def name_principals(tenant: Tenant, ids: Collection[UUID]) -> dict[UUID, str]:
    """Find what to call people, groups and invited addresses by their ids, whichever they are."""
    named = describe_named(tenant, user_ids=ids, group_ids=ids)
    invited = identity.find_invited(tenant=tenant, invitation_ids=ids) if len(named) < len(set(ids)) else {}
    return {**{one: principal.name for one, principal in named.items()}, **invited}


def to_group_principal(group: NamedGroup) -> dtos.SharePrincipal:
    """Give a group as one that has a share."""
    return dtos.SharePrincipal(type="group", id=group.id, name=group.name)


def describe(tenant: Tenant, rows: Collection[Permission]) -> dict[UUID, dtos.SharePrincipal]:
    """Find who has permissions, by permission; who has left, groups that were deleted and invitations that have ended are left out."""
    invitation_ids = [row.principal_id for row in rows if row.principal_kind == PrincipalKind.EMAIL]
    invited = identity.find_invited(tenant=tenant, invitation_ids=invitation_ids) if invitation_ids else {}
    named = describe_named(
        tenant,
        user_ids=[row.principal_id for row in rows if row.principal_kind == PrincipalKind.USER],
        group_ids=[row.principal_id for row in rows if row.principal_kind == PrincipalKind.GROUP],
    )
    found = {}
    for row in rows:
        if row.principal_kind == PrincipalKind.EVERYONE:
            found[row.id] = EVERYONE
        elif row.principal_kind == PrincipalKind.EMAIL:
            if row.principal_id in invited:
                found[row.id] = to_invited(invited[row.principal_id])
        elif row.principal_id in named:
            found[row.id] = named[row.principal_id]
    return found


def to_shares(tenant: Tenant, rows: Collection[Permission]) -> list[dtos.Share]:
    """Give permissions as shares, with names; those of people who have left and of deleted groups are left out."""
    principals = describe(tenant, rows)
    return [to_share(row, principals[row.id]) for row in rows if row.id in principals]


def to_share(row: Permission, principal: dtos.SharePrincipal) -> dtos.Share:
    """Give a permission as a share."""
    return dtos.Share(
        id=row.id,
        node_id=row.node_id,
        principal=principal,
        role=row.role,
        capabilities=names_of(row.capabilities),
        expires_at=row.expires_at,
        granted_by=row.granted_by,
        granted_at=row.granted_at,
    )

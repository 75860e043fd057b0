"""What identity reads of people: who belongs to a tenant, and who is invited."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, DateTimeField, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Greatest

from apps.identity import dtos, models, queries, roles
from bitvault.kernel import clock
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.errors import NotFound
from bitvault.kernel.pages import Page
from bitvault.kernel.permissions import Permission
from bitvault.kernel.tenancy import Tenant


def get_tenant(slug: str) -> Tenant:
    """Read a tenant by its slug, suspended or not.

    :raises NotFound: there is none.
    """
    row = models.Tenant.objects.filter(slug=slug).first()
    if row is None:
        raise NotFound("There is no tenant %(slug)s.", slug=slug)
    return queries.to_tenant(row)


def to_member(row: models.Membership, *, last_seen_at: datetime | None = None) -> dtos.Member:
    """Give a membership with its person."""
    return dtos.Member(
        id=row.id,
        user=queries.to_user(row.user),
        role=Role(row.role),
        state=row.state,  # type: ignore[arg-type] # the column holds no other
        created_at=row.created_at,
        last_seen_at=last_seen_at,
        custom_role=roles.to_named(row.custom_role),
    )


def list_members(
    actor: Actor,
    *,
    text: str,
    role: Role | None,
    role_id: UUID | None,
    state: dtos.MemberState | None,
    limit: int,
    cursor: str | None,
) -> Page[dtos.Member]:
    """List the people in a tenant, newest first, with when each was last here; guests where their role is asked for."""
    rows = models.Membership.objects.filter(tenant_id=actor.tenant.id).select_related("user", "custom_role")
    rows = rows.exclude(role=Role.GUEST.value) if role is None else rows.filter(role=role.value, custom_role=None)
    if role_id is not None:
        rows = rows.filter(custom_role_id=role_id)
    if state is not None:
        rows = rows.filter(state=state)
    if text:
        rows = rows.filter(
            Q(user__name__icontains=text) | Q(user__email__icontains=text) | Q(user__claimed_email__icontains=text)
        )
    page = queries.newest_first("identity.members", _with_last_seen(rows), limit=limit, cursor=cursor)
    return page.map(lambda row: to_member(row, last_seen_at=row.last_seen_at))


def _with_last_seen(rows: "QuerySet[models.Membership]") -> "QuerySet[models.Membership]":
    """Tell of each when a browser or a program of theirs was last here; both are noted once a minute."""
    sessions = models.Session.objects.filter(tenant_id=OuterRef("tenant_id"), user_id=OuterRef("user_id"))
    tokens = models.ApiToken.objects.filter(tenant_id=OuterRef("tenant_id"), user_id=OuterRef("user_id"))
    return rows.annotate(
        last_seen_at=Greatest(
            Subquery(_latest(sessions, "last_seen_at"), output_field=DateTimeField()),
            Subquery(_latest(tokens, "last_used_at"), output_field=DateTimeField()),
        )
    )


def _latest(rows: "QuerySet[Any]", column: str) -> "QuerySet[Any]":
    latest: QuerySet[Any] = rows.order_by().values("user_id").annotate(latest=Max(column)).values("latest")
    return latest


def find_members(tenant: Tenant, user_ids: Collection[UUID]) -> list[dtos.Member]:
    """Find those of some people who are members of a tenant, by name."""
    rows = models.Membership.objects.filter(tenant_id=tenant.id, user_id__in=list(user_ids)).select_related(
        "user", "custom_role"
    )
    return [to_member(row) for row in rows.order_by("user__name", "user__email", "user__claimed_email")]


def find_viewers(tenant: Tenant, user_ids: Collection[UUID]) -> dict[UUID, dtos.Viewer]:
    """Find those of some people who are let in, each as the actor that they would be at their browser, without a session."""
    rows = _active(tenant).filter(user_id__in=list(user_ids)).select_related("user", "custom_role")
    held: dict[UUID, set[UUID]] = {}
    inside = models.GroupMember.objects.filter(user_id__in=list(user_ids), group__tenant_id=tenant.id)
    for user_id, *group_ids in inside.values_list("user_id", "group_id", "group__parent_id"):
        held.setdefault(user_id, set()).update(one for one in group_ids if one is not None)
    return {
        row.user_id: dtos.Viewer(
            actor=Actor(
                tenant=tenant,
                user_id=row.user_id,
                role=Role(row.role),
                groups=tuple(sorted(held.get(row.user_id, ()))),
                given=roles.find_given(row.custom_role),
            ),
            user=queries.to_user(row.user),
        )
        for row in rows
    }


def list_ids(tenant: Tenant, *, permission: Permission | None = None, group_id: UUID | None = None) -> list[UUID]:
    """List the members who are let in; those with a permission, where one is named; of a group and of those in it, where one is."""
    rows = _active(tenant).exclude(role=Role.GUEST.value)
    if permission is not None:
        rows = rows.filter(roles.having(permission))
    if group_id is not None:
        inside = models.GroupMember.objects.filter(Q(group_id=group_id) | Q(group__parent_id=group_id))
        rows = rows.filter(user_id__in=inside.filter(group__tenant_id=tenant.id).values("user_id"))
    return list(rows.order_by("user_id").values_list("user_id", flat=True))


def count(tenant: Tenant) -> tuple[int, int]:
    """Count the members who are let in, and the guests."""
    is_guest = Q(role=Role.GUEST.value)
    found = _active(tenant).aggregate(members=Count("pk", filter=~is_guest), guests=Count("pk", filter=is_guest))
    return found["members"], found["guests"]


def _active(tenant: Tenant) -> "QuerySet[models.Membership]":
    return models.Membership.objects.filter(
        tenant_id=tenant.id, state=models.MembershipState.ACTIVE, user__is_active=True
    )


def find_member_by_address(tenant: Tenant, email: str) -> dtos.Member | None:
    """Find the member of a tenant whose proved address this is."""
    address = queries.find_email(email)
    if address is None:
        return None
    row = (
        models.Membership.objects.filter(tenant_id=tenant.id, user__email=address)
        .select_related("user", "custom_role")
        .first()
    )
    return None if row is None else to_member(row)


def find_standing(tenant: Tenant, user_id: UUID) -> dtos.Standing | None:
    """Find what somebody is in a tenant, deactivated or not; ``None`` for who is no member."""
    rows = models.Membership.objects.filter(tenant_id=tenant.id, user_id=user_id).select_related("user", "custom_role")
    row = rows.first()
    if row is None:
        return None
    inside = models.GroupMember.objects.filter(user_id=user_id, group__tenant_id=tenant.id)
    pairs = inside.values_list("group_id", "group__parent_id")
    return dtos.Standing(
        to_member(row),
        sorted({one for pair in pairs for one in pair if one is not None}),
        roles.permissions_of(Role(row.role), row.custom_role),
    )


def search_directory(tenant: Tenant, text: str, *, limit: int) -> dtos.Directory:
    """Find people and groups by a part of their name, people also by one of their address."""
    rows = models.Membership.objects.filter(tenant_id=tenant.id, state=models.MembershipState.ACTIVE)
    named = models.Group.objects.filter(tenant_id=tenant.id)
    if text:
        rows = rows.filter(
            Q(user__name__icontains=text) | Q(user__email__icontains=text) | Q(user__claimed_email__icontains=text)
        )
        named = named.filter(name__icontains=text)
    members = rows.select_related("user", "custom_role").order_by("user__name", "user__email", "id")[:limit]
    return dtos.Directory(
        people=[to_member(row) for row in members],
        groups=[dtos.NamedGroup(row.id, row.name, row.parent_id) for row in named.order_by("name", "id")[:limit]],
    )


def find_member(tenant: Tenant, member_id: UUID) -> models.Membership | None:
    """Find a member by the id of the membership or of its person."""
    rows = models.Membership.objects.filter(tenant_id=tenant.id).select_related("user", "custom_role")
    return rows.filter(Q(id=member_id) | Q(user_id=member_id)).first()


def find_succession(tenant: Tenant, user_id: UUID) -> dtos.Succession | None:
    """Tell who has now what somebody held who has left; ``None`` for who is a member, or never was one.

    Successors may have left since, each with one of their own. Where the last of them is not known any more, an owner has it.
    """
    left: list[UUID] = []
    holder_id = user_id
    while not models.Membership.objects.filter(tenant_id=tenant.id, user_id=holder_id).exists():
        left.append(holder_id)
        rows = models.Departure.objects.filter(tenant_id=tenant.id, user_id=holder_id)
        next_id = rows.values_list("successor_id", flat=True).first()
        holder_id = next_id if next_id is not None and next_id not in left else find_owner(tenant, other_than=user_id)
    people = {person.id: person for person in models.User.objects.filter(pk__in=left)}
    if not left or user_id not in people:
        return None
    guests = set(
        models.Departure.objects.filter(tenant_id=tenant.id, user_id__in=left, was_guest=True).values_list(
            "user_id", flat=True
        )
    )
    former = [
        dtos.FormerMember(user_id=one, name=people[one].name or people[one].shown_email, was_guest=one in guests)
        for one in left
    ]
    return dtos.Succession(left=tuple(former), successor_id=holder_id)


def find_owner(tenant: Tenant, *, other_than: UUID) -> UUID:
    """Find the owner who has been in the tenant for longest, of those who are let in; the invariants say that there is one."""
    owners = models.Membership.objects.filter(
        tenant_id=tenant.id, role=Role.OWNER.value, state=models.MembershipState.ACTIVE
    )
    return owners.exclude(user_id=other_than).order_by("id")[0].user_id


# --- invitations -----------------------------------------------------------------------------------------------------------


def find_invited(tenant: Tenant, invitation_ids: Collection[UUID]) -> dict[UUID, str]:
    """Find the addresses of invitations that nobody has accepted yet, by invitation."""
    rows = models.Invitation.objects.filter(tenant_id=tenant.id, pk__in=list(invitation_ids))
    return dict(rows.values_list("id", "email"))


def list_invitations(actor: Actor, *, limit: int, cursor: str | None) -> Page[dtos.Invitation]:
    """List who is invited to a tenant and has not come, newest first; expired ones too, for they can be sent again."""
    rows = (
        models.Invitation.objects.filter(tenant_id=actor.tenant.id)
        .select_related("invited_by", "custom_role")
        .defer("code_hash")
    )
    return queries.newest_first("identity.invitations", rows, limit=limit, cursor=cursor).map(to_invitation)


def to_invitation(row: models.Invitation) -> dtos.Invitation:
    """Give an invitation as those see it who may invite."""
    inviter = row.invited_by
    return dtos.Invitation(
        id=row.id,
        email=row.email,
        role=Role(row.role),
        message=row.message,
        state="pending" if row.expires_at > clock.now() else "expired",
        invited_by=None if inviter is None else dtos.Inviter(id=inviter.id, name=inviter.name or inviter.shown_email),
        created_at=row.created_at,
        sent_at=row.sent_at,
        expires_at=row.expires_at,
        custom_role=roles.to_named(row.custom_role),
    )


def to_opened(row: models.Invitation, *, has_account: bool) -> dtos.OpenedInvitation:
    """Give an invitation as its invited person sees it."""
    inviter = row.invited_by
    return dtos.OpenedInvitation(
        tenant=dtos.TenantInfo(id=row.tenant.id, slug=row.tenant.slug, name=row.tenant.name),
        email=row.email,
        role=Role(row.role),
        message=row.message,
        invited_by="" if inviter is None else inviter.name or inviter.shown_email,
        expires_at=row.expires_at,
        has_account=has_account,
        about=row.about,
        role_name="" if row.custom_role is None else row.custom_role.name,
    )


def has_address(user_id: UUID, email: str) -> bool:
    """Tell whether an address is somebody's who is let in."""
    return models.User.objects.filter(pk=user_id, email=email, is_active=True).exists()

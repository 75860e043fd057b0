"""The page of a vault's people: who is in it, as what, when they were last here, and who is invited. Changes go over REST."""

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from apps.identity import api
from apps.identity.dtos import Invitation, Member
from apps.identity.ui.roles import LABELS, hint_of, label_of, value_of
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.permissions import SEEING_MEMBERS, Permission
from bitvault.web.pages import MemberPage, PersonRequest
from bitvault.web.viewer import initials

MEMBERS = "/members/"

PAGE_SIZE = 100
"""People of one page: more than a team has, and drawn at once."""

GIVEN_FIRST = (Role.MEMBER, Role.VIEWER, Role.ADMIN, Role.OWNER)
"""The order in which built-in roles are offered: what most people get comes first."""


class Members(MemberPage):
    """The people of the vault."""

    section = "members"
    permissions = SEEING_MEMBERS

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show a page of them, filtered by what the address says, and who is invited."""
        actor = request.actor
        wanted = {"q": request.GET.get("q", "").strip()[:254], "role": request.GET.get("role", "")}
        role = Role(wanted["role"]) if wanted["role"] in set(Role) else None
        role_id = None if role is not None else _read_id(wanted["role"])
        page = api.list_members(
            actor=actor,
            text=wanted["q"],
            role=role,
            role_id=role_id,
            limit=PAGE_SIZE,
            cursor=request.GET.get("cursor") or None,
        )
        is_first = "cursor" not in request.GET
        guests = (
            api.list_members(actor=actor, text=wanted["q"], role=Role.GUEST, limit=PAGE_SIZE)
            if is_first and role is None and role_id is None
            else None
        )
        more = {**{name: value for name, value in wanted.items() if value}, "cursor": page.next_cursor}
        roles = api.list_roles(actor=actor)
        given = sorted(
            (one for one in roles if one.can_give),
            key=lambda one: GIVEN_FIRST.index(one.built_in) if one.built_in else len(GIVEN_FIRST),
        )
        may_invite = actor.may(Permission.INVITE_MEMBERS)
        context = {
            "people": [_describe(member, actor) for member in page.items],
            "more": f"{MEMBERS}?{urlencode(more)}" if page.next_cursor else "",
            "is_first": is_first,
            "guests": [_describe(guest, actor) for guest in guests.items] if guests is not None else [],
            "more_guests": guests is not None and guests.next_cursor is not None,
            "wanted": wanted,
            "roles": [(value_of(one), label_of(one)) for one in roles],
            "given_roles": [(value_of(one), label_of(one), hint_of(one)) for one in given],
            "may_invite": may_invite and bool(given),
            "invitations": [
                {"facts": one, "role": _name_role(one)}
                for one in (api.list_invitations(actor=actor).items if may_invite else [])
            ],
        }
        return render(request, "identity/members.html", context)


def _read_id(text: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(text)
    return None


def _name_role(one: Member | Invitation) -> Any:
    return LABELS[one.role] if one.custom_role is None else one.custom_role.name


def _describe(member: Member, actor: Actor) -> dict[str, Any]:
    """Give a member as the page shows them, and whether the reader may change them."""
    user = member.user
    return {
        "facts": member,
        "name": user.name or user.email,
        "initials": initials(user.name, user.email),
        "role": _name_role(member),
        "role_value": member.role.value if member.custom_role is None else str(member.custom_role.id),
        "is_self": user.id == actor.user_id,
        "may_change": actor.may(Permission.MANAGE_MEMBERS)
        and (member.role is not Role.OWNER or actor.role is Role.OWNER),
    }

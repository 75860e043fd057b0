"""The page of those who administer a vault: who is in it, as what, when they were last here, and who is invited. Changes go over REST."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from apps.identity import api
from apps.identity.dtos import Member
from apps.identity.ui.settings import ROLES
from bitvault.kernel.actor import Actor, Role
from bitvault.web.pages import MemberPage, PersonRequest
from bitvault.web.viewer import initials

MEMBERS = "/members/"

PAGE_SIZE = 100
"""People of one page: more than a team has, and drawn at once."""

HINTS: dict[Role, Any] = {
    Role.OWNER: _("Everything, and decides who administers the vault"),
    Role.ADMIN: _("Invites people and manages team folders"),
    Role.MEMBER: _("Keeps files and works in team folders"),
    Role.VIEWER: _("Looks at what others have opened to them"),
    Role.GUEST: _("Sees what was shared with them, and nothing else"),
}
"""What a role is good for, beside its name where one is chosen."""


class Members(MemberPage):
    """The people of the vault."""

    section = "members"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show a page of them, filtered by what the address says, and who is invited."""
        actor = request.actor
        wanted = {"q": request.GET.get("q", "").strip()[:254], "role": request.GET.get("role", "")}
        role = Role(wanted["role"]) if wanted["role"] in set(Role) else None
        page = api.list_members(
            actor=actor, text=wanted["q"], role=role, limit=PAGE_SIZE, cursor=request.GET.get("cursor") or None
        )
        is_first = "cursor" not in request.GET
        guests = (
            api.list_members(actor=actor, text=wanted["q"], role=Role.GUEST, limit=PAGE_SIZE)
            if is_first and role is None
            else None
        )
        more = {**{name: value for name, value in wanted.items() if value}, "cursor": page.next_cursor}
        context = {
            "people": [_describe(member, actor) for member in page.items],
            "more": f"{MEMBERS}?{urlencode(more)}" if page.next_cursor else "",
            "is_first": is_first,
            "guests": [_describe(guest, actor) for guest in guests.items] if guests is not None else [],
            "more_guests": guests is not None and guests.next_cursor is not None,
            "wanted": wanted,
            "roles": [(role.value, ROLES[role]) for role in Role],
            "given_roles": [
                (one.value, ROLES[one], HINTS[one])
                for one in (Role.MEMBER, Role.VIEWER, Role.ADMIN, Role.OWNER)
                if one is not Role.OWNER or actor.role is Role.OWNER
            ],
            "invitations": [{"facts": one, "role": ROLES[one.role]} for one in api.list_invitations(actor=actor).items],
        }
        return render(request, "identity/members.html", context)


def _describe(member: Member, actor: Actor) -> dict[str, Any]:
    """Give a member as the page shows them, and whether the reader may change them."""
    user = member.user
    return {
        "facts": member,
        "name": user.name or user.email,
        "initials": initials(user.name, user.email),
        "role": ROLES[member.role],
        "is_self": user.id == actor.user_id,
        "may_change": member.role is not Role.OWNER or actor.role is Role.OWNER,
    }

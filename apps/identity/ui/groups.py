"""The pages of groups: which there are, and who is in one. Changes go over REST."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from apps.identity import api
from bitvault.kernel.errors import NotFound
from bitvault.kernel.permissions import Permission
from bitvault.web.pages import MemberPage, PersonRequest
from bitvault.web.viewer import initials


class Groups(MemberPage):
    """The groups of the vault."""

    section = "groups"
    permissions = (Permission.MANAGE_GROUPS,)

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show them by name, each below the one that it lies in."""
        found = sorted(api.list_groups(actor=request.actor, limit=1000).items, key=lambda group: group.name.casefold())
        tops = [group for group in found if group.parent_id is None]
        ordered = [(one, is_inner) for top in tops for one, is_inner in _family(top, found)]
        context = {"groups": ordered, "tops": tops}
        return render(request, "identity/groups.html", context)


class GroupPage(MemberPage):
    """One group and its people."""

    section = "groups"
    permissions = (Permission.MANAGE_GROUPS,)

    def get(self, request: PersonRequest, group_id: UUID) -> HttpResponse:
        """Show who is in it."""
        actor = request.actor
        found = api.find_groups(tenant=actor.tenant, group_ids=[group_id])
        if not found:
            raise NotFound
        members = api.list_group_members(actor=actor, group_id=group_id, limit=1000).items
        people: list[dict[str, Any]] = [
            {
                "facts": member,
                "name": member.user.name or member.user.email,
                "initials": initials(member.user.name, member.user.email),
            }
            for member in members
        ]
        context = {"group": found[0], "people": people}
        return render(request, "identity/group.html", context)


def _family(top: Any, found: list[Any]) -> list[tuple[Any, bool]]:
    return [(top, False), *((one, True) for one in found if one.parent_id == top.id)]

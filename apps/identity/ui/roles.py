"""The page of a vault's roles: what each allows, in plain words, and who has it. Changes go over REST."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from apps.identity import api
from apps.identity.dtos import TenantRole
from bitvault.kernel.actor import Role
from bitvault.kernel.permissions import CHOOSABLE, OF_MEMBERS, Permission
from bitvault.web.pages import MemberPage, PersonRequest

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

LABELS: dict[Role, "StrOrPromise"] = {
    Role.OWNER: _("Owner"),
    Role.ADMIN: _("Administrator"),
    Role.MEMBER: _("Member"),
    Role.VIEWER: _("Viewer"),
    Role.GUEST: _("Guest"),
}

HINTS: dict[Role, "StrOrPromise"] = {
    Role.OWNER: _("Everything, and decides who administers the vault"),
    Role.ADMIN: _("Invites people and manages team folders"),
    Role.MEMBER: _("Keeps files and works in team folders"),
    Role.VIEWER: _("Looks at what others have opened to them"),
    Role.GUEST: _("Sees what was shared with them, and nothing else"),
}
"""What a role is good for, beside its name where one is chosen."""

BASE_HINTS: dict[Role, "StrOrPromise"] = {
    Role.MEMBER: _("A role of your own; works with files as members do"),
    Role.VIEWER: _("A role of your own; looks at files as viewers do"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """A permission in plain words."""

    permission: Permission
    label: "StrOrPromise"
    hint: "StrOrPromise"


WORDS = (
    Words(Permission.INVITE_MEMBERS, _("Invite members"), _("Sends, repeats and withdraws invitations.")),
    Words(
        Permission.MANAGE_MEMBERS,
        _("Manage members"),
        _("Gives roles, deactivates people and removes them from the vault."),
    ),
    Words(Permission.MANAGE_ROLES, _("Manage roles"), _("Makes and changes roles like this one.")),
    Words(Permission.MANAGE_GROUPS, _("Manage groups"), _("Makes groups and says who is in them.")),
    Words(
        Permission.MANAGE_TEAM_FOLDERS,
        _("Manage team folders"),
        _("Makes team folders, sees everything in them and shares them."),
    ),
    Words(Permission.MANAGE_TAGS, _("Manage tags"), _("Renames and deletes tags that others use.")),
    Words(
        Permission.MANAGE_RETENTION,
        _("Manage retention"),
        _("Puts files on legal hold, lifts holds, and says how long files are kept."),
    ),
    Words(
        Permission.MANAGE_METADATA,
        _("Manage metadata"),
        _("Makes the templates whose fields people fill in on files and folders."),
    ),
    Words(Permission.SHARE_OUTSIDE, _("Share with guests"), _("Shares with people who are not in the vault.")),
    Words(Permission.MAKE_LINKS, _("Make links"), _("Makes public links and file requests.")),
    Words(Permission.SEE_AUDIT, _("See the audit log"), _("Sees what everybody did, and exports it.")),
    Words(Permission.MANAGE_BILLING, _("Manage storage and plan"), _("Sees usage, and limits what people may store.")),
    Words(Permission.MANAGE_WEBHOOKS, _("Manage webhooks"), _("Tells other programs what happens in the vault.")),
    Words(
        Permission.MANAGE_SETTINGS, _("Manage settings"), _("Sets name, language, features and the rules for sharing.")
    ),
    Words(Permission.DELETE_VAULT, _("Delete the vault"), _("Only owners may.")),
)


def label_of(role: TenantRole) -> "StrOrPromise":
    """Name a role as pages do."""
    return role.name if role.built_in is None else LABELS[role.built_in]


def hint_of(role: TenantRole) -> "StrOrPromise":
    """Say what a role is good for."""
    return BASE_HINTS[role.base] if role.built_in is None else HINTS[role.built_in]


def value_of(role: TenantRole) -> str:
    """Give what addresses and forms name a role by: the key of a built-in one, the id of one of the vault's own."""
    return str(role.id) if role.built_in is None else role.built_in.value


class Roles(MemberPage):
    """The roles of the vault."""

    section = "roles"
    permissions = (Permission.MANAGE_ROLES,)

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show them, what each allows, and what the reader may put into one."""
        actor = request.actor
        found = api.list_roles(actor=actor)
        shown = [_describe(role) for role in found]
        context = {
            "roles": shown,
            "matrix": [
                {
                    "words": words,
                    "cells": [(one["label"], words.permission in one["facts"].permissions) for one in shown],
                }
                for words in WORDS
            ],
            "choices": [
                {"words": words, "is_usual": words.permission in OF_MEMBERS, "may": actor.may(words.permission)}
                for words in WORDS
                if words.permission in CHOOSABLE
            ],
            "may_edit_files": not Role.MEMBER.ceiling & ~actor.role.ceiling,
            "successors": [one for one in shown if one["can_succeed"]],
        }
        return render(request, "identity/roles.html", context)


def _describe(role: TenantRole) -> dict[str, Any]:
    return {
        "facts": role,
        "label": label_of(role),
        "hint": hint_of(role),
        "value": value_of(role),
        "may_change": role.built_in is None and role.can_give,
        "can_succeed": role.can_give and role.built_in is not Role.OWNER,
        "permissions": " ".join(role.permissions),
    }

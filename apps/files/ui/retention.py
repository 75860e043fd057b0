"""The page of legal holds and retention rules, and what the details panel says of a node that one covers. Changes go over REST."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.files.api import retention
from apps.files.dtos.retention import Retention, RetentionPolicy
from bitvault.kernel.pages import PAGE_LIMIT
from bitvault.kernel.permissions import Permission
from bitvault.web.pages import MemberPage, PersonRequest, read_ids

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

LIFTED = 20
"""Lifted ones on the page; REST has the others."""

NOTHING = 204


@dataclass(frozen=True, slots=True)
class Shown:
    """A hold or a rule as its line says it."""

    policy: RetentionPolicy
    about: "StrOrPromise"
    effects: list[str]


class RetentionPage(MemberPage):
    """All holds and rules."""

    section = "settings"
    permissions = (Permission.MANAGE_RETENTION,)

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show them, and the form for a new one."""
        in_force = retention.list_policies(actor=request.actor, limit=PAGE_LIMIT).items
        lifted = retention.list_policies(actor=request.actor, lifted=True, limit=LIFTED)
        shown = [_show(policy) for policy in in_force]
        context = {
            "tab": "retention",
            "holds": [one for one in shown if one.policy.kind == "hold"],
            "rules": [one for one in shown if one.policy.kind == "rule"],
            "lifted": [_show(policy) for policy in lifted.items],
            "has_more_lifted": lifted.next_cursor is not None,
        }
        return render(request, "files/retention.html", context)


class NodeRetention(MemberPage):
    """What keeps a node."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Say it of one node in plain words; of one that nothing covers there is nothing to say."""
        ids = read_ids(request)
        if len(ids) != 1:
            return HttpResponse(status=NOTHING)
        found = retention.list_retention(actor=request.actor, node_id=ids[0])
        if not found:
            return HttpResponse(status=NOTHING)
        context = {"lines": [_describe(one) for one in found]}
        return render(request, "files/details_retention.html", context)


@dataclass(frozen=True, slots=True)
class Line:
    """What one hold or rule does to a node."""

    is_hold: bool
    name: str
    kept: str
    kept_until: datetime | None
    deleted: str
    deleted_at: datetime | None


def _describe(one: Retention) -> Line:
    keeps, deletes = one.keep_days, one.delete_after_days
    return Line(
        is_hold=one.kind == "hold",
        name=one.name,
        kept="" if keeps is None else say_kept(keeps),
        kept_until=one.kept_until,
        deleted="" if deletes is None else say_deleted(deletes),
        deleted_at=one.deleted_at,
    )


def say_kept(days: int) -> str:
    """Say how long a rule keeps."""
    return ngettext("Kept for %(days)s day", "Kept for %(days)s days", days) % {"days": days}


def say_deleted(days: int) -> str:
    """Say when a rule deletes."""
    said = ngettext("Moved to trash after %(days)s day", "Moved to trash after %(days)s days", days)
    return said % {"days": days}


_ABOUT: "dict[str, StrOrPromise]" = {
    "vault": _("The whole vault"),
    "person": _("The files of a former member"),
    "folder": _("A folder that you cannot see"),
    "tag": _("A tag"),
}


def _show(policy: RetentionPolicy) -> Shown:
    named = {
        "person": gettext("All files of %(name)s"),
        "folder": gettext("The folder %(name)s"),
        "tag": gettext("Everything with the tag %(name)s"),
    }
    about = _ABOUT[policy.target]
    if policy.target in named and policy.target_name:
        about = named[policy.target] % {"name": policy.target_name.replace("/", " / ")}
    effects = []
    if policy.keep_days is not None:
        effects.append(say_kept(policy.keep_days))
    if policy.delete_after_days is not None:
        effects.append(say_deleted(policy.delete_after_days))
    return Shown(policy, about, effects)

"""The pages of notifications and activity. Marking and choosing goes over REST; these views only show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from apps.notifications import api
from apps.notifications.dtos import Line, MailMode, QuietHours, Topic
from bitvault.kernel.permissions import Permission
from bitvault.web.pages import MemberPage, PersonRequest, read_ids

SHOWN = 50
"""Lines of one page: two screens."""

SHOWN_IN_PANEL = 20
"""Lines of the panel; the page has the rest."""

ICONS: dict[str, str] = {
    "folder_created": "folder-plus",
    "added": "upload",
    "changed": "pencil",
    "conflict": "copy",
    "renamed": "pencil",
    "moved": "folder-move",
    "trashed": "trash",
    "restored": "restore",
    "locked": "lock",
    "unlocked": "unlock",
    "lock_ended": "unlock",
    "held": "lock",
    "hold_lifted": "unlock",
    "commented": "comment",
    "mentioned": "comment",
    "answered": "comment",
    "shared": "users",
    "asked": "key",
    "invited": "user",
    "joined": "user",
    "signed_in": "key",
    "quota": "warning",
    "statement": "info",
    "domain_missed": "warning",
    "domain_found": "check-circle",
    "domain_lost": "warning",
    "plan_paid": "check-circle",
    "plan_ended": "warning",
    "payment_failed": "warning",
    "payment_reminder": "warning",
    "payment_settled": "check-circle",
    "received": "user-in",
    "link_ending": "link",
    "link_used": "link",
    "webhook_off": "warning",
    "siem_failing": "warning",
    "siem_works": "check-circle",
    "malware": "warning",
    "quarantined": "warning",
    "blocked": "warning",
    "vault_deletion": "warning",
    "vault_kept": "check-circle",
    "support": "eye",
    "job_done": "check-circle",
    "job_failed": "warning",
}

TOPICS: tuple[tuple[Topic, Any, Any], ...] = (
    (
        "shared",
        _("Shared with you"),
        _("Somebody shares with you, a group of yours or everyone. Whoever shares with you by name may send a mail."),
    ),
    (
        "asked",
        _("Requests for access"),
        _("Somebody asks for access to your files, or to team folders that you administer."),
    ),
    ("comments", _("Comments"), _("Somebody mentions you, replies to you, or comments on a file or folder of yours.")),
    ("followed", _("What you follow"), _("Somebody adds or changes something in a file or folder that you follow.")),
    (
        "conflict",
        _("Conflicts, locks and holds"),
        _(
            "Your version was kept as a copy because somebody else had changed the file, somebody ended your lock, or something of yours "
            "was put on legal hold."
        ),
    ),
    ("joined", _("Invitations"), _("Somebody whom you invited has joined.")),
    ("jobs", _("Long tasks"), _("Something that took a while is done, or has failed.")),
    ("vault", _("The vault itself"), _("The vault is to be deleted, or is kept after all.")),
    (
        "malware",
        _("Malware"),
        _("Malware was found in a file of yours, or one could not be scanned. Administrators hear of every find."),
    ),
    (
        "webhooks",
        _("Webhooks and SIEM exports"),
        _("A webhook was switched off, or a SIEM export fails or works again. For administrators."),
    ),
    ("quota", _("Storage"), _("Your files, a team folder or the vault are nearly full or full.")),
    ("statements", _("Statements"), _("The statement of a month is ready. For administrators.")),
    (
        "domains",
        _("Domains"),
        _("The record of a domain of your own is away, is back, or stayed away for too long. For administrators."),
    ),
    (
        "payment",
        _("Payment"),
        _("The plan that is paid for begins, changes or ends, or a payment is overdue. For administrators."),
    ),
    (
        "links",
        _("Links and file requests"),
        _("Somebody has sent files that you have asked for, or a link of yours is about to end."),
    ),
    ("link_used", _("Use of your links"), _("Somebody opens a link that you have made.")),
    (
        "signed_in",
        _("Sign-ins"),
        _("A browser signs in to your account. New browsers are always mailed."),
    ),
)
MAILS: tuple[tuple[MailMode, Any], ...] = (
    ("off", _("No mail")),
    ("at_once", _("At once")),
    ("daily", _("Once a day")),
    ("weekly", _("Once a week")),
)

USUAL_QUIET = QuietHours("22:00", "07:00")
"""What quiet hours begin with where somebody switches them on."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A line with its icon."""

    line: Line
    icon: str


@dataclass(frozen=True, slots=True)
class Row:
    """A topic in the table of preferences."""

    topic: Topic
    label: Any
    hint: Any
    browser: bool
    mails: Sequence[tuple[MailMode, Any, bool]]
    push: bool


class Panel(MemberPage):
    """What the bell opens."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show the latest notices."""
        return render(request, "notifications/panel.html", _read(request, limit=SHOWN_IN_PANEL))


class NotificationsPage(MemberPage):
    """All notices."""

    section = "notifications"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show them, or those that are unread."""
        return render(request, "notifications/notifications.html", _read(request, limit=SHOWN))


def _read(request: PersonRequest, *, limit: int) -> dict[str, Any]:
    unread = request.GET.get("unread") == "1"
    found = api.open_notices(actor=request.actor, unread=unread, limit=limit, cursor=request.GET.get("cursor") or None)
    lines = [Shown(line, ICONS[line.kind]) for line in found.items]
    context: dict[str, Any] = {"lines": lines, "unread": unread, "unread_count": found.unread_count}
    if found.next_cursor:
        context["more_href"] = _href("/notifications/", unread="1" if unread else "", cursor=found.next_cursor)
    return context


class ActivityPage(MemberPage):
    """What happened: of oneself, and for administrators of the whole vault."""

    section = "activity"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show it, newest first."""
        whose = "tenant" if request.GET.get("whose") == "tenant" and request.actor.may(Permission.SEE_AUDIT) else "me"
        found = api.open_activity(
            actor=request.actor,
            whose=whose,  # type: ignore[arg-type] # one of both
            limit=SHOWN,
            cursor=request.GET.get("cursor") or None,
        )
        context: dict[str, Any] = {
            "lines": [Shown(line, ICONS[line.kind]) for line in found.items],
            "whose": whose,
            "may_see_all": request.actor.may(Permission.SEE_AUDIT),
        }
        if found.next_cursor:
            context["more_href"] = _href("/activity/", whose=whose, cursor=found.next_cursor)
        return render(request, "notifications/activity.html", context)


class NodeActivity(MemberPage):
    """What happened to a node, for the details panel."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show the first lines, or those behind a cursor."""
        ids = read_ids(request)
        if len(ids) != 1:
            return HttpResponse(status=204)
        cursor = request.GET.get("cursor") or None
        found = api.open_node_activity(actor=request.actor, node_id=ids[0], limit=SHOWN_IN_PANEL, cursor=cursor)
        context: dict[str, Any] = {"lines": [Shown(line, ICONS[line.kind]) for line in found.items]}
        if found.next_cursor:
            context["more_href"] = _href("/activity/details", ids=str(ids[0]), cursor=found.next_cursor)
        return render(request, "notifications/details.html", context)


class PreferencesPage(MemberPage):
    """How one is told: a table of topics and ways, browsers that are told by push, and what one follows and mutes."""

    section = "settings"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show it."""
        preferences = api.get_preferences(actor=request.actor)
        chosen = {one.topic: one for one in preferences.items}
        rows = [
            Row(
                topic,
                label,
                hint,
                chosen[topic].browser,
                [(mode, name, chosen[topic].mail == mode) for mode, name in MAILS]
                if topic not in ("signed_in", "vault")
                else [],
                chosen[topic].push,
            )
            for topic, label, hint in TOPICS
            if topic not in ("statements", "payment", "domains", "webhooks")
            or request.actor.may(Permission.MANAGE_SETTINGS)
        ]
        subscriptions = api.list_subscriptions(actor=request.actor)
        browsers = api.list_browsers(actor=request.actor)
        return render(
            request,
            "notifications/preferences.html",
            {
                "tab": "notifications",
                "rows": rows,
                "subscriptions": subscriptions.items,
                "is_quiet": preferences.quiet_hours is not None,
                "quiet": preferences.quiet_hours or USUAL_QUIET,
                "browsers": browsers.items,
                "push_key": browsers.public_key,
            },
        )


def _href(path: str, **facts: str) -> str:
    return f"{path}?{urlencode({name: value for name, value in facts.items() if value})}"

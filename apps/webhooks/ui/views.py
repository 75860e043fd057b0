"""The pages of webhooks: all of them, and one with what was sent. Changes go over REST."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from apps.webhooks import api, dtos
from bitvault.kernel.errors import NotFound
from bitvault.kernel.outbound.failures import Failure
from bitvault.web.pages import MemberPage, PersonRequest

PAGE = 25
"""Deliveries of one page."""

CHOICES = (
    ("files.*", _("Files and folders"), _("Added, changed, moved, deleted, downloaded")),
    ("sharing.*", _("Shares"), _("Given, changed, ended")),
    ("links.*", _("Links"), _("Created, opened, downloaded")),
    ("identity.*", _("People"), _("Members, groups, sign-ins, tokens")),
    ("*", _("Everything"), _("All events, new kinds as well")),
)
"""What may be chosen; programs can name single events."""
_OFFERED = {pattern for pattern, _label, _hint in CHOICES}

FORMATS: dict[dtos.Format, Any] = {
    "standard": _("Standard Webhooks (for programs)"),
    "slack": _("Message for Slack"),
    "mattermost": _("Message for Mattermost"),
    "teams": _("Message for Microsoft Teams"),
}

REASONS: dict[dtos.DisabledReason, Any] = {
    "by_administrator": _("Switched off by an administrator."),
    "gone": _("The receiver has answered that it is not there any more (410)."),
    "failing": _("Every try has failed for five days."),
    "secret_unreadable": _("The secret cannot be read any more. Make a new one, then switch the webhook on."),
}

FAILURES: dict[Failure, Any] = {
    "": _("Accepted"),
    "answer": _("Refused by the receiver"),
    "address_refused": _("The address is not allowed"),
    "address_unknown": _("No server of this name was found"),
    "connection": _("No connection"),
    "timeout": _("No answer within 15 seconds"),
    "certificate": _("The certificate is not valid"),
    "protocol": _("The answer could not be read"),
    "secret_unreadable": _("The secret cannot be read"),
}

STATES: dict[dtos.DeliveryState, Any] = {
    "pending": _("Waiting"),
    "delivered": _("Delivered"),
    "failed": _("Failed"),
}


class WebhooksPage(MemberPage):
    """All webhooks."""

    section = "settings"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show them, and the form for a new one."""
        found = api.list_webhooks(actor=request.actor).items
        names = api.name_filters(actor=request.actor, webhooks=found)
        items = [_describe(one, names) for one in found]
        context = {"tab": "webhooks", "webhooks": items, "choices": CHOICES, "formats": FORMATS.items()}
        return render(request, "webhooks/webhooks.html", context)


class WebhookPage(MemberPage):
    """One webhook, and what was sent."""

    section = "settings"

    def get(self, request: PersonRequest, webhook_id: UUID) -> HttpResponse:
        """Show its state and a page of deliveries, newest first."""
        found = next((one for one in api.list_webhooks(actor=request.actor).items if one.id == webhook_id), None)
        if found is None:
            raise NotFound
        cursor = request.GET.get("cursor") or None
        page = api.list_deliveries(actor=request.actor, webhook_id=webhook_id, limit=PAGE, cursor=cursor)
        context = {
            "tab": "webhooks",
            "webhook": _describe(found, api.name_filters(actor=request.actor, webhooks=[found])),
            "deliveries": [_describe_delivery(one) for one in page.items],
            "next_cursor": page.next_cursor,
            "is_first": cursor is None,
            "choices": CHOICES,
            "formats": FORMATS.items(),
        }
        return render(request, "webhooks/webhook.html", context)


def _describe(webhook: dtos.Webhook, names: Mapping[UUID, str]) -> dict[str, Any]:
    """Give a webhook with words for its state, and the names of what it is narrowed to."""
    return {
        "facts": webhook,
        "single_events": [pattern for pattern in webhook.events if pattern not in _OFFERED],
        "folder": names.get(webhook.folder_id, "") if webhook.folder_id else "",
        "person": names.get(webhook.actor_id, "") if webhook.actor_id else "",
        "format": FORMATS[webhook.format],
        "reason": REASONS[webhook.disabled_reason] if webhook.disabled_reason else "",
    }


def _describe_delivery(delivery: dtos.Delivery) -> dict[str, Any]:
    tries = [{"facts": one, "words": FAILURES[one.failure]} for one in delivery.tries]
    return {
        "facts": delivery,
        "state": STATES[delivery.state],
        "body": json.dumps(json.loads(delivery.body), indent=2, ensure_ascii=False),
        "tries": tries,
        "last": tries[-1] if tries else None,
    }

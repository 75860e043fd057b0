"""Sentences for chats: what an event is, who did it as far as it is known, and an address in the vault. No name of a file is told.

Slack and Mattermost take ``text``; Teams takes an adaptive card inside a message, as its workflows ask for it.
"""

from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from bitvault.events.api import Published
from bitvault.kernel import tenancy
from bitvault.web.address import page_origin


def compose(kind: str, published: Published) -> bytes:
    """Give the bytes of a message to a chat about an event."""
    with translation.override(tenancy.current().locale or settings.LANGUAGE_CODE):
        node_id = published.payload.get("node_id")
        return _encode(kind, _sentence(published.type), _address(node_id if isinstance(node_id, str) else None))


def compose_test(kind: str) -> bytes:
    """Give the bytes of a test."""
    with translation.override(tenancy.current().locale or settings.LANGUAGE_CODE):
        return _encode(kind, gettext("This is a test from BitVault."), _address(None))


def _sentence(event_type: str) -> str:
    words = {
        "files.folder.created.v1": gettext("A folder was created."),
        "files.version.committed.v1": gettext("A file was added or changed."),
        "files.node.moved.v1": gettext("Something was renamed or moved."),
        "files.node.locked.v1": gettext("A file was locked."),
        "files.node.unlocked.v1": gettext("A file was unlocked."),
        "files.node.trashed.v1": gettext("Something was moved to the trash."),
        "files.node.restored.v1": gettext("Something was restored from the trash."),
        "files.node.purged.v1": gettext("Something was deleted permanently."),
        "files.download.signed.v1": gettext("A file was downloaded."),
        "sharing.share.granted.v1": gettext("Something was shared."),
        "sharing.share.revoked.v1": gettext("A share has ended."),
        "links.link.created.v1": gettext("A link was created."),
        "links.link.opened.v1": gettext("A link was opened."),
        "links.link.downloaded.v1": gettext("A file was downloaded through a link."),
        "identity.invitation.created.v1": gettext("Somebody was invited."),
        "identity.invitation.accepted.v1": gettext("Somebody has accepted an invitation."),
        "identity.member.removed.v1": gettext("A member was removed."),
        "identity.session.started.v1": gettext("Somebody has signed in."),
    }
    return words.get(event_type) or gettext("New event: %(type)s") % {"type": event_type}


def _address(node_id: str | None) -> str:
    origin = page_origin(f"{tenancy.current().slug}.{settings.BITVAULT_BASE_HOST}")
    return f"{origin}/files/{UUID(node_id)}/" if node_id else f"{origin}/files/"


def _encode(kind: str, text: str, address: str) -> bytes:
    open_it = gettext("Open in BitVault")
    told: dict[str, Any]
    if kind == "slack":
        told = {"text": f"{text} <{address}|{open_it}>"}
    elif kind == "mattermost":
        told = {"text": f"{text} [{open_it}]({address})"}
    else:
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": [{"type": "TextBlock", "text": text, "wrap": True}],
            "actions": [{"type": "Action.OpenUrl", "title": open_it, "url": address}],
        }
        content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        told = {"type": "message", "attachments": [content]}
    return msgspec.json.encode(told)

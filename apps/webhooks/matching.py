"""Which events a webhook wants: by patterns of their types, by who did it, and by the folder that it happened in."""

import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from apps.files import api as files
from apps.webhooks import public_form
from apps.webhooks.models import Webhook
from bitvault.events.api import Published

PATTERNS_LIMIT = 50
PATTERN_LIMIT = 80

_PATTERN = re.compile(r"\*|[a-z_]+(?:\.[a-z_]+)*(?:\.\*|\.v[0-9]+)?")
_VERSION = re.compile(r"\.v[0-9]+\Z")
_NODES = ("node_id", "parent_id", "old_parent_id")
"""Facts that say where something happened. A node that is gone for good lies nowhere; so do events without any."""


def is_known(pattern: str) -> bool:
    """Tell whether there are events that a pattern names: ``*``, ``files.*``, ``files.node.moved``, ``files.node.moved.v1``."""
    if len(pattern) > PATTERN_LIMIT or not _PATTERN.fullmatch(pattern):
        return False
    return any(_matches(pattern, event_type) for event_type in public_form.list_types())


def may_concern(webhook: Webhook, published: Published) -> bool:
    """Tell whether a webhook wants an event, as far as the event itself says so."""
    if webhook.actor_id is not None and webhook.actor_id != published.actor_id:
        return False
    if webhook.folder_id is not None and not any(published.payload.get(name) for name in _NODES):
        return False
    return any(_matches(pattern, published.type) for pattern in webhook.events)


def select(webhook: Webhook, events: Sequence[Published]) -> list[Published]:
    """Choose the events that a webhook wants; where it is narrowed to a folder, Files says what lies in it now."""
    chosen = [published for published in events if may_concern(webhook, published)]
    folder_id = webhook.folder_id
    if folder_id is None or not chosen:
        return chosen
    found = files.list_ancestries(node_ids={one for published in chosen for one in _nodes(published)})
    return [one for one in chosen if any(node == folder_id or folder_id in found.get(node, ()) for node in _nodes(one))]


def _matches(pattern: str, event_type: str) -> bool:
    if pattern == "*":
        return True
    if pattern.endswith(".*"):
        return event_type.startswith(pattern[:-1])
    return pattern in (event_type, _VERSION.sub("", event_type))


def _nodes(published: Published) -> Iterable[UUID]:
    for name in _NODES:
        value = published.payload.get(name)
        if isinstance(value, str):
            yield UUID(value)

"""Events as programs outside are told of them: over a webhook and by ``GET /events``, the same.

Ids, numbers, times and words of BitVault's own leave; what people have written (names of files, labels, names of devices) stays. Who
may see a node reads its name by its id, with rights judged at that moment.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any

from apps.webhooks.dtos import PublicEvent
from bitvault.events import catalog
from bitvault.events.api import Event, Published

PLAIN_TEXTS = frozenset(
    {
        *("role", "previous_role", "scopes", "capabilities", "scope", "expires_at", "resolution", "platform"),
        *("media_type", "content_hash", "consumer", "reason", "slug", "job_kind"),
    }
)
"""Fields whose text BitVault has made, or has from a list. A field that is in no such list does not leave: a new one is judged first."""


@lru_cache(maxsize=1)
def list_types() -> Mapping[str, frozenset[str]]:
    """Give the types of all events, and which of their fields leave."""
    found: dict[str, frozenset[str]] = {}
    for module in pkgutil.iter_modules(catalog.__path__):
        for value in vars(importlib.import_module(f"{catalog.__name__}.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Event) and value.type:
                found[value.type] = frozenset(field.name for field in fields(value) if _leaves(field.name, field.type))
    return found


def to_public(published: Published) -> PublicEvent:
    """Give an event as programs are told of it. Of a type that is not known any more, only that it was."""
    leaving = list_types().get(published.type, frozenset())
    return PublicEvent(
        id=published.id,
        seq=published.seq,
        type=published.type,
        timestamp=published.occurred_at,
        actor_id=published.actor_id,
        data={name: value for name, value in published.payload.items() if name in leaving},
    )


def _leaves(name: str, annotation: Any) -> bool:
    if name == "actor_id":
        return False
    return name in PLAIN_TEXTS or annotation not in _WRITTEN


_WRITTEN: frozenset[Any] = frozenset({str, str | None, list[str]})
"""Annotations of fields that may hold what people have written."""

"""The mark of a locked file, for lists of other modules."""

import msgspec
from django import template

from apps.files.dtos import Lock

register = template.Library()


@register.inclusion_tag("files/lock_mark.html")
def lock_mark(lock: Lock | None) -> dict[str, str]:
    """Say that a file is locked; the browser puts into words until when, and ends the mark by itself."""
    return {"lock": msgspec.json.encode(lock).decode() if lock is not None else ""}

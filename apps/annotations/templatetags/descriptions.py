"""The description of a folder above its list."""

from typing import Any
from uuid import UUID

from django import template

from apps.annotations.ui.descriptions import to_context

register = template.Library()


@register.inclusion_tag("annotations/description.html")
def folder_description(folder_id: UUID | str, capabilities: str) -> dict[str, Any]:
    """Show it to whoever views the folder, and the way to change it to whoever may; the page has judged what its reader may do."""
    if "view" not in capabilities.split():
        return {}
    return to_context(UUID(str(folder_id)), may_edit="edit" in capabilities.split(), below=1)

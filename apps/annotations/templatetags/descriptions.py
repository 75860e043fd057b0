"""The description of a folder above its list."""

from typing import Any
from uuid import UUID

from django import template

from apps.annotations.ui.descriptions import to_context

register = template.Library()


@register.inclusion_tag("annotations/description.html")
def folder_description(folder_id: UUID | str, capabilities: str) -> dict[str, Any]:
    """Show it, and the way to change it for whoever may. The page has judged that its reader views the folder."""
    return to_context(UUID(str(folder_id)), may_edit="edit" in capabilities.split(), below=1)

"""Whether the vault of a page is to be deleted, for the banner on every page."""

from django import template

from apps.identity import api
from apps.identity.dtos import Deletion
from bitvault.kernel import tenancy

register = template.Library()


@register.simple_tag
def find_deletion() -> Deletion | None:
    """Find the deletion that the vault of this page waits for."""
    tenant = tenancy.find_current()
    return None if tenant is None else api.find_deletion(tenant=tenant)

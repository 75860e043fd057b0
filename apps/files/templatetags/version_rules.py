"""The rules that delete earlier versions, in words, where versions are listed."""

from django import template
from django.utils.translation import gettext, ngettext

from apps.identity import api as identity
from bitvault.kernel import tenancy

register = template.Library()


@register.inclusion_tag("files/version_rules.html")
def version_rules() -> dict[str, list[str]]:
    """Say which rules of the vault hold, and nothing where all versions are kept."""
    tenant = tenancy.find_current()
    if tenant is None:
        return {"lines": []}
    rules = identity.find_policies(tenant=tenant)
    lines = []
    if rules.versions_keep_count is not None:
        said = ngettext(
            "At most %(count)s earlier version is kept.",
            "At most %(count)s earlier versions are kept.",
            rules.versions_keep_count,
        )
        lines.append(said % {"count": rules.versions_keep_count})
    if rules.versions_keep_days is not None:
        said = ngettext(
            "Earlier versions are deleted %(days)s day after they were replaced.",
            "Earlier versions are deleted %(days)s days after they were replaced.",
            rules.versions_keep_days,
        )
        lines.append(said % {"days": rules.versions_keep_days})
    if rules.versions_thinning:
        lines.append(
            gettext(
                "After an hour only the newest version of each hour is kept, after a day one a day, after 30 days one a week."
            )
        )
    return {"lines": lines}

"""How limits of members and team folders look on the page of usage."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext

from apps.billing.dtos import Quota
from apps.billing.ui import charts
from bitvault.kernel.actor import Actor
from bitvault.web import naming


@dataclass(frozen=True, slots=True)
class Row:
    """A limit on the page. ``level`` is ``full``, ``high`` from the warning (else from 80 per cent) on, or empty."""

    quota: Quota
    name: str
    is_folder: bool
    percent: int
    level: str


def to_rows(actor: Actor, quotas: Sequence[Quota]) -> list[Row]:
    """Give limits as they are shown, people before folders, each by name."""
    if not quotas:
        return []
    subjects = {quota.scope: UUID(quota.scope.partition(":")[2]) for quota in quotas}
    people = [subject for scope, subject in subjects.items() if scope.startswith("user:")]
    nodes = [subject for scope, subject in subjects.items() if not scope.startswith("user:")]
    names = naming.finder().find_names(actor, people=people, nodes=nodes)
    found = []
    for quota in quotas:
        is_folder = not quota.scope.startswith("user:")
        known = names.nodes if is_folder else names.people
        missing = gettext("a deleted team folder") if is_folder else gettext("somebody who has left")
        found.append(
            Row(
                quota=quota,
                name=known.get(subjects[quota.scope], missing),
                is_folder=is_folder,
                percent=charts.share(quota.used_bytes, quota.own_limit_bytes or quota.warn_bytes or 0),
                level=_find_level(quota),
            )
        )
    return sorted(found, key=lambda row: (row.is_folder, row.name.casefold()))


def _find_level(quota: Quota) -> str:
    limit, warn = quota.own_limit_bytes, quota.warn_bytes
    if limit is not None and quota.used_bytes >= limit:
        return "full"
    begins = warn if warn is not None else (limit or 0) * 8 // 10
    return "high" if quota.used_bytes >= begins else ""

"""Older versions that the vault's rules give up are deleted, file by file, each judged again while its row is held.

What a hold or a retention rule keeps, and what lies in a file that somebody has locked or thrown away, stays; the next run looks again.
"""

import time
from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from uuid import UUID

import msgspec
from django.db.models import Count, QuerySet, Sum

from apps.files import limits, retaining
from apps.files.dtos.history import ExpiryPreview
from apps.files.models import RetentionPolicy, Version
from apps.files.operations import thinning, versions
from apps.files.retention_models import RetentionKind, RetentionTarget
from apps.files.rows import find_lock, find_ways
from apps.identity import api as identity
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db, tenancy

EXPIRE_JOB = "files.expire_versions"
"""The kind of job that does this for a tenant."""


PREVIEW_SECONDS = 3.0
"""How long somebody waits who asks what rules would delete; of a larger vault they are told a part."""


class ExpireVersions(msgspec.Struct, frozen=True):
    """Delete older versions that the rules of the tenant give up by now."""


def request() -> bool:
    """Ask for the job, where the tenant has a rule, and not the whole vault is on hold."""
    if not find_rules():
        return False
    whole = RetentionPolicy.objects.filter(kind=RetentionKind.HOLD, target=RetentionTarget.VAULT, lifted_at=None)
    with db.read_transaction():
        if whole.exists():
            return False
    with db.write_transaction():
        jobs.enqueue(EXPIRE_JOB, ExpireVersions(), key="due", by=jobs.SYSTEM)
    return True


def find_rules() -> thinning.Rules:
    """Find the rules of the entered tenant, at most 0.8 s old; outside of any transaction."""
    set_by = identity.find_policies(tenant=tenancy.current())
    return thinning.Rules(
        keep_count=set_by.versions_keep_count,
        keep_days=set_by.versions_keep_days,
        thinning=set_by.versions_thinning,
    )


def expire(*, report: Callable[[int], None]) -> int:
    """Delete what is due; returns how many versions. Done again, it goes on with what is left; without a rule it ends.

    :param report: told how many are gone so far; raises when it is to stop.
    """
    count = 0
    after: UUID | None = None
    while find_rules():
        node_ids = _list_files(after)
        for node_id in _find_due(node_ids, find_rules()):
            deleted_count = limits.VERSIONS_BATCH
            while deleted_count == limits.VERSIONS_BATCH:
                deleted_count = versions.expire(node_id=node_id, rules=find_rules())
                count += deleted_count
            report(count)
        if len(node_ids) < limits.VERSIONS_PAGE:
            break
        after = node_ids[-1]
    return count


def _list_files(after: UUID | None) -> list[UUID]:
    with db.read_transaction():
        return list(find_written_again(after))


def find_written_again(after: UUID | None) -> QuerySet[Version, UUID]:
    """Find a page of files that have older versions, in the order of their ids."""
    rows = Version.objects.all() if after is None else Version.objects.filter(node_id__gt=after)
    several = rows.values("node_id").annotate(held_count=Count("id")).filter(held_count__gt=1).order_by("node_id")
    return several.values_list("node_id", flat=True)[: limits.VERSIONS_PAGE]


def _find_due(node_ids: list[UUID], rules: thinning.Rules) -> Iterator[UUID]:
    """Tell which files have something due, as far as one look without their rows can tell."""
    with db.read_transaction():
        due = _read_due(node_ids, rules)
    yield from due


def _read_due(node_ids: list[UUID], rules: thinning.Rules) -> dict[UUID, list[thinning.Candidate]]:
    """Read what the rules give up of each of some files, by one statement; files that nothing is due of are left out."""
    rows = list(
        Version.objects.filter(node_id__in=node_ids)
        .order_by("node_id", "-id")
        .values_list("node_id", "node__version_id", "id", "created_at", "label", "pinned")
    )
    now, due = clock.now(), {}
    for (node_id, current_id), group in groupby(rows, key=itemgetter(0, 1)):
        held = [thinning.Candidate(key, made_at, bool(label or pinned)) for _, _, key, made_at, label, pinned in group]
        found = thinning.find_due(held, rules, current_id=current_id, now=now)
        if found:
            due[node_id] = found
    return due


def preview(rules: thinning.Rules) -> ExpiryPreview:
    """Count what the rules would delete by now, as far as some seconds reach; nothing is changed."""
    count = size_bytes = 0
    after: UUID | None = None
    deadline = time.monotonic() + PREVIEW_SECONDS
    while True:
        with db.read_transaction():
            node_ids = list(find_written_again(after))
            free = _list_free(_read_due(node_ids, rules))
            size_bytes += Version.objects.filter(id__in=free).aggregate(size=Sum("size_bytes"))["size"] or 0
        count += len(free)
        is_complete = len(node_ids) < limits.VERSIONS_PAGE
        if is_complete or time.monotonic() > deadline:
            return ExpiryPreview(version_count=count, size_bytes=size_bytes, is_complete=is_complete)
        after = node_ids[-1]


def _list_free(due: dict[UUID, list[thinning.Candidate]]) -> list[UUID]:
    """List what no lock, hold, retention rule or trash keeps."""
    if not due:
        return []
    is_any_in_force = RetentionPolicy.objects.filter(lifted_at=None).exists()
    free: list[UUID] = []
    for node_id, way in find_ways(due).items():
        if not way.is_live or find_lock(way.node.lock) is not None:
            continue
        moments = {version.created_at for version in due[node_id]} if is_any_in_force else set()
        kept = retaining.find_kept_moments(way.rows, moments)
        free += [version.id for version in due[node_id] if version.created_at not in kept]
    return free

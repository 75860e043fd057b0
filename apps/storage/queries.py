"""Reads of attempts and blobs."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.db.models import Count, Max, Min, QuerySet, Sum

from apps.storage import dtos, durability, keys, models, objects, parts, provider, rows
from apps.storage.errors import StoreUnavailable, UploadNotFound
from bitvault.kernel import clock, db
from bitvault.kernel.deadlines import background

READABLE = (models.BlobState.PENDING, models.BlobState.LIVE)
"""States in which the bytes are there. ``pending`` is one: a version may name the blob before the attempt's last step is written."""


FINDINGS_SHOWN = timedelta(days=2)
"""How long findings count in the figures: a daily run repeats what is still so."""


def is_damaged(blob_id: UUID) -> bool:
    """Tell whether a blob is in quarantine."""
    with db.read_transaction():
        return models.Blob.objects.filter(id=blob_id, damaged_at__isnull=False, state__in=READABLE).exists()


def usable_blobs() -> QuerySet[models.Blob]:
    """Ask for blobs on which an upload may build: neither condemned nor in quarantine."""
    return models.Blob.objects.filter(state__in=READABLE, damaged_at__isnull=True)


def require_upload(upload_id: UUID, user_id: UUID, *, lock: bool = False) -> rows.Attempt:
    """Read an attempt of this person (inside a transaction), and hold its row if it is to change.

    :raises UploadNotFound: there is none, or it is somebody else's.
    """
    return require_mine(rows.find(upload_id, lock=lock), user_id)


def require_mine(attempt: rows.Attempt | None, user_id: UUID) -> rows.Attempt:
    """Refuse what is not there and what is somebody else's in the same words.

    :raises UploadNotFound: it is either.
    """
    if attempt is None or attempt.user_id != user_id:
        raise UploadNotFound
    return attempt


def find_base(attempt: rows.Attempt) -> models.Blob | None:
    """Find the blob that equal parts can be copied from: in the same store, if that copies parts (inside a transaction).

    A store that was not probed is taken as one that cannot: then all parts travel, which is always right.
    """
    if attempt.base_blob_id is None or attempt.part_count == 1:
        return None
    probed = models.Provider.objects.filter(abilities__part_copy=True)
    known_as = {"name": provider.store().name} if attempt.store_id is None else {"store_id": attempt.store_id}
    if not probed.filter(**known_as).exists():
        return None
    base = usable_blobs().filter(id=attempt.base_blob_id, part_size_bytes=attempt.part_size_bytes).first()
    if base is None or base.store_id == attempt.store_id:
        return base
    # A move that went by while the attempt is under way has left the base's object where the attempt's bytes go.
    left = models.StoreCopy.objects.filter(key=base.key, store_id=attempt.store_id, verified_at__isnull=False)
    return base if left.exists() else None


def is_in_base(base: models.Blob | None, number: int, digest: bytes) -> bool:
    """Tell whether the base has the same part at the same place."""
    return base is not None and digest != parts.UNKNOWN and parts.digest_at(bytes(base.part_hashes), number) == digest


def get_upload(upload_id: UUID, user_id: UUID) -> dtos.Upload:
    """Describe an attempt and what the store holds of it: from here a client resumes."""
    with db.read_transaction():
        attempt = require_upload(upload_id, user_id)
        base = find_base(attempt)
    layout = attempt.layout
    hashes = attempt.part_hashes
    stored = _stored_numbers(attempt, layout)
    described = []
    for number in range(1, len(hashes) // parts.DIGEST_BYTES + 1):
        digest = parts.digest_at(hashes, number)
        if attempt.known_blob_id is not None or (number not in stored and is_in_base(base, number, digest)):
            described.append(dtos.Part(number, "present", layout.length_of(number), digest.hex()))
        elif number in stored:
            described.append(dtos.Part(number, "stored", layout.length_of(number), digest.hex()))
    return describe(attempt, described)


_OPEN = (models.UploadState.STARTED, models.UploadState.COMPLETING)


def find_sender(upload_id: UUID) -> UUID:
    """Tell who has begun an attempt.

    :raises UploadNotFound: there is none.
    """
    attempt = rows.find_alone(upload_id)
    if attempt is None:
        raise UploadNotFound
    return attempt.user_id


def sum_up_in_flight() -> dtos.InFlight:
    """Sum up the attempts of the entered tenant that have not come to their end."""
    with db.read_transaction():
        found = models.Upload.objects.filter(state__in=_OPEN, swept_at__isnull=True).aggregate(
            count=Count("id"), size_bytes=Sum("size_bytes"), oldest_at=Min("created_at")
        )
    return dtos.InFlight(found["count"], int(found["size_bytes"] or 0), found["oldest_at"])


def list_in_flight(*, offset: int, limit: int) -> list[dtos.UploadInFlight]:
    """List the attempts of the entered tenant that have not come to their end, oldest first, and ask the store how far each is."""
    with db.read_transaction():
        found = models.Upload.objects.filter(state__in=_OPEN, swept_at__isnull=True).order_by("created_at", "id")
        attempts = rows.find_many(list(found.values_list("id", flat=True)[offset : offset + limit]))
        described = [(attempt, find_base(attempt)) for attempt in attempts.values()]
    described.sort(key=lambda pair: (pair[0].created_at, pair[0].id))
    return [
        dtos.UploadInFlight(
            id=attempt.id,
            user_id=attempt.user_id,
            is_completing=is_completing(attempt),
            size_bytes=attempt.size_bytes,
            part_count=attempt.part_count,
            arrived_count=_count_arrived(attempt, base),
            created_at=attempt.created_at,
            expires_at=attempt.expires_at,
        )
        for attempt, base in described
    ]


def _count_arrived(attempt: rows.Attempt, base: models.Blob | None) -> int | None:
    if attempt.known_blob_id is not None:
        return attempt.part_count
    try:
        stored = _stored_numbers(attempt, attempt.layout)
    except StoreUnavailable:
        return None
    numbers = range(1, len(attempt.part_hashes) // parts.DIGEST_BYTES + 1)
    return sum(
        number in stored or is_in_base(base, number, parts.digest_at(attempt.part_hashes, number)) for number in numbers
    )


def describe(attempt: rows.Attempt, described: list[dtos.Part]) -> dtos.Upload:
    """Make the answer about an attempt."""
    return dtos.Upload(
        id=attempt.id,
        state="completing" if is_completing(attempt) else cast("dtos.UploadStateName", attempt.state),
        size_bytes=attempt.size_bytes,
        part_size_bytes=attempt.part_size_bytes,
        part_count=attempt.part_count,
        parts=described,
        expires_at=attempt.expires_at,
    )


def is_completing(attempt: rows.Attempt) -> bool:
    """Tell whether an attempt takes no more parts and waits for its commit: its bytes are verified, or a worker is at it."""
    if attempt.state == models.UploadState.STARTED:
        return attempt.is_handed_over
    return attempt.state == models.UploadState.COMPLETING


def _stored_numbers(attempt: rows.Attempt, layout: parts.Layout) -> set[int]:
    """Ask the store which parts, as announced now, have arrived."""
    every = set(range(1, layout.part_count + 1))
    if attempt.state == models.UploadState.STARTED and durability.is_of_another_boot(attempt.store_id, attempt.boot_id):
        return set()  # it is dropped by the next announcement or commit
    if is_completing(attempt):
        return every
    hashes = attempt.part_hashes
    if attempt.state != models.UploadState.STARTED or attempt.known_blob_id is not None or not hashes:
        return set()
    if layout.part_count == 1:
        return every if _is_whole(attempt, keys.single_part_key(attempt.id, parts.digest_at(hashes, 1))) else set()
    if not attempt.store_upload_id:
        return set()
    key = keys.multipart_key(attempt.id)
    try:
        held = provider.store_of(attempt.store_id).list_parts(key=key, store_upload_id=attempt.store_upload_id)
    except provider.UploadUnknown:
        return every if _is_whole(attempt, key) else set()
    return set(_arrived_as_announced(held.values(), hashes, attempt.resigned))


def _is_whole(attempt: rows.Attempt, key: str) -> bool:
    found = provider.store_of(attempt.store_id).find_object(key)
    return found is not None and found.size_bytes == attempt.size_bytes


def _arrived_as_announced(held: Iterable[objects.StoredPart], hashes: bytes, resigned: dict[str, str]) -> Iterable[int]:
    """Leave out parts that were announced anew with another digest after the store got them.

    Where the store tells a part's checksum that decides; else its time does, in whole seconds and to the safe side: at worst a part that
    is there is sent once more.
    """
    for part in held:
        digest = parts.digest_at(hashes, part.number)
        if part.checksum is not None:
            if part.checksum == objects.checksum_of(digest):
                yield part.number
        elif digest != parts.UNKNOWN:
            anew = resigned.get(str(part.number))
            if anew is None or part.modified_at > datetime.fromisoformat(anew):
                yield part.number


def require_store() -> None:
    """Ask the store for an object that need not be there: only a store that answers and knows us can tell.

    :raises StoreUnavailable: it does not answer, or does not know us.
    """
    provider.store().find_object("readiness")


def load_store() -> None:
    """Make the clients of the store for both kinds of deadlines; they connect when they are used first."""
    provider.store()
    with background():
        provider.store()


def find_store_fitness() -> bool | None:
    """Read what the last probe of the configured store came to; ``None`` when none was made yet."""
    return models.Provider.objects.filter(name=provider.store().name).values_list("is_fit", flat=True).first()


def get_sweep_backlog(tenant_ids: Iterable[UUID]) -> dtos.SweepBacklog:
    """Sum up what the last sweeps of these tenants left undone."""
    totals = models.Sweep.objects.filter(tenant_id__in=list(tenant_ids)).aggregate(
        count=Sum("overdue_count"), uncollected=Sum("uncollected_count"), oldest=Min("swept_at")
    )
    return dtos.SweepBacklog(
        overdue_count=totals["count"] or 0,
        uncollected_count=totals["uncollected"] or 0,
        oldest_swept_at=totals["oldest"],
    )


def list_last_runs() -> list[dtos.LastRun]:
    """Read the last run of each kind, whichever tenant's; one query."""
    runs = models.StoreRun.objects.filter(is_dry=False)
    first, *others = [runs.filter(kind=kind).order_by("-started_at")[:1] for kind in models.RunKind]
    columns = ("kind", "state", "tenant_id", "started_at", "finished_at", "reason")
    return [dtos.LastRun(*row) for row in first.union(*others, all=True).values_list(*columns)]


def list_stopped(tenant_ids: Iterable[UUID]) -> set[UUID]:
    """Tell which of these tenants have a last run, of any kind, that was stopped by a brake or failed; one query."""
    runs = models.StoreRun.objects.filter(tenant_id__in=list(tenant_ids), is_dry=False)
    last = runs.order_by("kind", "tenant_id", "-started_at").distinct("kind", "tenant_id")
    bad = {models.RunState.STOPPED, models.RunState.FAILED}
    return {tenant_id for tenant_id, state in last.values_list("tenant_id", "state") if state in bad}


def get_store_checks(tenant_ids: Iterable[UUID]) -> dtos.StoreChecks:
    """Sum up how the last runs of these tenants ended and what was found lately."""
    wanted = list(tenant_ids)
    runs = models.StoreRun.objects.filter(tenant_id__in=wanted, is_dry=False)
    ended = runs.filter(state=models.RunState.DONE).values("kind", "tenant_id").annotate(at=Max("finished_at"))
    oldest: dict[str, datetime] = {}
    for row in ended:
        oldest[row["kind"]] = min(row["at"], oldest.get(row["kind"], row["at"]))
    last = runs.order_by("kind", "tenant_id", "-started_at").distinct("kind", "tenant_id")
    bad = [models.RunState.STOPPED, models.RunState.FAILED]
    found = models.StoreFinding.objects.filter(
        run__tenant_id__in=wanted, run__is_dry=False, found_at__gt=clock.now() - FINDINGS_SHOWN
    )
    return dtos.StoreChecks(
        oldest_at=oldest,
        stopped_count=sum(run.state in bad for run in last),
        findings=dict(found.values_list("kind").annotate(count=Count("id"))),
    )

"""What ``benchmarks.inside`` does with moves."""

import time
from typing import Any

LARGEST = 4
"""Objects whose keys are told, to be copied by the store itself."""


def move(prefix: str) -> dict[str, Any]:
    """Move the first tenant below a prefix of the same bucket, and back; tells how much it was and how long each took."""
    from django.conf import settings

    from apps.identity import api as identity
    from apps.storage import places
    from apps.storage.models import Blob, Provider, Store
    from apps.storage.operations import moving, relocating
    from bitvault.jobs.models import PausedKind
    from bitvault.kernel import clock, db, sealing, tenancy
    from bitvault.kernel.deadlines import background

    own = settings.BITVAULT_STORE
    row = Store.objects.create(
        name="bench",
        endpoint_url=own["endpoint_url"],
        bucket=own["bucket"],
        prefix=prefix,
        region=own["region"],
        access_key_id=own["access_key_id"],
        sealed_secret=sealing.seal(own["secret_access_key"], purpose=places.PURPOSE),
        changed_at=clock.now(),
    )
    Provider.objects.create(name="bench", store=row, abilities={}, is_fit=True, probed_at=clock.now())
    places.forget()
    # The vault's own workers would do it beside this.
    PausedKind.objects.get_or_create(kind=moving.MOVE_JOB, defaults={"paused_at": clock.now()})
    seconds = []
    with background(), tenancy.entered(identity.list_active_tenants()[0]):
        count, size_bytes, _ = moving.plan(row.id)
        for target in (row.id, None):
            move_id = moving.start(target, by=None)
            begun = time.perf_counter()
            relocating.go_on(move_id, seconds=3600, report=lambda *_: None)
            seconds.append(time.perf_counter() - begun)
        with db.read_transaction():
            largest = list(Blob.objects.order_by("-size_bytes").values_list("key", "size_bytes")[:LARGEST])
    return {
        "objects": count,
        "bytes": size_bytes,
        "seconds": seconds[0],
        "back_seconds": seconds[1],
        "keys": [key for key, _ in largest],
        "key_bytes": sum(size for _, size in largest),
    }

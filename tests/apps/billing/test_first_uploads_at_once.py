"""A tenant's first uploads, begun at the same moment, before the tenant has a quota."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from apps.billing import api as billing
from bitvault.kernel import clock, ids, tenancy

WORKERS = 8


@pytest.mark.committed
def test_first_uploads_that_begin_together_all_find_room(actor, tenant):
    barrier = Barrier(WORKERS)

    def reserve(_):
        try:
            with tenancy.entered(tenant):
                barrier.wait()
                expires_at = clock.now() + timedelta(hours=1)
                billing.reserve(actor=actor, upload_id=ids.new_id(), size_bytes=4096, expires_at=expires_at)
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(reserve, range(WORKERS)))

    assert billing.get_quota(actor=actor).reserved_bytes == WORKERS * 4096

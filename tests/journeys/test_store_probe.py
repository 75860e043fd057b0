"""An installation that starts finds out by itself what its object store can do, and says so."""

import httpx
import pytest

pytestmark = [pytest.mark.journey, pytest.mark.store]


def test_a_worker_that_starts_probes_the_store(live):
    """No beat runs here, so nothing but the worker's own start asks for it."""

    def readiness():
        return httpx.get(f"{live.web_url}/readyz").json()

    assert readiness()["store_fit"] is None
    live.start_worker()
    # Each web process remembers what it was told for a second: what is looked at is one reading.
    readings = [readiness()]
    live.await_that(lambda: readings[-1]["store_fit"] is not None or readings.append(readiness()))
    findings = readings[-1]
    assert findings.pop("web", True)
    assert findings == {"database": True, "valkey": True, "store": True, "store_fit": True, "disk_low": None}
    with live.database() as database:
        [(is_fit, abilities)] = database.execute("SELECT is_fit, abilities FROM storage_provider").fetchall()
    assert is_fit
    assert abilities["length_enforced"]
    assert abilities["if_range_honoured"], "downloads are asked for through the front"
    assert abilities["nosniff"], "downloads are asked for through the front"

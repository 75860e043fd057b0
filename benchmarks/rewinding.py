"""A rewind: what one device has encrypted is brought back, content and names."""

import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from benchmarks.bench import Bench
from benchmarks.figures import Figure, at_most

FILES, FILES_QUICK = 50_000, 5_000
LIMIT_SECONDS = 60.0
POLL_SECONDS = 0.2
DEADLINE_SECONDS = 600.0


def encrypted(bench: Bench) -> list[Figure]:
    """Plan and carry out the rewind of files that one device has written and renamed."""
    count = FILES_QUICK if bench.quick else FILES
    folder, device = bench.seed.folder("encrypted"), uuid4()
    bench.seed.forest(folder, branches=count // 1000, leaves=1000)
    bench.seed.encrypt(folder, device)
    web = bench.vault.connect()
    since = (datetime.now(UTC) - timedelta(hours=12)).isoformat()
    wish = {"since": since, "by_kind": "device", "by_id": str(device)}
    begun = time.perf_counter()
    planned = web.json("POST", f"/api/v1/nodes/{folder}/rewind", wish, expect=(201,)).json()
    planned_after = time.perf_counter() - begun
    job = web.json("POST", f"/api/v1/rewinds/{planned['id']}/run", {}, expect=(202,)).json()
    while (state := web.get(f"/api/v1/jobs/{job['id']}").json())["state"] in {"queued", "running"}:
        if time.perf_counter() - begun > DEADLINE_SECONDS:
            raise TimeoutError(f"the rewind of {count} files has not come to its end: {state}")
        time.sleep(POLL_SECONDS)
    took = time.perf_counter() - begun
    result = state["result"]
    facts = {"planned": planned["counts"]["total"], "done": result["done_count"], "kept": result["kept_count"]}
    return [
        Figure(f"rewind of {count:,} encrypted and renamed files", took, "s", at_most(LIMIT_SECONDS), facts=facts),
        Figure("  of that the plan", planned_after, "s"),
    ]

"""The move of a tenant's large files to another place in the same store, beside that store's own copies of the same objects."""

import time

from benchmarks.bench import Bench
from benchmarks.figures import Figure, Physical
from benchmarks.large_files import MIB, Lanes, LargeFile, LargeUploader

FILES = 4
PARTS, PARTS_QUICK = 16, 4
"""Of 8 MiB, in each file."""

PREFIX = "bench-moved/"


def moving_elsewhere(bench: Bench) -> list[Figure]:
    """Bytes a second over and back; every byte passes through the worker, which compares it, while a store copies by itself."""
    lanes = Lanes(bench)
    for number in range(FILES):
        file = LargeFile(PARTS_QUICK if bench.quick else PARTS)
        file.renew(2000 + number)
        LargeUploader(bench, file, lanes).bring(f"to move {number}.bin")
    moved = bench.vault.run_inside("move-tenant", PREFIX)
    store = bench.machine.store
    begun = time.perf_counter()
    for number, key in enumerate(moved["keys"]):
        source = {"Bucket": store.bucket, "Key": PREFIX + key}
        store.client.copy_object(Bucket=store.bucket, Key=f"bench-copied/{number}", CopySource=source)
    own = moved["key_bytes"] / MIB / (time.perf_counter() - begun)
    mib = moved["bytes"] / MIB
    return [
        Figure(
            "move of a tenant",
            mib / moved["seconds"],
            "MiB/s",
            physical=Physical(own, "the store's own copies, one at a time"),
            facts=moved,
        ),
        Figure("  back, with everything still there", moved["back_seconds"], "s"),
    ]

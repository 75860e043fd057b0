"""Checking an export of the audit log offline: the program of ``verify/``, in a process of its own."""

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from benchmarks.bench import Bench
from benchmarks.figures import Figure, at_least

ROWS = 300_000
ROWS_QUICK = 30_000

_VERIFY = Path(__file__).parents[1] / "verify"
_DOMAIN = b"bitvault.audit.v1\x00"


def verifying(bench: Bench) -> list[Figure]:
    """Entries of 1 KiB that ``bitvault-verify`` checks in a second; ten million must take less than five minutes."""
    count = ROWS_QUICK if bench.quick else ROWS
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as out:
        size_bytes = sum(out.write(line) for line in _lines(count))
        out.flush()
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "bitvault_verify", out.name, "--quiet"], cwd=_VERIFY, check=True)
        seconds = time.perf_counter() - begun
    facts = {"rows": count, "mib": size_bytes / 2**20, "seconds": seconds}
    return [Figure("audit export verified offline", count / seconds, "rows/s", at_least(33_000), facts=facts)]


def _lines(count: int) -> Iterator[bytes]:
    """Write entries as an export has them: an uploaded file each."""
    digest = bytes(32)
    for number in range(1, count + 1):
        entry = {
            "number": number,
            "seq": number,
            "event_id": str(uuid4()),
            "type": "files.version.committed.v1",
            "occurred_at": "2026-11-30T12:00:00.123456Z",
            "actor_id": str(uuid4()),
            "node_id": str(uuid4()),
            "address": "203.0.113.7",
            "device_id": None,
            "request_id": uuid4().hex,
            "payload": {
                **{name: str(uuid4()) for name in ("node_id", "parent_id", "version_id", "blob_id", "owner_id")},
                "name": f"Report of March {number}.pdf",
                "content_hash": uuid4().hex * 2,
                "media_type": "application/pdf",
                "size_bytes": 123_456 + number,
                "revision": 3,
                **dict.fromkeys(("copied_from_id", "restored_from_id", "conflict_with_id")),
            },
        }
        canonical = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()
        previous, digest = digest, hashlib.sha256(_DOMAIN + digest + canonical).digest()
        entry |= {"previous_hash": previous.hex(), "hash": digest.hex()}
        yield json.dumps(entry, separators=(",", ":")).encode() + b"\n"

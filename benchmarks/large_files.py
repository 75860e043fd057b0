"""One large file: parts straight to the store, four at once, against the store's own rate with the same client."""

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from benchmarks import load
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Physical, at_most, share_at_least, share_at_most
from benchmarks.http11 import Connection, target_of
from benchmarks.physical import checksum_header

PART_BYTES = 8 * 1024**2
AT_ONCE = 4
SIGNED_AT_ONCE = 100
MIB = 1024**2


class LargeFile:
    """The bytes of a file whose parts differ in their first sixteen bytes; hashed before anything is measured."""

    def __init__(self, part_count: int) -> None:
        self._rest = memoryview(hashlib.shake_128(b"large").digest(PART_BYTES - 16))
        self._salt = 0
        self._changed: dict[int, int] = {}
        self.part_count = part_count
        self.size_bytes = part_count * PART_BYTES
        self.digests: list[bytes] = []

    def renew(self, by: int = 1) -> None:
        """Change every part, so that nothing is known already."""
        self._salt += by
        self.digests = []
        for number in range(1, self.part_count + 1):
            digest = hashlib.sha256(self._first(number))
            digest.update(self._rest)
            self.digests.append(digest.digest())

    def change(self, *numbers: int) -> None:
        """Change these parts alone."""
        for number in numbers:
            self._changed[number] = self._changed.get(number, 0) + 1
            digest = hashlib.sha256(self._first(number))
            digest.update(self._rest)
            self.digests[number - 1] = digest.digest()

    def part(self, number: int) -> list[memoryview | bytes]:
        return [self._first(number), self._rest]

    def _first(self, number: int) -> bytes:
        return (
            self._salt.to_bytes(8, "big") + self._changed.get(number, 0).to_bytes(4, "big") + number.to_bytes(4, "big")
        )


class Lanes:
    """Connections to the store, lent to whoever sends a part."""

    def __init__(self, bench: Bench) -> None:
        self._free = [bench.machine.store.connect() for _ in range(AT_ONCE)]

    def send(self, file: LargeFile, parts: Iterator[tuple[int, str, dict[str, str]]]) -> None:
        """PUT the parts, four at once."""

        def put(number: int, target: str, headers: dict[str, str]) -> Callable[[], None]:
            def act() -> None:
                connection = self._free.pop()
                connection.request("PUT", target, headers=headers, body=file.part(number), expect=(200,))
                self._free.append(connection)

            return act

        load.once_each([put(*part) for part in parts], workers=AT_ONCE)


def through_store(bench: Bench, file: LargeFile, lanes: Lanes, key: str) -> float:
    """Bring the file in without BitVault; returns the seconds."""
    store = bench.machine.store

    def act() -> None:
        begun = store.client.create_multipart_upload(Bucket=store.bucket, Key=key, ChecksumAlgorithm="SHA256")
        identifier = begun["UploadId"]

        def signed() -> Iterator[tuple[int, str, dict[str, str]]]:
            for number, digest in enumerate(file.digests, start=1):
                headers = checksum_header(digest)
                query = {"partNumber": str(number), "uploadId": identifier}
                yield (
                    number,
                    store.sign("PUT", key, query=query, headers={**headers, "Content-Length": str(PART_BYTES)}),
                    headers,
                )

        lanes.send(file, signed())
        held = {}
        for page in store.client.get_paginator("list_parts").paginate(
            Bucket=store.bucket, Key=key, UploadId=identifier
        ):
            held.update({part["PartNumber"]: part["ETag"] for part in page["Parts"]})
        parts: list[Any] = [
            {
                "PartNumber": number,
                "ETag": held[number],
                "ChecksumSHA256": checksum_header(digest)["x-amz-checksum-sha256"],
            }
            for number, digest in enumerate(file.digests, start=1)
        ]
        store.client.complete_multipart_upload(
            Bucket=store.bucket, Key=key, UploadId=identifier, MultipartUpload={"Parts": parts}
        )

    return load.once_each([act], workers=1)


class LargeUploader:
    """Brings the file in through BitVault."""

    def __init__(self, bench: Bench, file: LargeFile, lanes: Lanes) -> None:
        self._bench = bench
        self._file = file
        self._lanes = lanes
        self.web = bench.vault.connect()
        self.node: dict[str, Any] = {}
        self.sent_count = 0
        """Parts that the last upload has sent; the others the store had."""

    def bring(self, name: str, **wishes: str) -> float:
        return load.once_each([lambda: self._bring(name, **wishes)], workers=1)

    def _bring(self, name: str, **wishes: str) -> None:
        self.sent_count = 0
        hashes = [digest.hex() for digest in self._file.digests]
        wanted = {
            "parent_id": str(self._bench.seed.owner.root_id),
            "name": name,
            "size_bytes": self._file.size_bytes,
            "part_hashes": hashes[:SIGNED_AT_ONCE],
            **wishes,
        }
        upload = self.web.json("POST", "/api/v1/uploads", wanted, expect=(201,)).json()
        assert upload["part_size_bytes"] == PART_BYTES
        self._lanes.send(self._file, self._targets(upload["parts"]))
        for start in range(SIGNED_AT_ONCE, len(hashes), SIGNED_AT_ONCE):
            block = [
                {"number": n + 1, "sha256": hashes[n]} for n in range(start, min(len(hashes), start + SIGNED_AT_ONCE))
            ]
            signed = self.web.json("POST", f"/api/v1/uploads/{upload['id']}/parts", {"parts": block}).json()
            self._lanes.send(self._file, self._targets(signed["items"]))
        self.node = self._commit(upload["id"], hashes)

    def _commit(self, upload_id: str, hashes: list[str]) -> dict[str, Any]:
        body = {"part_hashes": hashes}
        while (
            answer := self.web.json("POST", f"/api/v1/uploads/{upload_id}/commit", body, expect=(201, 202))
        ).status != 201:
            time.sleep(int(answer.header("Retry-After") or 1))
        return dict(answer.json())

    def _targets(self, parts: list[dict[str, Any]]) -> Iterator[tuple[int, str, dict[str, str]]]:
        for part in parts:
            if part["state"] == "send":
                self.sent_count += 1
                yield part["number"], target_of(part["url"]), part["headers"]


def fetch(url: str, expected_bytes: int) -> None:
    """GET one object in one stream and count its bytes."""
    parts = urlsplit(url)
    connection = Connection(parts.hostname or "", parts.port or 80)
    answer = connection.get(target_of(url), expect=(200,), keep_body=False)
    connection.close()
    assert answer.body_bytes == expected_bytes


def large(bench: Bench) -> list[Figure]:
    """Upload and download of 1 GiB, and the bytes of it that pass the web processes."""
    file, lanes = LargeFile(16 if bench.quick else 128), Lanes(bench)
    uploader, store = LargeUploader(bench, file, lanes), bench.machine.store
    alone_up, ours_up, alone_down, ours_down, web_bytes, control = [], [], [], [], [], []
    for run in range(bench.runs):
        key = f"bench/large-{run}"
        file.renew()
        alone_up.append(through_store(bench, file, lanes, key))
        url = store.endpoint + store.sign("GET", key)
        alone_down.append(load.once_each([lambda url=url: fetch(url, file.size_bytes)], workers=1))
        store.client.delete_object(Bucket=store.bucket, Key=key)
        file.renew()
        before = bench.vault.web_bytes()
        with bench.vault.metered() as meter:
            ours_up.append(uploader.bring(f"large {run}.bin"))
            ours_down.append(load.once_each([lambda: download(uploader, file.size_bytes)], workers=1))
        web_bytes.append(bench.vault.web_bytes() - before)
        control.append(meter.server.get("web", 0.0) + meter.server.get("PostgreSQL", 0.0))
        purge(uploader)
    mebibytes = file.size_bytes / MIB
    size = f"{mebibytes / 1024:g} GiB" if mebibytes >= 1024 else f"{mebibytes:g} MiB"
    facts = {
        "seconds_up": ours_up,
        "store_seconds_up": alone_up,
        "seconds_down": ours_down,
        "store_seconds_down": alone_down,
    }
    up, up_alone = (mebibytes / load.median(seconds) for seconds in (ours_up, alone_up))
    down, down_alone = (mebibytes / load.median(seconds) for seconds in (ours_down, alone_down))
    return [
        Figure(f"{size} upload, 4 parts at once", up, "MiB/s", share_at_least(0.9), Physical(up_alone, "store"), facts),
        Figure(f"{size} download", down, "MiB/s", share_at_least(0.9), Physical(down_alone, "store")),
        Figure("  bytes on the web's sockets, both", load.median(web_bytes) / MIB, "MiB", at_most(1)),
        Figure("  control-plane CPU, both", load.median(control) * 1000, "ms"),
    ]


def delta(bench: Bench) -> list[Figure]:
    """A large file of which 1 MiB across the border of two parts has changed, beside the same file sent whole."""
    file, lanes = LargeFile(16 if bench.quick else 128), Lanes(bench)
    uploader = LargeUploader(bench, file, lanes)
    whole, changed, sent_bytes, web_bytes = [], [], [], []
    for run in range(bench.runs):
        name = f"image {run}.vmdk"
        file.renew()
        uploader.bring(name)
        file.renew()
        whole.append(uploader.bring(name, mode="update", **_as_base(uploader.node)))
        middle = file.part_count // 2
        file.change(middle, middle + 1)
        before = bench.vault.web_bytes()
        changed.append(uploader.bring(name, mode="update", **_as_base(uploader.node)))
        web_bytes.append(bench.vault.web_bytes() - before)
        sent_bytes.append(uploader.sent_count * PART_BYTES)
        purge(uploader)
    copies = load.median(sent_bytes) < file.size_bytes
    size = f"1 MiB changed in {file.size_bytes / MIB:g} MiB"
    if not copies:
        size = f"{size} (this store copies no parts)"
    facts = {"seconds_changed": changed, "seconds_whole": whole}
    return [
        Figure(
            f"{size}: sent", load.median(sent_bytes) / MIB, "MiB", at_most(2 * PART_BYTES / MIB) if copies else None
        ),
        Figure(
            "  time",
            load.median(changed),
            "s",
            share_at_most(0.5) if copies else None,
            Physical(load.median(whole), "sent whole"),
            facts,
        ),
        Figure("  bytes on the web's sockets", load.median(web_bytes) / MIB, "MiB", at_most(1)),
    ]


def _as_base(node: dict[str, Any]) -> dict[str, str]:
    return {"node_id": node["id"], "base_version_id": node["version_id"]}


def download(uploader: LargeUploader, size_bytes: int) -> None:
    found = uploader.web.get(f"/api/v1/nodes/{uploader.node['id']}/content", expect=(302,))
    fetch(found.header("Location") or "", size_bytes)


def purge(uploader: LargeUploader) -> None:
    uploader.web.request("DELETE", f"/api/v1/nodes/{uploader.node['id']}")
    uploader.web.request("DELETE", f"/api/v1/trash/{uploader.node['id']}")

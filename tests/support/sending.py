"""What a client of uploads does: cut, hash, start, PUT to the store, commit. Written apart from the server's own arithmetic."""

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

import urllib3

PART = 8 * 1024 * 1024

COMPLETING_SECONDS = 60.0

pool = urllib3.PoolManager(maxsize=16, retries=False)


def cut(content: bytes, part_size: int = PART) -> list[bytes]:
    return [content[start : start + part_size] for start in range(0, len(content), part_size)] or [b""]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def content_hash(content: bytes, part_size: int = PART) -> str:
    digests = b"".join(hashlib.sha256(part).digest() for part in cut(content, part_size))
    return hashlib.sha256(digests).hexdigest()


def put(part: dict[str, Any], body: bytes, **changed: str | None):
    """PUT a part as it was signed; ``changed`` replaces headers, ``None`` leaves one out."""
    headers = {**part["headers"], **{name.replace("_", "-"): value for name, value in changed.items()}}
    return pool.request(
        part["method"], part["url"], body=body, headers={n: v for n, v in headers.items() if v is not None}
    )


@dataclass
class Sender:
    """Sends files by the REST surface, as one person, into one folder."""

    api: Any
    parent_id: str
    puts: int = field(default=0)
    hashes: dict[str, list[str]] = field(default_factory=dict)
    """Of the parts of each upload that was sent here."""

    def start(self, name: str, content: bytes, *, announce: bool = True, **wishes: Any):
        body = {"parent_id": self.parent_id, "name": name, "size_bytes": len(content), **wishes}
        if announce:
            body["part_hashes"] = [sha256(part) for part in cut(content)]
        return self.api.post("/uploads", body)

    def started(self, name: str, content: bytes, **wishes: Any) -> dict[str, Any]:
        answer = self.start(name, content, **wishes)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def sign(self, upload: dict[str, Any], content: bytes, numbers: list[int]) -> list[dict[str, Any]]:
        pieces = cut(content, upload["part_size_bytes"])
        self.hashes[upload["id"]] = [sha256(piece) for piece in pieces]
        signed: list[dict[str, Any]] = []
        for first in range(0, len(numbers), 100):
            parts = [{"number": n, "sha256": sha256(pieces[n - 1])} for n in numbers[first : first + 100]]
            answer = self.api.post(f"/uploads/{upload['id']}/parts", {"parts": parts})
            assert answer.status_code == 200, answer.content
            signed += answer.json()["items"]
        return signed

    def send(self, upload: dict[str, Any], content: bytes) -> None:
        """Send every part that has to travel, signing those that the start did not."""
        pieces = cut(content, upload["part_size_bytes"])
        self.hashes[upload["id"]] = [sha256(piece) for piece in pieces]
        known = {part["number"] for part in upload["parts"]}
        rest = [number for number in range(1, upload["part_count"] + 1) if number not in known]
        for part in [*upload["parts"], *self.sign(upload, content, rest)]:
            if part["state"] == "send":
                answer = put(part, pieces[part["number"] - 1])
                assert answer.status == 200, answer.data
                self.puts += 1

    def commit(self, upload: dict[str, Any], body: Any = None):
        """Commit with the hashes of what was sent, unless told otherwise, and ask again as long as the answer is that it is still being completed."""
        if body is None and upload["id"] in self.hashes:
            body = {"part_hashes": self.hashes[upload["id"]]}
        deadline = time.monotonic() + COMPLETING_SECONDS
        while True:
            answer = self.commit_once(upload, body)
            if answer.status_code != 202 or time.monotonic() > deadline:
                return answer
            assert answer.json()["state"] == "completing"
            time.sleep(int(answer.headers["Retry-After"]))

    def commit_once(self, upload: dict[str, Any], body: Any = None):
        return self.api.post(f"/uploads/{upload['id']}/commit", body)

    def bring(self, name: str, content: bytes, **wishes: Any) -> dict[str, Any]:
        upload = self.started(name, content, **wishes)
        self.send(upload, content)
        answer = self.commit(upload)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def fetch(self, node: dict[str, Any], **query: Any):
        """Download what a node holds, as a browser that follows the redirect."""
        answer = self.api.get(f"/nodes/{node['id']}/content", **query)
        assert answer.status_code == 302, answer.content
        return pool.request("GET", answer.headers["Location"])

"""A file of more parts than one signing covers."""

import hashlib
import os

import pytest

from tests.support.sending import PART, Sender, pool, put

PARTS = 103


@pytest.mark.store
@pytest.mark.committed
def test_a_file_of_over_a_hundred_parts_goes_in_and_comes_out(api):
    """One part's bytes are sent many times, so that hashing and memory stay small; the last part differs."""
    client = api("mia")
    sender = Sender(client, client.get("/me").json()["root_id"])
    piece, last = os.urandom(PART), os.urandom(1000)
    digest, last_digest = hashlib.sha256(piece), hashlib.sha256(last)
    hashes = [digest.hexdigest()] * (PARTS - 1) + [last_digest.hexdigest()]
    size = PART * (PARTS - 1) + len(last)
    body = {"parent_id": sender.parent_id, "name": "long.bin", "size_bytes": size, "part_hashes": hashes}
    upload = client.post("/uploads", body).json()
    assert upload["part_count"] == PARTS
    assert [part["number"] for part in upload["parts"]] == list(range(1, 101)), "the first hundred are signed at once"
    rest = [{"number": number, "sha256": hashes[number - 1]} for number in range(101, PARTS + 1)]
    signed = upload["parts"] + client.post(f"/uploads/{upload['id']}/parts", {"parts": rest}).json()["items"]
    for part in signed[: PARTS // 2]:
        assert put(part, piece).status == 200
    held = client.get(f"/uploads/{upload['id']}").json()["parts"]
    assert len([part for part in held if part["state"] == "stored"]) == PARTS // 2
    for part in signed[PARTS // 2 :]:
        assert put(part, last if part["number"] == PARTS else piece).status == 200
    answer = sender.commit(upload)
    assert answer.status_code == 201, answer.content
    node = answer.json()
    assert node["size_bytes"] == size
    assert node["content_hash"] == hashlib.sha256(digest.digest() * (PARTS - 1) + last_digest.digest()).hexdigest()
    url = client.get(f"/nodes/{node['id']}/content").headers["Location"]
    ranges = {f"bytes=0-{PART - 1}": piece, f"bytes={size - PART - 1000}-{size - 1001}": piece, "bytes=-1000": last}
    for asked, expected in ranges.items():
        there = pool.request("GET", url, headers={"Range": asked})
        assert there.headers["Content-Range"].endswith(f"/{size}")
        assert there.data == expected

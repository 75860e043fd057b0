"""Uploads that happen at the same time: PostgreSQL and the store decide, once each."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection

from bitvault.gateway import uploads
from tests.support.sending import PART, Sender, put, sha256

pytestmark = [pytest.mark.store, pytest.mark.committed]


@pytest.fixture
def mia(api) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def at_once():
    """Run calls in threads of their own, each with its own connection; gives their answers in order."""

    def run(calls, threads=8):
        def one(call):
            try:
                return call()
            finally:
                connection.close()

        with ThreadPoolExecutor(threads) as workers:
            return list(workers.map(one, calls))

    return run


def room(sender):
    (quota,) = sender.api.get("/quotas").json()["items"]
    return quota["used_bytes"], quota["reserved_bytes"]


@pytest.mark.parametrize("size", [10, 2 * PART + 1])
def test_one_upload_that_is_committed_twice_at_once_gives_one_201_and_replays(mia, at_once, size):
    content = os.urandom(size)
    upload = mia.started("both.bin", content)
    mia.send(upload, content)
    answers = at_once([lambda: mia.commit(upload)] * 6)
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert room(mia) == (size, 0)
    assert mia.fetch(answers[0].json()).data == content


def test_of_many_uploads_of_one_name_one_wins(mia, at_once):
    uploads = []
    for number in range(6):
        content = f"content {number}".encode()
        upload = mia.started("name.txt", content)
        mia.send(upload, content)
        uploads.append(upload)
    answers = at_once([lambda upload=upload: mia.commit(upload) for upload in uploads])
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"files.name_taken"}
    assert room(mia) == (9, 5 * 9), "the others may still be tried again"


def test_of_many_uploads_of_one_name_all_win_when_names_may_change(mia, at_once):
    uploads = []
    for number in range(6):
        content = f"content {number}".encode()
        upload = mia.started("name.txt", content, autorename=True)
        mia.send(upload, content)
        uploads.append(upload)
    answers = at_once([lambda upload=upload: mia.commit(upload) for upload in uploads])
    assert [answer.status_code for answer in answers] == [201] * 6
    assert len({answer.json()["name"] for answer in answers}) == 6
    assert room(mia) == (6 * 9, 0)


def test_fifty_starts_for_the_last_megabyte_let_in_as_many_as_fit(mia, at_once, acme):
    from apps.billing import api as billing
    from bitvault.kernel import tenancy

    megabyte = 1024 * 1024
    with tenancy.entered(acme):
        billing.set_quota(limit_bytes=megabyte)
    size = megabyte // 4
    starts = [
        lambda number=number: mia.api.post(
            "/uploads", {"parent_id": mia.parent_id, "name": f"{number}.bin", "size_bytes": size}
        )
        for number in range(50)
    ]
    answers = at_once(starts, threads=16)
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(201), statuses.count(413)) == (4, 46)
    assert room(mia) == (0, megabyte)
    assert {answer.json()["code"] for answer in answers if answer.status_code == 413} == {"billing.quota_exceeded"}


def test_two_that_sign_first_parts_at_once_send_into_one_object(mia, at_once):
    content = os.urandom(2 * PART)
    upload = mia.started("shared.bin", content, announce=False)
    pieces = [content[:PART], content[PART:]]
    signed = at_once([lambda number=number: mia.sign(upload, content, [number])[0] for number in (1, 2, 1, 2)])
    for part in signed:
        assert put(part, pieces[part["number"] - 1]).status == 200
    node = mia.commit(upload)
    assert node.status_code == 201, node.content
    assert mia.fetch(node.json()).data == content


def test_giving_up_and_committing_at_once_ends_in_one_of_the_two(mia, at_once):
    for number in range(6):
        content = f"content {number}".encode()
        upload = mia.started(f"{number}.txt", content)
        mia.send(upload, content)
        path = f"/uploads/{upload['id']}"
        gone, done = at_once([partial(mia.api.delete, path), partial(mia.api.post, f"{path}/commit")])
        if done.status_code in (200, 201):  # 200 where giving up met a commit halfway and brought it to its end itself
            assert (gone.status_code, gone.json()["code"]) == (409, "storage.upload_complete")
            assert mia.fetch(done.json()).data == content
        else:
            assert (gone.status_code, done.status_code) == (204, 410)
    there = mia.api.get(f"/nodes/{mia.parent_id}/children").json()["items"]
    assert room(mia) == (9 * len(there), 0)


@pytest.mark.parametrize("moment", ["commit_upload", "finish_upload"], ids=["before", "after"])
def test_giving_up_around_the_version_stands_or_says_that_it_came_too_late(mia, at_once, monkeypatch, moment):
    """The commit has verified the bytes; somebody gives the upload up just before the version is made, or just behind it."""
    upload = mia.started("a.txt", b"abc")
    mia.send(upload, b"abc")
    module = uploads.files if moment == "commit_upload" else uploads.storage
    act, answers = getattr(module, moment), []

    def give_up_and_act(**arguments):
        monkeypatch.setattr(module, moment, act)
        answers.extend(at_once([lambda: mia.api.delete(f"/uploads/{upload['id']}")]))
        return act(**arguments)

    monkeypatch.setattr(module, moment, give_up_and_act)
    done, gone = mia.commit(upload), answers[0]
    there = mia.api.get(f"/nodes/{mia.parent_id}/children").json()["items"]
    if moment == "commit_upload":
        assert (gone.status_code, done.status_code, done.json()["code"]) == (204, 410, "storage.upload_over")
        assert (there, room(mia)) == ([], (0, 0))
        assert mia.commit(upload).status_code == 410
        assert mia.api.delete(f"/uploads/{upload['id']}").status_code == 204
    else:
        assert (gone.status_code, gone.json()["code"]) == (409, "storage.upload_complete")
        assert done.status_code in (200, 201)
        assert ([node["id"] for node in there], room(mia)) == ([done.json()["id"]], (3, 0))
        assert mia.commit(upload).json()["id"] == done.json()["id"]


def test_an_upload_whose_name_is_taken_at_its_commit_can_be_given_up(mia):
    upload = mia.started("a.txt", b"abc")
    mia.send(upload, b"abc")
    other = mia.started("a.txt", b"de")
    mia.send(other, b"de")
    assert mia.commit(other).status_code == 201
    assert mia.commit(upload).status_code == 409
    assert room(mia) == (2, 3)
    assert mia.api.delete(f"/uploads/{upload['id']}").status_code == 204
    assert room(mia) == (2, 0)
    assert mia.commit(upload).status_code == 410


def test_known_content_that_is_announced_while_it_arrives_is_stored_once_or_twice_but_never_wrong(mia, at_once):
    content = os.urandom(1000)

    def bring(number):
        upload = mia.started(f"{number}.bin", content)
        mia.send(upload, content)
        return mia.commit(upload)

    answers = at_once([lambda number=number: bring(number) for number in range(8)])
    assert [answer.status_code for answer in answers] == [201] * 8
    assert all(mia.fetch(answer.json()).data == content for answer in answers)
    assert room(mia) == (8 * 1000, 0)


def test_starts_with_one_idempotency_key_at_once_begin_one_upload(mia, at_once):
    body = {"parent_id": mia.parent_id, "name": "once.txt", "size_bytes": 3, "part_hashes": [sha256(b"abc")]}
    answers = at_once([lambda: mia.api.post("/uploads", body, headers={"Idempotency-Key": "k"})] * 6)
    assert [answer.status_code for answer in answers] == [201] * 6
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert room(mia) == (0, 3), "the room of those that came second was given back"

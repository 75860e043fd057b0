"""Files that come in and go out again, against the real store."""

import os
import re

import pytest
from django.core.management import call_command

from bitvault.stack.stores import StoreKind
from tests.support import sending
from tests.support.sending import PART, Sender, put, sha256

pytestmark = pytest.mark.store


@pytest.fixture
def mia(api) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.mark.parametrize("size", [0, 1, 4096, PART - 1, PART, PART + 1, 2 * PART + 17])
def test_a_file_goes_in_and_comes_out_identical(mia, size):
    content = os.urandom(size)
    node = mia.bring("file.bin", content)
    assert node["size_bytes"] == size
    assert node["content_hash"] == sending.content_hash(content)
    answer = mia.fetch(node)
    assert answer.status == 200
    assert answer.data == content


def test_the_start_tells_how_the_file_is_cut_and_where_to_send_it(mia):
    content = os.urandom(PART + 1)
    upload = mia.started("cut.bin", content)
    assert upload["state"] == "started"
    assert upload["part_size_bytes"] == PART
    assert upload["part_count"] == 2
    assert [(part["number"], part["state"], part["size_bytes"]) for part in upload["parts"]] == [
        (1, "send", PART),
        (2, "send", 1),
    ]
    assert all(part["method"] == "PUT" and part["url"].startswith("http") for part in upload["parts"])


def test_parts_can_be_announced_one_by_one_and_in_any_order(mia):
    content = os.urandom(2 * PART + 5)
    upload = mia.started("slow.bin", content, announce=False)
    assert upload["parts"] == []
    pieces = sending.cut(content)
    for number in (3, 1, 2):
        (part,) = mia.sign(upload, content, [number])
        assert put(part, pieces[number - 1]).status == 200
    node = mia.commit(upload).json()
    assert mia.fetch(node).data == content


def test_an_upload_is_resumed_from_what_the_store_holds(mia):
    content = os.urandom(3 * PART)
    upload = mia.started("resumed.bin", content)
    pieces = sending.cut(content)
    for part in upload["parts"][:2]:
        put(part, pieces[part["number"] - 1])
    found = mia.api.get(f"/uploads/{upload['id']}").json()
    assert found["state"] == "started"
    assert [(part["number"], part["state"], part["sha256"]) for part in found["parts"]] == [
        (1, "stored", sha256(pieces[0])),
        (2, "stored", sha256(pieces[1])),
    ]
    mia.send({**upload, "parts": []} | {"parts": found["parts"]}, content)
    assert mia.commit(upload).status_code == 201


def test_a_missing_part_is_named_and_can_still_be_sent(mia):
    content = os.urandom(3 * PART)
    upload = mia.started("gaps.bin", content)
    pieces = sending.cut(content)
    put(upload["parts"][1], pieces[1])
    answer = mia.commit(upload)
    assert answer.status_code == 409
    assert answer.json()["code"] == "storage.parts_missing"
    assert answer.json()["missing_parts"] == [1, 3]
    mia.send(upload, content)
    assert mia.commit(upload).status_code == 201


def test_a_single_part_that_never_arrived_is_named(mia):
    upload = mia.started("never.bin", b"never")
    answer = mia.commit(upload)
    assert (answer.status_code, answer.json()["missing_parts"]) == (409, [1])


def test_parts_that_nobody_announced_are_missing(mia):
    upload = mia.started("silent.bin", os.urandom(PART + 1), announce=False)
    answer = mia.commit(upload)
    assert (answer.status_code, answer.json()["missing_parts"]) == (409, [1, 2])


def test_a_part_that_was_sent_again_counts_once(mia):
    content = os.urandom(PART + 9)
    upload = mia.started("again.bin", content)
    mia.send(upload, content)
    mia.send(upload, content)
    node = mia.commit(upload).json()
    assert mia.fetch(node).data == content


def test_a_part_that_changed_on_the_way_is_taken_as_it_was_announced_last(mia):
    """The file changed while it was sent: the same part is announced anew, and only then sent as it is now."""
    import time

    before, after = os.urandom(2 * PART), None
    upload = mia.started("moving.bin", before)
    mia.send(upload, before)
    after = os.urandom(PART) + before[PART:]
    time.sleep(1.1)  # the store tells the time of a part in whole seconds
    (part,) = mia.sign(upload, after, [1])
    held = mia.api.get(f"/uploads/{upload['id']}").json()["parts"]
    assert [found["number"] for found in held] == [2], "what the store holds of part 1 is not what is announced now"
    assert mia.commit(upload).status_code == 422
    assert put(part, after[:PART]).status == 200
    node = mia.commit(upload).json()
    assert mia.fetch(node).data == after


def test_swapped_parts_are_refused_by_the_store_itself(mia):
    content = os.urandom(2 * PART)
    first, second = sending.cut(content)
    upload = mia.started("swapped.bin", content)
    assert put(upload["parts"][0], second).status == 400
    assert put(upload["parts"][1], first).status == 400
    assert mia.commit(upload).json()["missing_parts"] == [1, 2]


def test_hashes_that_differ_from_the_announced_ones_are_a_mismatch(mia):
    upload = mia.started("lying.bin", b"one")
    mia.send(upload, b"one")
    answer = mia.commit(upload, {"part_hashes": [sha256(b"two")]})
    assert (answer.status_code, answer.json()["code"]) == (422, "storage.content_mismatch")
    assert mia.commit(upload, {"part_hashes": [sha256(b"one")]}).status_code == 201


def test_a_commit_that_names_some_of_the_hashes_is_refused_and_told_how_many_there_are(mia):
    content = os.urandom(2 * PART)
    upload = mia.started("half.bin", content)
    mia.send(upload, content)
    first, second = map(sha256, sending.cut(content))
    for named in ([first], [first, second, second]):
        answer = mia.commit(upload, {"part_hashes": named})
        assert (answer.status_code, answer.json()["code"]) == (422, "storage.content_mismatch")
        assert answer.json()["part_count"] == 2
    assert mia.commit(upload, {"part_hashes": [second, first]}).status_code == 422
    assert mia.commit(upload, {"part_hashes": [first, second]}).status_code == 201


def test_a_commit_without_hashes_needs_every_part_announced(mia):
    content = os.urandom(2 * PART)
    upload = mia.start("unsaid.bin", content, announce=False).json()
    mia.sign(upload, content, [1])
    answer = mia.commit(upload, {})
    assert (answer.status_code, answer.json()["code"]) == (409, "storage.parts_missing")
    assert answer.json()["missing_parts"] == [2]
    assert "hashes" in answer.json()["detail"]
    mia.send(upload, content)
    assert mia.commit(upload, {}).status_code == 201


def test_two_hands_in_one_attempt_cannot_mix_their_files(mia):
    """Each announces and sends parts of a file of its own; whoever commits names what they mean, and gets it or a refusal."""
    one, two = os.urandom(2 * PART), os.urandom(2 * PART)
    upload = mia.start("shared.bin", one, announce=False).json()
    for content, number in ((one, 1), (two, 2)):
        (part,) = mia.sign(upload, content, [number])
        put(part, sending.cut(content)[number - 1])
    for content in (one, two):
        assert mia.commit(upload, {"part_hashes": list(map(sha256, sending.cut(content)))}).status_code == 422


def test_more_hashes_than_parts_are_refused_at_the_start(mia):
    answer = mia.start("many.bin", b"x", announce=False, part_hashes=[sha256(b"x")] * 2)
    assert (answer.status_code, answer.json()["code"]) == (422, "storage.part_out_of_range")


def test_a_part_that_the_file_does_not_have_is_refused(mia):
    upload = mia.started("short.bin", b"x")
    answer = mia.api.post(f"/uploads/{upload['id']}/parts", {"parts": [{"number": 2, "sha256": sha256(b"x")}]})
    assert (answer.status_code, answer.json()["code"]) == (422, "storage.part_out_of_range")


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [{"number": 1, "sha256": "00"}],
        [{"number": 0, "sha256": "0" * 64}],
        [{"number": 1, "sha256": "A" * 64}],
        [{"number": 1, "sha256": "0" * 64, "tenant": "x"}],
        [{"number": 1, "sha256": "0" * 64}, {"number": 1, "sha256": "1" * 64}],
        [{"number": n, "sha256": "0" * 64} for n in range(1, 102)],
    ],
)
def test_a_list_of_parts_that_makes_no_sense_is_refused(mia, parts):
    upload = mia.started("odd.bin", b"x")
    assert mia.api.post(f"/uploads/{upload['id']}/parts", {"parts": parts}).status_code == 422


@pytest.mark.parametrize("size", [5 * 1024**4 + 1, 10**30])
def test_a_file_that_no_store_takes_is_refused(mia, size):
    answer = mia.api.post("/uploads", {"parent_id": mia.parent_id, "name": "huge", "size_bytes": size})
    assert answer.status_code == 413


@pytest.mark.parametrize("size", [-1, 1.5, "1", None])
def test_a_size_that_is_none_is_refused(mia, size):
    assert mia.api.post("/uploads", {"parent_id": mia.parent_id, "name": "n", "size_bytes": size}).status_code == 422


def test_a_commit_that_is_repeated_gives_the_same_node(mia):
    upload = mia.started("twice.txt", b"twice")
    mia.send(upload, b"twice")
    first, second = mia.commit(upload), mia.commit(upload)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert mia.api.get(f"/uploads/{upload['id']}").json()["state"] == "committed"


def test_a_commit_needs_no_body(mia):
    upload = mia.started("bare.txt", b"bare")
    mia.send(upload, b"bare")
    assert mia.api.request("POST", f"/uploads/{upload['id']}/commit").status_code == 201


def test_a_committed_upload_takes_no_more_parts_and_cannot_be_given_up(mia):
    upload = mia.started("done.txt", b"done")
    mia.send(upload, b"done")
    mia.commit(upload)
    answer = mia.api.post(f"/uploads/{upload['id']}/parts", {"parts": [{"number": 1, "sha256": sha256(b"x")}]})
    assert (answer.status_code, answer.json()["code"]) == (409, "storage.upload_complete")
    assert mia.api.delete(f"/uploads/{upload['id']}").status_code == 409


def test_an_upload_that_was_given_up_is_over(mia):
    content = os.urandom(PART + 1)
    upload = mia.started("dropped.bin", content)
    put(upload["parts"][0], content[:PART])
    assert mia.api.delete(f"/uploads/{upload['id']}").status_code == 204
    assert mia.api.delete(f"/uploads/{upload['id']}").status_code == 204
    assert put(upload["parts"][1], content[PART:]).status == 404, "the store has dropped it too"
    assert mia.api.get(f"/uploads/{upload['id']}").json()["state"] == "aborted"
    for call in (
        lambda: mia.commit(upload),
        lambda: mia.api.post(f"/uploads/{upload['id']}/parts", {"parts": [{"number": 1, "sha256": "0" * 64}]}),
    ):
        answer = call()
        assert (answer.status_code, answer.json()["code"]) == (410, "storage.upload_over")


def test_a_name_that_was_taken_meanwhile_leaves_the_upload_as_it_was(mia):
    upload = mia.started("race.txt", b"mine")
    mia.send(upload, b"mine")
    winner = mia.bring("race.txt", b"theirs")
    answer = mia.commit(upload)
    assert (answer.status_code, answer.json()["code"]) == (409, "files.name_taken")
    assert mia.api.get("/quotas").json()["items"][0]["reserved_bytes"] == 4
    assert mia.api.delete(f"/nodes/{winner['id']}").status_code == 204
    assert mia.commit(upload).status_code == 201


def test_a_start_that_is_refused_reserves_nothing(mia):
    mia.bring("taken.txt", b"1")
    assert mia.start("taken.txt", b"22").status_code == 409
    assert mia.api.get("/quotas").json()["items"][0]["reserved_bytes"] == 0


def test_an_upload_counts_from_its_start_and_is_charged_at_its_commit(mia):
    room = lambda: mia.api.get("/quotas").json()["items"][0]  # noqa: E731
    upload = mia.started("room.txt", b"12345")
    assert (room()["used_bytes"], room()["reserved_bytes"]) == (0, 5)
    mia.send(upload, b"12345")
    mia.commit(upload)
    mia.commit(upload)
    assert (room()["used_bytes"], room()["reserved_bytes"]) == (5, 0)
    other = mia.started("other.txt", b"67")
    mia.api.delete(f"/uploads/{other['id']}")
    assert (room()["used_bytes"], room()["reserved_bytes"]) == (5, 0)


def test_a_file_that_does_not_fit_is_refused_before_any_byte_moves(mia):
    answer = mia.api.post("/uploads", {"parent_id": mia.parent_id, "name": "big", "size_bytes": 2 * 1024**4})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (413, "billing.quota_exceeded")
    assert problem["requested_bytes"] == 2 * 1024**4
    assert problem["limit_bytes"] == 1024**4
    assert problem["used_bytes"] == problem["reserved_bytes"] == 0


def test_known_content_of_ones_own_needs_not_travel_again(mia):
    content = os.urandom(PART + 3)
    first = mia.bring("first.bin", content)
    upload = mia.started("second.bin", content)
    assert [part["state"] for part in upload["parts"]] == ["present", "present"]
    second = mia.commit(upload)
    assert second.status_code == 201
    assert second.json()["content_hash"] == first["content_hash"]
    assert mia.fetch(second.json()).data == content
    assert mia.api.get("/quotas").json()["items"][0]["used_bytes"] == 2 * len(content), "each version counts"


def test_content_that_only_somebody_else_can_read_has_to_travel(mia, api):
    """A hash is never a key to content: neither in another tenant, nor to another person of the same one."""
    content = os.urandom(64)
    mia.bring("secret.bin", content)
    for name in ("adam", "boris"):
        client = api(name)
        other = Sender(client, client.get("/me").json()["root_id"])
        upload = other.started("guess.bin", content)
        assert [part["state"] for part in upload["parts"]] == ["send"]
        assert other.commit(upload).status_code == 409


def test_known_content_that_changes_before_its_commit_has_to_travel(mia):
    mia.bring("known.txt", b"known")
    upload = mia.started("copy.txt", b"known")
    (part,) = mia.api.post(
        f"/uploads/{upload['id']}/parts", {"parts": [{"number": 1, "sha256": sha256(b"other")}]}
    ).json()["items"]
    assert part["state"] == "send"
    assert mia.commit(upload).json()["missing_parts"] == [1]
    put(part, b"other")
    assert mia.fetch(mia.commit(upload).json()).data == b"other"


def test_only_changed_parts_of_a_new_version_travel(copying_store, mia):
    before = os.urandom(3 * PART + 100)
    node = mia.bring("grown.bin", before)
    after = before[:PART] + os.urandom(PART) + before[2 * PART :]
    upload = mia.started("grown.bin", after, mode="update", node_id=node["id"], base_version_id=node["version_id"])
    assert [part["state"] for part in upload["parts"]] == ["present", "send", "present", "present"]
    mia.puts = 0
    mia.send(upload, after)
    assert mia.puts == 1
    held = mia.api.get(f"/uploads/{upload['id']}").json()["parts"]
    assert [part["state"] for part in held] == ["present", "stored", "present", "present"]
    changed = mia.commit(upload)
    assert changed.status_code == 201, changed.content
    assert changed.json()["content_hash"] == sending.content_hash(after)
    assert mia.fetch(changed.json()).data == after


def test_where_the_store_copies_no_parts_all_of_them_travel_again_and_its_check_says_so(use_store, mia, db, capsys):
    use_store(StoreKind.VERSITYGW)
    call_command("check_store")
    assert re.search(
        r"no +useful +part_copy +copies unchanged parts itself \(without it: All parts of a changed file travel",
        capsys.readouterr().out,
    )
    before = os.urandom(PART + 100)
    node = mia.bring("grown.bin", before)
    after = before[:PART] + os.urandom(100)
    upload = mia.started("grown.bin", after, mode="update", node_id=node["id"], base_version_id=node["version_id"])
    assert [part["state"] for part in upload["parts"]] == ["send", "send"]
    mia.send(upload, after)
    changed = mia.commit(upload)
    assert changed.status_code == 201, changed.content
    assert mia.fetch(changed.json()).data == after


def test_a_byte_that_is_put_in_front_shifts_every_part(copying_store, mia):
    before = os.urandom(2 * PART + 100)
    node = mia.bring("shifted.bin", before)
    wishes = {"mode": "update", "node_id": node["id"], "base_version_id": node["version_id"]}
    shifted = mia.started("shifted.bin", b"x" + before, **wishes)
    assert [part["state"] for part in shifted["parts"]] == ["send", "send", "send"]
    longer = mia.started("shifted.bin", before + b"x", **wishes)
    assert [part["state"] for part in longer["parts"]] == ["present", "present", "send"]


def test_a_file_that_only_lost_its_end_sends_nothing(copying_store, mia):
    before = os.urandom(3 * PART)
    node = mia.bring("cut.bin", before)
    upload = mia.started(
        "cut.bin", before[: 2 * PART], mode="update", node_id=node["id"], base_version_id=node["version_id"]
    )
    assert [part["state"] for part in upload["parts"]] == ["present", "present"]
    assert mia.fetch(mia.commit(upload).json()).data == before[: 2 * PART]


def test_identical_content_makes_no_version_and_is_not_charged(mia):
    node = mia.bring("same.txt", b"same")
    upload = mia.started("same.txt", b"same", mode="overwrite")
    again = mia.commit(upload)
    assert again.json()["version_id"] == node["version_id"]
    assert again.json()["revision"] == node["revision"]
    room = mia.api.get("/quotas").json()["items"][0]
    assert (room["used_bytes"], room["reserved_bytes"]) == (4, 0)


def test_an_upload_of_somebody_else_is_not_there(mia, api):
    upload = mia.started("mine.txt", b"mine")
    for name in ("olga", "adam", "boris"):
        client = api(name)
        answers = [
            client.get(f"/uploads/{upload['id']}"),
            client.delete(f"/uploads/{upload['id']}"),
            client.post(f"/uploads/{upload['id']}/commit"),
            client.post(f"/uploads/{upload['id']}/parts", {"parts": [{"number": 1, "sha256": "0" * 64}]}),
        ]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
            (404, "storage.upload_not_found")
        ] * 4


def test_an_idempotency_key_starts_one_upload(mia):
    body = {"parent_id": mia.parent_id, "name": "once.txt", "size_bytes": 3, "part_hashes": [sha256(b"abc")]}
    answers = [mia.api.post("/uploads", body, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert mia.api.get("/quotas").json()["items"][0]["reserved_bytes"] == 3


@pytest.mark.parametrize(
    ("given", "name", "kept"),
    [
        (None, "a.png", "image/png"),
        (None, "a.unknown-kind", "application/octet-stream"),
        (None, "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (None, "a.txt.gz", "application/gzip"),
        ("text/plain", "a.bin", "text/plain"),
        ("Text/Plain;charset=UTF-8", "a.bin", "text/plain; charset=utf-8"),
    ],
)
def test_a_file_has_the_type_that_was_given_or_that_its_name_tells(mia, given, name, kept):
    wishes = {} if given is None else {"media_type": given}
    assert mia.bring(name, b"x", **wishes)["media_type"] == kept


@pytest.mark.parametrize(
    "moment",
    ["1601-01-01T00:00:00Z", "2026-02-03T04:05:06.789+05:30", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"],
)
def test_a_device_may_have_any_idea_of_when_a_file_changed(mia, moment):
    node = mia.bring("old.txt", b"x", client_modified_at=moment)
    assert node["client_modified_at"] is not None
    assert mia.api.get(f"/nodes/{node['id']}").json() == node


@pytest.mark.parametrize("moment", ["2026-02-03T04:05:06", "yesterday", 5, "2026-13-01T00:00:00Z"])
def test_a_moment_that_is_none_is_refused(mia, moment):
    assert mia.start("old.txt", b"x", client_modified_at=moment).status_code == 422


@pytest.mark.parametrize("media_type", ["text", "text/html\r\nX: y", "", "a" * 300 + "/b", "text/html\n", "text/é"])
def test_a_type_that_is_none_is_refused(mia, media_type):
    assert mia.start("t", b"x", media_type=media_type).status_code == 422


@pytest.mark.parametrize("sent", ["a" * 63, "a" * 65, "a" * 64 + "\n", "A" * 64, "٣" * 64])
def test_a_hash_that_is_none_is_refused(mia, sent):
    answer = mia.api.post("/uploads", {"parent_id": mia.parent_id, "name": "t", "size_bytes": 1, "part_hashes": [sent]})
    assert answer.status_code == 422

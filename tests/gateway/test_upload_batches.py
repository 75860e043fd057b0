"""Many small files at once: each with a result of its own, the same when it is sent again, and by as many statements for fifty as for five."""

import os
from unittest.mock import patch

import pytest
from django.db import connection

from apps.storage import provider
from tests.support.sending import PART, Sender, content_hash, cut, put, sha256

pytestmark = pytest.mark.store


@pytest.fixture
def mia(api) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


def wish(sender, name, content, **more):
    return {
        "parent_id": sender.parent_id,
        "name": name,
        "size_bytes": len(content),
        "part_hashes": [sha256(part) for part in cut(content)],
        **more,
    }


def start(sender, wishes, **headers):
    answer = sender.api.post("/uploads/batch", {"uploads": wishes}, **headers)
    assert answer.status_code == 200, answer.content
    return answer.json()["items"]


def send(items, contents):
    for item, content in zip(items, contents, strict=True):
        for part, piece in zip(item["upload"]["parts"], cut(content), strict=True):
            if part["state"] == "send":
                assert put(part, piece).status == 200


def commit(sender, items):
    answer = sender.api.post(
        "/uploads/batch/commit", {"uploads": [{"id": item["upload"]["id"]} for item in items if item.get("upload")]}
    )
    assert answer.status_code == 200, answer.content
    return answer.json()["items"]


def bring(sender, contents: dict, **more):
    items = start(sender, [wish(sender, name, content, **more) for name, content in contents.items()])
    assert [item["status"] for item in items] == [201] * len(contents), items
    send(items, contents.values())
    return commit(sender, items)


def room(sender):
    (quota,) = sender.api.get("/quotas").json()["items"]
    return quota["used_bytes"], quota["reserved_bytes"]


def test_many_files_go_in_and_come_out_identical(mia):
    contents = {f"{number}.bin": os.urandom(number * 100) for number in range(30)}
    done = bring(mia, contents)
    assert [(item["status"], item["outcome"]) for item in done] == [(201, "created")] * 30
    for item, (name, content) in zip(done, contents.items(), strict=True):
        node = item["node"]
        assert (node["name"], node["size_bytes"], node["content_hash"]) == (name, len(content), content_hash(content))
        assert mia.fetch(node).data == content
    folder = mia.api.get(f"/nodes/{mia.parent_id}/children?limit=100").json()
    assert sorted(node["name"] for node in folder["items"]) == sorted(contents)
    assert room(mia) == (sum(map(len, contents.values())), 0)


def test_a_node_of_a_batch_is_as_one_of_a_single_upload(mia):
    (item,) = bring(mia, {"batch.txt": b"abc"}, client_modified_at="2020-01-01T00:00:00Z")
    single = mia.bring("single.txt", b"abcd", client_modified_at="2020-01-01T00:00:00Z")
    varying = {"id", "name", "version_id", "content_hash", "size_bytes", "created_at", "modified_at"}
    told = mia.api.get(f"/nodes/{item['node']['id']}").json()
    assert {k: v for k, v in told.items() if k not in varying} == {
        k: v for k, v in mia.api.get(f"/nodes/{single['id']}").json().items() if k not in varying
    }
    assert item["node"].keys() == single.keys()


def test_a_commit_that_is_sent_again_gives_the_same_nodes(mia):
    contents = {f"{number}.bin": os.urandom(10 + number) for number in range(5)}
    items = start(mia, [wish(mia, name, content) for name, content in contents.items()])
    send(items, contents.values())
    first, second = commit(mia, items), commit(mia, items)
    assert [item["status"] for item in second] == [200] * 5
    assert [item["node"] for item in first] == [item["node"] for item in second]
    assert room(mia) == (sum(map(len, contents.values())), 0)


def test_a_commit_that_died_after_any_step_is_finished_by_the_next(mia):
    for where in ("complete_uploads", "commit_uploads", "settle_many", "finish_uploads"):
        from apps.billing import api as billing
        from apps.files import api as files
        from apps.storage import api as storage

        owner = {"commit_uploads": files, "settle_many": billing}.get(where, storage)
        real = getattr(owner, where)

        class Killed(BaseException):
            pass

        def die(*args, real=real, killed=Killed, **kwargs):
            real(*args, **kwargs)
            raise killed

        contents = {f"{where} {number}.bin": os.urandom(10 + number) for number in range(3)}
        items = start(mia, [wish(mia, name, content) for name, content in contents.items()])
        send(items, contents.values())
        used = room(mia)[0]
        with patch.object(owner, where, die), pytest.raises(Killed):
            commit(mia, items)
        done = commit(mia, items)
        assert {item["status"] for item in done} <= {200, 201}
        assert [mia.fetch(item["node"]).data for item in done] == list(contents.values())
        assert room(mia) == (used + sum(map(len, contents.values())), 0), where


def test_a_start_that_is_sent_again_with_its_key_gives_the_same_uploads(mia):
    wishes = [wish(mia, f"{number}.bin", os.urandom(10)) for number in range(2)]
    wishes.append(wish(mia, "announced later.bin", os.urandom(10), part_hashes=[]))
    first = start(mia, wishes, headers={"Idempotency-Key": "one"})
    assert start(mia, wishes, headers={"Idempotency-Key": "one"}) == first
    assert room(mia) == (0, 30)


def test_one_refusal_is_no_others(mia, api):
    mia.bring("taken.txt", b"there already")
    wishes = [
        wish(mia, "good.txt", b"good"),
        wish(mia, "taken.txt", b"other"),
        wish(mia, "bad/name.txt", b"x"),
        wish(mia, "nowhere.txt", b"x", parent_id="01900000-0000-7000-8000-000000000000"),
        wish(mia, "typed.txt", b"x", media_type="no type"),
        wish(mia, "huge.bin", b"", size_bytes=2**62, part_hashes=[]),
    ]
    items = start(mia, wishes)
    assert [item["status"] for item in items[:5]] == [201, 409, 422, 404, 422]
    assert items[5]["status"] in (413, 422)
    assert items[1]["problem"]["code"] == "files.name_taken"
    send(items[:1], [b"good"])
    (done,) = commit(mia, items)
    assert done["status"] == 201
    assert room(mia)[1] == 0


def test_what_has_not_arrived_or_is_another_persons_is_told_by_item(mia, api):
    items = start(mia, [wish(mia, f"{number}.bin", os.urandom(10)) for number in range(2)])
    arrived = os.urandom(10)
    (good,) = start(mia, [wish(mia, "good.bin", arrived)])
    send([good], [arrived])
    olga = api("olga")
    hers = Sender(olga, olga.get("/me").json()["root_id"])
    (foreign,) = start(hers, [wish(hers, "hers.bin", b"hers")])
    done = commit(mia, [items[0], good, foreign, items[1]])
    assert [item["status"] for item in done] == [409, 201, 404, 409]
    assert done[0]["problem"]["missing_parts"] == [1]


def test_known_content_needs_no_bytes_and_the_same_name_can_be_overwritten(mia):
    contents = {f"{number}.bin": os.urandom(10 + number) for number in range(3)}
    bring(mia, contents)
    items = start(mia, [wish(mia, f"copy of {name}", content) for name, content in contents.items()])
    assert [item["upload"]["parts"][0]["state"] for item in items] == ["present"] * 3
    assert [item["status"] for item in commit(mia, items)] == [201] * 3
    same = bring(mia, contents, mode="overwrite")
    assert [item["outcome"] for item in same] == ["identical"] * 3
    other = bring(mia, {name: b"x" + content for name, content in contents.items()}, mode="overwrite")
    assert [item["outcome"] for item in other] == ["updated"] * 3
    assert [mia.fetch(item["node"]).data for item in other] == [b"x" + content for content in contents.values()]


def test_two_of_one_name_in_a_batch_are_decided_in_order(mia):
    items = start(mia, [wish(mia, "one.txt", content) for content in (b"a", b"b")])
    send(items, [b"a", b"b"])
    done = commit(mia, items)
    assert [item["status"] for item in done] == [201, 409]
    items = start(mia, [wish(mia, "two.txt", content, autorename=True) for content in (b"a1", b"b1")])
    send(items, [b"a1", b"b1"])
    assert [(item["node"]["name"], item["outcome"]) for item in commit(mia, items)] == [
        ("two.txt", "created"),
        ("two (2).txt", "renamed"),
    ]


def test_large_files_may_be_among_them(mia):
    contents = {"small.bin": os.urandom(10), "large.bin": os.urandom(PART + 1)}
    done = bring(mia, contents)
    assert [mia.fetch(item["node"]).data for item in done] == list(contents.values())


def test_files_that_find_no_room_are_refused_and_the_others_go_on(mia):
    from apps.billing import api as billing
    from bitvault.kernel import tenancy
    from tests.support.world import ACME

    mia.bring("first.bin", b"1")
    with tenancy.entered(tenancy.Tenant(id=ACME.id, slug=ACME.slug, name=ACME.slug)):
        billing.set_quota(limit_bytes=26)
    items = start(mia, [wish(mia, f"{number}.bin", os.urandom(10)) for number in range(3)])
    assert [item["status"] for item in items] == [201, 201, 413]
    assert items[2]["problem"]["code"] == "billing.quota_exceeded"
    assert room(mia) == (1, 20)


def count_statements(act):
    said = []

    def count(execute, sql, *rest):
        said.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        act()
    return len(said)


@pytest.mark.usefixtures("lasting_memory")
def test_a_batch_of_fifty_costs_as_many_statements_as_one_of_five(mia):
    bring(mia, {"first.bin": b"opens the quota"})
    costs = []
    for many in (5, 50):
        contents = {f"{many} {number}.bin": os.urandom(20) for number in range(many)}
        wishes = [wish(mia, name, content) for name, content in contents.items()]
        items = []
        started = count_statements(lambda wishes=wishes, items=items: items.extend(start(mia, wishes)))
        send(items, contents.values())
        committed = count_statements(lambda items=items: commit(mia, items))
        again = count_statements(lambda items=items: commit(mia, items))
        costs.append((started, committed, again))
    assert costs[0] == costs[1]


def test_the_store_is_asked_for_each_object_and_flushed_once(mia, monkeypatch):
    from apps.storage import durability

    flushes = []
    monkeypatch.setattr(durability, "flush", lambda *_, **__: flushes.append(1))
    asked = []
    real = provider.ObjectStore._find
    monkeypatch.setattr(provider.ObjectStore, "_find", lambda self, key: asked.append(key) or real(self, key))
    bring(mia, {f"{number}.bin": os.urandom(10) for number in range(10)})
    assert (len(asked), len(flushes)) == (10, 1)

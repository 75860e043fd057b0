"""Promises between requests, kept over HTTP by several processes: pages, repeated requests, ETags."""

import itertools
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def api(live):
    return live.client("mia")


@pytest.fixture
def folder(api):
    root_id = api.get("/me").json()["root_id"]
    return api.post("/folders", {"parent_id": root_id, "name": str(uuid.uuid4())}).json()["id"]


# --- pages -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sort", "order"), [("name", "asc"), ("name", "desc"), ("modified_at", "asc"), ("modified_at", "desc")]
)
def test_while_rows_come_and_go_each_row_that_stays_is_listed_once(live, api, folder, sort, order):
    """API-2: another client makes, renames and deletes rows between and during the pages."""
    staying = {api.post("/folders", {"parent_id": folder, "name": f"stays {n:03}"}).json()["id"] for n in range(120)}
    stop = threading.Event()
    changes = []

    def disturb():
        client = live.client("mia")
        while not stop.is_set():
            n = len(changes)
            made = client.post("/folders", {"parent_id": folder, "name": f"{'astz'[n % 4]} comes {n}"}).json()
            client.patch(f"/nodes/{made['id']}", {"name": f"{'zsta'[n % 4]} moves {n}"}, revision=1)
            client.delete(f"/nodes/{made['id']}")
            changes.append(made["id"])

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        seen, cursor, pages = [], None, 0
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = api.get(f"/nodes/{folder}/children", limit=7, sort=sort, order=order, **more).json()
            seen += [node["id"] for node in page["items"]]
            pages += 1
            cursor = page["next_cursor"]
            if cursor is None:
                break
            if pages % 6 == 0:
                before = len(changes)
                live.await_that(lambda before=before: len(changes) > before)
    finally:
        stop.set()
        thread.join()
    assert len([node_id for node_id in seen if node_id in staying]) == len(staying)
    assert set(seen) >= staying
    assert len(changes) >= 3


def test_a_cursor_belongs_to_its_list(api, folder):
    for n in range(4):
        api.post("/folders", {"parent_id": folder, "name": f"{n}"})
    cursor = api.get(f"/nodes/{folder}/children", limit=2).json()["next_cursor"]
    assert api.get(f"/nodes/{folder}/children", limit=2, cursor=cursor).status_code == 200
    for path, query in (
        (f"/nodes/{folder}/children", {"sort": "modified_at"}),
        (f"/nodes/{folder}/children", {"order": "desc"}),
        ("/nodes/root/children", {}),
        ("/trash", {}),
        ("/tokens", {}),
    ):
        answer = api.get(path, cursor=cursor, **query)
        assert (answer.status_code, answer.json()["code"]) == (400, "request.bad_cursor"), (path, query)
    for spoilt in (cursor[:-1], cursor + "x", cursor.swapcase(), "x" * 10_000, cursor[::-1]):
        assert api.get(f"/nodes/{folder}/children", cursor=spoilt).status_code == 400


# --- repeated requests -----------------------------------------------------------------------------------------------------------


BUSY_SECONDS = 60.0


def at_once(count, action):
    barrier = threading.Barrier(count)

    def run(n):
        barrier.wait()
        return action(n)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def test_fifty_identical_requests_at_once_have_one_effect_and_one_answer(live, api, folder):
    """IDEM-1."""
    clients = [live.client("mia") for _ in range(50)]
    key = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"parent_id": folder, "name": "once", "autorename": True}

    def ask(n):
        end = time.monotonic() + BUSY_SECONDS
        while (answer := clients[n].post("/folders", body, headers=key)).status_code == 503:
            # So many at once are more than a busy machine lets wait; who is told so asks again.
            assert answer.headers["Retry-After"]
            assert time.monotonic() < end
            time.sleep(0.2)
        return answer

    answers = at_once(50, ask)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert len(api.get(f"/nodes/{folder}/children").json()["items"]) == 1


def test_a_key_is_good_for_one_request_of_one_credential_at_one_route(live, api, folder):
    """IDEM-3, and the same key with another payload; at another route it is another key."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = api.post("/folders", {"parent_id": folder, "name": "a"}, headers=key)
    assert first.status_code == 201
    other = api.post("/folders", {"parent_id": folder, "name": "b"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "request.idempotency_key_reused")
    elsewhere = api.post("/uploads", {"parent_id": folder, "name": "other", "size_bytes": 0}, headers=key)
    assert (elsewhere.status_code, "Idempotent-Replayed" in elsewhere.headers) == (201, False)
    for person in ("olga", "boris"):
        client = live.client(person)
        root_id = client.get("/me").json()["root_id"]
        answer = client.post("/folders", {"parent_id": root_id, "name": key["Idempotency-Key"]}, headers=key)
        assert answer.status_code == 201
        assert "Idempotent-Replayed" not in answer.headers
    assert api.post("/folders", {"parent_id": folder, "name": "a"}, headers=key).content == first.content


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "café"])
def test_a_key_that_is_none_is_refused(api, folder, key):
    headers = {"Idempotency-Key": key.encode()}
    answer = api.post("/folders", {"parent_id": folder, "name": "k"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "request.bad_idempotency_key")


def test_a_refusal_is_not_kept(api, folder):
    """What was refused had no effect: the same key may try again once the way is free."""
    taken = api.post("/folders", {"parent_id": folder, "name": "taken"}).json()
    key = {"Idempotency-Key": str(uuid.uuid4())}
    assert api.post("/folders", {"parent_id": folder, "name": "taken"}, headers=key).status_code == 409
    assert api.delete(f"/nodes/{taken['id']}").status_code == 204
    assert api.post("/folders", {"parent_id": folder, "name": "taken"}, headers=key).status_code == 201


# --- ETags -----------------------------------------------------------------------------------------------------------------------


def test_of_twenty_changes_with_one_etag_one_is_made(live, api, folder):
    """ETAG-1, over two processes."""
    node = api.post("/folders", {"parent_id": folder, "name": "contested"}).json()
    clients = [live.client("mia") for _ in range(20)]
    answers = at_once(20, lambda n: clients[n].patch(f"/nodes/{node['id']}", {"name": f"by {n}"}, revision=1))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19
    assert api.patch(f"/nodes/{node['id']}", {"name": "without"}).status_code == 428
    for spoilt in ("1", 'W/"1"', '"x"', '""', '"1" "2"', '"99999999999999999999"'):
        answer = api.request("PATCH", f"/nodes/{node['id']}", {"name": "spoilt"}, headers={"If-Match": spoilt})
        assert answer.status_code in (400, 412, 422), spoilt
    # A list holds when one of its tags does (RFC 9110 §13.1.1): of two changes with this one, one is made.
    listed = {"If-Match": '"1", "2"'}
    answers = [api.request("PATCH", f"/nodes/{node['id']}", {"name": f"listed {n}"}, headers=listed) for n in range(2)]
    assert [answer.status_code for answer in answers] == [200, 412]


def test_mutations_are_numbered_in_the_order_in_which_they_are_seen(live, folder):
    """BitVault-Seq rises with each commit, and what was acknowledged under n is seen by everyone who asks afterwards."""
    clients = [live.client("mia") for _ in range(8)]

    def make(n):
        begun = time.monotonic()
        answer = clients[n].post("/folders", {"parent_id": folder, "name": f"seq {n}"})
        return int(answer.headers["BitVault-Seq"]), begun, time.monotonic()

    numbered = sorted(at_once(8, make))
    assert len({seq for seq, _, _ in numbered}) == 8
    for earlier, later in itertools.pairwise(numbered):
        assert earlier[1] < later[2], "a later number cannot have been told before the earlier one was asked for"
    names = {node["name"] for node in clients[0].get(f"/nodes/{folder}/children").json()["items"]}
    assert names == {f"seq {n}" for n in range(8)}

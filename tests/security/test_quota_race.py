"""The last room is given once, however many want it at the same moment, over all processes (THR 39, Q1)."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.sending import Sender
from tests.support.world import ACME

pytestmark = [pytest.mark.journey, pytest.mark.store]

SCHEMA = f"t_{ACME.id.hex}"
AT_ONCE = 50
SIZE = 100_000
FITTING = 7


@pytest.fixture(scope="module")
def room(live):
    """Leave room for seven files of fifty."""
    sender = Sender(live.client("mia"), live.client("mia").get("/me").json()["root_id"])
    sender.bring("first.bin", b"opens the quota")
    with live.database() as database:
        database.execute(
            f"UPDATE {SCHEMA}.billing_quota SET limit_bytes = used_bytes + %s", [FITTING * SIZE + SIZE // 2]
        )
    return sender.parent_id


def figures(live):
    with live.database() as database:
        row = database.execute(f"SELECT used_bytes, reserved_bytes, limit_bytes FROM {SCHEMA}.billing_quota").fetchone()
        counted = database.execute(f"SELECT sum(size_bytes) FROM {SCHEMA}.files_version").fetchone()
    return *row, counted[0]


def test_of_fifty_uploads_that_want_the_last_room_as_many_begin_as_fit(live, room):
    senders = [Sender(live.client("mia"), room) for _ in range(AT_ONCE)]
    barrier = threading.Barrier(AT_ONCE)

    def start(n):
        barrier.wait()
        return senders[n].start(f"{n}.bin", bytes([n]) * SIZE)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(start, range(AT_ONCE)))
    begun = [n for n, answer in enumerate(answers) if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code != 201]
    assert len(begun) == FITTING
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(413, "billing.quota_exceeded")}
    used, reserved, limit, counted = figures(live)
    assert reserved == FITTING * SIZE
    assert used + reserved <= limit

    # All commit at once, each three times: charged once, and nothing more than was promised.
    for n in begun:
        senders[n].send(answers[n].json(), bytes([n]) * SIZE)
    barrier = threading.Barrier(3 * FITTING)

    def commit(n):
        barrier.wait()
        return senders[n].commit(answers[n].json()).status_code

    with ThreadPoolExecutor(3 * FITTING) as threads:
        statuses = list(threads.map(commit, begun * 3))
    assert sorted(statuses) == [200] * 2 * FITTING + [201] * FITTING
    used, reserved, limit, counted = figures(live)
    assert (used, reserved) == (counted, 0)
    assert used <= limit


def test_what_is_in_the_trash_counts_until_it_is_gone(live, room):
    """The trash is no way round the quota, and neither are versions."""
    api = live.client("mia")
    sender = Sender(api, room)
    node = api.get("/nodes/by-path", path="/first.bin").json()
    assert api.delete(f"/nodes/{node['id']}").status_code == 204
    assert sender.start("more.bin", bytes(SIZE)).status_code == 413
    largest = api.get("/nodes/root/children", sort="size_bytes", order="desc", limit=1).json()["items"][0]
    over = sender.start(largest["name"], b"\xff" * SIZE, mode="overwrite")
    assert over.status_code == 413, "an older version keeps its room"
    assert api.delete(f"/nodes/{largest['id']}").status_code == 204
    assert api.delete(f"/trash/{largest['id']}").status_code == 204
    live.await_that(lambda: sender.start("now.bin", b"\xfe" * SIZE).status_code == 201)
    used, reserved, limit, counted = figures(live)
    assert used == counted
    assert used + reserved <= limit


def test_uploads_that_are_given_up_give_their_room_back_at_once(live, room):
    api = live.client("mia")
    sender = Sender(api, room)
    _, reserved, _, _ = figures(live)
    with live.database() as database:
        database.execute(f"UPDATE {SCHEMA}.billing_quota SET limit_bytes = used_bytes + reserved_bytes + %s", [SIZE])
    for n in range(20):
        upload = sender.started(f"given up {n}.bin", bytes(SIZE))
        assert api.delete(f"/uploads/{upload['id']}").status_code == 204
    assert figures(live)[1] == reserved

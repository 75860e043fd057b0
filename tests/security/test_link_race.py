"""The last download of a link is given once, however many strangers want it at the same moment, over all processes."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.sending import Sender

pytestmark = [pytest.mark.journey, pytest.mark.store]

AT_ONCE = 100


def test_of_a_hundred_strangers_who_want_the_last_download_exactly_one_gets_it(live):
    mia = live.client("mia")
    file = Sender(mia, mia.get("/me").json()["root_id"]).bring("wanted.bin", b"wanted by many")
    link = mia.post(f"/nodes/{file['id']}/links", {"kind": "download", "download_limit": 1}).json()
    path = f"/s/{link['url'].rpartition('/')[2]}/content/{file['id']}"
    barrier = threading.Barrier(AT_ONCE)

    def want(_):
        with httpx.Client(base_url=live.base_url, headers={"Host": live.tenant_host}, timeout=60) as stranger:
            barrier.wait()
            return stranger.get(path)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(want, range(AT_ONCE)))
    # A process that has no thread to spare says so, and counts nothing.
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[302] == 1, statuses
    assert set(statuses) <= {302, 410, 503}, statuses
    (winner,) = [answer for answer in answers if answer.status_code == 302]
    assert httpx.get(winner.headers["Location"]).content == b"wanted by many"
    (listed,) = mia.get(f"/nodes/{file['id']}/links").json()["items"]
    assert (listed["download_count"], listed["state"]) == (1, "used_up")

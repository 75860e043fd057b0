"""Servers that stand still hold nobody up who does not need them, and nobody for long who does."""

import json
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

import pytest

from bitvault.stack.ports import LOOPBACK
from tests.support import stopping
from tests.support.live import Live
from tests.support.sockets import SocketProcess
from tests.support.world import PASSWORD

pytestmark = [pytest.mark.journey, pytest.mark.store]

AT_ONCE = 24
"""More requests than the web has threads."""

LONG_SECONDS = 20.0
"""Far less than they would wait one after another; a busy machine needs a part of it."""


@pytest.fixture(scope="module")
def vault(database_template, worker_suffix):
    """A BitVault whose database is reached by a relay that can be stopped; gives it, the relay's process and the sockets' port."""
    with Live(template=database_template, name=f"bv_hanging_{worker_suffix}", origins=False) as plain:
        plain.kill_web()
        with stopping.relay_to(plain.database_url) as (relay, url):
            plain.change(BITVAULT_DATABASE_URL=url, BITVAULT_WEB_URL=plain.web_url)
            plain.start_web()
            sockets = SocketProcess(plain)
            yield plain, relay, sockets.port


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes
    seconds: float

    def json(self):
        return json.loads(self.body)


def ask(port, path, *, method="GET", body=None, **headers):
    """Ask on a connection of its own, by the cheapest client there is: many are to ask in the same moment."""
    began = time.monotonic()
    with closing(HTTPConnection(LOOPBACK, port, timeout=3 * LONG_SECONDS)) as line:
        line.request(method, path, body, headers)
        answer = line.getresponse()
        return Answer(answer.status, answer.headers, answer.read(), time.monotonic() - began)


def at_once(work):
    """Ask from many threads; gives the statuses and the longest time."""
    found = []
    threads = [threading.Thread(target=lambda: found.append(work())) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == AT_ONCE
    return {answer.status for answer in found}, max(answer.seconds for answer in found)


def listing(live):
    return ask(live.port, "/api/v1/nodes/root/children", Authorization=f"Bearer {live.token}")


def health(port, path, **headers):
    return ask(port, path, **headers)


def test_a_database_that_stands_still_is_told_at_once_by_all_who_need_it(vault):
    live, relay, sockets = vault
    assert listing(live).status == 200
    live.await_that(lambda: health(sockets, "/readyz").status == 200)
    with stopping.stopped(relay):
        statuses, _ = at_once(lambda: listing(live))
        assert statuses == {503}
        statuses, longest = at_once(lambda: listing(live))
        assert statuses == {503}
        assert longest < LONG_SECONDS / 2
        assert listing(live).json()["code"] == "platform.service_down"
        assert health(live.port, "/healthz").status == 200
        assert health(sockets, "/healthz").status == 200
        live.await_that(lambda: health(sockets, "/readyz").status == 503, seconds=LONG_SECONDS)
        assert health(sockets, "/readyz").json()["database"] is False
    live.await_that(lambda: listing(live).status == 200, seconds=LONG_SECONDS)
    live.await_that(lambda: health(sockets, "/readyz").status == 200, seconds=LONG_SECONDS)


def test_a_valkey_that_stands_still_is_missed_by_those_alone_who_cannot_do_without(vault):
    live, _, sockets = vault
    pid = next(child.pid for child in live.applications.group.children if child.program.name == "valkey")

    def sign_in():
        body = json.dumps({"email": live.email, "password": PASSWORD})
        headers = {"Host": live.tenant_host, "Content-Type": "application/json"}
        return ask(live.port, "/api/v1/auth/login", method="POST", body=body, **headers)

    assert sign_in().status == 200
    with stopping.stopped(*stopping.family(pid)):
        assert at_once(sign_in)[0] == {503}
        statuses, longest = at_once(sign_in)
        assert statuses == {503}
        assert longest < LONG_SECONDS / 2
        assert at_once(lambda: listing(live))[0] == {200}
        assert health(sockets, "/healthz").status == 200
        live.await_that(lambda: health(sockets, "/readyz").json()["valkey"] is False, seconds=LONG_SECONDS)
    live.await_that(lambda: sign_in().status == 200, seconds=LONG_SECONDS)


def test_requests_that_wait_for_a_number_leave_threads_for_others(vault):
    """No worker runs here, so what they wait for does not come."""
    live, _, _ = vault
    head = live.client().post("/folders", {"parent_id": live.client().get("/me").json()["root_id"], "name": "Later"})
    path = f"/api/v1/usage?min_seq={head.headers['BitVault-Seq']}&wait_ms=10000"
    answers = []

    def wait():
        answers.append(ask(live.port, path, Authorization=f"Bearer {live.token}"))

    threads = [threading.Thread(target=wait) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    live.await_that(lambda: len(answers) > AT_ONCE / 2, seconds=LONG_SECONDS)
    others = [ask(live.port, "/healthz") for _ in range(20)] + [listing(live) for _ in range(20)]
    assert {answer.status for answer in others} == {200}
    assert len(answers) < AT_ONCE, "some wait still"
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} == {202}
    assert {answer.headers["Retry-After"] for answer in answers} == {"1"}


def test_health_is_told_while_the_web_stands_still(vault):
    """All threads of all its processes are stopped; clients that send no bodies do not hold them all (test_slow_bodies)."""
    live, _, sockets = vault
    live.await_that(lambda: health(sockets, "/readyz").status == 200, seconds=LONG_SECONDS)
    with stopping.stopped(*stopping.family(live._web.pid)):
        live.await_that(lambda: health(sockets, "/readyz").json()["web"] is False, seconds=LONG_SECONDS)
        began = time.monotonic()
        assert health(sockets, "/healthz").status == 200
        assert time.monotonic() - began < 2
    live.await_that(lambda: health(sockets, "/readyz").status == 200, seconds=LONG_SECONDS)


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("127.0.0.1:8000", 200), ("[::1]:80", 200), ("admin.localhost", 200)]
    + [(host, 404) for host in ("acme.localhost", "stranger.example.com", "localhost.example.com", "", "@", "[::")],
)
def test_only_the_installations_own_hosts_tell_readiness(vault, host, status):
    live, _, sockets = vault
    live.await_that(lambda: health(sockets, "/readyz").status == 200, seconds=LONG_SECONDS)
    assert health(sockets, "/readyz", Host=host).status == status
    assert health(sockets, "/healthz", Host=host).status == 200


def test_health_takes_no_other_method(vault):
    _, _, sockets = vault
    refused = ask(sockets, "/healthz", method="POST")
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert ask(sockets, "/healthz", method="HEAD").status == 200

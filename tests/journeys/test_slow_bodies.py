"""Whoever announces a body and sends none keeps nobody waiting, through the front or past it."""

import socket
import time
from contextlib import contextmanager

import httpx
import pytest

from bitvault.stack.ports import LOOPBACK

pytestmark = pytest.mark.journey

HEADS = {
    "REST without a token": "POST /api/v1/folders HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n",
    "sign-in": "POST /api/v1/auth/login HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n",
    "a form": "POST /sign-in/ HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n",
    "a name of nobody's": "POST /x HTTP/1.1\r\nHost: nobody.invalid\r\n",
    "a static file": "GET /static/files/app.js HTTP/1.1\r\nHost: {host}\r\n",
    "a path of nobody's": "POST /nowhere HTTP/1.1\r\nHost: {host}\r\n",
}


@contextmanager
def stopped_bodies(live, head, *, port, count):
    """Announce bodies and send none of them."""
    lines = [socket.create_connection((LOOPBACK, port)) for _ in range(count)]
    try:
        for line in lines:
            line.sendall(f"{head.format(host=live.tenant_host)}Content-Length: 1000\r\n\r\n".encode())
        time.sleep(0.3)
        yield
    finally:
        for line in lines:
            line.close()


@pytest.mark.parametrize("name", HEADS)
def test_bodies_that_do_not_come_leave_threads_past_the_front_as_well(live, name):
    with stopped_bodies(live, HEADS[name], port=live.ports["wsgi"], count=20):
        for _ in range(10):
            assert (
                httpx.get(f"{live.web_url}/api/v1/me", headers={"Authorization": f"Bearer {live.token}"}).status_code
                == 200
            )


def test_a_refused_request_with_a_body_is_answered_through_the_front_each_time(live):
    """The web refuses before it reads; what it left lying would cut the connection below the front, and the answer with it."""
    for size in (10, 60_000, 300_000, 1_900_000):
        with httpx.Client(base_url=live.base_url, timeout=20) as client:
            for _ in range(30):
                refused = client.post(
                    "/api/v1/folders", content=b"x" * size, headers={"Content-Type": "application/json"}
                )
                assert (refused.status_code, refused.json()["code"]) == (401, "identity.unauthenticated"), size


@pytest.mark.parametrize("name", HEADS)
def test_bodies_that_do_not_come_hold_no_thread_behind_the_front(live, name):
    with stopped_bodies(live, HEADS[name], port=live.port, count=100):
        for _ in range(10):
            answer = httpx.post(
                f"{live.base_url}/api/v1/sync/ticket", headers={"Authorization": f"Bearer {live.token}"}, json={}
            )
            assert answer.status_code == 201


def test_a_proxy_that_names_the_port_keeps_nobody_from_signing_in(live):
    """nginx' `$host:$server_port` and `$host`; the browser says what stands in its address bar."""
    body = {"email": live.email, "password": live.password}
    for host, origin, status in (
        ("acme.localhost:80", "http://acme.localhost", 200),
        ("acme.localhost", "http://acme.localhost:80", 200),
        ("acme.localhost", f"http://{live.tenant_host}", 200),
        ("acme.localhost:81", "http://acme.localhost", 403),
        ("acme.localhost", "http://acme.localhost:81", 403),
        ("acme.localhost", "http://beta.localhost", 403),
    ):
        answer = httpx.post(f"{live.base_url}/api/v1/auth/login", headers={"Host": host, "Origin": origin}, json=body)
        assert answer.status_code == status, (host, origin, answer.text)
